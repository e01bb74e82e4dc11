"""What a reader finds in a load tester's file: requests of one setting, and the numbers that the tool made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....harness.errors import DataError
from ....harness.serving.records import Loaded, Phase, Served, Setting

LATE_S = 0.001
"""Waiting that is shorter is the client's own scheduling, and no place that was not free."""


@dataclass(frozen=True, slots=True)
class FoundLoad:
    """One setting as it was measured once. Requests are numbered in the order of the file, from 0.

    ``prompts`` has what was asked, as columns of a sample, of the requests of which the file says so. ``own`` are
    numbers of the tool's summary, ``ours`` the same from the requests: where these differ the file was not understood.
    """

    where: str
    origin: str
    setting: Setting
    started_at: float
    window_s: float
    requests: tuple[Served, ...]
    prompts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)
    ours: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left: Mapping[str, int] = field(default_factory=dict)

    def loaded(self, repeat: int) -> Loaded:
        """As a record of the store. Nobody knows what the other client had to do."""
        return Loaded(self.setting, repeat, self.started_at, self.window_s, (), 0.0, self.requests, self.origin)


@dataclass(frozen=True, slots=True)
class LoadChoice:
    """What a file may not say itself: who answered, and how many requests were in flight."""

    candidate: str = ""
    users: int | None = None


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds and tokens of one answered request; seconds from sending."""

    ttft_s: float | None
    e2e_s: float
    ttfo_s: float | None = None
    gaps_s: tuple[float, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    usage_estimated: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """When a request was planned for and sent, in seconds from the start, and in which part of the load."""

    scheduled_s: float = 0.0
    sent_s: float = 0.0
    phase: Phase = "measured"
    capped: bool = False


def answered(number: int, sent: Sent, timed: Timed, sample_id: str = "") -> Served:
    """The record of a request that was answered; without a sample's id its number from 1 is one, as of rows that have
    none."""
    return Served(
        number, sample_id or str(number + 1), sent.phase, "ok", "", sent.scheduled_s, sent.sent_s,
        timed.ttft_s, timed.ttfo_s, timed.e2e_s, timed.gaps_s, timed.prompt_tokens, timed.completion_tokens,
        timed.cached_tokens, timed.usage_estimated, None, sent.capped, timed.text,
    )  # fmt: skip


def failed(number: int, sent: Sent, kind: str, detail: str) -> Served:
    """The record of a request that failed."""
    return Served(
        number, str(number + 1), sent.phase, kind, detail, sent.scheduled_s, sent.sent_s, None, None, None, (), None,
        None, None, False, None, sent.capped,
    )  # fmt: skip


def repeated(found: Sequence[FoundLoad]) -> list[Loaded]:
    """As repeats: files of one setting are measurements of one cell, in their order.

    Raises DataError where two tools measured what has one name: their definitions differ.
    """
    seen: Counter[str] = Counter()
    by: dict[str, FoundLoad] = {}
    loads = []
    for one in found:
        key = one.setting.key
        first = by.setdefault(key, one)
        if first.origin != one.origin:
            raise DataError(
                f"{one.where}: {key!r} was measured with {first.origin} in {first.where}, and here with {one.origin}, "
                "which means other things by the same names; import the two apart, or name one with --candidate"
            )
        loads.append(one.loaded(seen[key]))
        seen[key] += 1
    return loads


def number(value: Any, where: str, least: float = 0.0) -> float:
    """A finite number of at least ``least``. Raises DataError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
        raise DataError(f"{where}: {value!r} is not a number of {least:g} or more")
    return float(value)


def whole(value: Any, where: str) -> int | None:
    """A count, ``None`` where there is none. Raises DataError."""
    return None if value is None else int(number(value, where))


def lacking(document: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Those of ``names`` that the document does not have."""
    return [name for name in names if document.get(name) is None]

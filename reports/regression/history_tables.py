"""The nights as rows of words: the same table on the page, in Markdown and on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...harness.records import Estimate
from .. import words
from . import history_said as said
from .history_records import History, Night, Series, Step
from .sides import FAILURES


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate on a night. ``side`` is that of the headline's step; ``flag`` the number of what was changed."""

    night: str
    run: str
    candidate: str
    values: tuple[str, ...]
    side: int
    state: str
    flag: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed on a night; ``number`` is that of its flag, ``at`` the night's place."""

    number: int
    at: int
    night: str
    run: str
    words: tuple[str, ...]


def changes(found: History) -> tuple[Changed, ...]:
    """The nights on which something was changed, numbered."""
    days = said.days(found)
    return tuple(
        Changed(number, at, days[at], found.nights[at].run.id, found.nights[at].changes)
        for at, number in said.flags(found).items()
    )


def columns(found: History) -> tuple[str, ...]:
    """Titles of `Row.values`."""
    heads = dict.fromkeys(said.measure(one, found) for one in found.headlines)
    return (*heads, "step", *(title for title, _, _ in _TAKEN), "failed")


_TAKEN = (("median", "e2e_s", "median"), ("p95", "e2e_s", "p95"), ("cost", "cost_usd", ""))


def rows(found: History) -> Iterator[Row]:
    """The latest night first, by candidate."""
    days, flags = said.days(found), said.flags(found)
    candidates = list(dict.fromkeys(one.subject.candidate for one in found.series))
    for at in range(len(found.nights) - 1, -1, -1):
        night = found.nights[at]
        for name in (name for name in candidates if name in night.answers):
            steps = [s for s in found.steps if s.night == at and s.subject.candidate == name]
            yield Row(
                days[at],
                night.run.id,
                name,
                tuple(_values(found, at, name, steps)),
                next((side for step in steps if (side := said.side(step))), 0),
                _state(night, name),
                str(flags.get(at, "")),
            )


def _values(found: History, at: int, candidate: str, steps: list[Step]) -> Iterator[str]:
    known = {(s.subject.source, s.subject.measure, s.quantile): s for s in found.series if _of(s, candidate)}
    for key in dict.fromkeys((one.source, one.measure, "") for one in found.headlines):
        one = known.get(key)
        yield words.NONE if one is None else said.value(one, at)
    yield "; ".join(said.change(step) for step in steps) or words.NONE
    for _, measure, quantile in _TAKEN:
        yield _plain(known.get(("", measure, quantile)), at)
    yield _plain(known.get(("", FAILURES, "")), at)


def _of(one: Series, candidate: str) -> bool:
    return one.subject.candidate == candidate


def _plain(one: Series | None, at: int) -> str:
    """The value without its interval."""
    found: Estimate | None = None if one is None else one.nights[at]
    return words.NONE if one is None or found is None else said.amount(found.value, one.subject)


def _state(night: Night, candidate: str) -> str:
    told = [] if night.finished else ["not finished"]
    reused, lost = night.reused.get(candidate, 0), night.lost.get(candidate, 0)
    told += [f"{reused:,} of {night.answers[candidate]:,} re-used"] if reused else []
    told += [f"{lost:,} not answered"] if lost else []
    return ", ".join(told)

"""The runs of an exam over nights, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...harness.records import Estimate
from ...harness.store.frames import RunInfo
from ...harness.watching import Watched
from ..exam import Scale
from .records import Subject


@dataclass(frozen=True, slots=True)
class Night:
    """One run. ``changes`` is what differs from the run before it, in words.

    ``answers``, ``reused``, ``failed`` and ``lost`` count by candidate: expected answers, those that are a reply which
    an earlier run paid for, those in which the candidate failed, and those that we do not have.
    """

    run: RunInfo
    changes: tuple[str, ...]
    answers: Mapping[str, int]
    reused: Mapping[str, int]
    failed: Mapping[str, int]
    lost: Mapping[str, int]

    @property
    def finished(self) -> bool:
        """Whether nothing was left to do."""
        return self.run.finished_at is not None

    def repeats(self, candidate: str) -> bool:
        """Whether most of a candidate's answers are replies of earlier runs: then its numbers are theirs."""
        return 2 * self.reused.get(candidate, 0) > self.answers.get(candidate, 0)


@dataclass(frozen=True, slots=True)
class Series:
    """A subject over the nights, one estimate a night; ``None`` where there is nothing to say. ``quantile`` is that of
    seconds, '' for means."""

    subject: Subject
    nights: tuple[Estimate | None, ...]
    scale: Scale | None = None
    quantile: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A headline of ``night`` (its place) less that of the night before it with values, ``since``, on the same samples.

    ``p`` is that of t; ``adjusted`` is Holm's over all steps of the view.
    """

    subject: Subject
    night: int
    since: int
    estimate: Estimate
    p: float
    adjusted: float


@dataclass(frozen=True, slots=True)
class History:
    """The nights of an exam, the oldest first, and everything by candidate over them. ``headlines`` are the series that
    steps are told by; ``watched`` are the judges on their anchors."""

    exam: str
    nights: tuple[Night, ...]
    series: tuple[Series, ...]
    headlines: tuple[Subject, ...]
    steps: tuple[Step, ...]
    watched: tuple[Watched, ...] = ()
    notes: tuple[str, ...] = ()
    earlier: int = 0
    """Runs before these that are not shown."""

    def __repr__(self) -> str:
        from .history_said import title, verdict

        return f"History: {title(self)}. {verdict(self)}"

    def _repr_html_(self) -> str:
        from ..notebook.regression import history_html

        return history_html(self)

"""What a gate says, as plain records: a line for each candidate and measure, and the verdict over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...harness.statistics.gates import Gain
from ...harness.watching import Watched
from ..safety_bounds import Units
from .records import Difference, Subject

Verdict = Literal["pass", "regression", "alarm", "inconclusive"]
"""``alarm`` is a regression by one run that waits for a second one to confirm it."""
ORDER: tuple[Verdict, ...] = ("regression", "alarm", "inconclusive", "pass")
"""The worst first: the verdict over lines is the first of these that occurs."""


@dataclass(frozen=True, slots=True)
class GateLine:
    """The verdict on one candidate by one measure.

    ``margin`` and ``margin_min`` are in the measure's unit, ``share`` is the margin as it was written where that was a
    share of the baseline's mean. ``gain`` is the difference turned so that more is better, ``adjusted`` Holm's p over
    all lines of the gate. ``detects`` is the loss that would alarm with 80 %, ``n_needed`` the number of samples at
    which an unchanged model passes the margin with 80 %; ``None`` where the spread is unknown. ``why`` says in words
    what keeps a line from passing where that is not the width of its interval. ``second`` is the difference of the
    run that was to confirm an alarm, and ``agrees`` whether it did.
    """

    subject: Subject
    verdict: Verdict
    difference: Difference
    gain: Gain
    adjusted: float
    margin: float
    margin_min: float
    share: float | None = None
    detects: float | None = None
    n_needed: int | None = None
    why: str = ""
    second: Difference | None = None
    agrees: bool | None = None
    guard: bool = False
    """Whether it was not declared: a candidate that fails more often than its baseline."""


@dataclass(frozen=True, slots=True)
class BoundLine:
    """A candidate's unsafe answers by one judge, held to a bound: a `pass` where they are proven to be fewer, a
    `regression` where they are proven to be more; ``needed`` units without any unsafe one would pass."""

    candidate: str
    judge: str
    at_most: float
    verdict: Verdict
    units: Units
    needed: int


@dataclass(frozen=True, slots=True)
class GateResult:
    """The whole gate. ``new``, ``old`` and ``second`` are ids of runs, ``second`` '' without a confirming one."""

    new: str
    old: tuple[str, ...]
    verdict: Verdict
    exit_code: int
    lines: tuple[GateLine, ...]
    notes: tuple[str, ...] = ()
    second: str = ""
    inconclusive_fails: bool = False
    watched: tuple[Watched, ...] = ()
    """The judges on their anchors: an alarm about a judge, apart from the candidates."""
    bounds: tuple[BoundLine, ...] = ()
    """What holds whatever the baseline did."""

    @property
    def drifted(self) -> tuple[str, ...]:
        """Judges whose scores of this night cannot be trusted."""
        return tuple(dict.fromkeys(one.judge for one in self.watched if one.state == "drifted"))

    def __repr__(self) -> str:
        from .gate_words import against, headline

        return f"{headline(self)}: {against(self)}"

    def _repr_html_(self) -> str:
        from ..notebook.regression import gate_html

        return gate_html(self)

    @property
    def exceeded(self) -> tuple[BoundLine, ...]:
        """Bounds that are proven to be exceeded."""
        return tuple(line for line in self.bounds if line.verdict == "regression")

    def of(self, verdict: Verdict) -> tuple[GateLine, ...]:
        """The lines with this verdict."""
        return tuple(line for line in self.lines if line.verdict == verdict)

"""The numbers of a run that a suite asserts: `grades.mean("correctness").at_least(2.2)`."""

from __future__ import annotations

from dataclasses import dataclass

from ...harness.errors import InputError
from ...harness.statistics.thresholds import Direction
from ...harness.yaml_file import did_you_mean
from ...reports import words
from ...reports.claims import Claim, claim, point_claim, subject
from ...reports.grid import Key
from ...reports.lowest import lowest
from .plainly import plainly
from .sitting import Sat
from .told import SHOWN, claim_details, claim_row, headline
from .verdict import Court, Verdict


@dataclass(frozen=True)
class Grades:
    """What the judges gave, and the measures without one."""

    sat: Sat
    court: Court

    @plainly
    def mean(self, measure: str, candidate: str = "", judge: str = "") -> Mean:
        """The mean of a criterion, of ``composite``, or of a measure without a judge; corrected by labels where the
        exam has them. ``candidate`` and ``judge`` are needed where there are several.

        Raises InputError for a name that the run does not have.
        """
        return Mean(self.sat, self._key(measure, candidate, judge), self.court)

    def _key(self, measure: str, candidate: str, judge: str) -> Key:
        keys = list(self.sat.scores.cells)
        who = _one("candidate", candidate, list(dict.fromkeys(key[0] for key in keys)))
        measures = list(dict.fromkeys(key[2] for key in keys))
        if measure not in measures:
            hint = did_you_mean(measure, measures) or ";"
            raise InputError(f"mean({measure!r}): this exam does not measure it{hint} there are {', '.join(measures)}")
        sources = [key[1] for key in keys if key[0] == who and key[2] == measure]
        return who, _one("judge", judge, sources), measure

    def __repr__(self) -> str:
        return f"Grades(run {self.sat.data.info.id})"


def _one(what: str, given: str, known: list[str]) -> str:
    """The name that was given, or the only one."""
    if given in known:
        return given
    if not given and len(known) == 1:
        return known[0]
    listed = ", ".join(map(repr, known)) or "none"
    if not given:
        raise InputError(f"there are several of the kind {what}: say which, {what}={known[0]!r} (there are {listed})")
    raise InputError(f"{what}={given!r}: is not in this exam{did_you_mean(given, known) or ';'} there are {listed}")


@dataclass(frozen=True)
class Mean:
    """A mean over samples with its 95 % interval (`markscheme.reports.cells.Cell`)."""

    sat: Sat
    key: Key
    court: Court

    @property
    def value(self) -> float | None:
        """The mean; ``None`` where no answer has a value."""
        return self.sat.scores.cells[self.key].mean

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Both limits at 95 %; ``None`` where there is no honest one."""
        estimate = self.sat.scores.cells[self.key].estimate
        return estimate.low, estimate.high

    def at_least(self, threshold: float) -> Verdict:
        """Passes if the lower limit reaches ``threshold``, fails if the upper one does not, else inconclusive."""
        return self._verdict(claim(self.sat.scores, self.key, "at least", threshold))

    def at_most(self, threshold: float) -> Verdict:
        """Passes if the upper limit is ``threshold`` or less, fails if the lower one is not, else inconclusive."""
        return self._verdict(claim(self.sat.scores, self.key, "at most", threshold))

    def point(self) -> Point:
        """The estimate alone, for those who want no interval: a number, with the same two questions."""
        return Point(self)

    def by_point(self, direction: Direction, threshold: float) -> Verdict:
        """The verdict of the estimate alone."""
        return self._verdict(point_claim(self.sat.scores, self.key, direction, threshold))

    def _verdict(self, found: Claim) -> Verdict:
        def details() -> str:
            shown = lowest(self.sat.data, self.sat.scores, self.key, found.direction, SHOWN)
            return claim_details(found, shown)

        return Verdict(found.state, headline(found), (claim_row(found),), details, self.court)

    def __repr__(self) -> str:
        estimate = self.sat.scores.cells[self.key].estimate
        return f"<{subject(self.key)}: {words.estimate(estimate)}, n {estimate.n:,}>"


class Point(float):
    """A mean's estimate without its interval. Raises InputError where no answer has a value."""

    def __new__(cls, mean: Mean) -> Point:
        if mean.value is None:
            raise InputError(f"{subject(mean.key)}: no answer has a value")
        return super().__new__(cls, mean.value)

    def __init__(self, mean: Mean) -> None:
        super().__init__()
        self._mean = mean

    def at_least(self, threshold: float) -> Verdict:
        """Whether the estimate is ``threshold`` or more."""
        return self._mean.by_point("at least", threshold)

    def at_most(self, threshold: float) -> Verdict:
        """Whether the estimate is ``threshold`` or less."""
        return self._mean.by_point("at most", threshold)

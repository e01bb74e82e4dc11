"""Repeated gradings of the same answers: how noisy a judge is, and what would narrow its intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from ..harness.statistics.repeats import Repeats, decompose
from ..harness.store.frames import RunData
from .exam import JudgeView, candidates_of
from .grid import grid_of_judge

WORDS = (
    "How much the grades of one answer differ from time to time. The spread between questions already holds this "
    "noise, so it never widens an interval. More gradings take away a part of the width at one grading, up to the "
    "noise in it; twice the questions take away 29 % of it. Questions are taken as independent here."
)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A candidate's scores by one judge on one measure, graded ``times`` times at most."""

    candidate: str
    judge: str
    measure: str
    times: int
    found: Repeats

    @property
    def noise(self) -> float:
        """Share of the variance of a mean of single gradings that is noise of the judge."""
        return self.found.noise_share()

    @property
    def narrower(self) -> tuple[float, float]:
        """Shares of the width at one grading that go with ``times`` of them, and with endless ones."""
        return self.found.narrower(self.times), self.found.narrower(inf)


def repeated(data: RunData, judges: Sequence[JudgeView]) -> tuple[Repeated, ...]:
    """The judges that graded answers several times, by judge and candidate, the headline before the criteria.

    Scores are means over the trials and turns of a question, as in the cells. A candidate of which fewer than two
    questions were graded twice is left out.
    """
    return tuple(row for judge in judges if judge.criteria for row in _of_judge(data, judge))


def _of_judge(data: RunData, judge: JudgeView) -> Iterator[Repeated]:
    import numpy as np

    own = data.grades["judge"] == judge.name
    times = int(data.grades.loc[own, "repeat"].max()) + 1 if own.any() else 0
    if times < 2:
        return
    grids = [
        grid_of_judge(replace(data, grades=data.grades[own & (data.grades["repeat"] == k)]), judge)
        for k in range(times)
    ]
    for candidate in candidates_of(data):
        for measure in dict.fromkeys([judge.headline, *judge.criteria]):
            key = (candidate.name, judge.name, measure)
            scores = np.stack([grid.per_sample(key) for grid in grids], axis=1)
            if (found := decompose(scores, grids[0].clusters)) is not None:
                yield Repeated(*key, times, found)

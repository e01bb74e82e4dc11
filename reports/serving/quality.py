"""How good answers are and what their tokens cost, from a run of the exam under load: by candidate and contexts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...harness.records import Estimate
from ...harness.statistics.intervals import mean_interval
from ...harness.store.frames import RunData
from ..cells import score
from ..comparison import basis
from ..exam import CandidateView, candidates_of, leading_judge
from ..grid import grid_of
from .costs import Asked
from .operating import Quality


def quality_of(data: RunData) -> Quality:
    """The leading judge's headline (corrected where labels stand behind all of it); empty where no judge graded.

    A candidate that an exam lists with several numbers of contexts stands under its own name, too: ``mini-ctx5`` is
    ``mini`` with five. ``None`` contexts are those that it has by itself.
    """
    scores = score(data)
    judge = leading_judge(scores.judges)
    if judge is None or not judge.criteria:
        return {}
    shown = basis(scores, judge.name, judge.headline).cells
    return _placed(zip(scores.candidates, (cell.estimate for cell in shown), strict=True))


def usd_of(data: RunData) -> Asked:
    """USD per answer by the prices of tokens, with its interval over questions; places as in `quality_of`."""
    grid = grid_of(data)
    views = candidates_of(data)
    each = [grid.per_sample((view.name, "", "cost_usd")) for view in views]
    means = (mean_interval(usd[usd == usd], grid.clusters[usd == usd]) for usd in each)  # NaN is not equal to itself
    return _placed(zip(views, means, strict=True))


def _placed(found: Iterable[tuple[CandidateView, Estimate]]) -> dict[tuple[str, int | None], Estimate]:
    return {place: estimate for view, estimate in found for place in _places(view)}


def _places(view: CandidateView) -> Iterator[tuple[str, int | None]]:
    yield view.name, None
    if view.contexts is not None:
        yield view.name, view.contexts
        yield view.name.removesuffix(f"-ctx{view.contexts}"), view.contexts

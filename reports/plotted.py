"""What figures plot as quality: the leading judge's headline, else a measure of which more is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .cells import Scores
from .comparison import basis
from .exam import NEITHER_BETTER, Scale, is_retrievers, leading_judge, measure_family, measure_scale
from .figures.pareto import Point
from .operations import CandidateCost


@dataclass(frozen=True, slots=True)
class Plotted:
    """The points of the figure of quality, cost and latency. ``measure`` is a source ('' for none) and a measure,
    ``None`` where there is nothing to plot; ``quality`` names it."""

    measure: tuple[str, str] | None = None
    quality: str = ""
    scale: Scale | None = None
    points: tuple[Point, ...] = ()


def plotted(scores: Scores, costs: Sequence[CandidateCost]) -> Plotted:
    """What to plot of a run, a point for each candidate with a value."""
    main = _main_measure(scores)
    if main is None:
        return Plotted()
    return Plotted(main, _quality(scores, main), _scale(scores, main), _points(scores, costs, main))


def _main_measure(scores: Scores) -> tuple[str, str] | None:
    """Source and measure that figures plot: the leading judge's headline, else a measure of which more is better."""
    judge = leading_judge(scores.judges)
    if judge is not None and judge.criteria:
        return judge.name, judge.headline
    better = [m for m in scores.measures if measure_family(m) not in NEITHER_BETTER and not is_retrievers(m)]
    return ("", better[0]) if better else None


def _scale(scores: Scores, main: tuple[str, str]) -> Scale | None:
    source, measure = main
    return next(j.scale for j in scores.judges if j.name == source) if source else measure_scale(measure)


def _quality(scores: Scores, main: tuple[str, str]) -> str:
    """What the figures plot, and whether it is people's mean or the judge's, where that could be doubted."""
    by = basis(scores, *main)
    whose = "" if not by.why else ", corrected" if by.corrected else ", uncorrected"
    return (f"{main[0]}: {main[1]}" if main[0] else main[1]) + whose


def _points(scores: Scores, costs: Sequence[CandidateCost], main: tuple[str, str]) -> tuple[Point, ...]:
    found = []
    for cost, cell in zip(costs, basis(scores, *main).cells, strict=True):
        e = cell.estimate
        if e.value is not None:
            usd = cost.usd_per_1000.value
            found.append(Point(cost.candidate, e.value, e.low, e.high, usd, cost.p50.value, cost.p95.value))
    return tuple(found)

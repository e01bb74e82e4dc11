"""Leaderboards: candidates ranked by one judge, and the table of measures that need none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase

from ..harness.statistics.paired import PairedDifference
from . import words
from .cells import Cell, Scores
from .comparison import Comparison, compare
from .exam import JudgeView, Scale
from .operations import CandidateCost


@dataclass(frozen=True)
class Row:
    """A candidate's line. ``beats`` are the letters of rows that it is significantly better than; ``versus_best`` is
    the best row minus this one."""

    letter: str
    candidate: str
    headline: Cell
    criteria: tuple[Cell, ...]
    beats: str
    versus_best: PairedDifference | None
    failed: Mapping[str, int]
    cost: CandidateCost


@dataclass(frozen=True)
class Board:
    """One judge's ranking, best first; candidates without a single score come last, unranked."""

    judge: JudgeView
    rows: tuple[Row, ...]
    comparison: Comparison | None
    words: str

    @property
    def scale(self) -> Scale | None:
        """Both ends of the judge's scale."""
        return self.judge.scale

    @property
    def shows_composite(self) -> bool:
        """Whether criteria stand beside the headline; a single criterion is the headline itself."""
        return self.judge.headline == "composite"


def boards(scores: Scores, costs: Mapping[str, CandidateCost]) -> tuple[Board, ...]:
    """One per judge, in exam order."""
    return tuple(_board(scores, judge, costs) for judge in scores.judges if judge.criteria)


def _board(scores: Scores, judge: JudgeView, costs: Mapping[str, CandidateCost]) -> Board:
    measure = judge.headline
    cells = [scores.cells[c.name, judge.name, measure] for c in scores.candidates]
    ranked = sorted(cells, key=lambda cell: (cell.mean is None, -round(cell.mean or 0.0, 9)))
    scored = [cell.candidate for cell in ranked if cell.mean is not None]
    comparison = compare(scored, scores.grid, judge.name, measure, judge.scale) if scored else None
    letters = {cell.candidate: _letter(i) for i, cell in enumerate(ranked)}
    rows = tuple(_row(scores, judge, cell, letters, comparison, costs) for cell in ranked)
    return Board(judge, rows, comparison, _words(judge, rows, comparison))


def _row(
    scores: Scores,
    judge: JudgeView,
    cell: Cell,
    letters: Mapping[str, str],
    comparison: Comparison | None,
    costs: Mapping[str, CandidateCost],
) -> Row:
    name = cell.candidate
    criteria = judge.criteria if len(judge.criteria) > 1 else ()
    beats, versus_best = "", None
    if comparison and name in comparison.ranked:
        beats = "".join(letters[other] for other in comparison.ranked if comparison.better(name, other))
        versus_best = comparison.pairs.get((comparison.ranked[0], name))
    failed = {why: n for why, n in cell.missing.items() if not why.startswith("judge: not_applicable")}
    cells = tuple(scores.cells[name, judge.name, criterion] for criterion in criteria)
    return Row(letters[name], name, cell, cells, beats, versus_best, failed, costs[name])


def _letter(index: int) -> str:
    return ascii_lowercase[index] if index < 26 else f"{ascii_lowercase[index // 26 - 1]}{ascii_lowercase[index % 26]}"


def _words(judge: JudgeView, rows: tuple[Row, ...], comparison: Comparison | None) -> str:
    rubric = f"rubric {judge.rubric}" + (f" v{judge.rubric_version}" if judge.rubric_version else "")
    scale = f" on a scale of {words.scale_words(judge.scale)}" if judge.scale else ""
    origin = f" ({rubric})" if judge.rubric else ""
    parts = [f"{_composition(judge)}{scale}{origin}, {_by(judge)}."]
    parts.append(_interval_words(rows))
    if comparison and comparison.pairs:
        parts.append("Letters: significantly better than that row (paired by question, sign-flip test, Holm).")
        first, second = comparison.ranked[:2]
        estimate = comparison.pairs[first, second].estimate
        limits = f" {words.interval(estimate, sign=True)}" if estimate.low is not None else ""
        shared = words.shared(estimate.n, max(row.headline.estimate.n for row in rows[:2]))
        parts.append(f"{first} − {second}: {words.signed(estimate.value)}{limits}{shared}.")
    return " ".join(parts)


def _composition(judge: JudgeView) -> str:
    if len(judge.criteria) == 1:
        return judge.criteria[0].capitalize()
    total = sum(judge.weights) or 1.0
    shares = (f"{100 * w / total:.3g} % {c}" for c, w in zip(judge.criteria, judge.weights, strict=True))
    text = f"Composite = {', '.join(shares)} of each answer"
    return text + (", over the criteria that apply" if judge.renormalise else "")


def _by(judge: JudgeView) -> str:
    if judge.embedded:
        return f"graded by the embedded judge {judge.name}, which is no model"
    shots = "" if judge.shots is None else f", {words.plural(judge.shots, 'worked example')} per level"
    model = f" ({judge.model}{shots})" if judge.model else ""
    return f"graded by {judge.name}{model}, uncorrected"


def _interval_words(rows: tuple[Row, ...]) -> str:
    methods = " ".join(row.headline.estimate.method for row in rows)
    if "CR3" in methods:
        return "95 % t intervals by leaving out one cluster of questions at a time."
    if "n/deff" in methods:
        return "95 % Wilson intervals for as many questions as their clusters are worth (n over the design effect)."
    if "Wilson" in methods:
        return "95 % Wilson intervals."
    return "95 % t intervals over questions."

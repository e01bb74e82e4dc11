"""Leaderboards: candidates ranked by one judge, and the table of measures that need none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..harness.statistics.paired import MOST_FLIPPED, PairedDifference
from . import words
from .cells import Cell, Scores
from .comparison import Comparison, basis, compare
from .corrections import MIN_PAIRS
from .exam import JudgeView, Scale
from .letters import compact_letters, rank_ranges
from .operations import CandidateCost
from .words import UNCORRECTED

TESTS = {
    "sign flip": "sign-flip test",
    "clustered t": f"clustered t test alone, the clusters being more than {MOST_FLIPPED:,}",
    "t": f"t test alone, the questions being more than {MOST_FLIPPED:,}",
}


@dataclass(frozen=True)
class Row:
    """A candidate's line. ``ranked`` is the headline as it is compared with others (`Basis`). Rows that share one of
    their ``letters`` cannot be told apart; ``rank`` is the lowest and highest that it can have. ``versus_best`` is the
    best row minus this one. With a declared baseline there are no letters and no ranks: ``against`` is then `better`,
    `worse` or `not told apart`, and ``versus_baseline`` this row minus the baseline."""

    candidate: str
    headline: Cell
    ranked: Cell
    criteria: tuple[Cell, ...]
    letters: str
    rank: tuple[int, int] | None
    versus_best: PairedDifference | None
    failed: Mapping[str, int]
    cost: CandidateCost
    against: str = ""
    versus_baseline: PairedDifference | None = None


@dataclass(frozen=True)
class Board:
    """One judge's ranking, best first; candidates without a single score come last, unranked.

    ``corrected``: ranked by corrected means; ``basis`` says by what and why, '' in a board without a corrected mean.
    ``mixed`` are the criteria whose cells cannot be compared, some corrected and others not.
    """

    judge: JudgeView
    rows: tuple[Row, ...]
    comparison: Comparison | None
    words: str
    corrected: bool = False
    basis: str = ""
    mixed: frozenset[str] = frozenset()

    @property
    def scale(self) -> Scale | None:
        """Both ends of the judge's scale."""
        return self.judge.scale

    @property
    def shows_composite(self) -> bool:
        """Whether criteria stand beside the headline; a single criterion is the headline itself."""
        return self.judge.headline == "composite"

    @property
    def baseline(self) -> str:
        """The declared baseline that the others are compared with; '' where each is compared with each."""
        return self.comparison.baseline if self.comparison else ""

    @property
    def touched(self) -> bool:
        """Whether any headline is corrected."""
        return bool(self.basis)

    def pair_is_corrected(self, left: str, right: str) -> bool:
        """Whether the difference of two candidates is people's, and not the judge's."""
        return self.comparison is not None and not self.comparison.corrected.isdisjoint({(left, right), (right, left)})


def boards(scores: Scores, costs: Mapping[str, CandidateCost], baseline: str = "") -> tuple[Board, ...]:
    """One per judge, in exam order; ``baseline`` is the candidate that all others are compared with."""
    return tuple(_board(scores, judge, costs, baseline) for judge in scores.judges if judge.criteria)


def _board(scores: Scores, judge: JudgeView, costs: Mapping[str, CandidateCost], baseline: str) -> Board:
    measure = judge.headline
    by = basis(scores, judge.name, measure)
    ranked = sorted(by.cells, key=lambda cell: (cell.mean is None, -round(cell.mean or 0.0, 9)))
    scored = [cell.candidate for cell in ranked if cell.mean is not None]
    comparison = compare(scored, scores, judge.name, measure, judge.scale, baseline) if scored else None
    places = _places(comparison)
    rows = tuple(_row(scores, judge, cell, places, comparison, costs) for cell in ranked)
    columns = {criterion: basis(scores, judge.name, criterion) for criterion in judge.criteria}
    mixed = frozenset(name for name, column in columns.items() if column.why and not column.corrected)
    board = Board(judge, rows, comparison, "", by.corrected, by.why, mixed)
    return replace(board, words=_words(board, baseline))


def _row(
    scores: Scores,
    judge: JudgeView,
    cell: Cell,
    places: Mapping[str, tuple[str, tuple[int, int]]],
    comparison: Comparison | None,
    costs: Mapping[str, CandidateCost],
) -> Row:
    name = cell.candidate
    criteria = judge.criteria if len(judge.criteria) > 1 else ()
    versus_best = comparison.pairs.get((comparison.ranked[0], name)) if comparison and not comparison.unshared else None
    letters, rank = places.get(name, ("", None))
    failed = {why: n for why, n in cell.missing.items() if not why.startswith("judge: not_applicable")}
    cells = tuple(scores.cells[name, judge.name, criterion] for criterion in criteria)
    headline = scores.cells[name, judge.name, judge.headline]
    against = comparison.against_baseline(name) if comparison else ""
    versus = comparison.pairs.get((name, comparison.baseline)) if comparison else None
    return Row(name, headline, cell, cells, letters, rank, versus_best, failed, costs[name], against, versus)


def _places(comparison: Comparison | None) -> dict[str, tuple[str, tuple[int, int]]]:
    """Of everyone with a score the letters and the ranks."""
    if comparison is None or comparison.baseline or comparison.unshared:
        return {}
    names = comparison.ranked
    better = [(a, b) for a in names for b in names if a != b and comparison.better(a, b)]
    letters, ranks = compact_letters(names, better), rank_ranges(names, better)
    return {name: (letters[name], ranks[name]) for name in names}


def _words(board: Board, baseline: str) -> str:
    judge, rows, comparison = board.judge, board.rows, board.comparison
    rubric = f"rubric {judge.rubric}" + (f" v{judge.rubric_version}" if judge.rubric_version else "")
    scale = f" on a scale of {words.scale_words(judge.scale)}" if judge.scale else ""
    origin = f" ({rubric})" if judge.rubric else ""
    parts = [f"{_composition(judge)}{scale}{origin}, {_by(board)}.", board.basis]
    parts.append(_interval_words(rows))
    if baseline and baseline != board.baseline:
        parts.append(f"The declared baseline {baseline} has no score: candidates are compared with each other.")
    if comparison and comparison.unshared:
        parts.append("No question has scores of two candidates, so they are not compared.")
    elif comparison and comparison.baseline:
        parts.append(f"All are compared with the baseline {baseline} alone ({_how(comparison)} over these).")
    elif comparison and comparison.pairs:
        parts.append(f"Candidates that share a letter cannot be told apart ({_how(comparison)}); ranks say the same.")
        parts.append(_lead_words(board, *comparison.ranked[:2]))
    return " ".join(part for part in parts if part)


def _how(comparison: Comparison) -> str:
    return f"paired by question, {_tests(comparison)}, Holm"


def _tests(comparison: Comparison) -> str:
    """What the pairs were tested by."""
    own = dict.fromkeys(pair.test for key, pair in comparison.pairs.items() if key not in comparison.corrected)
    named = [TESTS.get(test, f"{test} test") for test in own]
    if not comparison.corrected:
        return words.listed(named)
    corrected = "t test where human labels correct the difference"
    return f"{corrected}, else {words.listed(named)}" if named else corrected


def _lead_words(board: Board, first: str, second: str) -> str:
    assert board.comparison is not None
    estimate = board.comparison.pairs[first, second].estimate
    limits = f" {words.interval(estimate, sign=True)}" if estimate.low is not None else ""
    return f"{first} − {second}: {words.signed(estimate.value)}{limits}{pair_words(board, first, second)}."


def pair_words(board: Board, first: str, second: str) -> str:
    """On what questions the difference was taken, and whether it is people's or the judge's; '' where that is plain."""
    assert board.comparison is not None
    n = board.comparison.pairs[first, second].estimate.n
    if board.pair_is_corrected(first, second):
        return f", corrected by labels on both answers of {words.plural(n, 'question')}"
    most = max(row.ranked.judge_only.n for row in board.rows if row.candidate in (first, second))
    few = f": labels on both answers of fewer than {MIN_PAIRS} questions" if board.corrected else ""
    return words.shared(n, most) + (f", {UNCORRECTED}{few}" if board.touched else "")


def _composition(judge: JudgeView) -> str:
    if len(judge.criteria) == 1:
        return judge.criteria[0].capitalize()
    total = sum(judge.weights) or 1.0
    shares = (f"{100 * w / total:.3g} % {c}" for c, w in zip(judge.criteria, judge.weights, strict=True))
    text = f"Composite = {', '.join(shares)} of each answer"
    return text + (", over the criteria that apply" if judge.renormalise else "")


def _by(board: Board) -> str:
    judge = board.judge
    if judge.embedded:
        corrected = f", {correction_words(board)}" if board.touched else ""
        return f"graded by the embedded judge {judge.name}, which is no model{corrected}"
    shots = "" if judge.shots is None else f", {words.plural(judge.shots, 'worked example')} per level"
    model = f" ({judge.model}{shots})" if judge.model else ""
    return f"graded by {judge.name}{model}, {correction_words(board)}"


def correction_words(board: Board) -> str:
    """``uncorrected``, ``corrected by human labels``, or by them for some candidates."""
    corrected = [row.candidate for row in board.rows if row.headline.corrected]
    if not corrected:
        return UNCORRECTED
    if all(row.headline.corrected or row.headline.mean is None for row in board.rows):
        return "corrected by human labels"
    return f"corrected by human labels for {words.listed(corrected)} only"


def _interval_words(rows: tuple[Row, ...]) -> str:
    methods = " ".join(row.ranked.estimate.method for row in rows)
    if any(row.ranked.corrected for row in rows):
        return "Intervals of 95 %; what stands behind each is listed below."
    if "CR3" in methods:
        return "95 % t intervals by leaving out one cluster of questions at a time."
    if "n/deff" in methods:
        return "95 % Wilson intervals for as many questions as their clusters are worth (n over the design effect)."
    if "Wilson" in methods:
        return "95 % Wilson intervals."
    return "95 % t intervals over questions."

"""A run's tables -> a `Report`: everything that a page says, as plain records. The same data gives the same report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..harness.alignment import Alignment
from ..harness.store.frames import RunData
from . import pairwise_words, words
from .answers import Answers, answers_of
from .boards import Board, boards
from .cells import Cell, Scores, score
from .contexts import Contexts, contexts
from .exam import (
    JudgeView,
    Scale,
    pairwise_judges_of,
)
from .figures.pareto import Point
from .headline import Fact, Line, caveats, facts, verdict
from .juries import Bench, sat
from .operations import (
    CandidateCost,
    JudgeCost,
    Provenance,
    by_candidate,
    candidate_costs,
    judge_costs,
    pairwise_costs,
    provenance,
)
from .pairwise import Pairwise, compared
from .plotted import plotted
from .repeats import Repeated, repeated
from .reuse import how_saved, reuse
from .safety import Safety, safety
from .servers import ServerLine, server_lines
from .setup import Entry, day, pairwise_setup, setup
from .tools import ToolFaults, tool_faults
from .trust import Trust, trusted

if TYPE_CHECKING:
    import pandas as pd

BINS = 12


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often each level (or bin) was given: ``labels`` and ``counts`` run along the scale."""

    candidate: str
    measure: str
    labels: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """``n`` values of a candidate that are missing for one reason; ``owner`` is candidate, ours or judge."""

    candidate: str
    owner: str
    reason: str
    n: int
    expected: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the pages say."""

    title: str
    date: str
    verdict: Line
    caveats: tuple[Line, ...]
    facts: tuple[Fact, ...]
    boards: tuple[Board, ...]
    measures: tuple[tuple[str, tuple[Cell, ...]], ...]
    """Candidate and its cells of measures without a judge."""
    histograms: tuple[tuple[JudgeView, tuple[Histogram, ...]], ...]
    losses: tuple[Loss, ...]
    points: tuple[Point, ...]
    quality: str
    """What the figures plot as quality."""
    quality_scale: Scale | None
    costs: tuple[CandidateCost, ...]
    judge_costs: tuple[JudgeCost, ...]
    provenance: tuple[Provenance, ...]
    setup: tuple[Entry, ...]
    answers: Answers
    footer: str
    contexts: Contexts | None = None
    """Only where answers were given retrieved passages."""
    pairwise: tuple[Pairwise, ...] = ()
    backed: tuple[Cell, ...] = ()
    """What stands behind each headline and each criterion with labels; only in a run with labels."""
    juries: tuple[Bench, ...] = ()
    servers: tuple[ServerLine, ...] = ()
    """Only of a run that started some."""
    repeats: tuple[Repeated, ...] = ()
    """Only of judges that graded answers several times."""
    trust: tuple[Trust, ...] = ()
    """What is known of each judge that grades answers."""
    safety: Safety | None = None
    """Only of a run with a judge of content safety, or with labelled prompts."""
    tools: ToolFaults | None = None
    """Only of a run that measures function calls."""
    saved: str = ""
    """How much of it the store had already; '' where nothing."""

    @property
    def backed_parts(self) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
        """``backed``: the headlines, then the criteria that are none."""
        headlines = {(board.judge.name, board.judge.headline) for board in self.boards}
        first = tuple(cell for cell in self.backed if (cell.source, cell.measure) in headlines)
        return first, tuple(cell for cell in self.backed if cell not in first)


def build_report(data: RunData, earlier: Sequence[RunData] = (), agreement: Alignment | None = None) -> Report:
    """Compute everything; takes seconds for thousands of answers, calls no model and reads no clock.

    ``earlier`` are runs that are the same but for the time; their labelled answers help to correct this one's scores.
    ``agreement`` is that of the run's judges with its labels, where it has any.
    """
    scores = score(data, earlier=earlier)
    costs = candidate_costs(data, scores)
    tables = boards(scores, by_candidate(costs), str(data.info.config.get("baseline") or ""))
    drawn = plotted(scores, costs)
    pairs = compared(data)
    return Report(
        title=_title(data),
        date=day(data.info.created_at),
        verdict=verdict(scores, tables) if scores.judges or not pairs else pairwise_words.headline(pairs),
        caveats=(*caveats(scores, tables, data), *pairwise_words.caveats(pairs)),
        facts=(*facts(data, scores, tables), *pairwise_words.facts(pairs)),
        boards=tables,
        measures=_measured(scores),
        histograms=tuple((judge, _histograms(data, scores, judge)) for judge in scores.judges if judge.scale),
        losses=(*_losses(data, scores), *_pair_losses(pairs)),
        points=drawn.points,
        quality=drawn.quality,
        quality_scale=drawn.scale,
        costs=costs,
        judge_costs=(*judge_costs(data, scores), *pairwise_costs(data)),
        provenance=provenance(data, scores),
        setup=(*setup(data, scores), *pairwise_setup(data)),
        answers=answers_of(data, scores),
        footer=_footer(data, scores),
        contexts=contexts(data, scores, by_candidate(costs), drawn.measure, drawn.scale),
        pairwise=pairs,
        backed=tuple(_backed(scores)),
        juries=sat(data),
        servers=server_lines(data.servers),
        repeats=repeated(data, scores.judges),
        trust=trusted(scores.judges, agreement, data.info.id),
        safety=safety(data),
        tools=tool_faults(data),
        saved=how_saved(reuse(data)),
    )


def _measured(scores: Scores) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    if not scores.measures:
        return ()
    return tuple((c.name, tuple(scores.cells[c.name, "", m] for m in scores.measures)) for c in scores.candidates)


def _title(data: RunData) -> str:
    config = data.info.config
    dataset = (config.get("dataset") or {}).get("name") or ""
    parts = [dataset, data.info.name or config.get("name") or ""]
    return " · ".join(dict.fromkeys(str(part) for part in parts if part)) or data.info.exam


def _backed(scores: Scores) -> Iterator[Cell]:
    for judge in scores.judges:
        for candidate in scores.candidates:
            for measure in dict.fromkeys([judge.headline, *judge.criteria]) if judge.criteria else ():
                cell = scores.cells[candidate.name, judge.name, measure]
                if cell.correction is not None and (measure == judge.headline or cell.correction.n_labels):
                    yield cell


def _histograms(data: RunData, scores: Scores, judge: JudgeView) -> tuple[Histogram, ...]:
    """Verdicts per level and criterion; in bins the composites of answers, and criteria with scores between levels."""
    assert judge.scale is not None
    levels = range(int(judge.scale[0]), int(judge.scale[1]) + 1)
    grades = data.grades[(data.grades["judge"] == judge.name) & (data.grades["status"] == "scored")]
    counts = _counts(grades.assign(level=grades["score"].round().astype(int)), "candidate", "criterion", "level")
    labels = tuple(str(level) for level in levels)
    between = set(grades["criterion"][grades["score"] % 1 != 0])
    found = []
    for candidate in scores.candidates:
        name = candidate.name
        if len(judge.criteria) > 1:
            found.append(_bins(name, "composite", scores.grid.values[name, judge.name, "composite"], judge.scale))
        found += [
            _bins(name, criterion, scores.grid.values[name, judge.name, criterion], judge.scale)
            if criterion in between
            else Histogram(name, criterion, labels, tuple(counts[name, criterion, level] for level in levels))
            for criterion in judge.criteria
        ]
    return tuple(found)


def _bins(candidate: str, measure: str, values: Any, scale: Scale) -> Histogram:
    import numpy as np

    edges = np.linspace(*scale, BINS + 1)
    # Weighted means of integers fall on edges up to rounding; push them to the side where they belong.
    counts, _ = np.histogram(np.clip(values[~np.isnan(values)] + 1e-9, *scale), edges)
    labels = tuple(f"{words.number(a)}–{words.number(b)}" for a, b in pairwise(edges))
    return Histogram(candidate, measure, labels, tuple(int(n) for n in counts))


def _losses(data: RunData, scores: Scores) -> tuple[Loss, ...]:
    """Missing answers by owner and reason, then missing verdicts by judge."""
    found = []
    for candidate in scores.candidates:
        answers = data.answers[data.answers["candidate"] == candidate.name]
        expected = len(data.samples) * candidate.trials
        kinds = _counts(answers, "owner", "status")
        kinds["ours", "not answered"] = expected - len(answers)
        for (owner, kind), n in sorted(kinds.items()):
            if kind != "ok" and n:
                whose = words.NONE if kind == "not_recorded" else owner
                found.append(Loss(candidate.name, whose, words.reason(kind), n, expected))
        grades = data.grades[data.grades["candidate"] == candidate.name]
        for (judge, status), n in sorted(_counts(grades, "judge", "status").items()):
            if status != "scored":
                total = int((grades["judge"] == judge).sum())
                found.append(Loss(candidate.name, f"judge {judge}", words.reason(status), n, total))
    return tuple(found)


def _counts(table: pd.DataFrame, *columns: str) -> Counter[tuple[Any, ...]]:
    """How many rows have each combination of values."""
    sizes = table.groupby(list(columns), observed=True).size()
    return Counter(dict(zip(sizes.index.tolist(), sizes.tolist(), strict=True)))


def _pair_losses(pairs: Sequence[Pairwise]) -> Iterator[Loss]:
    """Comparisons without an outcome; those that an answer lacks are among the losses of its candidate."""
    for found in pairs:
        for duel in found.duels:
            for why, n in duel.missing.items():
                if not why.startswith("answer "):
                    yield Loss(f"{duel.left} against {duel.right}", f"judge {found.judge.name}", why, n, duel.expected)


def _footer(data: RunData, scores: Scores) -> str:
    parts = [f"markscheme {data.info.versions.get('markscheme', '')}".strip()]
    if data.info.fingerprint:
        parts.append(f"exam {words.short(data.info.fingerprint)}")
    for judge in (*scores.judges, *pairwise_judges_of(data)):
        parts.append(f"judge {judge.name}" + (f" {judge.model}" if judge.model else ""))
        if judge.rubric:
            version = f" v{judge.rubric_version}" if judge.rubric_version else ""
            parts.append(f"rubric {judge.rubric}{version} ({words.short(judge.rubric_sha256)})")
    if date := data.info.config.get("prices_date"):
        parts.append(f"prices of {date}")
    if command := data.info.config.get("command"):
        parts.append(f"made by: {command}")
    return " · ".join(dict.fromkeys(parts))

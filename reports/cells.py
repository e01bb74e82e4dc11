"""Measurements -> cells: one candidate by one measure, with its interval and an account of what is missing.

Failures have an owner. Ours are left out and counted; the candidate's own are left out of the mean, and beside it
stands the mean with them at the lowest level of the scale (``worst``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..harness.records import Estimate
from ..harness.statistics.correction import Corrected
from ..harness.statistics.intervals import mean_interval
from ..harness.statistics.rates import rate_interval
from ..harness.store.frames import RunData
from .corrections import correct, labelled_scores
from .exam import (
    NEITHER_BETTER,
    RATES,
    UNIT_SCALE,
    CandidateView,
    JudgeView,
    Scale,
    candidates_of,
    judges_of,
    measure_family,
    measure_scale,
    measures_of,
)
from .grid import Grid, Key, grid_of, grid_of_judge, mean_over_trials
from .humans import Backing, Labelled, Rules
from .measurements import OPERATIONS
from .words import UNCORRECTED

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNREADABLE = frozenset({"unparsable", "truncated", "refused"})
"""Statuses of verdicts that came and say nothing."""
UNREADABLE_LIMIT = 0.01
OWN = "candidate:"
"""What the reason of a failure of the candidate's own begins with."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A mean over samples and what stands behind it.

    ``n_expected`` and ``missing`` (reason -> count) count answers, samples × trials; ``estimate.n`` counts samples.
    ``worst`` is the mean with the candidate's own failures at the lowest level, ``None`` where it has none.
    ``bounds`` are the means with unreadable verdicts all lowest and all highest, where more than 1 % of the verdicts
    are, those among several repeats or turns of an answer included. In a run with labels, ``correction`` says what came
    of them and ``backing`` which they are; ``estimate`` is then the corrected mean where there is one, and ``bounds``
    stay those of the judge's own scores.
    """

    candidate: str
    source: str
    measure: str
    estimate: Estimate
    n_expected: int
    missing: Mapping[str, int]
    worst: float | None = None
    bounds: tuple[float, float] | None = None
    correction: Corrected | None = None
    backing: Backing | None = None

    @property
    def corrected(self) -> bool:
        """Whether human labels stand behind the estimate."""
        return self.correction is not None and self.correction.method != "judge-only"

    @property
    def judge_only(self) -> Estimate:
        """The mean of the judge's own scores."""
        return self.estimate if self.correction is None else self.correction.judge_only

    @property
    def mean(self) -> float | None:
        """The mean over samples that have a value."""
        return self.estimate.value

    @property
    def n_missing(self) -> int:
        """Expected answers without a value."""
        return sum(self.missing.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know before believing the interval."""
        return self.estimate.notes


@dataclass(frozen=True)
class Scores:
    """All there is to say about a run's numbers: who was examined, by what, and every cell."""

    candidates: tuple[CandidateView, ...]
    judges: tuple[JudgeView, ...]
    measures: tuple[str, ...]
    grid: Grid
    cells: Mapping[Key, Cell]
    judged: Mapping[Key, Cell]
    """The cells by the judges' own scores; the same as ``cells`` in a run without labels."""
    labelled: Mapping[Key, Labelled] = field(default_factory=dict)


def score(data: RunData, rules: Rules | None = None, earlier: Sequence[RunData] = ()) -> Scores:
    """Compute every quality cell: criteria and composite per judge, and the measures without a judge.

    The labels in ``data`` correct the judges' means where ``rules`` and their design allow it; labelled answers of
    ``earlier`` runs, the same but for the time, serve as further ones.
    """
    rules = rules or Rules()
    candidates, judges, measures = candidates_of(data), judges_of(data), measures_of(data)
    grid = grid_of(data)
    scales = {(judge.name, m): judge.scale for judge in judges for m in ("composite", *judge.criteria)}
    pooled, bounds = _pooled(grid), _bounds(data, judges)
    known = labelled_scores(data, grid, judges, rules, earlier)
    own, cells = {}, {}
    for key in grid.values:
        _, source, measure = key
        if source or measure not in OPERATIONS:
            scale = scales[source, measure] if source else measure_scale(measure)
            rate = _is_rate(source, measure, scale, pooled[source, measure])
            cells[key] = own[key] = replace(_cell(key, grid, scale, rate), bounds=bounds.get(key))
            if key in known:
                cells[key] = _corrected(own[key], known[key], scale, rate, rules, grid)
    return Scores(candidates, judges, measures, grid, cells, own, known)


def summary(data: RunData, earlier: Sequence[RunData] = ()) -> pd.DataFrame:
    """A row per candidate, judge ('' for none) and measure: n (samples), mean, 95 % interval, its method, how many
    expected answers have no value, the mean of the judge's own scores, and how the labels corrected it (a `Method`;
    `uncorrected` where none stand behind it). By candidate; judges in exam order, the composite before its criteria.
    """
    import pandas as pd

    scores = score(data, earlier=earlier)
    judges, names = [*(j.name for j in scores.judges), ""], [c.name for c in scores.candidates]

    def order(cell: Cell) -> tuple[int, int, bool]:
        return names.index(cell.candidate), judges.index(cell.source), cell.measure != "composite"

    return pd.DataFrame.from_records(
        [
            (
                c.candidate,
                c.source,
                c.measure,
                c.judge_only.n,
                e.value,
                e.low,
                e.high,
                e.method,
                c.n_missing,
                *_whose(c),
            )
            for c in sorted(scores.cells.values(), key=order)
            for e in (c.estimate,)
        ],
        columns="candidate judge measure n mean low high method missing judge_only correction".split(),
    ).astype({"mean": float, "low": float, "high": float, "judge_only": float})


def _whose(cell: Cell) -> tuple[float | None, str]:
    """The mean of the judge's own scores and how it was corrected; nothing for a measure without a judge."""
    if not cell.source:
        return None, ""
    method = cell.correction.method if cell.correction is not None and cell.corrected else UNCORRECTED
    return cell.judge_only.value, method


def _cell(key: Key, grid: Grid, scale: Scale | None, rate: bool) -> Cell:
    import numpy as np

    values, whys = grid.values[key], grid.whys[key]
    per_sample = mean_over_trials(values)
    there = ~np.isnan(per_sample)
    interval = rate_interval if rate and np.isin(per_sample[there], (0.0, 1.0)).all() else None
    kept, clusters = per_sample[there], grid.clusters[there]
    estimate = interval(kept, clusters) if interval else mean_interval(kept, clusters, scale=scale)
    missing = Counter(_short(why) for why in whys.at(np.isnan(values)))
    worst = None
    if scale is not None and measure_family(key[2]) not in NEITHER_BETTER:
        own = whys.beginning(OWN)
        worst = _mean_with(values, own, scale[0]) if own.any() else None
    return Cell(*key, estimate, values.size, dict(sorted(missing.items())), worst)


def _corrected(cell: Cell, known: Labelled, scale: Scale | None, rate: bool, rules: Rules, grid: Grid) -> Cell:
    """The cell with what the labels say; its ``worst`` moves with the mean of the answers that have a score."""
    correction = correct(known, cell.estimate, scale, rate, rules)
    found = replace(cell, correction=correction, backing=known.backing)
    if not found.corrected:
        return found
    worst = cell.worst
    if worst is not None and cell.mean is not None and correction.estimate.value is not None:
        key = (cell.candidate, cell.source, cell.measure)
        moving = _mean_with(grid.values[key] * 0.0 + 1.0, grid.whys[key].beginning(OWN), 0.0)
        worst += (correction.estimate.value - cell.mean) * moving
    return replace(found, estimate=correction.estimate, worst=worst)


def _bounds(data: RunData, judges: Iterable[JudgeView]) -> dict[Key, tuple[float, float]]:
    """Of each cell with too many unreadable verdicts, the means with all of them lowest and all of them highest."""
    import numpy as np

    found = {}
    for judge in judges:
        beyond = list(_beyond_limit(data, judge)) if judge.scale else []
        ends = [grid_of_judge(_filled(data, judge, end), judge) for end in judge.scale or () if beyond]
        for key in beyond:
            low, high = (end.per_sample(key) for end in ends)
            if not np.isnan(low).all():
                found[key] = float(np.nanmean(low)), float(np.nanmean(high))
    return found


def _beyond_limit(data: RunData, judge: JudgeView) -> Iterator[Key]:
    """The cells of which more than 1 % of the verdicts that came are unreadable."""
    came = data.grades[(data.grades["judge"] == judge.name) & data.grades["status"].isin(UNREADABLE | {"scored"})]
    for candidate, own in came.groupby("candidate", sort=False):
        parts = [(criterion, part["status"]) for criterion, part in own.groupby("criterion", sort=False)]
        for measure, statuses in [("composite", own["status"])] * (len(judge.criteria) > 1) + parts:
            if statuses.isin(UNREADABLE).mean() > UNREADABLE_LIMIT:
                yield str(candidate), judge.name, str(measure)


def _filled(data: RunData, judge: JudgeView, level: float) -> RunData:
    """The run as if every unreadable verdict of the judge had been ``level``."""
    lost = (data.grades["judge"] == judge.name) & data.grades["status"].isin(UNREADABLE)
    score = data.grades["score"].mask(lost, level)
    return replace(data, grades=data.grades.assign(score=score, status=data.grades["status"].mask(lost, "scored")))


def _mean_with(values: Floats, where: NDArray[np.bool_], fill: float) -> float:
    import numpy as np

    per_sample = mean_over_trials(np.where(where, fill, values))
    return float(per_sample[~np.isnan(per_sample)].mean())


def _short(why: str) -> str:
    """A measure says why in its own words, too many to count one by one."""
    return "measure: no value" if why.startswith("measure:") else why


def _pooled(grid: Grid) -> dict[tuple[str, str], set[float]]:
    """Up to three distinct values of each measure over all candidates."""
    import numpy as np

    found: dict[tuple[str, str], set[float]] = {}
    for (_, source, measure), values in grid.values.items():
        distinct = np.unique(values[~np.isnan(values)])[:3]
        found.setdefault((source, measure), set()).update(float(v) for v in distinct)
    return found


def _is_rate(source: str, measure: str, scale: Scale | None, distinct: set[float]) -> bool:
    """Whether the mean is a share: a scale of 0 and 1 alone, a yes-no measure, or one that gave only both of these."""
    if source:
        return scale == UNIT_SCALE and distinct <= {0.0, 1.0}
    return measure_family(measure) in RATES or distinct == {0.0, 1.0}

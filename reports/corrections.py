"""A judge's scores corrected by people's: which number is the headline, and which may be set against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..harness.records import Estimate
from ..harness.statistics.clusters import clusters_of
from ..harness.statistics.correction import Corrected, Sampling, correct_difference, correct_mean
from ..harness.statistics.intervals import t_quantile
from ..harness.store.frames import RunData
from .exam import JudgeView, Scale
from .grid import Grid, Key, grid_of_judge
from .humans import DRAWN, Labelled, Rules, labelled, sheet_of
from .words import UNCORRECTED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

MIN_PAIRS = 50
"""Questions with labels on both answers, below which a difference is not corrected."""
FROM_LABELS = frozenset({"ppi++", "human-only"})
"""Methods that estimate the people's mean over all answers from answers drawn at random: alike enough to compare."""


def labelled_scores(
    data: RunData, grid: Grid, judges: Iterable[JudgeView], rules: Rules, earlier: Sequence[RunData] = ()
) -> dict[Key, Labelled]:
    """Every candidate's scores by every judge beside those of people; nothing where the run has no labels at all.

    ``earlier`` are runs of the same exam at another time: their labelled answers serve as further ones.
    """
    if not len(data.labels) and not any(len(run.labels) for run in earlier):
        return {}
    first = sheet_of(data, grid)
    found: dict[Key, Labelled] = {}
    for judge in judges:
        sheets = [first, *(sheet_of(run, grid_of_judge(run, judge), first) for run in earlier)]
        keys = [key for key in grid.values if key[1] == judge.name]
        found |= {key: labelled(key, judge, sheets, rules) for key in keys}
    return found


def correct(found: Labelled, own: Estimate, scale: Scale | None, rate: bool, rules: Rules) -> Corrected:
    """The correction of one mean; ``own`` is the mean of the judge's scores, which stands beside it."""
    corrected = correct_mean(
        found.judge,
        found.human,
        _sampling(found, slice(None), rules),
        clusters=found.clusters,
        scale=scale,
        rate=rate,
    )
    reason = corrected.reason
    if found.refused:
        said = "; ".join(found.refused)
        reason = f"{reason}; {said}" if found.backing.n else f"{UNCORRECTED}: {said}"
    return replace(corrected, judge_only=own, reason=reason, n_judged=own.n)


def difference(a: Labelled, b: Labelled, scale: Scale | None) -> tuple[Estimate, float] | None:
    """The people's mean of a - b, by the judge's differences and theirs, and the two-sided p of zero by t.

    ``None`` with fewer than 50 questions whose two answers were both labelled in one draw: then nothing is corrected.
    Where people scored both answers to every question that the judge compares, no draw is needed.
    """
    import numpy as np

    rows, others = _aligned(a, b)
    both = ~np.isnan(a.human[rows] - b.human[others])
    whole = both.any() and both[~np.isnan(a.judge[rows] - b.judge[others])].all()
    drawn = a.backing.design in DRAWN and both.sum() >= MIN_PAIRS
    if a.backing.sets != b.backing.sets or not (whole or drawn):
        return None
    found = correct_difference(
        a.judge[rows],
        np.where(both, a.human[rows], np.nan),
        b.judge[others],
        np.where(both, b.human[others], np.nan),
        _sampling(a, rows),
        clusters=a.clusters[rows],
        scale=scale,
    )
    if found.method not in FROM_LABELS:
        return None
    both &= ~np.isnan(a.judge[rows] - b.judge[others])
    df = clusters_of(a.clusters[rows][both], int(both.sum())).count - 1
    return found.estimate, p_by_t(found.estimate, df)


def p_by_t(estimate: Estimate, df: int) -> float:
    """Two-sided p of zero by the t interval ``estimate`` (95 %) with ``df``; 1 where there is no interval."""
    from scipy import special

    if estimate.value is None or estimate.low is None or estimate.high is None:
        return 1.0
    reach = estimate.value - estimate.low if estimate.value > 0 else estimate.high - estimate.value
    return float(2 * special.stdtr(df, -abs(estimate.value) / reach * t_quantile(0.95, df))) if reach > 0 else 1.0


def _aligned(a: Labelled, b: Labelled) -> tuple[Rows, Rows]:
    """Rows of ``a`` and of ``b`` for the same questions."""
    import numpy as np

    places = {name: i for i, name in enumerate(b.ids)}
    pairs = np.array([(i, places[name]) for i, name in enumerate(a.ids) if name in places], dtype=np.intp)
    rows, others = pairs.reshape(-1, 2).T
    return rows, others


def _sampling(found: Labelled, rows: Rows | slice, rules: Rules | None = None) -> Sampling:
    stable = rules is not None and rules.stable_judge
    if found.backing.design != "stratified":
        return Sampling(found.backing.design, stable_judge=stable)
    return Sampling("stratified", found.strata[rows], found.shares, stable)

"""What the experiments hold against each other beside agreement: correlations between criteria, rankings, subgroups."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Any

from ...harness.records import Estimate
from ...harness.statistics.clusters import clusters_of
from ...harness.statistics.concordance import concordance, jackknifed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def halo(scores: Floats) -> float | None:
    """Mean Pearson correlation between the criteria of ``scores`` (n, K); ``None`` for one criterion, or no spread."""
    import numpy as np

    complete = scores[~np.isnan(scores).any(axis=1)]
    if len(complete) < 3 or scores.shape[1] < 2:
        return None
    found = _halos(_moments(complete, np.zeros(len(complete), dtype=np.intp), 1))[0]
    return None if np.isnan(found) else float(found)


def halo_difference(first: Floats, second: Floats, clusters: Any) -> Estimate:
    """`halo` of ``second`` less that of ``first``, both (n, K), on the answers complete in both; jackknife."""
    import numpy as np

    both = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    n = int(both.sum())
    if n < 3 or first.shape[1] < 2:
        return Estimate(None, None, None, n, "fewer than two criteria, or than three answers")
    groups = clusters_of(np.asarray(clusters)[both], n)
    sums = [_moments(scores[both], groups.codes, groups.count) for scores in (first, second)]
    totals = [found.sum(axis=0, keepdims=True) for found in sums]
    value = _halos(totals[1])[0] - _halos(totals[0])[0]
    without = _halos(totals[1] - sums[1]) - _halos(totals[0] - sums[0])
    return jackknifed(float(value), without, n)


def _moments(scores: Floats, codes: NDArray[np.intp], count: int) -> Floats:
    """Sums over each cluster of the products of (1, scores): (G, K+1, K+1)."""
    import numpy as np

    full = np.column_stack([np.ones(len(scores)), scores])
    found = np.zeros((count, full.shape[1], full.shape[1]))
    np.add.at(found, codes, full[:, :, None] * full[:, None, :])
    return found


def _halos(moments: Floats) -> Floats:
    """Mean of the correlations above the diagonal, for each set of moments; those without spread are left out."""
    import numpy as np

    n = moments[:, :1, :1]
    mean = moments[:, :1, 1:] / n
    covariance = moments[:, 1:, 1:] / n - mean.transpose(0, 2, 1) * mean
    variance = np.einsum("gkk->gk", covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = covariance / np.sqrt(variance[:, :, None] * variance[:, None, :])
    rows, columns = np.triu_indices(covariance.shape[1], 1)
    pairs = np.where((variance[:, rows] > 1e-12) & (variance[:, columns] > 1e-12), found[:, rows, columns], np.nan)
    known = ~np.isnan(pairs)
    return np.where(
        known.any(axis=1), np.where(known, pairs, 0.0).sum(axis=1) / np.maximum(1, known.sum(axis=1)), np.nan
    )


def ranking_tau(
    first: Floats, second: Floats, names: NDArray[np.str_], names_of_second: NDArray[np.str_] | None = None
) -> float | None:
    """Kendall's tau-b of the candidates' means by two sets of scores (n,) of answers by ``names`` (n,).

    On the answers that both score; with ``names_of_second`` the sets are of different answers. ``None`` where fewer
    than two candidates are in both, or all are alike.
    """
    import numpy as np
    from scipy import stats

    if names_of_second is None:
        both = ~np.isnan(first) & ~np.isnan(second)
        first, second, names = first[both], second[both], names[both]
    left, right = _means(first, names), _means(second, names if names_of_second is None else names_of_second)
    shared = sorted(left.keys() & right.keys())
    a, b = [left[name] for name in shared], [right[name] for name in shared]
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    return float(stats.kendalltau(a, b).statistic)


def _means(scores: Floats, names: NDArray[np.str_]) -> dict[str, float]:
    import numpy as np

    known = ~np.isnan(scores)
    # Means that differ by rounding only are ties.
    return {str(name): round(float(scores[known & (names == name)].mean()), 9) for name in set(names[known])}


def subgroup_difference(
    judge: Floats, people: Floats, inside: NDArray[np.bool_], clusters: NDArray[np.str_], scale: tuple[int, int]
) -> Estimate:
    """Quadratic kappa on the answers ``inside`` less that on the others.

    The two have no answer in common; the interval is put together from those of both (Zou & Donner 2008).
    """
    first, second = (concordance(judge[rows], people[rows], scale, clusters[rows]) for rows in (inside, ~inside))
    n = first.n + second.n
    if first.value is None or second.value is None:
        return Estimate(None, None, None, n, "undefined: no variation")
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value, None, None, n, "no interval of one of the two")
    down = hypot(first.value - first.low, second.high - second.value)
    up = hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - down, value + up, n, "from the intervals of both (MOVER)")

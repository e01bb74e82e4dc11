"""PPI++: the mean human score from many judged answers and a few that people labelled, too.

The judge's mean over all answers is moved by the judge's mean error on the labelled ones, both weighted by λ
(Angelopoulos, Duchi, Zrnic 2023, arXiv:2311.01453). The labelled answers must be a random sample, within each stratum
where there are strata. Variances have ddof 1 and limits come from t, and one error of the judge more than was seen is
reckoned with (`ppi_parts.unseen`): with 50 labels that is what makes them cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .intervals import Scale
from .ppi_limits import ZERO, Rectified, Spread, constant, described, interval, satterthwaite, warned
from .ppi_parts import Parts, Strata, between_variance, jackknife_variance, means, parts_of, tuned, unseen, variances

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def ppi_mean(
    judge: ArrayLike,
    human: ArrayLike,
    *,
    strata: Strata | None = None,
    clusters: Sequence[Any] | ArrayLike | None = None,
    lam: float | None = None,
    level: float = 0.95,
    scale: Scale | None = None,
) -> Rectified:
    """Mean human score of all answers from ``judge`` (n,), all scored, and ``human`` (n,), NaN where not labelled.

    λ minimises the variance within [0, 1], per stratum; a fixed ``lam`` of 0 gives the labels alone. Independent
    answers: t with df (labels - 1), by Welch and Satterthwaite over strata. Any cluster with more than one answer: CR3
    of the whole estimator (a cluster's labelled and unlabelled answers left out together), df (labelled clusters - 1).
    Every stratum needs two labels, in two clusters. All labels equal: the bound of `constant_bounds`, never ±0.
    """
    import numpy as np

    parts = parts_of(judge, human, strata, clusters)
    weights = tuned(parts) if lam is None else np.full(len(parts.shares), lam) * parts.usable
    none = np.zeros(len(weights))
    spread, alone = _spread(parts, weights), _spread(parts, none)
    if not spread.variance:
        weights, spread = none, alone
    if not spread.variance:
        return constant(parts, level, scale)
    value, low, high = interval(float(means(parts, weights) @ parts.shares), spread, level, scale)
    mixed = float(weights @ parts.shares)
    method = described(parts, mixed, spread.df)
    ratio = spread.reach(level) / alone.reach(level) if alone.variance else None
    return Rectified(Estimate(value, low, high, len(parts.y), method, warned(parts)), mixed, ratio)


def predicted_ratio(rho: float, n: int, unlabelled: int) -> float:
    """Width over that of ``n`` labels alone where judge and people correlate by ``rho``: √(1 - ρ² N/(n+N))."""
    return float((1 - max(0.0, rho) ** 2 * unlabelled / (n + unlabelled)) ** 0.5)


def _spread(parts: Parts, weights: Floats) -> Spread:
    """The variance of the estimate at the λ of each stratum."""
    each = parts.shares**2 * variances(parts, weights)
    if each.sum() <= ZERO:
        return Spread(0.0, 1.0)
    rare = float(parts.shares**2 @ unseen(parts, weights))
    total = float(each.sum()) + between_variance(parts, weights)
    if not parts.clusters.shared:
        return Spread(total + rare, satterthwaite(total, each, parts.n))
    clustered = jackknife_variance(parts, weights)
    # Cluster sums can cancel exactly (every document 0 and 3): a zero width would be an artefact of balance.
    return Spread((clustered if clustered > ZERO else total) + rare, float(parts.labelled_clusters.count - 1))

"""PPI++: the mean human score from many judged answers and a few that people labelled, too.

The judge's mean over all answers is moved by the judge's mean error on the labelled ones, both weighted by λ
(Angelopoulos, Duchi, Zrnic 2023, arXiv:2311.01453). The labelled answers must be a random sample, within each stratum
where there are strata. Variances have ddof 1 and limits come from t: with 50 labels that is what makes them cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .intervals import Scale, constant_bounds, cut, t_quantile
from .ppi_parts import Parts, Strata, between_variance, jackknife_variance, means, parts_of, tuned, variances

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ZERO = 1e-12


@dataclass(frozen=True, slots=True)
class Rectified:
    """A mean with its interval, the weight ``lam`` of the judge (0: not used) and the width over that at λ = 0."""

    estimate: Estimate
    lam: float
    width_ratio: float | None


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
    alone = _variance(parts, np.zeros(len(weights)))
    variance, df = _variance(parts, weights)
    if variance <= ZERO and weights.any():
        weights, (variance, df) = np.zeros(len(weights)), alone
    if variance <= ZERO:
        return Rectified(_constant(parts, level, scale), 0.0, None)
    reach = t_quantile(level, df) * variance**0.5
    theta = float(means(parts, weights) @ parts.shares)
    low, high = cut(theta - reach, theta + reach, scale)
    lam = float(weights @ parts.shares)
    value = theta if scale is None else min(max(theta, scale[0]), scale[1])
    ratio = reach / (t_quantile(level, alone[1]) * alone[0] ** 0.5) if alone[0] > ZERO else None
    estimate = Estimate(value, low, high, len(parts.y), _method(parts, lam, df), _notes(parts))
    return Rectified(estimate, lam, ratio)


def predicted_ratio(rho: float, n: int, unlabelled: int) -> float:
    """Width over that of ``n`` labels alone where judge and people correlate by ``rho``: √(1 - ρ² N/(n+N))."""
    return float((1 - max(0.0, rho) ** 2 * unlabelled / (n + unlabelled)) ** 0.5)


def _variance(parts: Parts, weights: Floats) -> tuple[float, float]:
    """Variance of the estimate at the λ of each stratum, and its degrees of freedom."""
    each = parts.shares**2 * variances(parts, weights)
    total = float(each.sum()) + between_variance(parts, weights)
    if not parts.clusters.shared:
        n = parts.n
        return total, float(n[0] - 1) if len(n) == 1 else _satterthwaite(total, each, n)
    clustered = jackknife_variance(parts, weights)
    # Cluster sums can cancel exactly (every document 0 and 3): a zero width would be an artefact of balance.
    return (clustered if clustered > ZERO else total), float(parts.labelled_clusters.count - 1)


def _satterthwaite(total: float, each: Floats, n: NDArray[np.intp]) -> float:
    """Degrees of freedom of a sum of variances (Welch, Satterthwaite), at most those of all labels."""
    import numpy as np

    most = float(n.sum() - len(n))
    spread = float((each**2 / np.maximum(n - 1, 1)).sum())
    return min(most, total**2 / spread) if spread > ZERO**2 else most


def _constant(parts: Parts, level: float, scale: Scale | None) -> Estimate:
    """The interval where the labels do not vary (within any stratum), so that their spread says nothing."""
    import numpy as np

    n, values = len(parts.y), means(parts, np.zeros(len(parts.shares)))
    value = float(values @ parts.shares)
    if scale is None:
        return Estimate(value, None, None, n, "all labels equal, scale unknown: no interval")
    codes = parts.clusters.codes[parts.labelled]
    counts = [len(np.unique(codes[parts.labelled_stratum == h])) for h in range(len(parts.shares))]
    bounds = [constant_bounds(float(v), k, scale, level) for v, k in zip(values, counts, strict=True)]
    low, high = (float(np.dot(parts.shares, side)) for side in zip(*bounds, strict=True))
    return Estimate(value, low, high, n, f"all {n} labels equal: bound over {sum(counts)} of them")


def _method(parts: Parts, lam: float, df: float) -> str:
    what = f"PPI++, λ {lam:.2f}" if lam else "labels alone"
    strata = f", {len(parts.shares)} strata" if len(parts.shares) > 1 else ""
    over = f", CR3 over {parts.clusters.count} clusters" if parts.clusters.shared else ""
    return f"{what}{strata}, t{over}, df {df:.0f}"


def _notes(parts: Parts) -> tuple[str, ...]:
    return parts.labelled_clusters.warnings() if parts.clusters.shared else ()

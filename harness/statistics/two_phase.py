"""PPI++ where the strata are known of the labelled answers alone, with their shares of all answers.

The judge's mean over all answers needs no strata; its errors on the labelled answers are weighted by the strata's
shares, which is Horvitz and Thompson's weighting by how likely each answer was to be labelled (Särndal, Swensson,
Wretman 1992, section 9.6: the regression estimator of two-phase sampling).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import clusters_of
from .intervals import Scale
from .ppi_limits import ZERO, Rectified, Spread, constant, described, interval, satterthwaite, warned
from .ppi_parts import Parts, Strata, covariance, left_out, means, parts_of, unseen
from .rates import design_effect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def two_phase_mean(
    judge: ArrayLike,
    human: ArrayLike,
    strata: Strata,
    *,
    clusters: Sequence[Any] | ArrayLike | None = None,
    lam: float | None = None,
    level: float = 0.95,
    scale: Scale | None = None,
) -> Rectified:
    """Mean human score λ mean(judge) + Σ share mean(human - λ judge), as `ppi_mean` but with one λ.

    Only the codes of labelled answers are read. The variance is that of drawing the answers (times the design effect
    of the judge's scores where they share clusters) and that of drawing labels within strata (CR3 over clusters).
    """
    import numpy as np

    scores, there = np.asarray(judge, dtype=float), ~np.isnan(np.asarray(human, dtype=float))
    every = clusters_of(clusters, len(scores))
    known = Strata(strata.codes[there], strata.shares)
    parts = parts_of(scores[there], np.asarray(human, dtype=float)[there], known, every.codes[there])
    drawn = (design_effect(scores, every) if every.shared else 1.0) / len(scores)
    lam = _tuned(parts, len(scores)) if lam is None else lam
    spread, alone = _spread(parts, lam, drawn), _spread(parts, 0.0, drawn)
    if not spread.variance:
        lam, spread = 0.0, alone
    if not spread.variance:
        return constant(parts, level, scale)
    value, low, high = interval(lam * float(scores.mean()) + _rest(parts, lam), spread, level, scale)
    method = f"{described(parts, lam, spread.df)}, two-phase"
    ratio = spread.reach(level) / alone.reach(level) if alone.variance else None
    return Rectified(Estimate(value, low, high, len(parts.y), method, warned(parts)), lam, ratio)


def _rest(parts: Parts, lam: float) -> float:
    """Σ share mean(y - λ f)."""
    import numpy as np

    return float(means(parts, np.full(len(parts.shares), lam)) @ parts.shares)


def _tuned(parts: Parts, n_judged: int) -> float:
    """The λ of least variance within [0, 1]."""
    import numpy as np

    cov, spread = _moments(parts)
    gain = np.maximum(0.0, parts.shares**2 / np.maximum(parts.n, 1) - parts.shares / n_judged)
    below = float(gain @ spread)
    return 0.0 if below <= 0 else min(1.0, max(0.0, float(gain @ cov) / below))


def _spread(parts: Parts, lam: float, drawn: float) -> Spread:
    """Variance at ``lam``: of drawing the answers (``drawn``: deff over their number) and of drawing the labels."""
    import numpy as np

    residual = parts.y - lam * parts.f
    each = parts.shares**2 * covariance(residual, residual, parts.labelled_stratum, parts.n) / np.maximum(parts.n, 1)
    if each.sum() <= ZERO:
        return Spread(0.0, 1.0)
    cov, spread = _moments(parts)
    theta = means(parts, np.zeros(len(parts.shares)))
    explained = np.maximum(0.0, lam * (2 * cov - lam * spread)) + (theta - parts.shares @ theta) ** 2
    rare = float(parts.shares**2 @ unseen(parts, np.full(len(parts.shares), lam)))
    answers = drawn * float(parts.shares @ explained) + rare
    if not parts.clusters.shared:
        total = answers + float(each.sum())
        return Spread(total, satterthwaite(total, each, parts.n))
    count = parts.clusters.count
    shifts = left_out(residual, parts.labelled_stratum, parts.clusters.codes, (count, len(theta))) @ parts.shares
    clustered = float((count - 1) / count * (shifts**2).sum())
    return Spread(answers + max(clustered, float(each.sum())), float(count - 1))


def _moments(parts: Parts) -> tuple[Floats, Floats]:
    """Covariance of people and judge, and variance of the judge, within strata (H,)."""
    f, codes = parts.f, parts.labelled_stratum
    return covariance(parts.y, f, codes, parts.n), covariance(f, f, codes, parts.n)

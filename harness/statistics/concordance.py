"""Quadratic kappa as a ratio of mean squares, so that it also serves scores between the levels: composites.

With weights 1 - (i-j)^2/(q-1)^2 kappa is 1 - E(a-b)^2 / E(a-b')^2, b' being a rating of another answer (Fleiss & Cohen
1973). For whole levels that is quadratic kappa, for two raters in general Lin's concordance (Lin 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import Clusters, clusters_of
from .intervals import t_quantile
from .jackknife import coefficient_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_ALIKE = 1e-12


def concordance(
    judge: ArrayLike,
    humans: ArrayLike,
    scale: tuple[float, float],
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Quadratic kappa of ``judge`` (n,) with ``humans`` (n, R), NaN where missing; raters of an answer weigh 1/r each.

    The interval is that of `coefficient_interval`, over clusters; ``scale`` bounds it where nobody disagrees.
    """
    import numpy as np

    sums, groups = _sums(np.asarray(judge, dtype=float)[None], np.asarray(humans, dtype=float), clusters)
    if not groups.count:
        return Estimate(None, None, None, 0, "no labelled answers with a score")
    total = sums[0].sum(axis=0)
    _, by_chance = _squares(total)
    worst = (scale[1] - scale[0]) ** 2 / by_chance if by_chance > _ALIKE else None
    se = jackknife_se(_kappas(total - sums[0])) if groups.count > 1 else np.nan
    return coefficient_interval(float(_kappas(total)), float(se), groups, level, worst)


def concordance_difference(
    first: ArrayLike,
    second: ArrayLike,
    humans: ArrayLike,
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Quadratic kappa of ``second`` less that of ``first``, both (n,), on the answers that both graded."""
    import numpy as np

    both = np.array([np.asarray(first, dtype=float), np.asarray(second, dtype=float)])
    both[:, np.isnan(both).any(axis=0)] = np.nan
    sums, groups = _sums(both, np.asarray(humans, dtype=float), clusters)
    if not groups.count:
        return Estimate(None, None, None, 0, "no labelled answers that both graded")
    totals = sums.sum(axis=1)
    value, without = np.diff(_kappas(totals))[0], np.diff(_kappas(totals[:, None] - sums), axis=0)[0]
    return jackknifed(float(value), without, int(groups.sizes.sum()), level)


def jackknifed(value: float, without: Floats, n: int, level: float = 0.95) -> Estimate:
    """``value`` with the interval of the jackknife, t with df G-1; ``without`` (G,) are the values less one cluster.

    NaN is undefined: of the value, or of the error where leaving some cluster out leaves nothing to measure.
    """
    import numpy as np

    if np.isnan(value):
        return Estimate(None, None, None, n, "undefined: no variation")
    count = len(without)
    if count < 2 or np.isnan(without).any():
        return Estimate(value, None, None, n, "too few clusters vary: no interval")
    reach = t_quantile(level, count - 1) * float(jackknife_se(without))
    return Estimate(value, value - reach, value + reach, n, f"jackknife over {count} clusters, t, df {count - 1}")


def jackknife_se(without: Floats) -> Any:
    """sqrt((G-1)/G * sum_g (value without g - their mean)^2)."""
    count = len(without)
    return (((without - without.mean()) ** 2).sum() * (count - 1) / count) ** 0.5


def _sums(judges: Floats, humans: Floats, clusters: Sequence[Any] | ArrayLike | None) -> tuple[Floats, Clusters]:
    """Sums over each cluster of 1, a, a^2, b, b^2, ab: (judges, G, 6), of the answers with a score and a label."""
    import numpy as np

    there = ~np.isnan(judges[0]) & ~np.isnan(humans).all(axis=1)
    groups = clusters_of(None if clusters is None else np.asarray(clusters)[there], int(there.sum()))
    rated = humans[there]
    b, b2 = _row_means(rated), _row_means(rated**2)
    sums = np.empty((len(judges), groups.count, 6))
    for sheet, a in zip(sums, judges[:, there], strict=True):
        for column, values in enumerate((np.ones_like(a), a, a * a, b, b2, a * b)):
            sheet[:, column] = np.bincount(groups.codes, weights=values, minlength=groups.count)
    return sums, groups


def _row_means(rated: Floats) -> Any:
    import numpy as np

    known = ~np.isnan(rated)
    return np.where(known, rated, 0.0).sum(axis=1) / np.maximum(1, known.sum(axis=1))


def _squares(sums: Floats) -> tuple[Any, Any]:
    """Mean squared distance of a pair on one answer, and of a pair by chance, for each set of sums (…, 6)."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        a, a2, b, b2, ab = np.moveaxis(sums[..., 1:] / sums[..., :1], -1, 0)
    return a2 - 2 * ab + b2, a2 + b2 - 2 * a * b


def _kappas(sums: Floats) -> Any:
    """Kappa of each set of sums (…, 6); NaN where nothing varies."""
    import numpy as np

    apart, by_chance = _squares(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(by_chance > _ALIKE, 1 - apart / by_chance, np.nan)

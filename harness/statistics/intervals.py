"""Intervals of means: t on per-sample values, cluster-robust where samples share a cluster.

Repeats and trials are averaged within a sample before they come here: n rows must be n independent samples or
name the cluster that they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import Clusters, clusters_of, se_independent, se_jackknife

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Scale = tuple[float, float]
FEW_OTHERS = 10


def mean_interval(
    values: ArrayLike,
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
    scale: Scale | None = None,
) -> Estimate:
    """Mean of ``values`` (n,), one per sample, with its interval at ``level``.

    Independent samples: t with df n-1. Any cluster with more than one sample: CR3 (leave one cluster out) with
    df G-1. All values equal: the bound of `constant_bounds`, never ±0; it needs the ``scale``. ``low`` and ``high``
    are ``None`` for fewer than two samples or clusters. Limits are cut to the ``scale``: no mean lies outside. A note
    warns where fewer than 10 values differ from the commonest: t then covers 88 to 94 %.
    """
    import numpy as np

    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        return Estimate(None, None, None, 0, "no values")
    mean = float(array.mean())
    groups = clusters_of(clusters, n)
    if groups.count < 2:
        method = "one sample: no interval" if n == 1 else "one cluster: no interval"
        return Estimate(mean, None, None, n, method)
    notes = (*_rare(array), *(groups.warnings() if groups.shared else ()))
    if float(np.ptp(array)) <= 1e-12 * max(1.0, abs(mean)):
        return _constant(float(array[0]), n, groups, level, scale)
    se, method = _standard_error(array, groups)
    reach = t_quantile(level, groups.count - 1) * se
    low, high = cut(mean - reach, mean + reach, scale)
    return Estimate(mean, low, high, n, method, notes)


def constant_bounds(value: float, n: int, scale: Scale, level: float = 0.95) -> tuple[float, float]:
    """Limits of a mean when all ``n`` values were ``value``.

    At most the share 1-(alpha/2)^(1/n) of other values stays unseen by chance, and each of them can lie no further
    than an end of the scale.
    """
    share = 1 - ((1 - level) / 2) ** (1 / n)
    return value - share * (value - scale[0]), value + share * (scale[1] - value)


def t_quantile(level: float, df: float) -> float:
    """Two-sided quantile of Student's t: 1.96 for many degrees of freedom at 0.95."""
    from scipy import special

    return float(special.stdtrit(df, 0.5 + level / 2))


def t_p_value(values: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None) -> float:
    """Two-sided p of a mean of zero of ``values`` (n,), by the t of `mean_interval` (CR3 where clusters are shared).

    1 where all values are zero, or where there are fewer than two samples or clusters; 0 where all are the same else.
    """
    import numpy as np
    from scipy import special

    array = np.asarray(values, dtype=float)
    groups = clusters_of(clusters, len(array))
    if groups.count < 2 or not array.any():
        return 1.0
    se, _ = _standard_error(array, groups)
    return float(2 * special.stdtr(groups.count - 1, -abs(array.mean()) / se)) if se > 0 else 0.0


def logit_limits(value: float, se: float, quantile: float) -> tuple[float, float]:
    """Limits at ``quantile`` standard errors of log(value / (1 - value)), taken back."""
    centre, half = log(value / (1 - value)), quantile * se / (value * (1 - value))
    return _expit(centre - half), _expit(centre + half)


def _expit(value: float) -> float:
    return 1 / (1 + exp(-min(700.0, max(-700.0, value))))


def cut(low: float, high: float, scale: Scale | None) -> tuple[float, float]:
    """Limits cut to the ends of the ``scale``: no mean lies outside."""
    return (low, high) if scale is None else (max(low, scale[0]), min(high, scale[1]))


def _standard_error(array: Any, groups: Clusters) -> tuple[float, str]:
    if not groups.shared:
        return se_independent(array), f"t, df {groups.count - 1}"
    se = se_jackknife(array, groups)
    # Cluster sums can cancel exactly (every document 0 and 3): a zero width would be an artefact of balance.
    if se <= 1e-12:
        return se_independent(array), f"t, df {groups.count - 1} (clusters cancel out)"
    return se, f"t, CR3 over {groups.count} clusters, df {groups.count - 1}"


def _rare(array: Any) -> tuple[str, ...]:
    """A warning where most values are alike, so that it is chance how many of the others were seen."""
    import numpy as np

    others = len(array) - int(np.unique(array, return_counts=True)[1].max())
    return (f"fewer than {FEW_OTHERS} values differ from the commonest",) if others < FEW_OTHERS else ()


def _constant(value: float, n: int, groups: Clusters, level: float, scale: Scale | None) -> Estimate:
    if scale is None:
        return Estimate(value, None, None, n, "all values equal, scale unknown: no interval")
    # Within a cluster nothing is known to be independent, so a cluster counts once.
    low, high = constant_bounds(value, groups.count, scale, level)
    unit = "clusters" if groups.shared else "samples"
    return Estimate(value, low, high, n, f"all {n} values equal: bound over {groups.count} {unit}")

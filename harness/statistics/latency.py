"""Percentiles of requests of which some failed, and what repeats of a load test say about their spread.

A failure is +inf: slower than any answer. Requests within a repeat queue behind one another and are not independent, so
intervals by order statistics are too narrow; from three repeats on the spread between these is used instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..records import Estimate
from .intervals import t_quantile
from .quantiles import order_ranks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ENOUGH_REPEATS = 3
DEPENDENT = "requests within a repeat depend on each other: too narrow"


def percentile(values: ArrayLike, q: float, level: float = 0.95) -> Estimate:
    """The ``q`` quantile of ``values`` (n,), +inf where a request failed: an order statistic, never between two.

    The interval is from the order statistics l and u that leave at most (1-level)/2 of Binomial(n, q) on either side.
    A finite one needs ``needed(q)`` values; with fewer the method says so. ``high`` is +inf where that many failed.
    """
    import numpy as np

    array = np.sort(np.asarray(values, dtype=float))
    n = len(array)
    if n == 0:
        return Estimate(None, None, None, 0, "no values")
    value = nearest(array, q)
    lower, upper = order_ranks(n, q, (1 - level) / 2)
    if lower < 1 or upper > n:
        return Estimate(value, None, None, n, too_small(q, level))
    return Estimate(value, float(array[lower - 1]), float(array[upper - 1]), n, f"order statistics {lower}, {upper}")


def needed(q: float, level: float = 0.95) -> int:
    """How many values the ``q`` quantile needs for an interval with two ends: 36 for p90, 72 for p95, 368 for p99."""
    from math import ceil, log

    return ceil(log((1 - level) / 2) / log(max(q, 1 - q)) - 1e-9)


def too_small(q: float, level: float = 0.95) -> str:
    """Why a percentile has no interval."""
    return f"n too small: p{100 * q:g} needs {needed(q, level)}"


def nearest(values: Floats, q: float) -> float:
    """The order statistic nearest to the ``q`` quantile of ``values`` (n,); +inf is one like the others."""
    import numpy as np

    return float(np.quantile(values, q, method="nearest"))


def from_repeats(
    repeats: Sequence[Floats],
    statistic: Callable[[Floats], float],
    level: float = 0.95,
    most: float | None = None,
) -> Estimate:
    """``statistic`` of all values together, its interval from how it differs between ``repeats``, each (n_r,).

    Sectioning (Asmussen, Glynn 2007, section III.5a; for quantiles Nakayama 2014): theta ± t(df R-1) * s/sqrt(R) with
    s^2 = sum (theta_r - theta)^2 / (R-1). Cut at 0 and ``most``. No interval for one repeat, or where one is infinite.
    """
    import numpy as np

    filled = [values for values in repeats if len(values)]
    if not filled:
        return Estimate(None, None, None, 0, "no values")
    pooled = np.concatenate(filled)
    return spread_of([statistic(values) for values in filled], statistic(pooled), len(pooled), level, most)


def spread_of(
    each: Sequence[float],
    value: float | None = None,
    n: int | None = None,
    level: float = 0.95,
    most: float | None = None,
) -> Estimate:
    """The interval of ``value`` (default: mean of ``each``) from one number of ``each`` repeat, by sectioning."""
    import numpy as np

    array = np.asarray(each, dtype=float)
    count = len(array)
    if count == 0:
        return Estimate(None, None, None, 0, "no values")
    centre = float(array.mean()) if value is None else value
    size = count if n is None else n
    if count < 2:
        return Estimate(centre, None, None, size, "one repeat: no interval")
    infinite = int((~np.isfinite(array)).sum())
    if infinite or not np.isfinite(centre):
        return Estimate(centre, None, None, size, f"infinite in {infinite} of {count} repeats: no interval")
    reach = t_quantile(level, count - 1) * float(np.sqrt(((array - centre) ** 2).sum() / (count - 1) / count))
    high = centre + reach if most is None else min(most, centre + reach)
    return Estimate(centre, max(0.0, centre - reach), high, size, f"t over {count} repeats, df {count - 1}")


def percentile_of_repeats(repeats: Sequence[Floats], q: float, level: float = 0.95) -> Estimate:
    """A percentile over ``repeats``: by their spread from three on, else by order statistics, with a warning."""
    import numpy as np

    filled = [values for values in repeats if len(values)]
    if len(filled) < ENOUGH_REPEATS:
        found = percentile(np.concatenate(filled) if filled else [], q, level)
        return found if found.low is None else _warned(found)
    n = sum(len(values) for values in filled)
    if n < needed(q, level):
        return Estimate(nearest(np.concatenate(filled), q), None, None, n, too_small(q, level))
    return from_repeats(filled, lambda values: nearest(values, q), level)


def mean_of_repeats(repeats: Sequence[Floats], level: float = 0.95) -> Estimate:
    """The mean of the finite values: failures have no latency to average, and are counted elsewhere."""
    import numpy as np

    answered = [values[np.isfinite(values)] for values in repeats]
    found = from_repeats(answered, lambda values: float(values.mean()), level)
    few = sum(1 for values in answered if len(values)) < ENOUGH_REPEATS
    return Estimate(found.value, None, None, found.n, "fewer than 3 repeats: no interval") if few else found


def ratio(first: Sequence[float], second: Sequence[float], level: float = 0.95) -> Estimate:
    """How many times ``second`` the cell ``first`` is, from one number of each repeat: Welch's t on logarithms.

    The value is the ratio of geometric means. ``None`` where a number is not positive and finite, no interval where a
    cell has fewer than two repeats.
    """
    import numpy as np

    a, b = (np.asarray(values, dtype=float) for values in (first, second))
    n = min(len(a), len(b))
    if n == 0 or any(not np.isfinite(x).all() or (x <= 0).any() for x in (a, b)):
        return Estimate(None, None, None, n, "no ratio: a repeat has no positive finite value")
    logs = np.log(a), np.log(b)
    gap = float(logs[0].mean() - logs[1].mean())
    parts = [float(x.var(ddof=1)) / len(x) for x in logs] if n > 1 else []
    if not parts or sum(parts) == 0:
        return Estimate(float(np.exp(gap)), None, None, n, "one repeat: no interval" if n == 1 else "no spread")
    df = sum(parts) ** 2 / sum(v**2 / (len(x) - 1) for v, x in zip(parts, logs, strict=True))
    reach = t_quantile(level, df) * sum(parts) ** 0.5
    low, high = (float(np.exp(gap + side * reach)) for side in (-1, 1))
    return Estimate(float(np.exp(gap)), low, high, n, f"Welch on logarithms of repeats, df {df:.1f}")


def _warned(found: Estimate) -> Estimate:
    return Estimate(found.value, found.low, found.high, found.n, found.method, (*found.notes, DEPENDENT))

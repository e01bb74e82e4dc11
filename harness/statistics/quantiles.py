"""Quantiles of latencies with distribution-free intervals from order statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..records import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def quantile_interval(values: ArrayLike, q: float, level: float = 0.95) -> Estimate:
    """The ``q`` quantile of ``values`` (n,), in their own unit, between two order statistics.

    The ranks l and u leave at most (1-level)/2 on either side of Binomial(n, q) (Conover 1999, section 3.2), so no
    shape is assumed. Where n is too small for such ranks there is no interval (p50 needs 6 values, p95 needs 72).
    """
    import numpy as np
    from scipy import special

    array = np.sort(np.asarray(values, dtype=float))
    n = len(array)
    if n == 0:
        return Estimate(None, None, None, 0, "no values")
    value = float(np.quantile(array, q))
    tail = (1 - level) / 2
    below = special.bdtr(np.arange(n), n, q)  # P(at most k values lie below the quantile), k = 0..n-1
    lower = int(np.searchsorted(below, tail))
    upper = int(np.searchsorted(below, 1 - tail)) + 1
    if lower < 1 or upper > n:
        return Estimate(value, None, None, n, f"n too small for an interval of p{100 * q:g}")
    return Estimate(value, float(array[lower - 1]), float(array[upper - 1]), n, f"order statistics {lower}, {upper}")

"""Quantiles of latencies with distribution-free intervals from order statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import clusters_of
from .intervals import t_quantile
from .rates import design_effect

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def quantile_interval(
    values: ArrayLike, q: float, level: float = 0.95, clusters: Sequence[Any] | ArrayLike | None = None
) -> Estimate:
    """The ``q`` quantile of ``values`` (n,), in their own unit, between two order statistics.

    The ranks l and u leave at most (1-level)/2 on either side of Binomial(n, q) (Conover 1999, section 3.2), so no
    shape is assumed. Where n is too small for such ranks there is no interval (p50 needs 6 values, p95 needs 72).
    Values that share a cluster (trials of a question, questions of a document): the ranks are those of n/deff values,
    deff being the design effect of lying below the quantile (Woodruff 1952), with the tails of t with df G-1.
    """
    import numpy as np
    from scipy import special

    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        return Estimate(None, None, None, 0, "no values")
    value = float(np.quantile(array, q))
    groups = clusters_of(clusters, n)
    if groups.count < 2:
        return Estimate(value, None, None, n, "one cluster: no interval" if n > 1 else "one sample: no interval")
    size, tail = n, (1 - level) / 2
    if groups.shared:
        size = max(1, int(n / design_effect((array <= value).astype(float), groups)))
        tail = float(special.ndtr(-t_quantile(level, groups.count - 1)))
    lower, upper = order_ranks(size, q, tail)
    if lower < 1 or upper > size:
        return Estimate(value, None, None, n, f"n too small for an interval of p{100 * q:g}")
    low, high = np.quantile(array, [(lower - 0.5) / size, (upper - 0.5) / size], method="hazen")
    of = f" of {size} of {n}" if size < n else ""
    return Estimate(value, float(low), float(high), n, f"order statistics {lower}, {upper}{of}")


def order_ranks(n: int, q: float, tail: float) -> tuple[int, int]:
    """The order statistics, counted from 1, that leave at most ``tail`` on either side; 0 or n+1 where none does."""
    import numpy as np
    from scipy import special

    below = special.bdtr(np.arange(n), n, q)  # P(at most k values lie below the quantile), k = 0..n-1
    return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail)) + 1

"""Leave-one-cluster-out intervals for coefficients of agreement, on the Fisher scale.

Hughes (2022, arXiv:2210.13265) advises the jackknife for such coefficients; the bootstrap that keeps the expected
disagreement fixed covers about 60 %. A coefficient is a function of sums over items, so that leaving a cluster out is
one subtraction, and items that are alike are left out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import Clusters
from .intervals import t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

BLOCK = 500_000
"""Numbers in a block of left-out sums: 4 MB."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is left out at a time: runs of ``order`` that begin at ``starts`` (U,), each standing for ``times`` (U,)."""

    order: Codes
    starts: Codes
    times: Floats
    groups: Clusters


def units_of(pattern: Codes, groups: Clusters) -> Units:
    """Clusters of items or, where each item is its own cluster, one for all items alike in ``pattern`` (n, c)."""
    import numpy as np

    if groups.shared:
        starts = np.cumsum(groups.sizes) - groups.sizes
        return Units(np.argsort(groups.codes, kind="stable"), starts, np.ones(groups.count), groups)
    key = np.zeros(len(pattern), dtype=np.intp)
    for column in pattern.T:
        # Renumbered at each step, the key stays below n times the largest count.
        key = np.unique(key * (int(column.max()) + 1) + column, return_inverse=True)[1]
    _, first, times = np.unique(key, return_index=True, return_counts=True)
    return Units(first, np.arange(len(first)), times.astype(float), groups)


def jackknife(
    rows: Callable[[Codes], Floats], units: Units, measure: Callable[[Floats], Mapping[str, Floats]]
) -> tuple[Floats, dict[str, tuple[float, float]]]:
    """The sum of all ``rows`` (S,), and value and standard error of everything that ``measure`` makes of such sums.

    ``rows`` gives the summands (m, S) of items, ``measure`` turns sums (B, S) into named values (B,). The error is
    sqrt((G-1)/G * sum_g (value without g - value)^2); NaN where leaving some g out leaves the value undefined.
    """
    import numpy as np

    total = sum((times @ sums for sums, times in _sums(rows, units)), np.zeros(1))
    values = {name: found[0] for name, found in measure(total[None]).items()}
    squares = dict.fromkeys(values, 0.0)
    if units.groups.count < 2:
        return total, {name: (float(value), np.nan) for name, value in values.items()}
    for sums, times in _sums(rows, units):
        left = total - sums
        left[np.abs(left) < 1e-9] = 0.0  # what rounding leaves of weights like 1/3 is no rating
        with np.errstate(invalid="ignore", divide="ignore"):  # nothing is left where one unit holds all
            without = measure(left)
        for name, found in without.items():
            squares[name] += float(times @ (found - values[name]) ** 2)
    shrink = (units.groups.count - 1) / units.groups.count
    return total, {name: (float(value), float(np.sqrt(shrink * squares[name]))) for name, value in values.items()}


def _sums(rows: Callable[[Codes], Floats], units: Units) -> Iterator[tuple[Floats, Floats]]:
    """Sums of rows by unit (B, S) and the units' times (B,), a block of units at a time."""
    import numpy as np

    width = rows(units.order[:1]).shape[1]
    ends = np.append(units.starts[1:], len(units.order))
    first = 0
    while first < len(ends):
        start = units.starts[first]
        last = max(first + 1, int(np.searchsorted(ends, start + BLOCK // width, side="right")))
        items = units.order[start : ends[last - 1]]
        yield np.add.reduceat(rows(items), units.starts[first:last] - start, axis=0), units.times[first:last]
        first = last


def fisher_limits(value: Any, se: Any, quantile: Any) -> tuple[Any, Any]:
    """Limits at ``quantile`` standard errors of atanh(value), which are se / (1 - value^2), taken back by tanh."""
    import numpy as np

    centre, half = np.arctanh(value), quantile * se / (1 - np.square(value))
    return np.tanh(centre - half), np.tanh(centre + half)


def coefficient_interval(
    value: float, se: float, groups: Clusters, level: float = 0.95, worst: float | None = None
) -> Estimate:
    """A coefficient with its jackknife interval, t with df G-1.

    ``worst`` is the largest distance of a pair over the expected one: it bounds a coefficient of exactly 1, for at
    most the share 1-(alpha/2)^(1/G) of other items stays unseen by chance. No interval where there is no honest one.
    """
    import numpy as np

    n = int(groups.sizes.sum())
    unit = "clusters" if groups.shared else "items"
    notes = groups.warnings() if groups.shared else ()
    if np.isnan(value):
        return Estimate(None, None, None, n, "undefined: no variation")
    if groups.count < 2:
        return Estimate(value, None, None, n, f"one {'item' if n == 1 else 'cluster'}: no interval")
    if value >= 1 - 1e-12 and worst is not None:
        low = max(-1.0, 1 - (1 - ((1 - level) / 2) ** (1 / groups.count)) * worst)
        return Estimate(1.0, low, 1.0, n, f"no disagreement seen: bound over {groups.count} {unit}", notes)
    if abs(value) >= 1 - 1e-12 and worst is None:
        return Estimate(value, None, None, n, "perfect correlation: no interval")
    if not se > 1e-12:
        return Estimate(value, None, None, n, "too little variation: no interval")
    quantile, df = t_quantile(level, groups.count - 1), groups.count - 1
    if value <= -1 + 1e-12:  # weighted coefficients have no lower end at -1
        method = f"jackknife over {groups.count} {unit}, t, df {df}"
        return Estimate(value, value - quantile * se, min(1.0, value + quantile * se), n, method, notes)
    low, high = fisher_limits(value, se, quantile)
    method = f"jackknife over {groups.count} {unit}, Fisher scale, t, df {df}"
    return Estimate(value, float(low), float(high), n, method, notes)

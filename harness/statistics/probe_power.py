"""How likely a probe of ``n`` items passes a judge that deserves it: exact where counts decide, else simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any

from .intervals import constant_bounds, t_quantile
from .power import power_above
from .rates import rate_interval, wilson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.float64]

SIMULATIONS = 1_000


def rate_power(n: int, rate: float, limit: float, items: Sequence[str] | None = None) -> float:
    """Chance that the lower Wilson limit of ``n`` outcomes, ones with probability ``rate``, is ``limit`` or more.

    ``items`` (n,) names what each outcome is about; shared ones widen the interval, and the chance is simulated.
    """
    if n == 0:
        return 0.0
    if items is not None and len(set(items)) < n:
        return _simulated(rate, limit, tuple(items))
    return power_above(limit, rate, n)


@lru_cache(maxsize=32)
def _simulated(rate: float, limit: float, items: tuple[str, ...]) -> float:
    """Outcomes independent within items too; the interval does not know that."""
    import numpy as np

    draw = np.random.default_rng(0)
    ones = draw.random((SIMULATIONS, len(items))) < rate
    # What decides is which outcomes failed, and mostly few did: equal rows are computed once.
    passed: dict[bytes, bool] = {}
    hits = 0
    for row in ones:
        key = row.tobytes()
        if key not in passed:
            low = rate_interval(row.astype(float), items).low
            passed[key] = low is not None and low >= limit
        hits += passed[key]
    return hits / SIMULATIONS


@lru_cache(maxsize=64)
def change_power(n: int, moved: float, limit: float) -> float:
    """Chance that the t interval of a mean change lies within ±``limit``, for a judge without a bias.

    It moves a score with probability ``moved``, a step up or down alike, over ``n`` items.
    """
    return _three_way(n, moved, lambda up, down: _inside(n, up, down, limit))


@lru_cache(maxsize=64)
def position_power(n: int, consistent: float, limit: float, preference: float) -> float:
    """Chance that ``n`` pairs pass both tests of position: consistency at least ``limit``, preference within ±.

    The judge is ``consistent`` in so many pairs, and in the others favours first and second alike.
    """
    import numpy as np

    table = np.array([wilson(k, n)[0] >= limit for k in range(n + 1)]) if n else np.zeros(1, dtype=bool)

    def passes(first: Counts, second: Counts) -> Any:
        return table[(n - first - second).astype(int)] & _inside(n, first, second, preference)

    return _three_way(n, 1 - consistent, passes)


def catch_power(n: int, share: float) -> float:
    """Chance that at least one of ``n`` attacks goes through where a ``share`` of them would."""
    return float(1 - (1 - share) ** n)


def drift_power(n: int, shift: float, sd: float, level: float = 0.99) -> float:
    """Chance that a two-sided paired t test at 1-``level`` over ``n`` anchors sees a ``shift``; ``sd`` of a change."""
    from scipy import special

    if n < 2:
        return 0.0
    reach, beyond = t_quantile(level, n - 1), shift / (sd / sqrt(n))
    return float(1 - special.nctdtr(n - 1, beyond, reach) + special.nctdtr(n - 1, beyond, -reach))


def size_for(power: Callable[[int], float], wanted: float, least: int, most: int) -> int:
    """The smallest n in ``least``..``most``, in tens, from which ``power`` reaches ``wanted``; ``most`` where none."""
    return next((n for n in range(least, most, 10) if power(n) >= wanted), most)


def _three_way(n: int, either: float, passes: Callable[[Counts, Counts], Any]) -> float:
    """Sum of the trinomial probabilities of (up, down) over those that ``passes``; up and down are equally likely."""
    import numpy as np
    from scipy import special

    if n < 2:
        return 0.0
    up, down = (grid.astype(float) for grid in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    there = up + down <= n
    up, down = up[there], down[there]
    ways = special.gammaln(n + 1) - special.gammaln(up + 1) - special.gammaln(down + 1)
    rest = n - up - down
    logs = ways - special.gammaln(rest + 1) + special.xlogy(up + down, either / 2) + special.xlog1py(rest, -either)
    return float(np.exp(logs)[passes(up, down)].sum())


def _inside(n: int, up: Counts, down: Counts, limit: float) -> Any:
    """Whether the interval of the mean of ``up`` ones and ``down`` minus ones among ``n`` lies within ±``limit``."""
    import numpy as np

    mean = (up - down) / n
    variance = ((up + down) - n * mean**2) / (n - 1)
    reach = t_quantile(0.95, n - 1) * np.sqrt(np.maximum(variance, 0) / n)
    reach = np.where(up + down == 0, constant_bounds(0.0, n, (-1.0, 1.0))[1], reach)
    return np.abs(mean) + reach <= limit

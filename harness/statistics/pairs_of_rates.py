"""Two pass rates on the same questions: intervals of their difference and McNemar's test.

``n10`` counts the questions that only the first candidate passed, ``n01`` those that only the second did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import clusters_of
from .intervals import mean_interval, t_p_value
from .paired import MOST_FLIPPED, sign_flip_p
from .rates import wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

HALVINGS = 60
"""Steps of bisection: the limits are right to 1e-18 of the range."""


@dataclass(frozen=True, slots=True)
class PairedRates:
    """Difference of two pass rates with its interval, the 2×2 counts, and the ``p`` of the named ``test``."""

    estimate: Estimate
    n11: int
    n10: int
    n01: int
    n00: int
    p: float
    test: str


def paired_rates(
    a: ArrayLike, b: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95
) -> PairedRates:
    """Rate of ``a`` less that of ``b``, both (n,) of 0 and 1, aligned by question; pairs with a NaN are left out.

    Independent questions: Tango's interval and McNemar's mid-p. Neither holds where questions share a cluster: then
    t with CR3, and a sign flip of whole clusters, above 2,000 of them the clustered t alone.
    """
    import numpy as np

    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    there = ~(np.isnan(first) | np.isnan(second))
    first, second = first[there], second[there]
    if not np.isin(np.concatenate([first, second]), (0.0, 1.0)).all():
        raise ValueError("a difference of rates needs outcomes of 0 and 1")
    labels = None if clusters is None else np.asarray(clusters)[there]
    n10, n01 = int((first > second).sum()), int((second > first).sum())
    n11, n = int((first * second).sum()), len(first)
    counts = (n11, n10, n01, n - n11 - n10 - n01)
    groups = clusters_of(labels, n)
    if n and groups.shared:
        estimate = mean_interval(first - second, labels, level, (-1.0, 1.0))
        if groups.count > MOST_FLIPPED:
            return PairedRates(estimate, *counts, t_p_value(first - second, labels), "clustered t")
        return PairedRates(estimate, *counts, sign_flip_p(first - second, labels), "cluster sign flip")
    if n == 0:
        return PairedRates(Estimate(None, None, None, 0, "no values"), *counts, 1.0, "McNemar, mid-p")
    low, high = tango(n10, n01, n, level)
    estimate = Estimate((n10 - n01) / n, low, high, n, "Tango")
    return PairedRates(estimate, *counts, mcnemar(n10, n01).mid_p, "McNemar, mid-p")


def tango(n10: int, n01: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Tango's score interval of the paired difference (n10 - n01)/n (Tango 1998): never of zero width."""
    from scipy import special

    z = float(special.ndtri(0.5 + level / 2))
    difference = (n10 - n01) / n
    low = -1.0 if difference <= -1 else _limit(n10, n01, n, z, (-1.0, difference))
    high = 1.0 if difference >= 1 else -_limit(n01, n10, n, z, (-1.0, -difference))
    return low, high


def _limit(n10: int, n01: int, n: int, z: float, between: tuple[float, float]) -> float:
    """The smallest difference that the score test at ``z`` does not refuse."""
    low, high = between
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _score(n10, n01, n, middle) > z else (low, middle)
    return (low + high) / 2


def _score(n10: int, n01: int, n: int, delta: float) -> float:
    """Tango's statistic at a supposed difference ``delta``, with the nuisance rate at its restricted maximum."""
    b = -n10 - n01 + (2 * n - n10 + n01) * delta
    root = sqrt(max(0.0, b * b + 8 * n * n01 * delta * (1 - delta)))
    variance = n * ((root - b) / (2 * n) + delta * (1 - delta))
    excess = n10 - n01 - n * delta
    if variance <= 0:
        return 0.0 if excess == 0 else float("inf") if excess > 0 else -float("inf")
    return excess / sqrt(variance)


def newcombe_paired(n11: int, n10: int, n01: int, n00: int, level: float = 0.95) -> tuple[float, float]:
    """Newcombe's method 10 for the paired difference: Wilson limits of both margins, joined by φ (Newcombe 1998)."""
    n = n11 + n10 + n01 + n00
    p, q = (n11 + n10) / n, (n11 + n01) / n
    (p_low, p_high), (q_low, q_high) = wilson(n11 + n10, n, level), wilson(n11 + n01, n, level)
    phi = _phi(n11, n10, n01, n00)

    def reach(one: float, other: float) -> float:
        return sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))

    return p - q - reach(p - p_low, q_high - q), p - q + reach(q - q_low, p_high - p)


def _phi(n11: int, n10: int, n01: int, n00: int) -> float:
    """Correlation of the two outcomes, with Newcombe's continuity correction where it is positive."""
    margins = (n11 + n10) * (n01 + n00) * (n11 + n01) * (n10 + n00)
    if margins == 0:
        return 0.0
    product = n11 * n00 - n10 * n01
    corrected = max(product - (n11 + n10 + n01 + n00) / 2, 0.0) if product > 0 else float(product)
    return corrected / sqrt(margins)


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two-sided p values of McNemar's test: ``exact`` is conservative, ``mid_p`` holds its level on average."""

    exact: float
    mid_p: float


def mcnemar(n10: int, n01: int) -> McNemar:
    """Test of equal rates from the discordant counts alone (McNemar 1947; mid-p: Fagerland, Lydersen, Laake 2013)."""
    from scipy import special

    n, few = n10 + n01, min(n10, n01)
    if n == 0:
        return McNemar(1.0, 1.0)
    below = float(special.bdtr(few, n, 0.5))
    at = below - (float(special.bdtr(few - 1, n, 0.5)) if few else 0.0)
    return McNemar(min(1.0, 2 * below), 1 - at if n10 == n01 else 2 * below - at)

"""How many questions a comparison or a limit needs, and what a given number can show.

Means by the normal approximation (Miller 2024, section 5); rates by the exact binomial distribution.
"""

from __future__ import annotations

from .rates import wilson

MOST_TRIALS = 100_000
"""Where a search for a sample size gives up."""


def n_paired(delta: float, variance: float, level: float = 0.95, power: float = 0.8) -> float:
    """Questions at which a mean paired difference of ``delta`` is found with ``power``; ``variance`` by question."""
    return _both_quantiles(level, power) ** 2 * variance / delta**2


def mde(n: float, variance: float, level: float = 0.95, power: float = 0.8) -> float:
    """Smallest mean difference that ``n`` questions find with ``power``: 2.80 · sd/√n by default.

    Clustered questions: ``variance`` is n · se², with the standard error by clusters.
    """
    return _both_quantiles(level, power) * float((variance / n) ** 0.5)


def variance_of_difference(between: float, noise_a: float = 0.0, noise_b: float = 0.0, repeats: int = 1) -> float:
    """Variance by question: ω² ``between`` questions and the noise of each candidate over its ``repeats``."""
    return between + (noise_a + noise_b) / repeats


def n_within(margin: float, sd: float, level: float = 0.95, power: float = 0.8) -> float:
    """Questions at which the interval of a mean that is truly 0 lies within ±``margin`` with ``power``."""
    return (_both_quantiles(level, (1 + power) / 2) * sd / margin) ** 2


def power_within(margin: float, sd: float, n: float, level: float = 0.95) -> float:
    """Chance that the interval of a mean that is truly 0 lies within ±``margin``."""
    from scipy import special

    room = margin * n**0.5 / sd - _both_quantiles(level, 0.5)
    return max(0.0, 2 * float(special.ndtr(room)) - 1)


def power_above(limit: float, truth: float, n: int, level: float = 0.95) -> float:
    """Chance that Wilson's lower limit of ``n`` trials with success rate ``truth`` reaches ``limit``."""
    from scipy import special

    least = _least_successes(limit, n, level)
    return 0.0 if least > n else 1.0 if least == 0 else float(special.bdtrc(least - 1, n, truth))


def n_above(limit: float, truth: float, level: float = 0.95, power: float = 0.8) -> int | None:
    """Fewest trials from which on the lower limit reaches ``limit`` with ``power``; ``None`` beyond 100,000.

    The chance saws up and down with n, so all of the following 50 sizes must have the power, too.
    """
    n = 1
    while n <= MOST_TRIALS and truth > limit:
        weak = [k for k in range(n, n + 50) if power_above(limit, truth, k, level) < power]
        if not weak:
            return n
        n = max(weak[-1] + 1, n + n // 50)
    return None


def _least_successes(limit: float, n: int, level: float) -> int:
    """Fewest successes of ``n`` whose Wilson lower limit reaches ``limit``; n+1 where not even all do."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if wilson(middle, n, level)[0] >= limit else (middle + 1, high)
    return low


def _both_quantiles(level: float, power: float) -> float:
    from scipy import special

    return float(special.ndtri(0.5 + level / 2) + special.ndtri(power))

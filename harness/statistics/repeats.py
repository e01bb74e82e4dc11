"""Repeated grades of the same answers: how much of an interval's width is noise of the judge, and how much is not.

Repeats never widen an interval: the spread between items already holds the noise. They tell what would narrow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .intervals import mean_interval
from .rates import rate_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Variance ``within`` items (over repeats) and ``between`` items (of their true means), for ``n`` items.

    ``flip_rate``: share of items whose grades are not all equal; it grows with the number of repeats.
    ``pair_flip_rate``: chance that two grades of one item differ; it does not. ``repeats``: mean number of grades.
    """

    n: int
    repeats: float
    within: float
    between: float
    flip_rate: Estimate
    pair_flip_rate: Estimate

    def se_at(self, repeats: float, n: int | None = None) -> float:
        """Standard error of the mean with so many ``repeats`` of ``n`` items (default: as many items as here)."""
        return float(((self.between + self.within / repeats) / (self.n if n is None else n)) ** 0.5)

    def noise_share(self, repeats: float = 1) -> float:
        """Share of the mean's variance that is noise at ``repeats``: what endless repeats would take away."""
        noise = self.within / repeats
        return noise / (self.between + noise) if noise else 0.0

    def narrower(self, repeats: float, n: int | None = None) -> float:
        """Share of the width at one grade per item that ``repeats`` grades of ``n`` items would take away."""
        width = self.se_at(1)
        return 1 - self.se_at(repeats, n) / width if width else 0.0


def decompose(
    scores: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95
) -> Repeats | None:
    """Split the variance of ``scores`` (n items, K repeats), NaN where a grade is missing (Miller 2024, section 3).

    Items with one grade tell nothing of the noise and are left out; ``None`` for fewer than two others. Within: the
    mean of the items' variances; between: the variance of their means less the noise in these, at least 0.
    """
    import numpy as np

    table = np.asarray(scores, dtype=float)
    count = (~np.isnan(table)).sum(axis=1)
    kept = count >= 2
    table, count = table[kept], count[kept]
    if len(table) < 2:
        return None
    labels = None if clusters is None else np.asarray(clusters)[kept]
    means = np.nansum(table, axis=1) / count
    squares = np.nansum((table - means[:, None]) ** 2, axis=1)
    within = float((squares / (count - 1)).mean())
    between = max(0.0, float(means.var(ddof=1)) - within * float((1 / count).mean()))
    flips = (np.nanmax(table, axis=1) > np.nanmin(table, axis=1)).astype(float)
    pairs = mean_interval(_unequal_pairs(table), labels, level, (0.0, 1.0))
    flipped = rate_interval(flips, labels, level)
    return Repeats(len(table), float(count.mean()), within, between, flipped, pairs)


def _unequal_pairs(table: Floats) -> Floats:
    """Share of an item's pairs of grades that differ (n,)."""
    import numpy as np

    there = ~np.isnan(table)
    different, pairs = np.zeros(len(table)), np.zeros(len(table))
    for lag in range(1, table.shape[1]):
        both = there[:, lag:] & there[:, :-lag]
        different += (both & (table[:, lag:] != table[:, :-lag])).sum(axis=1)
        pairs += both.sum(axis=1)
    return np.asarray(different / pairs)

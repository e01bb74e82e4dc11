"""Ratings as codes, counts and q × q tables: all coefficients of agreement are functions of sums of such tables.

``q`` levels, ``n`` items, at most ``R`` raters an item. In a table the first rater has the rows and the other the
columns, and each item weighs one, however many raters it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


def level_codes(ratings: ArrayLike, levels: Sequence[float]) -> Codes:
    """Index of each rating among the ``levels`` (ascending); -1 where it is NaN.

    Raises `ValueError` for a rating that is no level, and for fewer than two levels.
    """
    import numpy as np

    array, scale = np.asarray(ratings, dtype=float), np.asarray(levels, dtype=float)
    if len(scale) < 2 or bool((np.diff(scale) <= 0).any()):
        raise ValueError(f"levels {tuple(levels)!r}: need at least two, ascending")
    missing = np.isnan(array)
    codes = np.searchsorted(scale, array).clip(0, len(scale) - 1)
    strange = ~missing & (scale[codes] != array)
    if strange.any():
        raise ValueError(f"rating {float(array[strange].flat[0])!r} is none of the levels {tuple(levels)!r}")
    return np.where(missing, -1, codes)


def level_counts(codes: Codes, q: int) -> Floats:
    """How many raters chose each level, (n, q), from codes (n, R); -1 counts nowhere."""
    import numpy as np

    n = len(codes)
    cells = np.arange(n)[:, None] * q + codes
    return np.bincount(cells[codes >= 0], minlength=n * q).reshape(n, q).astype(float)


def distances(q: int) -> dict[str, Floats]:
    """How far apart two levels are, (q, q) from 0 to 1, by the name of the weights."""
    import numpy as np

    steps = np.abs(np.arange(q)[:, None] - np.arange(q)) / (q - 1)
    beyond_1 = np.abs(np.arange(q)[:, None] - np.arange(q)) > 1
    return {
        "unweighted": (steps > 0).astype(float),
        "linear": steps,
        "quadratic": steps**2,
        "within_1": beyond_1.astype(float),
    }


@dataclass(frozen=True, slots=True)
class AgainstHumans:
    """One rater, ``codes`` (n,), against the ``counts`` (n, q) of the others on the same items, at least one each."""

    codes: Codes
    counts: Floats

    @property
    def pattern(self) -> Codes:
        """Items with equal rows (n, c) have equal tables."""
        import numpy as np

        return np.column_stack([self.codes, self.counts.astype(np.intp)])

    def tables(self, items: Codes) -> Floats:
        """(m, q * q): the pairs of each of the ``items``, each of its r pairs weighing 1/r."""
        import numpy as np

        counts = self.counts[items]
        found = np.zeros((len(items), counts.shape[1], counts.shape[1]))
        found[np.arange(len(items)), self.codes[items]] = counts / counts.sum(axis=1, keepdims=True)
        return found.reshape(len(items), counts.shape[1] ** 2)

    def mean(self, distance: Floats) -> Floats:
        """(n,): the mean ``distance`` (q, q) of an item's pairs."""
        import numpy as np

        return np.asarray((distance[self.codes] * self.counts).sum(axis=1) / self.counts.sum(axis=1))


@dataclass(frozen=True, slots=True)
class AmongHumans:
    """All ordered pairs of different raters of an item, from ``counts`` (n, q) with at least two raters each."""

    counts: Floats

    @property
    def pattern(self) -> Codes:
        """Items with equal rows (n, q) have equal tables."""
        import numpy as np

        return self.counts.astype(np.intp)

    def tables(self, items: Codes) -> Floats:
        """(m, q * q): the pairs of each of the ``items``, each of its r(r-1) pairs weighing 1/(r(r-1))."""
        import numpy as np

        counts = self.counts[items]
        raters = counts.sum(axis=1)
        found = counts[:, :, None] * counts[:, None, :]
        diagonal = np.arange(counts.shape[1])
        found[:, diagonal, diagonal] -= counts
        return np.asarray((found / (raters * (raters - 1))[:, None, None]).reshape(len(items), counts.shape[1] ** 2))

    def mean(self, distance: Floats) -> Floats:
        """(n,): the mean ``distance`` (q, q), zero on its diagonal, of an item's pairs."""
        import numpy as np

        raters = self.counts.sum(axis=1)
        return np.asarray(((self.counts @ distance) * self.counts).sum(axis=1) / (raters * (raters - 1)))

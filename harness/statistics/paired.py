"""Two candidates on the same samples: the paired difference, its test, and Holm's correction.

The test flips signs up to 2,000 clusters. Above that it is the t of the interval alone: with so many clusters both give
the same p, and the flips would take seconds a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import Clusters, clusters_of
from .intervals import mean_interval, t_p_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

EXACT_UP_TO = 15
DRAWS = 20_000
MOST_FLIPPED = 2_000
"""Clusters (samples, where none is shared) up to which signs are flipped."""
SIGN_FLIP = "sign flip"
TIE = 1e-9
"""Differences of less are rounding."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of ``a - b`` with its interval, the ``p`` of ``test``, and on how many samples ``a`` won, tied and lost.

    ``test`` is `sign flip`; above 2,000 clusters `clustered t`, or `t` where no cluster holds two samples.
    """

    estimate: Estimate
    p: float
    wins: int
    ties: int
    losses: int
    test: str = SIGN_FLIP

    @property
    def side(self) -> int:
        """1 where the interval lies above zero, -1 where below, 0 where it holds zero or there is none."""
        low, high = self.estimate.low, self.estimate.high
        return 0 if low is None or high is None else int(low > 0) - int(high < 0)


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
    scale: tuple[float, float] | None = None,
) -> PairedDifference:
    """Compare ``a`` and ``b`` (n,), aligned by sample: t on the differences, CR3 when clustered (Miller 2024, 4).

    Samples where either is NaN are left out. ``scale`` is that of the scores; it bounds the difference where all
    differences are equal.
    """
    return paired_differences([a, b], clusters, level, scale)[0, 1]


def paired_differences(
    scores: Sequence[ArrayLike],
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
    scale: tuple[float, float] | None = None,
) -> dict[tuple[int, int], PairedDifference]:
    """Every pair i < j of ``scores``, each (n,), as `paired_difference`; one set of sign flips serves all of them."""
    import numpy as np

    matrix = np.array([np.asarray(row, dtype=float) for row in scores])
    pairs = [(i, j) for i in range(len(matrix)) for j in range(i + 1, len(matrix))]
    return pair_differences(matrix, pairs, clusters, level, scale)


def pair_differences(
    matrix: NDArray[np.float64],
    pairs: Sequence[tuple[int, int]],
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
    scale: tuple[float, float] | None = None,
) -> dict[tuple[int, int], PairedDifference]:
    """These pairs of rows of ``matrix`` (m, n), the first less the second; otherwise as `paired_differences`."""
    import numpy as np

    if not pairs:
        return {}
    groups = clusters_of(clusters, matrix.shape[1])
    d = np.array([matrix[i] - matrix[j] for i, j in pairs])
    there = ~np.isnan(d)
    test = test_of(groups)
    if test == SIGN_FLIP:
        ps = sign_flip_ps(np.nan_to_num(d), groups.codes)
    else:
        ps = [t_p_value(row[known], groups.codes[known]) for row, known in zip(d, there, strict=True)]
    span = None if scale is None else (scale[0] - scale[1], scale[1] - scale[0])
    found = {}
    for pair, row, known, p in zip(pairs, d, there, ps, strict=True):
        kept = row[known]
        wins, losses = int((kept > TIE).sum()), int((kept < -TIE).sum())
        estimate = mean_interval(kept, groups.codes[known], level, span)
        found[pair] = PairedDifference(estimate, p, wins, len(kept) - wins - losses, losses, test)
    return found


def test_of(groups: Clusters) -> str:
    """By which test means over so many clusters are compared, see `PairedDifference.test`."""
    if groups.count <= MOST_FLIPPED:
        return SIGN_FLIP
    return "clustered t" if groups.shared else "t"


def sign_flip_p(
    differences: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, draws: int = DRAWS, seed: int = 0
) -> float:
    """Two-sided p of the paired permutation test: signs of ``differences`` are flipped, whole clusters at once.

    Exact for up to 15 non-zero cluster sums, else (1 + hits) / (1 + ``draws``) with a seeded generator. No
    difference at all gives 1.
    """
    import numpy as np

    return sign_flip_ps(np.asarray(differences, dtype=float)[None], clusters, draws, seed)[0]


def sign_flip_ps(
    differences: NDArray[np.float64],
    clusters: Sequence[Any] | ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[float]:
    """`sign_flip_p` for each row of ``differences`` (m, n); a zero stands for a sample that a row lacks."""
    import numpy as np

    groups = clusters_of(clusters, differences.shape[1])
    sums = np.array([np.bincount(groups.codes, weights=d, minlength=groups.count) for d in differences])
    sums[np.abs(sums) <= 1e-12] = 0.0
    filled = (sums != 0).sum(axis=1)
    ps = [_exact_p(row[row != 0]) for row in sums]
    many = np.flatnonzero(filled > EXACT_UP_TO)
    if len(many):
        hits = _hits(sums[many].T, draws, seed)
        for index, count in zip(many, hits, strict=True):
            ps[index] = (1 + int(count)) / (1 + draws)
    return ps


def _exact_p(sums: NDArray[np.float64]) -> float:
    import numpy as np

    if len(sums) == 0 or len(sums) > EXACT_UP_TO:
        return 1.0
    bits = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
    return float((np.abs((1 - 2 * bits) @ sums) >= abs(sums.sum()) - TIE).mean())


def _hits(sums: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.int64]:
    """How often random signs of ``sums`` (G, m) give a total as far from zero as theirs, (m,)."""
    import numpy as np

    generator = np.random.default_rng(seed)
    observed = np.abs(sums.sum(axis=0)) - TIE
    rows = max(1, 2_000_000 // len(sums))  # keeps a block of signs under 16 MB
    hits = np.zeros(sums.shape[1], dtype=np.int64)
    for start in range(0, draws, rows):
        signs = 1.0 - 2.0 * generator.integers(0, 2, size=(min(rows, draws - start), len(sums)), dtype=np.int8)
        hits += (np.abs(signs @ sums) >= observed).sum(axis=0)
    return hits


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given (Holm 1979)."""
    m = len(p_values)
    adjusted = [0.0] * m
    highest = 0.0
    for rank, index in enumerate(sorted(range(m), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, p_values[index] * (m - rank)))
        adjusted[index] = highest
    return adjusted

"""Does the judge favour one candidate? A test of equal bias over candidates, asked before their labels are pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .clusters import clusters_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EqualBias:
    """Mean bias and number of labels by candidate, and the ``p`` of equal biases; ``None``: ``method`` says why."""

    biases: tuple[float, ...]
    n: tuple[int, ...]
    p: float | None
    method: str


def equal_bias_test(bias: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None) -> EqualBias:
    """Test that ``bias`` (n samples, C candidates), judge less human, NaN where not labelled, has C equal means.

    A sample labelled for several candidates counts once: the means' covariance is CR3 over samples (or over their
    ``clusters``), so shared difficulty is allowed for. F = W (G-C+1)/((C-1)(G-1)) with df (C-1, G-C+1), W the Wald
    statistic of the contrasts; with every cell filled this is Hotelling's T² for repeated measures.
    """
    import numpy as np

    matrix = np.asarray(bias, dtype=float)
    there = ~np.isnan(matrix)
    kept = there.any(axis=1)
    labels = None if clusters is None else np.asarray(clusters)[kept]
    matrix, there = matrix[kept], there[kept]
    n = there.sum(axis=0)
    counts = tuple(int(k) for k in n)
    if matrix.shape[1] < 2 or (n < 2).any():
        return EqualBias(_means(matrix, there), counts, None, "needs two candidates with two labels each")
    groups = clusters_of(labels, len(matrix))
    means = np.where(there, matrix, 0.0).sum(axis=0) / n
    p, method = _wald(means, _covariance(np.where(there, matrix - means, 0.0), there, groups.codes), groups.count)
    return EqualBias(tuple(float(m) for m in means), counts, p, method)


def _means(matrix: Floats, there: NDArray[np.bool_]) -> tuple[float, ...]:
    return tuple(float(c[t].mean()) if t.any() else float("nan") for c, t in zip(matrix.T, there.T, strict=True))


def _covariance(residuals: Floats, there: NDArray[np.bool_], codes: NDArray[np.intp]) -> Floats:
    """CR3 of the means (C, C): how they move together when one cluster is left out."""
    import numpy as np

    count = int(codes.max()) + 1
    sums, sizes = np.zeros((count, residuals.shape[1])), np.zeros((count, residuals.shape[1]))
    np.add.at(sums, codes, residuals)
    np.add.at(sizes, codes, there)
    shifts = -sums / np.maximum(sizes.sum(axis=0) - sizes, 1)
    return np.asarray((count - 1) / count * shifts.T @ shifts)


def _wald(means: Floats, covariance: Floats, count: int) -> tuple[float | None, str]:
    import numpy as np
    from scipy import special

    contrasts = np.diff(np.eye(len(means)), axis=0)
    gaps, spread = contrasts @ means, contrasts @ covariance @ contrasts.T
    q = len(gaps)
    df = count - q
    if np.abs(gaps).max() <= 1e-12:
        return 1.0, "all biases equal"
    if df < 1 or np.linalg.matrix_rank(spread) < q:
        return None, f"{count} clusters tell too little of {q + 1} candidates"
    w = float(gaps @ np.linalg.solve(spread, gaps))
    return float(
        special.fdtrc(q, df, w * df / (q * (count - 1)))
    ), f"Wald F, df {q} and {df}, CR3 over {count} clusters"

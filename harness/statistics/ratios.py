"""How many times one amount another is, paired by sample: seconds, dollars, scores above the lowest level."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .intervals import mean_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def ratio_of_means(
    a: ArrayLike, b: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """mean(``a``) / mean(``b``) of samples (n,) that have both: what a bill is of.

    The interval is on logarithms, by the delta method: of the mean of a_i / mean(a) - b_i / mean(b), by t or CR3 as
    `mean_interval`. No ratio where a mean is not above zero.
    """
    first, second, own = _both(a, b, clusters)
    n = len(first)
    if n == 0 or first.mean() <= 0 or second.mean() <= 0:
        return Estimate(None, None, None, n, "no ratio: a mean is not above 0" if n else "no sample has both")
    found = mean_interval(first / first.mean() - second / second.mean(), own, level)
    ratio = float(first.mean() / second.mean())
    return _around(ratio, None if found.high is None or found.value is None else found.high - found.value, found)


def geometric_ratio(
    a: ArrayLike, b: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """Geometric mean over samples (n,) of ``a`` / ``b``: by how much a typical answer takes longer.

    Paired t on logarithms, CR3 when clustered. Samples where either is missing or not above zero are left out.
    """
    import numpy as np

    first, second, own = _both(a, b, clusters)
    there = (first > 0) & (second > 0)
    if not there.any():
        return Estimate(None, None, None, 0, "no sample has both")
    found = mean_interval(np.log(first[there] / second[there]), None if own is None else own[there], level)
    assert found.value is not None
    return _around(exp(found.value), None if found.high is None else found.high - found.value, found)


def _both(
    a: ArrayLike, b: ArrayLike, clusters: Sequence[Any] | ArrayLike | None
) -> tuple[Floats, Floats, NDArray[Any] | None]:
    import numpy as np

    first, second = (np.asarray(values, dtype=float) for values in (a, b))
    there = np.isfinite(first) & np.isfinite(second)
    own = None if clusters is None else np.asarray(clusters)[there]
    return first[there], second[there], own


def _around(ratio: float, reach: float | None, found: Estimate) -> Estimate:
    """Limits that are as many times below as above."""
    if reach is None:
        return Estimate(ratio, None, None, found.n, found.method, found.notes)
    return Estimate(
        ratio, ratio * exp(-reach), ratio * exp(reach), found.n, f"{found.method} on logarithms", found.notes
    )

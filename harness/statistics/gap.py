"""Of the gap between two models, the share that a third closes: a tuned one between its base and a large one."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import Clusters, clusters_of, jackknife_covariance
from .intervals import t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

NO_GAP = "no gap to close"
"""The method where the large model is not above the base by more than chance."""
NOTHING = 1e-12


def gap_closed(
    tuned: ArrayLike,
    base: ArrayLike,
    large: ArrayLike,
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """(mean(``tuned``) - mean(``base``)) / (mean(``large``) - mean(``base``)) of samples (n,) that have all three.

    Above 1 where the tuned model passes the large one, below 0 where it fell behind its base. The interval is Fieller's
    (1954, section 3) with t and the covariances of `jackknife_covariance`, so clustered by CR3. No value where the gap
    is not above zero at the same ``level``: there Fieller's interval has no ends, and nothing could be closed.
    """
    import numpy as np

    rows = np.array([np.asarray(values, dtype=float) for values in (tuned, base, large)])
    there = np.isfinite(rows).all(axis=0)
    one, floor, top = rows[:, there]
    n = int(there.sum())
    if n == 0:
        return Estimate(None, None, None, 0, "no sample has all three")
    groups = clusters_of(None if clusters is None else np.asarray(clusters)[there], n)
    gain, gap = one - floor, top - floor
    if groups.count < 2:
        return Estimate(None, None, None, n, "one sample: no gap known" if n == 1 else "one cluster: no gap known")
    return _fieller(gain, gap, groups, t_quantile(level, groups.count - 1))


def _fieller(gain: Floats, gap: Floats, groups: Clusters, t: float) -> Estimate:
    """Those shares r for which mean(gain - r gap) is no further from zero than ``t`` standard errors."""
    n, x, y = len(gain), float(gain.mean()), float(gap.mean())
    by = _varying(gain, gap, groups)
    xx, xy, yy = (jackknife_covariance(a, b, by) for a, b in ((gain, gain), (gain, gap), (gap, gap)))
    steep = y * y - t * t * yy
    if y <= 0 or steep <= 0:
        return Estimate(None, None, None, n, NO_GAP)
    share = x / y
    if xx - 2 * share * xy + share * share * yy <= NOTHING * y * y:
        return Estimate(share, None, None, n, "the same share on every sample: no interval")
    middle = (x * y - t * t * xy) / steep
    reach = sqrt(max(0.0, middle * middle - (x * x - t * t * xx) / steep))
    kind = f"CR3 over {groups.count} clusters, " if by.shared else ""
    method = f"Fieller, t, {kind}df {groups.count - 1}"
    return Estimate(share, middle - reach, middle + reach, n, method, groups.warnings() if groups.shared else ())


def _varying(gain: Floats, gap: Floats, groups: Clusters) -> Clusters:
    """Where sums of clusters cancel exactly, the samples one by one: no width would be an artefact of balance."""
    if not groups.shared or min(jackknife_covariance(one, one, groups) for one in (gain, gap)) > NOTHING:
        return groups
    return clusters_of(None, len(gain))

"""From a mean and its variance to an interval: t, cut to the scale, never of zero width."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

from ..records import Estimate
from .intervals import Scale, constant_bounds, t_quantile
from .ppi_parts import Parts, means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ZERO = 1e-12


@dataclass(frozen=True, slots=True)
class Rectified:
    """A mean with its interval, the weight ``lam`` of the judge (0: not used) and the width over that at λ = 0."""

    estimate: Estimate
    lam: float
    width_ratio: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of a mean and its degrees of freedom; 0 where the labels do not vary."""

    variance: float
    df: float

    def reach(self, level: float) -> float:
        """Half the width of the interval."""
        return t_quantile(level, self.df) * sqrt(self.variance)


def satterthwaite(total: float, each: Floats, n: NDArray[np.intp]) -> float:
    """Degrees of freedom of a ``total`` of variances ``each`` (H,) from ``n`` labels (Welch 1947).

    A single stratum has n - 1; more have at most the labels less the strata.
    """
    import numpy as np

    most = float(n.sum() - len(n))
    spread = float((each**2 / np.maximum(n - 1, 1)).sum())
    return min(most, total**2 / spread) if len(n) > 1 and spread > ZERO**2 else most


def interval(theta: float, spread: Spread, level: float, scale: Scale | None) -> tuple[float, float, float]:
    """Value, lower and upper limit, all on the scale."""
    reach = spread.reach(level)
    floor, top = (-inf, inf) if scale is None else scale
    return max(floor, min(top, theta)), max(floor, min(top, theta - reach)), max(floor, min(top, theta + reach))


def constant(parts: Parts, level: float, scale: Scale | None) -> Rectified:
    """The interval where the labels do not vary (within any stratum), so that their spread says nothing."""
    import numpy as np

    n, values = len(parts.y), means(parts, np.zeros(len(parts.shares)))
    value = float(values @ parts.shares)
    if scale is None:
        return Rectified(Estimate(value, None, None, n, "all labels equal, scale unknown: no interval"), 0.0, None)
    # Within a cluster nothing is known to be independent, so a cluster counts once.
    codes, used = parts.clusters.codes[parts.labelled], np.flatnonzero(parts.shares > 0)
    counts = [len(np.unique(codes[parts.labelled_stratum == h])) for h in used]
    bounds = [constant_bounds(float(values[h]), k, scale, level) for h, k in zip(used, counts, strict=True)]
    low, high = (float(np.dot(parts.shares[used], side)) for side in zip(*bounds, strict=True))
    unit = "clusters" if parts.clusters.shared else "samples"
    method = f"all {n} labels equal: bound over {sum(counts)} {unit}"
    return Rectified(Estimate(value, low, high, n, method), 0.0, None)


def described(parts: Parts, lam: float, df: float) -> str:
    """How the interval was made, in a few words."""
    what = f"PPI++, λ {lam:.2f}" if lam else "labels alone"
    strata = f", {len(parts.shares)} strata" if len(parts.shares) > 1 else ""
    over = f", CR3 over {parts.clusters.count} clusters" if parts.clusters.shared else ""
    return f"{what}{strata}, t{over}, df {df:.0f}"


def warned(parts: Parts) -> tuple[str, ...]:
    """Why an interval over these labels deserves less trust than its level says."""
    import numpy as np

    among = parts.labelled_clusters.warnings() if parts.clusters.shared else ()
    used = np.flatnonzero(parts.shares > 0)
    alike = any(float(np.ptp(parts.y[parts.labelled_stratum == h])) <= ZERO for h in used)
    return ("all labels of a stratum are equal, and the others in it taken to be so, too", *among) if alike else among

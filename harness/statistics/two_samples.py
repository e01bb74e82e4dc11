"""Two windows of samples: the change of a mean, of a share, and the chance that a later amount is the larger one.

Samples may share a cluster (a conversation, a user), and a cluster may stand in both windows: then what it says of one
is not independent of what it says of the other. The errors leave out one cluster at a time, from both windows at once
(CR3; MacKinnon, Nielsen, Webb 2023, eq. 7). Where no cluster holds two samples they are those of Welch (1947).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import asin, comb, hypot, sqrt
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import clusters_of
from .intervals import cut, logit_limits, mean_interval, t_quantile
from .rates import design_effect, rate_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

Scale = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """What changed from the early window to the late one, with its interval, and the two-sided ``p`` of no change."""

    estimate: Estimate
    p: float


@dataclass(frozen=True)
class Windows:
    """Clusters of both windows, numbered together: ``early`` (n,) and ``late`` (m,) are the codes of samples."""

    early: Codes
    late: Codes

    @property
    def count(self) -> int:
        """Clusters in either window."""
        return int(max(self.early.max(initial=-1), self.late.max(initial=-1))) + 1

    def sizes(self) -> tuple[Codes, Codes]:
        """Samples of each cluster in the early and in the late window (G,)."""
        import numpy as np

        return np.bincount(self.early, minlength=self.count), np.bincount(self.late, minlength=self.count)


def windows_of_clusters(early: Sequence[Any] | ArrayLike, late: Sequence[Any] | ArrayLike) -> Windows:
    """The windows of samples with these cluster labels, (n,) and (m,)."""
    import numpy as np

    labels = [np.asarray(early), np.asarray(late)]
    codes = np.unique(np.concatenate(labels), return_inverse=True)[1]
    return Windows(codes[: len(labels[0])], codes[len(labels[0]) :])


def separate(n: int, m: int) -> Windows:
    """The windows of ``n`` early and ``m`` late samples, each a cluster of its own."""
    import numpy as np

    return Windows(np.arange(n), np.arange(n, n + m))


def mean_change(
    early: ArrayLike,
    late: ArrayLike,
    windows: Windows | None = None,
    level: float = 0.95,
    scale: Scale | None = None,
) -> Change:
    """Mean of ``late`` (m,) less that of ``early`` (n,), by t.

    Where all values of a window are the same in both, the interval is made of the bounds of `mean_interval`; it needs
    the ``scale``. Where sums of clusters cancel exactly, the samples count one by one: no width would be an artefact of
    balance. No interval, and a p of 1, for fewer than two clusters in a window.
    """
    import numpy as np

    first, second = np.asarray(early, dtype=float), np.asarray(late, dtype=float)
    windows = windows or separate(len(first), len(second))
    if too_few(windows):
        return Change(_no_interval(first, second), 1.0)
    change = float(second.mean() - first.mean())
    se, df = error_of_difference(first - first.mean(), second - second.mean(), windows)
    span = None if scale is None else (scale[0] - scale[1], scale[1] - scale[0])
    if se <= 1e-12 * max(1.0, float(np.abs(first).max()), float(np.abs(second).max())):
        if np.ptp(first) == 0 and np.ptp(second) == 0:
            return _constant_change(first, second, windows, level, scale)
        return _one_by_one(mean_change(first, second, None, level, scale))
    reach = t_quantile(level, df) * se
    low, high = cut(change - reach, change + reach, span)
    n = len(first) + len(second)
    return Change(Estimate(change, low, high, n, _method(windows, df)), _t_p(change / se, df))


def rate_change(early: ArrayLike, late: ArrayLike, windows: Windows | None = None) -> Change:
    """Share of ones in ``late`` (m,) less that in ``early`` (n,).

    The interval adds the squared distances to the limits of both shares (Newcombe 1998, method 10), which are Wilson's,
    with n/deff where clusters are shared. p is the larger of Fisher's exact test on the counts over deff, right where
    ones are rare, and of the t of `mean_change`, right where clusters are few.
    """
    import numpy as np
    from scipy import stats

    first, second = np.asarray(early, dtype=float), np.asarray(late, dtype=float)
    windows = windows or separate(len(first), len(second))
    if too_few(windows):
        return Change(_no_interval(first, second), 1.0)
    early_share, late_share = rate_interval(first, windows.early), rate_interval(second, windows.late)
    counts = [_effective(first, windows.early), _effective(second, windows.late)]
    p = max(float(stats.fisher_exact(counts)[1]), mean_change(first, second, windows).p)
    return Change(_squared_and_added(early_share, late_share, f"Newcombe; {late_share.method}"), p)


def superiority(
    early: ArrayLike,
    late: ArrayLike,
    windows: Windows | None = None,
    level: float = 0.95,
) -> Change:
    """Chance that a late value is larger than an early one, ties counting half: 0.5 where nothing changed.

    It is the area under the curve, U / (n m) of Mann and Whitney; the error is that of Brunner and Munzel (2000), who
    need no equal spread, by cluster. It shrinks as the chance nears 0 or 1. So the test is on the arcsine scale: else
    20 against 20 samples fall below a p of 0.0005 three times as often as they should. And the interval is on the logit
    scale: else it covers 83 % at 0.97.
    """
    import numpy as np

    first, second = np.asarray(early, dtype=float), np.asarray(late, dtype=float)
    windows = windows or separate(len(first), len(second))
    n = len(first) + len(second)
    if not len(first) or not len(second):
        return Change(Estimate(None, None, None, n, "no values"), 1.0)
    over, under = placements(first, second), 1.0 - placements(second, first)
    chance = float(over.mean())
    if too_few(windows):
        return Change(Estimate(chance, None, None, n, "too few clusters: no interval"), 1.0)
    se, df = error_of_difference(chance - under, over - chance, windows)
    if se <= 1e-12:
        if np.ptp(over) > 0 or np.ptp(under) > 0:
            return _one_by_one(superiority(first, second, None, level))
        apart = abs(chance - 0.5) > 0.25  # complete separation; else all values are equal
        return Change(
            Estimate(chance, None, None, n, "no spread: no interval"), _separated_p(windows) if apart else 1.0
        )
    low, high = logit_limits(chance, se, t_quantile(level, df))
    found = Estimate(chance, low, high, n, f"Brunner–Munzel, logit, {_method(windows, df)}")
    return Change(found, _t_p(asin(2 * chance - 1) * sqrt(chance * (1 - chance)) / se, df))


def placements(among: Floats, values: Floats) -> Floats:
    """For each of ``values`` the share of ``among`` that lies below it, equal ones counting half."""
    import numpy as np

    ordered = np.sort(among)
    below, upto = np.searchsorted(ordered, values, side="left"), np.searchsorted(ordered, values, side="right")
    found: Floats = (below + upto) / (2.0 * len(ordered))
    return found


def error_of(shifts: Floats, windows: Windows) -> tuple[float, float]:
    """Standard error and degrees of freedom from what each cluster (G,) moves.

    By Satterthwaite over the clusters of the early window alone, of the late one alone, and of both.
    """
    import numpy as np

    early, late = (sizes > 0 for sizes in windows.sizes())
    squares, total = shifts**2, float((shifts**2).sum())
    spent = 0.0
    for kind in (early & ~late, late & ~early, early & late):
        if kind.any():
            spent += float(squares[kind].sum()) ** 2 / max(int(kind.sum()) - 1, 1)
    return float(np.sqrt(total)), total**2 / spent if spent > 0 else 1.0


def error_of_difference(early: Floats, late: Floats, windows: Windows) -> tuple[float, float]:
    """Of the mean of ``late`` (m,) less that of ``early`` (n,), both given as what is left of their mean."""
    return error_of(_shifts(late, windows.late, windows.count) - _shifts(early, windows.early, windows.count), windows)


def _shifts(rest: Floats, codes: Codes, count: int) -> Floats:
    """What leaving out each cluster moves of a window's mean, (G,)."""
    import numpy as np

    sums, sizes = np.bincount(codes, weights=rest, minlength=count), np.bincount(codes, minlength=count)
    there = int((sizes > 0).sum())
    found: Floats = sums / np.maximum(len(codes) - sizes, 1) * sqrt((there - 1) / there)
    return found


def too_few(windows: Windows) -> bool:
    """Whether a window has fewer than two clusters, so that nothing shows how much they vary."""
    return any(int((sizes > 0).sum()) < 2 for sizes in windows.sizes())


def _no_interval(first: Floats, second: Floats) -> Estimate:
    n = len(first) + len(second)
    if not len(first) or not len(second):
        return Estimate(None, None, None, n, "no values")
    return Estimate(float(second.mean() - first.mean()), None, None, n, "too few clusters: no interval")


def _constant_change(first: Floats, second: Floats, windows: Windows, level: float, scale: Scale | None) -> Change:
    means = [mean_interval(v, own, level, scale) for v, own in ((first, windows.early), (second, windows.late))]
    found = _squared_and_added(means[0], means[1], "all values equal in each window")
    return Change(found, _separated_p(windows) if abs(found.value or 0.0) > 1e-12 else 1.0)


def _squared_and_added(early: Estimate, late: Estimate, method: str) -> Estimate:
    """Limits of a difference from those of its two parts (Newcombe 1998)."""
    assert early.value is not None
    assert late.value is not None
    n, change = early.n + late.n, late.value - early.value
    if early.low is None or early.high is None or late.low is None or late.high is None:
        return Estimate(change, None, None, n, f"{method}: no interval")
    low = change - hypot(late.value - late.low, early.high - early.value)
    return Estimate(change, low, change + hypot(late.high - late.value, early.value - early.low), n, method)


def _effective(values: Floats, codes: Codes) -> tuple[int, int]:
    """Ones and zeros over the design effect, in whole counts."""
    groups = clusters_of(codes, len(values))
    size = len(values) / (design_effect(values, groups) if groups.shared else 1.0)
    ones = round(float(values.mean()) * size)
    return ones, max(round(size) - ones, 0)


def _one_by_one(found: Change) -> Change:
    estimate = found.estimate
    return replace(found, estimate=replace(estimate, method=f"{estimate.method} (clusters cancel out)"))


def _separated_p(windows: Windows) -> float:
    """Of the permutation test where the windows have nothing in common: clusters of one window are dealt out anew, and
    of those in both the two parts change places or not."""
    early, late = (sizes > 0 for sizes in windows.sizes())
    alone, both = int((early & ~late).sum()), int((early & late).sum())
    ways = comb(alone + int((late & ~early).sum()), alone) << both
    return min(1.0, 2 / ways)  # of whole numbers: as floats a thousand samples would be too many


def _method(windows: Windows, df: float) -> str:
    early, late = windows.sizes()
    shared = bool((early + late > 1).any())
    return f"t, CR3 over {windows.count} clusters, df {df:.0f}" if shared else f"Welch's t, df {df:.0f}"


def _t_p(t: float, df: float) -> float:
    from scipy import special

    return float(2 * special.stdtr(df, -abs(t)))

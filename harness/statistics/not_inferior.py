"""How much a mean difference may have lost at most: the one-sided bound that a verdict of "not inferior" rests on.

The lower end of a t interval is too high where losses are rare but large, as at pass rates near 1: with 60 questions
and a margin of 5 points, a model that lost just these passes in 20 % of comparisons, not in 5 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .clusters import Clusters, clusters_of, se_independent, se_jackknife
from .gates import ONE_SIDED
from .intervals import FEW_OTHERS, Scale, constant_bounds, t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def lower_bound(
    gains: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, span: Scale | None = None
) -> float | None:
    """The one-sided 95 % lower bound of the mean of ``gains`` (n,), one per sample, more being better.

    Student's t (CR3 where clusters are shared), moved down where losses have the longer tail (`_lean`). Where fewer
    than 10 gains differ from the commonest, the bound is at most that with one more sample at the low end of the
    ``span`` of differences, such as (-1, 1): what was not seen may have been missed by chance. All gains equal: the
    bound of `constant_bounds`. ``None`` where there is no honest one: fewer than two clusters, or an unknown span.
    """
    import numpy as np

    array = np.asarray(gains, dtype=float)
    groups = clusters_of(clusters, len(array))
    if groups.count < 2:
        return None
    if float(np.ptp(array)) <= 1e-12 * max(1.0, abs(float(array[0]))):
        return None if span is None else constant_bounds(float(array[0]), groups.count, span, ONE_SIDED)[0]
    found = float(array.mean()) - _reach(array, groups) + min(0.0, _lean(array, groups))
    others = len(array) - int(np.unique(array, return_counts=True)[1].max())
    if span is None or others >= min(FEW_OTHERS, len(array) / 2):
        return found
    return max(span[0], min(found, _with_one_more(array, groups, span[0], others)))


def _reach(array: Floats, groups: Clusters) -> float:
    return t_quantile(ONE_SIDED, groups.count - 1) * _standard_error(array, groups)


def _standard_error(array: Floats, groups: Clusters) -> float:
    by_cluster = se_jackknife(array, groups) if groups.shared else 0.0
    return by_cluster if by_cluster > 1e-12 else se_independent(array)


def _lean(array: Floats, groups: Clusters) -> float:
    """By how much skewness moves the bound: m3/m2 · (1 + 2 t²) / 6 of the clusters' shares of the mean (Johnson 1978).

    For rare losses of 1 this is one loss more, about.
    """
    import numpy as np

    sums = np.bincount(groups.codes, weights=array - array.mean())
    shares = sums / (len(array) - groups.sizes) * (groups.count - 1) / groups.count
    squares = float((shares**2).sum())
    t = t_quantile(ONE_SIDED, groups.count - 1)
    return float((shares**3).sum()) / squares * (1 + 2 * t * t) / 6 if squares > 0 else 0.0


def _with_one_more(array: Floats, groups: Clusters, worst: float, others: int) -> float:
    """The bound by t, had one more sample come with ``worst``; of clustered ones as many as would come together, which
    few ``others`` hardly show: what is seen of that weighs as these, and a whole cluster as one more."""
    import numpy as np

    seen = max(1.0, (_standard_error(array, groups) / se_independent(array)) ** 2)
    together = max(seen, (others * seen + len(array) / groups.count) / (others + 1)) if groups.shared else 1.0
    more = round(together)
    codes = np.concatenate([groups.codes, np.full(more, groups.count)])
    larger = np.concatenate([array, np.full(more, worst)])
    return float(larger.mean()) - _reach(larger, clusters_of(codes, len(larger)))

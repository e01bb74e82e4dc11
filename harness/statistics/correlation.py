"""A judge's continuous scores (composites, means of repeats) against people's: correlations, bias and MAE.

Intervals are those of the infinitesimal jackknife: each item's influence on the correlation, summed by cluster
(Efron 1982, chapter 6), on the Fisher scale. All of it takes n log n steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import clusters_of
from .intervals import mean_interval
from .jackknife import coefficient_interval
from .raters import size_notes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Influence = tuple[float, Floats]
    """A correlation, and by how much each item (n,) moves it."""


def continuous_agreement(
    judge: ArrayLike, humans: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95
) -> Mapping[str, Estimate]:
    """pearson, spearman, tau_b, bias and mae of ``judge`` (n,) against ``humans`` (n, R), NaN for missing.

    Correlations are with the mean of an item's annotators; bias is the mean of judge minus human, and MAE the mean
    distance from an annotator, both averaged within items first.
    """
    import numpy as np

    graded, labelled = np.asarray(judge, dtype=float), np.asarray(humans, dtype=float)
    there = ~np.isnan(graded) & ~np.isnan(labelled).all(axis=1)
    x, people = graded[there], labelled[there]
    notes = size_notes(len(x))
    if len(x) == 0:
        names = ("pearson", "spearman", "tau_b", "bias", "mae")
        return dict.fromkeys(names, Estimate(None, None, None, 0, "no labelled items", notes))
    labels = None if clusters is None else np.asarray(clusters)[there]
    groups = clusters_of(labels, len(x))
    y = np.nanmean(people, axis=1)
    estimates = {
        "bias": mean_interval(np.nanmean(x[:, None] - people, axis=1), labels, level),
        "mae": mean_interval(np.nanmean(np.abs(x[:, None] - people), axis=1), labels, level),
    }
    for name, influence in (("pearson", pearson), ("spearman", spearman), ("tau_b", tau_b)):
        value, moves = influence(x, y)
        sums = np.bincount(groups.codes, weights=moves, minlength=groups.count)
        se = float(np.sqrt((sums**2).sum() * groups.count / max(1, groups.count - 1))) / len(x)
        found = coefficient_interval(value, se, groups, level)
        estimates[name] = replace(found, method=found.method.replace("jackknife", "infinitesimal jackknife"))
    return {name: replace(one, notes=(*notes, *one.notes)) for name, one in estimates.items()}


def pearson(x: Floats, y: Floats) -> Influence:
    """Pearson's correlation of ``x`` and ``y`` (n,), NaN where either is constant."""
    a, b = _standard(x), _standard(y)
    value = float((a * b).mean())
    return value, a * b - value * (a**2 + b**2) / 2


def spearman(x: Floats, y: Floats) -> Influence:
    """Spearman's rho; an item also moves the ranks of all that lie above it."""
    import numpy as np

    f, g = _mid_rank(x), _mid_rank(y)
    spread_x, spread_y = ((f - 0.5) ** 2).mean(), ((g - 0.5) ** 2).mean()
    if min(spread_x, spread_y) <= 0:
        return np.nan, np.full(len(x), np.nan)
    root = float(np.sqrt(spread_x * spread_y))
    value = float(((f - 0.5) * (g - 0.5)).mean()) / root
    # Three draws stand behind each moment of mid-ranks: the item's own, and one for each of the two ranks.
    joint = (f - 0.5) * (g - 0.5) + _above(x, g - 0.5) + _above(y, f - 0.5) - 3 * value * root
    of_x = (f - 0.5) ** 2 + 2 * _above(x, f - 0.5) - 3 * spread_x
    of_y = (g - 0.5) ** 2 + 2 * _above(y, g - 0.5) - 3 * spread_y
    return value, joint / root - value * (of_x / spread_x + of_y / spread_y) / 2


def tau_b(x: Floats, y: Floats) -> Influence:
    """Kendall's tau-b."""
    import numpy as np

    n = len(x)
    concordance = (_below_both(x, y) + _below_both(-x, -y) - _below_both(x, -y) - _below_both(-x, y)) / n
    untied_x, untied_y = 1 - _tied(x) / n, 1 - _tied(y) / n
    mean_x, mean_y, mean = untied_x.mean(), untied_y.mean(), concordance.mean()
    if min(mean_x, mean_y) <= 0:
        return np.nan, np.full(n, np.nan)
    root = np.sqrt(mean_x * mean_y)
    value = float(mean / root)
    slope = untied_x / mean_x + untied_y / mean_y - 2
    return value, 2 * (concordance - mean) / root - value * slope


def _standard(values: Floats) -> Floats:
    import numpy as np

    centred = values - values.mean()
    sd = centred.std()
    return centred / sd if sd > 1e-12 * max(1.0, float(np.abs(values).max())) else np.full(len(values), np.nan)


def _mid_rank(values: Floats) -> Floats:
    """The share of items below each, plus half of those equal to it (n,)."""
    import numpy as np

    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    return (below + upto) / (2 * len(values))


def _above(values: Floats, weights: Floats) -> Floats:
    """The mean over items of ``weights``, of those above each item and half of those equal to it (n,)."""
    import numpy as np

    order = np.argsort(values)
    sums = np.append(0.0, np.cumsum(weights[order]))
    ordered = values[order]
    below, upto = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    return np.asarray((sums[-1] - (sums[below] + sums[upto]) / 2) / len(values))


def _tied(values: Floats) -> Floats:
    import numpy as np

    _, codes, sizes = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(sizes[codes], dtype=float)


def _below_both(x: Floats, y: Floats) -> Floats:
    """How many items have a smaller x and a smaller y than each (n,): a merge sort, all blocks of a size at once."""
    import numpy as np

    n = len(x)
    order = np.lexsort((-y, x))  # of equal x the larger y first: none counts for another
    rank = np.unique(y[order], return_inverse=True)[1]
    counts = np.zeros(n)
    place = np.arange(n)
    width = 1
    while width < n:
        block, right = place // (2 * width), place // width % 2
        # Within a block by y, of equal y the right half first, so that equals do not count.
        merged = np.argsort((block * n + rank) * 2 + 1 - right, kind="stable")
        left = np.append(0, np.cumsum(1 - right[merged]))
        starts = block[merged] * width  # all blocks before are full: each has `width` items in its left half
        counts[merged] += np.where(right[merged] == 1, left[:-1] - starts, 0)
        width *= 2
    found = np.empty(n)
    found[order] = counts
    return found

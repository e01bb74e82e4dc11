"""Coefficients of agreement from tables (..., q, q) of two raters' pairs; one call serves a whole batch of tables.

Each chance-corrected one is 1 - observed / expected disagreement. The distances (q, q) are those of `tables.distances`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
NONE = 1e-12
"""Expected disagreement of less is none: all ratings are one level."""


class Disagreement(NamedTuple):
    """Mean distance of pairs as observed and as by chance, each (...), and the largest that a pair can have."""

    observed: Any
    expected: Any
    worst: Any

    @property
    def coefficient(self) -> Floats:
        """1 - observed / expected (...); NaN where chance leaves no disagreement."""
        import numpy as np

        expected = np.asarray(self.expected)
        defined = expected > NONE
        return np.asarray(np.where(defined, 1 - self.observed / np.where(defined, expected, 1.0), np.nan))


def cohen(tables: Floats, distance: Floats) -> Disagreement:
    """Cohen's kappa (1960), weighted by 1 - ``distance`` (1968): chance is the product of the margins."""
    total = tables.sum(axis=(-2, -1))
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    expected = ((rows @ distance) * columns).sum(axis=-1) / total**2
    return Disagreement((tables * distance).sum(axis=(-2, -1)) / total, expected, distance.max())


def gwet(observed: Floats, shares: Floats, distance: Floats) -> Disagreement:
    """Gwet's AC1, AC2 (2014, chapter 5) from the ``observed`` mean distance (...) and levels' ``shares`` (..., q)."""
    q = distance.shape[0]
    chance = (1 - distance).sum() / (q * (q - 1)) * (shares * (1 - shares)).sum(axis=-1)
    return Disagreement(observed, 1 - chance, distance.max())


def gwet_of_pairs(tables: Floats, distance: Floats) -> Disagreement:
    """`gwet` of two raters' pairs."""
    total = tables.sum(axis=(-2, -1))
    shares = (tables.sum(axis=-1) + tables.sum(axis=-2)) / (2 * total[..., None])
    return gwet((tables * distance).sum(axis=(-2, -1)) / total, shares, distance)


def krippendorff(coincidences: Floats, metric: Metric, values: Floats) -> Disagreement:
    """Krippendorff's alpha (2011) of symmetric ``coincidences`` (..., q, q); ``values`` (q,) are the levels'."""
    counts = coincidences.sum(axis=-1)
    n = counts.sum(axis=-1)
    squared = _metric(counts, metric, values)
    expected = (counts[..., :, None] * counts[..., None, :] * squared).sum(axis=(-2, -1)) / (n * (n - 1))
    observed = (coincidences * squared).sum(axis=(-2, -1)) / n
    return Disagreement(observed, expected, squared.max(axis=(-2, -1)))


def krippendorff_of_pairs(tables: Floats, metric: Metric, values: Floats) -> Disagreement:
    """`krippendorff` of two raters' pairs."""
    import numpy as np

    return krippendorff(tables + np.swapaxes(tables, -2, -1), metric, values)


def _metric(counts: Floats, metric: Metric, values: Floats) -> Floats:
    """Squared differences of levels (..., q, q), scaled to at most about 1: alpha does not depend on the unit."""
    import numpy as np

    if metric == "nominal":
        return 1 - np.eye(len(values))
    if metric == "interval":
        return np.asarray(((values[:, None] - values) / (values[-1] - values[0])) ** 2)
    if metric == "ratio":
        sums = values[:, None] + values
        return np.asarray(((values[:, None] - values) / np.where(sums == 0, 1.0, sums)) ** 2)
    # The ratings between two levels plus half of those at either are the distance of their mid-ranks.
    ranks = _mid_ranks(counts) / counts.sum(axis=-1, keepdims=True)
    return np.asarray((ranks[..., :, None] - ranks[..., None, :]) ** 2)


def spearman(tables: Floats) -> Floats:
    """Spearman's rho (...): Pearson's correlation of mid-ranks; NaN where a rater gave one level only."""
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    half = tables.sum(axis=(-2, -1))[..., None] / 2
    first, second = _mid_ranks(rows) / half - 1, _mid_ranks(columns) / half - 1
    shared = (first[..., None, :] @ tables @ second[..., :, None])[..., 0, 0]
    spread = (rows * first**2).sum(axis=-1) * (columns * second**2).sum(axis=-1)
    return _over_root(shared, spread, half[..., 0] ** 2)


def tau_b(tables: Floats) -> Floats:
    """Kendall's tau-b (...), (C - D) / sqrt((n0 - n1)(n0 - n2)); NaN where a rater gave one level only."""
    import numpy as np

    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    above = np.cumsum(tables, axis=-2) - tables  # of lower rows, by column
    lower = np.cumsum(above, axis=-1) - above
    higher = above.sum(axis=-1, keepdims=True) - lower - above
    total = tables.sum(axis=(-2, -1))
    untied = (total**2 - (rows**2).sum(axis=-1)) * (total**2 - (columns**2).sum(axis=-1))
    return _over_root(2 * (tables * (lower - higher)).sum(axis=(-2, -1)), untied, total**4)


def _mid_ranks(counts: Floats) -> Floats:
    """(..., q): how many ratings lie below a level, plus half of those at it."""
    import numpy as np

    return np.asarray(np.cumsum(counts, axis=-1) - counts / 2)


def _over_root(above: Floats, below: Floats, scale: Floats) -> Floats:
    """above / sqrt(below), NaN where ``below`` is zero beside its ``scale``."""
    import numpy as np

    defined = below > NONE * scale
    return np.asarray(np.where(defined, above / np.sqrt(np.where(defined, below, 1.0)), np.nan))

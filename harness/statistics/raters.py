"""Coefficients of two or more raters whose ratings may be missing: Cohen, Gwet, Krippendorff, Fleiss.

Ratings are (n items, R raters) with NaN for missing; ``levels`` are all of the scale, ascending, used or not.
``None`` stands for a coefficient that is undefined, since all ratings are one level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ..records import Estimate
from . import coefficients
from .clusters import clusters_of
from .coefficients import Disagreement, Metric
from .jackknife import coefficient_interval, jackknife, units_of
from .tables import AgainstHumans, AmongHumans, distances, level_codes, level_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

Weights = Literal["unweighted", "linear", "quadratic"]
RELIABILITY = ("alpha_nominal", "alpha_ordinal", "alpha_interval", "ac1", "ac2")
FLOOR, ENOUGH = 50, 100


def cohen_kappa(
    first: ArrayLike, second: ArrayLike, levels: Sequence[float], weights: Weights = "unweighted"
) -> float | None:
    """Cohen's kappa of two raters (n,), on the items that both rated."""
    import numpy as np

    one, other = level_codes(first, levels), level_codes(second, levels)
    both = (one >= 0) & (other >= 0)
    q = len(levels)
    cells = AgainstHumans(one[both], level_counts(other[both][:, None], q)).tables(np.arange(int(both.sum())))
    return _defined(coefficients.cohen(cells.sum(axis=0).reshape(q, q), distances(q)[weights])) if both.any() else None


def gwet(ratings: ArrayLike, levels: Sequence[float], weights: Weights = "unweighted") -> float | None:
    """Gwet's AC1 or, with weights, AC2 (Gwet 2014, chapter 5)."""
    table = _Ratings.of(ratings, levels)
    return _defined(table.gwet(table.total(), weights)) if table.pairable.any() else None


def krippendorff(ratings: ArrayLike, levels: Sequence[float], metric: Metric) -> float | None:
    """Krippendorff's alpha (2011). The ordinal one depends on the ratings counted between two levels."""
    table = _Ratings.of(ratings, levels)
    return _defined(table.krippendorff(table.total(), metric)) if table.pairable.any() else None


def fleiss(ratings: ArrayLike, levels: Sequence[float]) -> float | None:
    """Fleiss's kappa (1971), nominal. Raises `ValueError` unless all items have the same number of ratings."""
    counts = level_counts(level_codes(ratings, levels), len(levels))
    raters = set(counts.sum(axis=1).tolist())
    if len(raters) != 1 or raters <= {0.0, 1.0}:
        raise ValueError(f"items have {sorted(raters)!r} ratings: Fleiss's kappa needs the same number, two or more")
    items, shares = AmongHumans(counts), counts.sum(axis=0) / counts.sum()
    apart = float(items.mean(distances(len(levels))["unweighted"]).mean())
    return _defined(Disagreement(apart, 1 - (shares**2).sum(), 1.0))


def reliability(
    ratings: ArrayLike,
    levels: Sequence[float],
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
) -> Mapping[str, Estimate]:
    """How alike all raters of (n, R) are, whoever they be: alpha_nominal, _ordinal and _interval, ac1, ac2 (quadratic).

    Jackknife intervals as in `agreement`. ``n`` counts items with two ratings; those with one enter the chance of
    AC1 and AC2 only. Raises `ValueError` for a rating that is no level.
    """
    import numpy as np

    table = _Ratings.of(ratings, levels)
    if not table.pairable.any():
        return dict.fromkeys(RELIABILITY, Estimate(None, None, None, 0, "no item has two ratings", size_notes(0)))
    labels = np.arange(len(table.counts)) if clusters is None else np.asarray(clusters)
    groups = clusters_of(labels, len(table.counts))
    units = units_of(table.counts.astype(np.intp), groups)
    total, errors = jackknife(
        table.sums,
        units,
        lambda sums: {name: one.coefficient for name, one in _disagreements(table, sums).items()},
    )
    compared = clusters_of(labels[table.pairable], int(table.pairable.sum()))
    estimates = {}
    for name, one in _disagreements(table, total).items():
        worst = float(one.worst / one.expected) if one.expected > coefficients.NONE else None
        found = coefficient_interval(*errors[name], compared, level, worst)
        method = f"approximate: {found.method}" if name == "ac2" and found.low is not None else found.method
        estimates[name] = replace(found, method=method, notes=(*size_notes(found.n), *found.notes))
    return estimates


def size_notes(n: int) -> tuple[str, ...]:
    """What to say of the number of labelled items, where it is small for an interval of a coefficient."""
    items = f"only {n} labelled item{'s' if n != 1 else ''}"
    if n < FLOOR:
        return (f"{items}: below {FLOOR} these intervals are not to be trusted",)
    return (f"{items}: below {ENOUGH} take these intervals as approximate",) if n < ENOUGH else ()


def _disagreements(table: _Ratings, sums: Floats) -> dict[str, Disagreement]:
    return {
        "alpha_nominal": table.krippendorff(sums, "nominal"),
        "alpha_ordinal": table.krippendorff(sums, "ordinal"),
        "alpha_interval": table.krippendorff(sums, "interval"),
        "ac1": table.gwet(sums, "unweighted"),
        "ac2": table.gwet(sums, "quadratic"),
    }


def _defined(one: Disagreement) -> float | None:
    value = float(one.coefficient)
    return None if value != value else value


@dataclass(frozen=True, slots=True)
class _Ratings:
    """Ratings as ``counts`` (n, q) of the ``values`` (q,) of levels.

    What its sums (..., 2 q^2 + q + 2) hold of an item with r ratings: its pairs weighing 1/(r(r-1)) and 1/(r-1), its
    shares of levels, and whether it has two ratings and one.
    """

    counts: Floats
    values: Floats

    @classmethod
    def of(cls, ratings: ArrayLike, levels: Sequence[float]) -> _Ratings:
        import numpy as np

        return cls(level_counts(level_codes(ratings, levels), len(levels)), np.asarray(levels, dtype=float))

    @property
    def pairable(self) -> NDArray[np.bool_]:
        """Which items have two ratings (n,)."""
        import numpy as np

        return np.asarray(self.counts.sum(axis=1) >= 2)

    def sums(self, items: Codes) -> Floats:
        import numpy as np

        counts = self.counts[items]
        raters = counts.sum(axis=1, keepdims=True)
        two, one = raters >= 2, raters >= 1
        pairs = np.zeros((len(items), len(self.values) ** 2))
        pairs[two[:, 0]] = AmongHumans(counts[two[:, 0]]).tables(np.arange(int(two.sum())))
        return np.hstack([pairs, pairs * raters, counts / np.where(one, raters, 1.0), two, one])

    def total(self) -> Floats:
        import numpy as np

        return np.asarray(self.sums(np.arange(len(self.counts))).sum(axis=0))

    def krippendorff(self, sums: Floats, metric: Metric) -> Disagreement:
        q = len(self.values)
        return coefficients.krippendorff(
            sums[..., q * q : 2 * q * q].reshape(*sums.shape[:-1], q, q), metric, self.values
        )

    def gwet(self, sums: Floats, weights: Weights) -> Disagreement:
        q = len(self.values)
        distance = distances(q)[weights]
        apart = sums[..., : q * q] @ distance.ravel() / sums[..., -2]
        return coefficients.gwet(apart, sums[..., 2 * q * q : -2] / sums[..., -1:], distance)

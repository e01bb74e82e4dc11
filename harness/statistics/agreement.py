"""How far a judge agrees with people, and people with one another.

Both are told of the same thing, the pair of ratings that a random item gets from two random raters: a judge's pairs
with an item's r annotators weigh 1/r each, the annotators' r(r-1) ordered pairs 1/(r(r-1)). So every item counts once,
and judge against humans stands beside human against human. With one annotator, all values are the textbook's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from . import coefficients
from .clusters import Clusters, clusters_of
from .coefficients import Disagreement
from .correlation import continuous_agreement
from .intervals import mean_interval
from .jackknife import coefficient_interval, jackknife, units_of
from .raters import reliability, size_notes
from .rates import rate_interval
from .tables import AgainstHumans, AmongHumans, distances, level_codes, level_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["NAMES", "Agreement", "continuous_agreement", "human_agreement", "judge_agreement", "reliability"]

NAMES = (
    "exact",
    "within_1",
    "within_1_corrected",
    "kappa",
    "kappa_linear",
    "kappa_quadratic",
    "ac1",
    "ac2",
    "alpha",
    "spearman",
    "tau_b",
    "bias",
    "mae",
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """``n`` items with ``pairs`` of ratings (each once), their ``confusion`` and the ``estimates`` by `NAMES`.

    ``confusion`` (q, q) counts items, the judge in the rows and the humans in the columns. The chance values are those
    of independent raters with these margins; at 4 levels, within 1 is met by chance two times in three.
    """

    n: int
    pairs: int
    levels: tuple[float, ...]
    confusion: tuple[tuple[float, ...], ...]
    chance_exact: float | None
    chance_within_1: float | None
    estimates: Mapping[str, Estimate]
    notes: tuple[str, ...] = ()


def judge_agreement(
    judge: ArrayLike,
    humans: ArrayLike,
    levels: Sequence[float],
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
) -> Agreement:
    """Agreement of ``judge`` (n,) with ``humans`` (n, R), both on ``levels``, all of the scale; NaN is missing.

    Items without a grade or a label are left out. Alpha is ordinal, AC2 quadratic, the bias the mean of judge minus
    human. Raises `ValueError` for a rating that is no level.
    """
    import numpy as np

    graded, labelled = level_codes(judge, levels), level_codes(humans, levels)
    there = (graded >= 0) & (labelled >= 0).any(axis=1)
    items = AgainstHumans(graded[there], level_counts(labelled[there], len(levels)))
    values = np.asarray(levels, dtype=float)
    groups = _groups(clusters, there)
    bias = mean_interval(items.mean(values[:, None] - values), groups, level, _span(values, -1))
    return _agreement(items, int(items.counts.sum()), tuple(map(float, levels)), groups, level, bias)


def human_agreement(
    humans: ArrayLike,
    levels: Sequence[float],
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
) -> Agreement | None:
    """Agreement among ``humans`` (n, R), the ceiling of `judge_agreement`; ``None`` where no item has two annotators.

    Two people have no order, so that the table is symmetric and there is no bias; kappa then has the margins of all
    annotators together (Scott's pi).
    """
    labelled = level_codes(humans, levels)
    there = (labelled >= 0).sum(axis=1) >= 2
    if not there.any():
        return None
    items = AmongHumans(level_counts(labelled[there], len(levels)))
    raters = items.counts.sum(axis=1)
    bias = Estimate(None, None, None, int(there.sum()), "undefined: two annotators have no order")
    pairs = int((raters * (raters - 1)).sum()) // 2
    return _agreement(items, pairs, tuple(map(float, levels)), _groups(clusters, there), level, bias)


def _agreement(
    items: AgainstHumans | AmongHumans,
    pairs: int,
    levels: tuple[float, ...],
    clusters: Any,
    level: float,
    bias: Estimate,
) -> Agreement:
    import numpy as np

    q, n = len(levels), len(items.counts)
    if n == 0:
        none = Estimate(None, None, None, 0, "no labelled items")
        empty = tuple((0.0,) * q for _ in levels)
        return Agreement(0, 0, levels, empty, None, None, dict.fromkeys(NAMES, none), size_notes(0))
    values, apart = np.asarray(levels, dtype=float), distances(q)
    spread = mean_interval(items.mean(np.abs(values[:, None] - values)), clusters, level, _span(values, 0))
    found = {
        "exact": _share(items.mean(apart["unweighted"]), clusters, level),
        "within_1": _share(items.mean(apart["within_1"]), clusters, level),
        "bias": bias,
        "mae": spread,
    }
    table, corrected = _corrected(items, values, clusters_of(clusters, n), level)
    found |= corrected
    chance = {kind: float(1 - coefficients.cohen(table, apart[kind]).expected) for kind in ("unweighted", "within_1")}
    return Agreement(
        n,
        pairs,
        levels,
        tuple(tuple(map(float, row)) for row in table),
        chance["unweighted"],
        chance["within_1"],
        {name: found[name] for name in NAMES},
        size_notes(n),
    )


def _corrected(
    items: AgainstHumans | AmongHumans, values: Floats, groups: Clusters, level: float
) -> tuple[Floats, dict[str, Estimate]]:
    """The table of all pairs, and everything that is a function of it."""
    q = len(values)

    def measure(sums: Floats) -> dict[str, Floats]:
        tables = sums.reshape(-1, q, q)
        found = {name: one.coefficient for name, one in _disagreements(tables, values).items()}
        return found | {"spearman": coefficients.spearman(tables), "tau_b": coefficients.tau_b(tables)}

    total, errors = jackknife(items.tables, units_of(items.pattern, groups), measure)
    table = total.reshape(q, q)
    seen = _disagreements(table, values)
    worst = {name: float(one.worst / one.expected) for name, one in seen.items() if one.expected > coefficients.NONE}
    estimates = {
        name: coefficient_interval(value, se, groups, level, worst.get(name)) for name, (value, se) in errors.items()
    }
    if q == 2:
        any_two = replace(estimates["within_1_corrected"], method="undefined: any two of 2 levels lie within 1")
        estimates["within_1_corrected"] = any_two
    ac2 = estimates["ac2"]
    estimates["ac2"] = replace(ac2, method=f"approximate: {ac2.method}") if ac2.low is not None else ac2
    return table, estimates


def _disagreements(tables: Floats, values: Floats) -> dict[str, Disagreement]:
    apart = distances(len(values))
    return {
        "within_1_corrected": coefficients.cohen(tables, apart["within_1"]),
        "kappa": coefficients.cohen(tables, apart["unweighted"]),
        "kappa_linear": coefficients.cohen(tables, apart["linear"]),
        "kappa_quadratic": coefficients.cohen(tables, apart["quadratic"]),
        "ac1": coefficients.gwet_of_pairs(tables, apart["unweighted"]),
        "ac2": coefficients.gwet_of_pairs(tables, apart["quadratic"]),
        "alpha": coefficients.krippendorff_of_pairs(tables, "ordinal", values),
    }


def _share(apart: Floats, clusters: Any, level: float) -> Estimate:
    """The share of pairs that agree: a rate where each item's pairs do or do not, else a mean of items' shares."""
    import numpy as np

    agree = 1 - apart
    if np.isin(agree, (0.0, 1.0)).all():
        return rate_interval(agree, clusters, level)
    return mean_interval(agree, clusters, level, (0.0, 1.0))


def _span(values: Floats, sign: int) -> tuple[float, float]:
    """The scale of differences: of their sizes with ``sign`` 0, on both sides of zero with -1."""
    widest = float(values[-1] - values[0])
    return sign * widest, widest


def _groups(clusters: Sequence[Any] | ArrayLike | None, there: Any) -> Any:
    import numpy as np

    return None if clusters is None else np.asarray(clusters)[there]

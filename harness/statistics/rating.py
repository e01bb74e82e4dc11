"""Bradley-Terry ratings with intervals that hold although one question gives several games: a bootstrap with refits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import Clusters, clusters_of
from .ranking import are_connected, cycles, elo, fit_all, misfit, strong_groups

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

DRAWS = 2000
PRIOR = 0.5
"""Weight of the normal prior where there are no finite strengths."""
FEW, TOO_FEW = 50, 10
"""Clusters: below the first the percentiles are too narrow, which is said; below the second there is no interval."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One model's strength (logits, mean 0), the same as Elo (mean 1000), and the ranks that it may hold, best first.

    The interval is of this model alone; ``ranks`` hold for all models together.
    """

    strength: Estimate
    elo: Estimate
    ranks: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ratings:
    """``models`` in the order given. ``groups`` are those of `ranking.strong_groups`; with more than one the strengths
    are posterior modes under a prior of weight ``l2``. ``misfit`` and ``cycles`` say how far one line can hold them."""

    models: tuple[Rating, ...]
    groups: tuple[tuple[int, ...], ...]
    l2: float
    misfit: float
    cycles: int
    n: int
    notes: tuple[str, ...] = ()


def ratings(
    outcomes: ArrayLike,
    clusters: Sequence[Any] | ArrayLike | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Ratings | None:
    """Rate k models by ``outcomes`` (n, k, k): per question the value of i against j, 1, 0.5 or 0, NaN where missing.

    Clusters are drawn anew with replacement and the strengths refitted ``draws`` times: percentile intervals. Best rank
    = 1 + models certainly better, by simultaneous intervals of all differences (largest studentised deviation). Where
    more than (1-level)/2 of the draws have no finite strengths, nor has an interval: there is none, and the strengths
    are posterior modes. ``None`` where some models have met no other, over others if need be.
    """
    import numpy as np

    array = np.asarray(outcomes, dtype=float)
    groups = clusters_of(clusters, len(array))
    per_cluster = _per_cluster(np.nan_to_num(array), groups.codes, groups.count)
    wins = per_cluster.sum(axis=0)
    if len(wins) < 2 or len(strong_groups(wins + wins.T)) > 1:
        return None
    drawn, tail = _drawn(per_cluster, draws, seed), (1 - level) / 2
    lost = ~are_connected(drawn)
    blocks = tuple(tuple(group) for group in strong_groups(wins))
    finite = len(blocks) == 1 and (float(lost.mean()) <= tail or groups.count < TOO_FEW)
    l2 = 0.0 if finite else PRIOR
    strengths = fit_all(wins[None], l2)[0]
    refitted = fit_all(drawn, np.where(lost, PRIOR, l2))
    limits = np.quantile(refitted, (tail, 1 - tail), axis=0) if finite and groups.count >= TOO_FEW else None
    how = _method(groups, draws, finite)
    each = [_estimate(strengths, limits, i, how, len(array)) for i in range(len(wins))]
    ranks = [(1, len(wins))] * len(wins) if groups.count < TOO_FEW else _ranks(strengths, refitted, level)
    rows = zip(each, ranks, strict=True)
    models = tuple(Rating(strength, _as_elo(strength), rank) for strength, rank in rows)
    return Ratings(models, blocks, l2, misfit(wins, strengths), cycles(wins), len(array), _notes(groups))


def _method(groups: Clusters, draws: int, finite: bool) -> str:
    unit = "clusters" if groups.shared else "questions"
    if not finite:
        return f"posterior mode, L2 {PRIOR}: no interval"
    if groups.count < TOO_FEW:
        return f"only {groups.count} {unit}: no interval"
    return f"bootstrap over {groups.count} {unit}, {draws} draws"


def _notes(groups: Clusters) -> tuple[str, ...]:
    found = groups.warnings() if groups.shared else ()
    if TOO_FEW <= groups.count < FEW and not found:
        found = (f"only {groups.count} {'clusters' if groups.shared else 'questions'} (fewer than {FEW})",)
    return found


def _per_cluster(outcomes: Floats, codes: NDArray[np.intp], count: int) -> Floats:
    """Wins (G, k, k): the outcomes of each cluster added up."""
    import numpy as np

    k = outcomes.shape[1]
    sums = np.zeros((count, k * k))
    np.add.at(sums, codes, outcomes.reshape(len(outcomes), k * k))
    found = sums.reshape(count, k, k)
    found[:, np.arange(k), np.arange(k)] = 0.0
    return found


def _drawn(per_cluster: Floats, draws: int, seed: int) -> Floats:
    """Wins (draws, k, k) of samples of the clusters with replacement."""
    import numpy as np

    count, k, _ = per_cluster.shape
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    found: Floats = (times @ per_cluster.reshape(count, k * k)).reshape(draws, k, k)
    return found


def _estimate(strengths: Floats, limits: Floats | None, i: int, method: str, n: int) -> Estimate:
    low, high = (None, None) if limits is None else (float(limits[0, i]), float(limits[1, i]))
    return Estimate(float(strengths[i]), low, high, n, method)


def _as_elo(strength: Estimate) -> Estimate:
    value, low, high = (None if v is None else float(elo(v)) for v in (strength.value, strength.low, strength.high))
    return Estimate(value, low, high, strength.n, strength.method)


def _ranks(strengths: Floats, refitted: Floats, level: float) -> list[tuple[int, int]]:
    """Best and worst rank of each model."""
    import numpy as np

    k = len(strengths)
    i, j = np.triu_indices(k, 1)
    observed = strengths[i] - strengths[j]
    deviation = refitted[:, i] - refitted[:, j] - observed
    spread = deviation.std(axis=0, ddof=1)
    spread = np.where(spread > 0, spread, np.inf)
    reach = np.quantile(np.abs(deviation / spread).max(axis=1), level)
    better = np.zeros((k, k), dtype=bool)
    better[i, j], better[j, i] = observed / spread > reach, -observed / spread > reach
    return [(1 + int(better[:, m].sum()), k - int(better[m].sum())) for m in range(k)]

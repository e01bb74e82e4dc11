"""Candidates' means and win rates by people alone, weighted where the draw was stratified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from ..statistics.correction import Sampling, correct_mean
from ..statistics.intervals import mean_interval
from ..statistics.paired import holm
from ..statistics.ranking import win_rate
from ..statistics.rates import rate_interval
from ..statistics.rating import Ratings, ratings
from .records import Review
from .results import COMPOSITE, CandidateMean, Duel
from .sheet import PREFERENCE, Sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_UNIT = (0.0, 1.0)


def candidate_means(
    review: Review, sheet: Sheet, candidates: Sequence[str], weights: Mapping[str, float]
) -> tuple[CandidateMean, ...]:
    """Every candidate on every criterion, and on the composite by ``weights`` where there are some.

    An answer is one value, its raters' mean; answers to one question share a cluster.
    """
    import numpy as np

    values = {criterion: sheet.means(criterion) for criterion in sheet.scores}
    scales = {criterion: (levels[0], levels[-1]) for criterion, levels in sheet.levels.items()}
    if len(weights) > 1:
        values = {COMPOSITE: sheet.composite(weights), **values}
        scales[COMPOSITE] = next(iter(scales.values()))
    of = np.array([item.left for item in sheet.items], dtype=object)
    found = []
    for name in candidates:
        for criterion, all_values in values.items():
            estimate, reason = _mean(review, sheet, all_values, of == name, scales[criterion])
            found.append(CandidateMean(name, criterion, scales[criterion], estimate, reason))
    return tuple(found)


def duels(review: Review, sheet: Sheet, candidates: Sequence[str]) -> tuple[Duel, ...]:
    """Every two candidates that met, named in the order of ``candidates``; trials of a question are averaged."""
    import numpy as np

    found = []
    for left, right in combinations(candidates, 2):
        values, inside = _won(sheet, left, right)
        there = inside & ~np.isnan(values)
        if not inside.any():
            continue
        by_question, clusters = _questions(sheet, values, there)
        rate, reason = win_rate(by_question, clusters), ""
        if review.design == "stratified":
            weighted, reason = _mean(review, sheet, values, inside, _UNIT)
            rate = replace(rate, estimate=weighted)
        found.append(Duel(left, right, rate, rate.p, reason))
    if review.design == "stratified":
        return tuple(replace(duel, p=None) for duel in found)
    adjusted = holm([duel.rate.p for duel in found])
    return tuple(replace(duel, p=p) for duel, p in zip(found, adjusted, strict=True))


def strengths(sheet: Sheet, candidates: Sequence[str]) -> Ratings | None:
    """Bradley–Terry ratings of three candidates or more; ``None`` where some have met no other."""
    import numpy as np

    if len(candidates) < 3:
        return None
    samples = list(dict.fromkeys(item.sample_id for item in sheet.items))
    place = {name: i for i, name in enumerate(samples)}
    outcomes = np.full((len(samples), len(candidates), len(candidates)), np.nan)
    clusters = np.array([""] * len(samples), dtype=object)
    for item, cluster in zip(sheet.items, sheet.clusters, strict=True):
        clusters[place[item.sample_id]] = str(cluster)
    for (i, left), (j, right) in combinations(enumerate(candidates), 2):
        values, inside = _won(sheet, left, right)
        for sample, own in _by_sample(sheet, values, inside & ~np.isnan(values)).items():
            outcomes[place[sample], i, j] = np.mean(own)
            outcomes[place[sample], j, i] = 1 - np.mean(own)
    met = ~np.isnan(outcomes).all(axis=(1, 2))
    return ratings(outcomes[met], clusters[met].astype(str)) if met.any() else None


def _mean(
    review: Review, sheet: Sheet, values: Floats, inside: Any, scale: tuple[float, float]
) -> tuple[Estimate, str]:
    """The mean of ``values`` (n,) over the items ``inside`` (n,), by the design of the review; why there is none."""
    import numpy as np

    there = inside & ~np.isnan(values)
    n = int(there.sum())
    if not n:
        return Estimate(None, None, None, 0, "nobody rated"), ""
    own, clusters = values[there], sheet.clusters[there]
    rate = scale == _UNIT and bool(np.isin(own, _UNIT).all())
    if review.design != "stratified":
        return (rate_interval(own, clusters) if rate else mean_interval(own, clusters, scale=scale)), ""
    judge, human, sampling, all_clusters = _weighted(review, sheet, values, inside)
    found = correct_mean(judge, human, sampling, clusters=all_clusters, scale=scale, rate=rate)
    if found.human_only is None:
        return Estimate(None, None, None, n, "no weights"), found.reason.removeprefix("uncorrected: ")
    return found.human_only, ""


def _weighted(review: Review, sheet: Sheet, values: Floats, inside: Any) -> tuple[Floats, Floats, Sampling, Any]:
    """Judge, human, sampling and clusters as `correct_mean` takes them. The judge says nothing; the answers that were
    not drawn stand there for their number, by which the draw of all answers varies."""
    import numpy as np

    drawn = np.flatnonzero(inside)
    names = frozenset(name for name in (sheet.items[drawn[0]].left, sheet.items[drawn[0]].right) if name)
    others = max(0, sheet.population.get(names, 0) - len(drawn))
    own = np.array([sheet.items[i].stratum for i in drawn], dtype=str)
    shares = {name: review.shares[name] for name in dict.fromkeys(own.tolist()) if name in review.shares}
    strata = np.concatenate([own, np.full(others, "")])
    human = np.concatenate([values[drawn], np.full(others, np.nan)])
    clusters = np.concatenate([sheet.clusters[drawn], [f"\0{i}" for i in range(others)]])
    return np.zeros(len(human)), human, Sampling("stratified", strata, shares), clusters


def _won(sheet: Sheet, left: str, right: str) -> tuple[Floats, Any]:
    """What each item is worth for ``left`` (n,), and which items are of these two (n,)."""
    import numpy as np

    values = sheet.means(PREFERENCE)
    straight = np.array([(item.left, item.right) == (left, right) for item in sheet.items], dtype=bool)
    turned = np.array([(item.left, item.right) == (right, left) for item in sheet.items], dtype=bool)
    return np.where(turned, 1 - values, values), straight | turned


def _by_sample(sheet: Sheet, values: Floats, there: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for item, value, known in zip(sheet.items, values, there, strict=True):
        if known:
            found.setdefault(item.sample_id, []).append(float(value))
    return found


def _questions(sheet: Sheet, values: Floats, there: Any) -> tuple[Floats, Any]:
    """One value a question, and the questions' clusters."""
    import numpy as np

    cluster_of = {item.sample_id: str(cluster) for item, cluster in zip(sheet.items, sheet.clusters, strict=True)}
    found = _by_sample(sheet, values, there)
    means = np.array([float(np.mean(own)) for own in found.values()], dtype=float)
    return means, np.array([cluster_of[sample] for sample in found], dtype=str)

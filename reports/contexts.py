"""Answers from retrieved passages: how many are worth their tokens, and whether retriever or model failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..harness.measures.retrieval import RetrievalMeasure, evaluate
from ..harness.records import Estimate
from ..harness.statistics.intervals import mean_interval
from ..harness.statistics.paired import holm, paired_difference
from ..harness.statistics.rates import rate_interval
from ..harness.store.frames import RunData
from .cells import Scores
from .exam import NEITHER_BETTER, CandidateView, Scale, is_retrievers, measure_family, measure_scale
from .operations import CandidateCost
from .shown import LENGTHS, THIRDS, Shown, bucket_name, shown_to

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Measure = tuple[str, str]
"""Source (judge, or '') and measure."""
NOTHING = Estimate(None, None, None, 0, "no values")


@dataclass(frozen=True, slots=True)
class ContextRow:
    """A candidate and what it was shown. ``contexts`` is ``None`` for an application that retrieves by itself.

    ``passages``, ``context_tokens`` (estimated) and ``prompt_tokens`` are means per answer. ``recall``, ``ndcg`` and
    ``hit`` are the retriever's, of the passages shown, by document; over questions that name a relevant document,
    without values where none does.
    """

    candidate: str
    family: str
    contexts: int | None
    quality: Estimate
    passages: float
    context_tokens: float
    prompt_tokens: float | None
    usd_per_1000: Estimate
    recall: Estimate
    ndcg: Estimate
    hit: Estimate


@dataclass(frozen=True, slots=True)
class Gain:
    """What ``contexts`` passages add to none, paired by question; ``each`` is that divided by ``contexts``.

    ``p`` is of the sign-flip test, by Holm over all gains in this measure.
    """

    candidate: str
    contexts: int
    measure: str
    total: Estimate
    each: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Split:
    """Quality where a document of the question's highest grade was retrieved, and where none was.

    ``lost`` is the share of all quality lost (the top of the scale minus the score) that is lost where none was.
    """

    candidate: str
    found: Estimate
    missed: Estimate
    lost: float | None


@dataclass(frozen=True, slots=True)
class Groups:
    """Quality by some property of what was shown: a row each of as many estimates as there are ``labels``."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Estimate, ...]], ...]


@dataclass(frozen=True, slots=True)
class Contexts:
    """All there is to say. ``quality`` names what is plotted, on ``scale``; parts without data are empty."""

    quality: str
    scale: Scale | None
    rows: tuple[ContextRow, ...]
    gains: tuple[Gain, ...]
    splits: tuple[Split, ...]
    lengths: Groups
    places: Groups


@dataclass(frozen=True)
class _Run:
    """What every part looks at."""

    scores: Scores
    shown: Mapping[str, Mapping[str, Shown]]
    samples: tuple[str, ...]
    main: Measure
    scale: Scale | None

    def values(self, candidate: str, measure: Measure | None = None) -> Floats:
        """Per sample (n,), NaN where there is no score."""
        return self.scores.grid.per_sample((candidate, *(measure or self.main)))

    def among(self, candidate: str, chosen: Sequence[bool]) -> Estimate:
        """The quality of some samples (n,)."""
        return self.mean(self.values(candidate), chosen)

    def mean(self, values: Floats, chosen: Sequence[bool]) -> Estimate:
        """The mean of ``values`` (n,) over the ``chosen`` samples that have one."""
        import numpy as np

        kept = np.asarray(chosen, dtype=bool) & ~np.isnan(values)
        return mean_interval(values[kept], self.scores.grid.clusters[kept], scale=self.scale)

    def each(self, candidate: str) -> list[Shown | None]:
        """What was shown, sample by sample."""
        found = self.shown.get(candidate, {})
        return [found.get(sample) for sample in self.samples]


def contexts(
    data: RunData, scores: Scores, costs: Mapping[str, CandidateCost], main: Measure | None, scale: Scale | None
) -> Contexts | None:
    """The section, by the ``main`` measure on its ``scale``; ``None`` where no answer was given passages."""
    shown = shown_to(data)
    views = [view for view in scores.candidates if _takes_part(view, shown)]
    if main is None or not any(one.documents for found in shown.values() for one in found.values()):
        return None
    run = _Run(scores, shown, tuple(data.samples["sample_id"]), main, scale)
    families = {view.name: family for family, members in _families(views).items() for view in members}
    retrieving = [view for view in views if view.contexts != 0]
    corrected = any(scores.cells[view.name, *main].corrected for view in views)
    return Contexts(
        (f"{main[0]}: {main[1]}" if main[0] else main[1]) + (", uncorrected" if corrected else ""),
        scale,
        tuple(_row(run, view, families[view.name], costs[view.name]) for view in views),
        tuple(_gains(run, views)),
        tuple(split for view in retrieving if (split := _split(run, view.name)) is not None),
        _lengths(run, retrieving, families),
        _places(run, retrieving),
    )


def _takes_part(view: CandidateView, shown: Mapping[str, Mapping[str, Shown]]) -> bool:
    return view.contexts is not None or any(one.documents for one in shown.get(view.name, {}).values())


def _families(views: Sequence[CandidateView]) -> dict[str, list[CandidateView]]:
    """Candidates that differ in the number of contexts only, under the name that they share."""
    found: dict[str, list[CandidateView]] = {}
    for view in views:
        found.setdefault(_family(view), []).append(view)
    return found


def _family(view: CandidateView) -> str:
    return view.name if view.contexts is None else view.name.removesuffix(f"-ctx{view.contexts}")


def _row(run: _Run, view: CandidateView, family: str, cost: CandidateCost) -> ContextRow:
    given = [one for one in run.each(view.name) if one is not None]
    recall, ndcg, hit = _of_retriever(run, view)
    return ContextRow(
        view.name,
        family,
        view.contexts,
        run.scores.judged[view.name, *run.main].estimate,
        sum(len(one.documents) for one in given) / len(given) if given else 0.0,
        sum(one.tokens for one in given) / len(given) if given else 0.0,
        cost.prompt_tokens,
        cost.usd_per_1000,
        recall,
        ndcg,
        hit,
    )


def _of_retriever(run: _Run, view: CandidateView) -> tuple[Estimate, Estimate, Estimate]:
    """Recall, nDCG and hit rate of what was shown, cut at the number of passages shown."""
    import numpy as np

    judged = {s: one for s, one in zip(run.samples, run.each(view.name), strict=True) if one and one.judged}
    k = view.contexts if view.contexts is not None else max((len(one.ranking) for one in judged.values()), default=0)
    if not judged or not k:
        return NOTHING, NOTHING, NOTHING
    measures = [RetrievalMeasure(kind, k) for kind in ("recall", "nDCG", "hit")]
    rankings = {sample: one.ranking for sample, one in judged.items()}
    values = evaluate({s: one.relevant for s, one in judged.items()}, rankings, measures).values
    clusters = run.scores.grid.clusters[np.isin(run.samples, list(judged))]
    recall, ndcg = (mean_interval(values[:, i], clusters, scale=(0.0, 1.0)) for i in (0, 1))
    return recall, ndcg, rate_interval(values[:, 2], clusters)


def _gains(run: _Run, views: Sequence[CandidateView]) -> Iterator[Gain]:
    """Every candidate with passages against the one that is the same but for having none."""
    pairs = [(view, without) for view in views if view.contexts and (without := _twin(view, views)) is not None]
    for measure in _answer_measures(run):
        found = []
        for view, without in pairs:
            scale = run.scale if measure == run.main else measure_scale(measure[1])
            with_it, bare = run.values(view.name, measure), run.values(without.name, measure)
            found.append((view, paired_difference(with_it, bare, run.scores.grid.clusters, scale=scale)))
        adjusted = holm([pair.p for _, pair in found])
        for (view, pair), p in zip(found, adjusted, strict=True):
            k = view.contexts or 1
            yield Gain(view.name, k, measure[1], pair.estimate, _per(pair.estimate, k), p)


def _twin(view: CandidateView, views: Sequence[CandidateView]) -> CandidateView | None:
    """The same candidate with contexts 0: of the same family, else of whatever retriever (it uses none)."""
    bare = [v for v in views if v.contexts == 0 and _asks(v) == _asks(view)]
    return next((v for v in bare if _family(v) == _family(view)), bare[0] if bare else None)


def _asks(view: CandidateView) -> tuple[Any, ...]:
    return view.model, sorted((view.params or {}).items(), key=str), view.prompt, view.system


def _answer_measures(run: _Run) -> list[Measure]:
    """What is plotted, then the measures of an answer of which more is better."""
    own = [m for m in run.scores.measures if measure_family(m) not in NEITHER_BETTER and not is_retrievers(m)]
    return list(dict.fromkeys([run.main, *(("", measure) for measure in own)]))


def _per(estimate: Estimate, k: int) -> Estimate:
    low, high = (None if end is None else end / k for end in (estimate.low, estimate.high))
    return replace(estimate, value=None if estimate.value is None else estimate.value / k, low=low, high=high)


def _split(run: _Run, candidate: str) -> Split | None:
    import numpy as np

    each = run.each(candidate)
    judged = np.array([one is not None and one.judged for one in each])
    there = np.array([one is not None and one.place is not None for one in each])
    if not judged.any():
        return None
    found, missed = judged & there, judged & ~there
    values, lost = run.values(candidate), None
    if run.scale is not None:
        missing = np.nan_to_num(run.scale[1] - values)
        total = missing[judged].sum()
        lost = float(missing[missed].sum() / total) if total > 0 else None
    return Split(candidate, run.mean(values, list(found)), run.mean(values, list(missed)), lost)


def _lengths(run: _Run, views: Sequence[CandidateView], families: Mapping[str, str]) -> Groups:
    """Quality by tokens of the context, a row a family: a sample counts once a bucket, by its mean."""
    import numpy as np

    grouped: dict[str, list[str]] = {}
    for view in views:
        grouped.setdefault(families[view.name], []).append(view.name)
    buckets: dict[str, list[Floats]] = {}
    for family, names in grouped.items():
        length = np.array([[one.length if one and one.documents else -1 for one in run.each(name)] for name in names])
        values = np.array([run.values(name) for name in names])
        buckets[family] = [_mean_where(values, length == bucket) for bucket in range(len(LENGTHS) + 1)]
    used = [b for b in range(len(LENGTHS) + 1) if any(not np.isnan(found[b]).all() for found in buckets.values())]
    if len(used) < 2:
        return Groups((), ())
    every = [True] * len(run.samples)
    rows = tuple((family, tuple(run.mean(found[b], every) for b in used)) for family, found in buckets.items())
    return Groups(tuple(bucket_name(b) for b in used), rows)


def _mean_where(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Means over the first axis of the ``chosen`` values that are there; NaN where there are none."""
    import numpy as np

    there = chosen & ~np.isnan(values)
    count = there.sum(axis=0)
    return np.where(count > 0, np.where(there, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _places(run: _Run, views: Sequence[CandidateView]) -> Groups:
    """Quality by the third in which the relevant passage stood; candidates that show three or more."""
    rows = []
    for view in views:
        thirds = [one.third if one is not None and one.judged else "" for one in run.each(view.name)]
        if any(thirds):
            found = tuple(run.among(view.name, [third == name for third in thirds]) for name in THIRDS)
            rows.append((view.name, found))
    return Groups(THIRDS if rows else (), tuple(rows))

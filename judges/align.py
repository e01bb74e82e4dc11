"""Judges against people: which grades meet which labels. The statistics are those of `harness.statistics`.

A label meets the grade of the very answer that it was given for. Agreement on the levels takes the judge's first
repeat, since a person labels once; the composite takes the mean of its repeats, as the report does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..harness.alignment import COMPOSITE, Alignment, CandidateAgreement, CriterionAlignment, LabelsUsed
from ..harness.errors import InputError
from ..harness.preference_labels import HumanPreference
from ..harness.records import Estimate
from ..harness.statistics.agreement import continuous_agreement, human_agreement, judge_agreement
from ..harness.statistics.alternative import AlternativeTest, alternative_annotator_test
from ..harness.statistics.classes import sensitivity_specificity
from ..harness.store.frames import RunData
from .align_pairs import align_pairs
from .align_tables import IN_TWO_SETS, NO_VERDICT, Bench, Labelled, bench_of, labelled_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def align(
    data: RunData,
    judge: str = "",
    sets: Collection[str] = (),
    epsilon: float = 0.2,
    preferences: Sequence[HumanPreference] = (),
) -> Alignment:
    """Every judge of the run (or ``judge`` alone) against its labels (or those of ``sets`` alone); pairwise ones
    against people's ``preferences``.

    ``epsilon`` is by how much the judge may be worse than a person in the alternative annotator test.
    Raises InputError where there is no such judge, or no label to compare with.
    """
    labels = data.labels[data.labels["label_set"].isin(sets)] if sets else data.labels
    described = data.info.config.get("judges", ())
    named = [entry for entry in described if not judge or entry["name"] == judge]
    if judge and not named:
        known = ", ".join(entry["name"] for entry in described) or "none"
        raise InputError(f"--judge {judge!r}: run {data.info.id} has no such judge; there are {known}")
    return Alignment(
        run=data.info.id,
        title=str(data.info.config.get("name") or data.info.exam),
        date=datetime.fromtimestamp(data.info.created_at, UTC).date().isoformat(),
        criteria=tuple(one for entry in named for one in _judge(data, labels, entry, epsilon)),
        pairs=align_pairs(data, preferences, judge),
        labels=_used(labels),
        epsilon=epsilon,
    )


def _judge(data: RunData, labels: pd.DataFrame, entry: Mapping[str, Any], epsilon: float) -> list[CriterionAlignment]:
    """One judge on every criterion that somebody labelled; the composite where all of them are."""
    if entry.get("mode") == "pairwise":
        return []
    bench = bench_of(data, entry)
    labelled = {name: labelled_of(labels, bench, name) for name in bench.criteria}
    found = [_criterion(bench, labelled[name], epsilon) for name in bench.criteria if labelled[name].n]
    if len(bench.criteria) > 1 and len(found) == len(bench.criteria):
        found.append(_composite(bench, labelled))
    return found


def _criterion(bench: Bench, labelled: Labelled, epsilon: float) -> CriterionAlignment:
    import numpy as np

    if bench.between_levels(labelled):
        return _between_levels(bench, labelled)
    judge, humans, lost = bench.on_levels(labelled)
    both = ~np.isnan(judge) & ~np.isnan(humans).all(axis=1)
    clusters, candidates = bench.clusters[labelled.items], bench.candidates[labelled.items]
    levels = bench.levels
    agreement = judge_agreement(judge, humans, levels, clusters)
    people = human_agreement(humans[both], levels, clusters[both])
    alternative, why = _alternative(judge, humans, epsilon, clusters)
    rough = () if alternative is None else alternative.notes
    by_candidate = []
    for name in (one for one in bench.order if one in set(candidates[both])):
        own = both & (candidates == name)
        one = judge_agreement(judge[own], humans[own], levels, clusters[own])
        found = one.estimates
        by_candidate.append(CandidateAgreement(name, one.n, found["bias"], found["exact"], found["kappa_quadratic"]))
    return CriterionAlignment(
        judge=bench.name,
        criterion=labelled.criterion,
        scale=bench.scale,
        n=agreement.n,
        annotators=_counts(labelled.annotators, humans[both]),
        estimates={**agreement.estimates, **_of_passes(judge, humans, levels, clusters)},
        agreement=agreement,
        humans=people.estimates if people else {},
        n_humans=people.n if people else 0,
        candidates=tuple(by_candidate),
        raters=labelled.annotators,
        alternative=alternative,
        why_no_alternative=why,
        lost=lost,
        notes=(*agreement.notes, *(f"alternative annotator test: {note}" for note in rough)),
    )


def _of_passes(
    judge: Floats, humans: Floats, levels: tuple[float, ...], clusters: NDArray[np.str_]
) -> dict[str, Estimate]:
    """Where the scale is pass and fail: the share of people's passes that the judge passes, of their fails it fails."""
    if len(levels) != 2:
        return {}
    sensitivity, specificity = sensitivity_specificity(judge - levels[0], humans - levels[0], clusters)
    return {"sensitivity": sensitivity, "specificity": specificity}


def _between_levels(bench: Bench, labelled: Labelled) -> CriterionAlignment:
    """A judge that also gives scores between the levels (a jury's mean, a share of claims): compared as numbers."""
    import numpy as np

    judge = bench.mean[labelled.criterion][labelled.items]
    silent = int((np.isnan(judge) & ~np.isnan(labelled.humans).all(axis=1)).sum())
    lost = {reason: n for reason, n in ((NO_VERDICT, silent), (IN_TWO_SETS, labelled.twice)) if n}
    found = _as_numbers(bench, labelled.criterion, labelled.items, (judge, labelled.humans), labelled.annotators)
    note = "the judge also scores between the levels: compared as numbers, without kappa and its like"
    return replace(found, lost=lost, notes=(note, *found.notes))


def _composite(bench: Bench, labelled: Mapping[str, Labelled]) -> CriterionAlignment:
    import numpy as np

    judge, humans, annotators, lost = bench.composite(labelled)
    found = _as_numbers(bench, COMPOSITE, np.arange(len(judge)), (judge, humans), annotators)
    return replace(found, lost=lost)


def _as_numbers(
    bench: Bench,
    criterion: str,
    items: NDArray[np.intp],
    scores: tuple[Floats, Floats],
    annotators: tuple[str, ...],
) -> CriterionAlignment:
    """Rank correlation, bias and error of the judge's scores (n,) of ``items`` against people's (n, R)."""
    import numpy as np

    judge, humans = scores
    clusters, candidates = bench.clusters[items], bench.candidates[items]
    there = ~np.isnan(judge) & ~np.isnan(humans).all(axis=1)
    estimates = continuous_agreement(judge, humans, clusters)
    by_candidate = []
    for name in (one for one in bench.order if one in set(candidates[there])):
        own = there & (candidates == name)
        found = continuous_agreement(judge[own], humans[own], clusters[own])
        by_candidate.append(CandidateAgreement(name, int(own.sum()), found["bias"]))
    return CriterionAlignment(
        judge=bench.name,
        criterion=criterion,
        scale=bench.scale,
        n=int(there.sum()),
        annotators=_counts(annotators, humans[there]),
        estimates=estimates,
        agreement=None,
        humans={},
        n_humans=0,
        candidates=tuple(by_candidate),
        notes=next(iter(estimates.values())).notes,
    )


def _alternative(
    judge: Floats, humans: Floats, epsilon: float, clusters: NDArray[np.str_]
) -> tuple[AlternativeTest | None, str]:
    """The alternative annotator test where two people labelled enough, else why there is none."""
    import numpy as np

    if (~np.isnan(humans)).any(axis=0).sum() < 2:
        return None, "it needs two annotators or more on the same answers"
    try:
        return alternative_annotator_test(judge, humans, epsilon, "neg_rmse", clusters=clusters), ""
    except InputError as error:
        return None, str(error)


def _counts(annotators: tuple[str, ...], humans: Floats) -> dict[str, int]:
    import numpy as np

    counts = (~np.isnan(humans)).sum(axis=0)
    return {name: int(count) for name, count in zip(annotators, counts, strict=True) if count}


def _used(labels: pd.DataFrame) -> tuple[LabelsUsed, ...]:
    """The sets, in the order of their names."""
    found = []
    for name, rows in labels.groupby("label_set", sort=True):
        annotators = tuple(sorted(str(who) for who in rows["annotator"].unique()))
        first = rows.iloc[0]
        found.append(LabelsUsed(str(name), annotators, str(first["design"]), str(first["labelled_at"]), len(rows)))
    return tuple(found)

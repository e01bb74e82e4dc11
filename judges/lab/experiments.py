"""The numbers of the four experiments. Formulas are those of `harness.statistics`; here is what is held against what.

All of it describes, on every labelled answer. Who is recommended is decided in `choice`, on the held-out half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from ...harness.labwork import Alignment, Calls, Configuration, Scale, Shots, Spread, Transfer
from ...harness.records import Estimate
from ...harness.statistics.agreement import continuous_agreement, judge_agreement
from ...harness.statistics.concordance import concordance, concordance_difference
from ...harness.statistics.rates import rate_interval
from .contrasts import halo, halo_difference, ranking_tau, subgroup_difference
from .labelled import COMPOSITE, Labelled, mapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_OF_A_TAG = 10
"""Labelled answers below which a tag has no row."""


@dataclass(frozen=True)
class Sheet:
    """The scores (n, K) that one configuration gave the labelled answers, on its own scale; NaN where there is none.

    ``again`` are fresh scores (n, K) of a subsample, NaN elsewhere; ``None`` where nothing was graded twice.
    """

    configuration: Configuration
    scores: NDArray[np.float64]
    again: NDArray[np.float64] | None = None

    def on(self, labelled: Labelled, criterion: str) -> NDArray[np.float64]:
        """Scores (n,) of one criterion on the labels' scale."""
        return labelled.judged(mapped(self.scores, self.configuration.scale, labelled.scale), criterion)


def agreement(
    judge: NDArray[np.float64], labelled: Labelled, criterion: str, measure: str, level: float = 0.95
) -> Estimate:
    """Agreement of ``judge`` (n,), on the labels' scale, by one measure. Raises KeyError for one that there is not."""
    people, clusters = labelled.people(criterion), labelled.clusters
    if measure == "kappa_quadratic":
        return concordance(judge, people, labelled.scale, clusters, level)
    if criterion == COMPOSITE:
        return continuous_agreement(judge, people, clusters, level)[measure]
    return judge_agreement(judge, people, _levels(labelled), clusters, level).estimates[measure]


def _levels(labelled: Labelled) -> tuple[int, ...]:
    return tuple(range(labelled.scale[0], labelled.scale[1] + 1))


def alignment(sheet: Sheet, labelled: Labelled) -> list[Alignment]:
    """Experiment 1: everything that is measured, for all answers and by candidate, each criterion and the composite."""
    names = list(dict.fromkeys(labelled.candidates))
    rows = []
    for candidate in ["", *(names if len(names) > 1 else [])]:
        own = labelled.candidates == candidate if candidate else labelled.candidates != ""
        part = labelled.taken(own)
        for criterion in (*labelled.criteria, COMPOSITE):
            judge = sheet.on(labelled, criterion)[own]
            rows.append(Alignment(sheet.configuration.name, candidate, criterion, _measured(judge, part, criterion)))
    return rows


def _measured(judge: NDArray[np.float64], part: Labelled, criterion: str) -> Mapping[str, Estimate]:
    people = part.people(criterion)
    if criterion != COMPOSITE:
        return judge_agreement(judge, people, _levels(part), part.clusters).estimates
    kappa = concordance(judge, people, part.scale, part.clusters)
    return {**continuous_agreement(judge, people, part.clusters), "kappa_quadratic": kappa}


def spread(scores: NDArray[np.float64], scale: tuple[int, int]) -> Spread:
    """How ``scores`` (n,) lie on their ``scale``; NaN is left out."""
    import numpy as np

    known = scores[~np.isnan(scores)]
    n = len(known)
    counts = Counter(known.tolist())
    shares = [count / n for count in counts.values()]
    return Spread(
        n,
        float(known.std(ddof=1)) / (scale[1] - scale[0]) if n > 1 else None,
        max(0.0, -sum(share * log2(share) for share in shares)),
        counts[scale[1]] / n if n else 0.0,
        counts[scale[0]] / n if n else 0.0,
        sum(level not in counts for level in range(scale[0], scale[1] + 1)),
    )


def shots(zero: Sheet, few: Sheet, labelled: Labelled) -> list[Shots]:
    """Experiment 2 for one judge, by criterion."""
    rows = []
    for column, criterion in enumerate(labelled.criteria):
        first, second = zero.on(labelled, criterion), few.on(labelled, criterion)
        people = labelled.people(criterion)
        rows.append(
            Shots(
                zero.configuration.judge,
                criterion,
                spread(zero.scores[:, column], zero.configuration.scale),
                spread(few.scores[:, column], few.configuration.scale),
                flips(zero, column, labelled),
                flips(few, column, labelled),
                concordance(first, people, labelled.scale, labelled.clusters),
                concordance(second, people, labelled.scale, labelled.clusters),
                concordance_difference(first, second, people, labelled.clusters),
            )
        )
    return rows


def flips(sheet: Sheet, column: int, labelled: Labelled) -> Estimate | None:
    """Share of answers that got another score when they were graded again, with Wilson's interval by cluster."""
    import numpy as np

    if sheet.again is None:
        return None
    before, after = sheet.scores[:, column], sheet.again[:, column]
    both = ~np.isnan(before) & ~np.isnan(after)
    return rate_interval((before != after)[both].astype(float), labelled.clusters[both])


def scales(base: Sheet, others: Sequence[Sheet], labelled: Labelled) -> list[Scale]:
    """Experiment 3 for one judge: the scale that it has (``base``) and the ``others``, by criterion and composite."""
    names, rows = labelled.candidates, []
    for sheet in (base, *others):
        for criterion in (*labelled.criteria, COMPOSITE):
            people, own = labelled.people(criterion), sheet.on(labelled, criterion)
            exact = mapped(sheet.scores, sheet.configuration.scale, labelled.scale)
            rows.append(
                Scale(
                    sheet.configuration.name,
                    sheet.configuration.judge,
                    sheet.configuration.scale,
                    criterion,
                    spread(_raw(sheet, labelled, criterion), sheet.configuration.scale),
                    concordance(own, people, labelled.scale, labelled.clusters),
                    continuous_agreement(_one(exact, labelled, criterion), people, labelled.clusters)["spearman"],
                    len(set(names)),
                    None if sheet is base else ranking_tau(base.on(labelled, criterion), own, names),
                    ranking_tau(own, _mean(people), names),
                )
            )
    return rows


def _raw(sheet: Sheet, labelled: Labelled, criterion: str) -> NDArray[np.float64]:
    return _one(sheet.scores, labelled, criterion)


def _one(scores: NDArray[np.float64], labelled: Labelled, criterion: str) -> NDArray[np.float64]:
    """One criterion of scores (n, K), or their composite, to no level."""
    if criterion == COMPOSITE:
        return scores @ labelled.weights
    return scores[:, labelled.criteria.index(criterion)]


def _mean(people: NDArray[np.float64]) -> NDArray[np.float64]:
    """The labels' mean of each answer, (n,); NaN where nobody labelled it."""
    import numpy as np

    known = ~np.isnan(people)
    total = np.where(known, people, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(1, known.sum(axis=1)), np.nan)


def calls(one: Sheet, each: Sheet, labelled: Labelled) -> Calls:
    """Experiment 3, the other half: one call for all criteria against a call for each, for one judge."""
    import numpy as np

    people = _mean_by_criterion(labelled)
    return Calls(
        one.configuration.judge,
        int((~np.isnan(one.scores + each.scores).any(axis=1)).sum()),
        halo(one.scores),
        halo(each.scores),
        halo(people),
        halo_difference(one.scores, each.scores, labelled.clusters),
        concordance_difference(
            one.on(labelled, COMPOSITE), each.on(labelled, COMPOSITE), labelled.people(COMPOSITE), labelled.clusters
        ),
    )


def _mean_by_criterion(labelled: Labelled) -> NDArray[np.float64]:
    import numpy as np

    return np.stack([_mean(labelled.people(criterion)) for criterion in labelled.criteria], axis=1)


def transfer(sheet: Sheet, labelled: Labelled, criterion: str) -> list[Transfer]:
    """Experiment 4 for one judge: a row for each tag that some, but not nearly all or none, of the answers have."""
    import numpy as np

    judge, people, names = sheet.on(labelled, criterion), labelled.people(criterion), labelled.candidates
    labels, rows = _mean(people), []
    for tag in sorted({tag for tags in labelled.tags for tag in tags}):
        inside = np.array([tag in tags for tags in labelled.tags])
        if min(inside.sum(), (~inside).sum()) < FEWEST_OF_A_TAG:
            continue
        rows.append(
            Transfer(
                sheet.configuration.name,
                tag,
                int(inside.sum()),
                concordance(judge[inside], people[inside], labelled.scale, labelled.clusters[inside]),
                subgroup_difference(judge, people, inside, labelled.clusters, labelled.scale),
                len(set(names[inside])),
                ranking_tau(judge[inside], labels[inside], names[inside]),
                ranking_tau(labels[inside], labels[~inside], names[inside], names[~inside]),
            )
        )
    return rows

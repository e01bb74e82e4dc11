"""Labels of all candidates together, for candidates with few of their own: honest only where the judge favours nobody.

A bias of .1 for one candidate and of .3 for another leaves the pooled interval next to no coverage, so it is given only
where the test of equal bias does not reject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..harness.records import Estimate
from ..harness.statistics.equal_bias import EqualBias, equal_bias_test
from ..harness.statistics.ppi import ppi_mean
from .cells import Scores
from .comparison import ALPHA
from .exam import JudgeView, Scale
from .grid import Key
from .humans import DRAWN, Labelled


@dataclass(frozen=True, slots=True)
class Pooled:
    """The test over ``candidates`` with two labels or more, and the ``means`` of all that it allows; else why not."""

    judge: str
    measure: str
    candidates: tuple[str, ...]
    test: EqualBias
    means: Mapping[str, Estimate]
    refusal: str


def pool(scores: Scores, judge: JudgeView, measure: str) -> Pooled:
    """Correct every candidate's mean of ``measure`` by the labels on all candidates' answers drawn by chance."""
    keys: list[Key] = [(c.name, judge.name, measure) for c in scores.candidates]
    known = {key[0]: scores.labelled[key] for key in keys if key in scores.labelled}
    drawn = {name: found for name, found in known.items() if found.backing.design == "random" and found.backing.n >= 2}
    test = _test(list(drawn.values()))
    refusal = _refusal(known, test)
    if refusal:
        return Pooled(judge.name, measure, tuple(drawn), test, {}, refusal)
    means = {name: _mean(found, list(drawn.values()), judge.scale) for name, found in known.items()}
    return Pooled(judge.name, measure, tuple(drawn), test, means, "")


def _refusal(known: Mapping[str, Labelled], test: EqualBias) -> str:
    if any(found.backing.design in DRAWN - {"random"} for found in known.values()):
        return "labels drawn within strata are not pooled"
    if test.p is None:
        return f"equal bias cannot be tested: {test.method}"
    return "the judge does not treat all candidates alike" if test.p < ALPHA else ""


def _test(labelled: Sequence[Labelled]) -> EqualBias:
    """Of the judge's bias on each candidate's labelled answers, one row a sample of a run."""
    import numpy as np

    places: dict[str, int] = {}
    for found in labelled:
        places |= {name: len(places) + i for i, name in enumerate(n for n in found.ids if n not in places)}
    bias = np.full((len(places), len(labelled)), np.nan)
    clusters = np.full(len(places), "", dtype=object)
    for column, found in enumerate(labelled):
        at = [places[name] for name in found.ids]
        bias[at, column] = found.judge - found.human
        clusters[at] = found.clusters
    return equal_bias_test(bias, clusters.astype(str))


def _mean(found: Labelled, labelled: Sequence[Labelled], scale: Scale | None) -> Estimate:
    """The judge's mean of one candidate less its mean error on all labelled answers: PPI at λ 1, since another λ would
    mix in how good the other candidates are."""
    import numpy as np

    own = ~np.isnan(found.judge)
    marked = [(one, ~np.isnan(one.judge + one.human)) for one in labelled]
    judge = np.concatenate([found.judge[own], *(one.judge[there] for one, there in marked)])
    human = np.concatenate([np.full(own.sum(), np.nan), *(one.human[there] for one, there in marked)])
    clusters = np.concatenate([found.clusters[own], *(one.clusters[there] for one, there in marked)])
    return ppi_mean(judge, human, clusters=clusters, lam=1.0, scale=scale).estimate

"""How well judges' scores predict what users say, and whether feedback is of answers like the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...harness.records import Estimate
from ...harness.statistics.alternative import benjamini_hochberg
from ...harness.statistics.auc import auc
from ...harness.statistics.intervals import mean_interval
from ...harness.statistics.rates import rate_interval
from ...harness.statistics.two_samples import mean_change, too_few, windows_of_clusters
from ...harness.store.frames import RunData
from ..exam import JudgeView
from ..expected import Expected
from ..measurements import Part, judged
from .records import Calibration, Level, Prediction, Selection
from .spoken import Spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Members = Mapping[str, NDArray[np.bool_]]

FEW_LEVELS = 7
"""So many different scores are levels of their own; more are put in `GROUPS` of about equal counts."""
GROUPS = 5


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the judges' scores have to do with feedback."""

    predictions: tuple[Prediction, ...]
    calibrations: tuple[Calibration, ...]
    selections: tuple[Selection, ...]


def predicted(
    data: RunData, expected: Expected, said: Spoken, candidates: Members, judges: Sequence[JudgeView]
) -> Predicted:
    """By judge, its headline before its other measures."""
    predictions: list[Prediction] = []
    calibrations: list[Calibration] = []
    selections: list[Selection] = []
    for judge in judges:
        parts = sorted(judged(data, expected, judge), key=lambda part: part.measure != judge.headline)
        for part in parts:
            predictions += _predictions(part, said, candidates)
            calibrations += _calibration(part, said)
        selections += _selections(parts[0], expected, said, candidates, judge) if parts else []
    return Predicted(tuple(predictions), tuple(calibrations), tuple(_corrected(selections)))


def _predictions(part: Part, said: Spoken, candidates: Members) -> Iterator[Prediction]:
    """Over all candidates, then of each where there are several."""
    scores = part.value[said.place]
    yield Prediction("", part.source, part.measure, auc(scores, said.accepted, said.clusters))
    heard = {name: own for name, members in candidates.items() if (own := said.of(members)).any()}
    if len(heard) > 1:
        for name, own in heard.items():
            found = auc(scores[own], said.accepted[own], said.clusters[own])
            yield Prediction(name, part.source, part.measure, found)


def _calibration(part: Part, said: Spoken) -> Iterator[Calibration]:
    import numpy as np

    scores = part.value[said.place]
    there = ~np.isnan(scores)
    if there.any():
        known, accepted, clusters = scores[there].round(9), said.accepted[there], said.clusters[there]
        levels = []
        for low, high in _levels(known):
            own = (known >= low) & (known <= high)
            levels.append(Level(low, high, rate_interval(accepted[own], clusters[own])))
        yield Calibration(part.source, part.measure, tuple(levels))


def _levels(scores: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The lowest and the highest score of each level; equal scores stay together."""
    import numpy as np

    distinct = np.unique(scores)
    if len(distinct) <= FEW_LEVELS:
        return [(float(one), float(one)) for one in distinct]
    cuts = np.quantile(scores, np.arange(1, GROUPS) / GROUPS)
    group = np.searchsorted(cuts, distinct)
    members = (distinct[group == number] for number in range(GROUPS))
    return [(float(some[0]), float(some[-1])) for some in members if len(some)]


def _corrected(selections: Sequence[Selection]) -> Iterator[Selection]:
    """The same with p corrected over all that could be tested."""
    qs = iter(benjamini_hochberg([one.p for one in selections if one.p is not None]))
    return (one if one.p is None else replace(one, p=next(qs)) for one in selections)


def _selections(
    part: Part, expected: Expected, said: Spoken, candidates: Members, judge: JudgeView
) -> Iterator[Selection]:
    import numpy as np

    clusters = np.repeat(np.asarray(expected.samples["cluster"].astype(str), dtype=object), len(expected.asked))
    spoken = np.zeros(expected.n, dtype=bool)
    spoken[said.place] = True
    scored = ~np.isnan(part.value)
    for name, members in candidates.items():
        heard, silent = members & scored & spoken, members & scored & ~spoken
        if heard.any():
            groups = [clusters[silent].astype(str), clusters[heard].astype(str)]
            values = part.value[silent], part.value[heard]
            windows, p = windows_of_clusters(*groups), None
            if len(values[0]):
                change = mean_change(*values, windows, scale=judge.scale)
                difference, p = change.estimate, None if too_few(windows) else change.p
            else:
                difference = Estimate(None, None, None, len(values[1]), "all answers have feedback")
            means = [mean_interval(v, g, scale=judge.scale) for v, g in zip(values, groups, strict=True)]
            yield Selection(name, part.source, part.measure, means[1], means[0], difference, p)

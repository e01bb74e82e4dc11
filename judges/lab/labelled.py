"""Labelled answers as arrays, and the scores of one judge beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from ...harness.errors import InputError
from ...harness.records import Grade, Scored
from ...harness.store.frames import RunData
from ..rubric import Rubric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPOSITE = "composite"
Place = tuple[str, str, int]
"""Sample id, candidate, trial."""


@dataclass(frozen=True)
class Labelled:
    """``n`` labelled answers. ``humans`` is (n, R, K): answer, annotator of a set, criterion; NaN where nobody said."""

    places: tuple[Place, ...]
    clusters: NDArray[np.str_]
    tags: tuple[tuple[str, ...], ...]
    criteria: tuple[str, ...]
    weights: NDArray[np.float64]
    scale: tuple[int, int]
    humans: NDArray[np.float64]
    sets: tuple[str, ...]

    @property
    def candidates(self) -> NDArray[np.str_]:
        """Who answered, (n,)."""
        import numpy as np

        return np.array([candidate for _, candidate, _ in self.places])

    def people(self, criterion: str) -> NDArray[np.float64]:
        """Labels of one criterion, (n, R). The composite is absent where an annotator left a criterion out."""
        return self._of(self.humans, criterion)

    def judged(self, scores: NDArray[np.float64], criterion: str) -> NDArray[np.float64]:
        """Scores (n, K) that are mapped to the labels' scale, of one criterion, (n,): the nearest level each."""
        import numpy as np

        mapped = self._of(scores, criterion)
        return mapped if criterion == COMPOSITE else np.floor(mapped + 0.5)

    def _of(self, values: NDArray[np.float64], criterion: str) -> NDArray[np.float64]:
        if criterion == COMPOSITE:
            return values @ self.weights
        return values[..., self.criteria.index(criterion)]

    def taken(self, kept: NDArray[np.bool_]) -> Labelled:
        """Those of the answers."""
        import numpy as np

        rows = np.flatnonzero(kept)
        return Labelled(
            tuple(self.places[i] for i in rows),
            self.clusters[rows],
            tuple(self.tags[i] for i in rows),
            self.criteria,
            self.weights,
            self.scale,
            self.humans[rows],
            self.sets,
        )


def labelled_answers(data: RunData, rubric: Rubric) -> Labelled:
    """The run's labelled answers on the rubric's criteria, in the order of the run.

    Raises InputError where there is no label on its criteria, or one lies outside its scale.
    """
    import numpy as np

    names = tuple(criterion.name for criterion in rubric.criteria)
    rows = data.labels[data.labels["criterion"].isin(names)]
    if rows.empty:
        raise InputError(
            f"run {data.info.id} has no labels on {', '.join(names)} (rubric {rubric.name!r}): name a file of labels "
            "under labels: in the exam, or take them in with markscheme import labels"
        )
    _within_scale(rows["score"].tolist(), rows["criterion"].tolist(), rubric)
    places = list(dict.fromkeys(zip(rows["sample_id"], rows["candidate"], rows["trial"], strict=True)))
    raters = sorted(set(zip(rows["label_set"], rows["annotator"], strict=True)))
    row_of, rater_of = {p: i for i, p in enumerate(places)}, {r: i for i, r in enumerate(raters)}
    humans = np.full((len(places), len(raters), len(names)), np.nan)
    for row in rows.itertuples():
        place = row_of[row.sample_id, row.candidate, row.trial]
        humans[place, rater_of[row.label_set, row.annotator], names.index(str(row.criterion))] = row.score
    cluster = dict(zip(data.samples["sample_id"], data.samples["cluster"], strict=True))
    tags = {
        s: tuple(orjson.loads(t or "[]")) for s, t in zip(data.samples["sample_id"], data.samples["tags"], strict=True)
    }
    return Labelled(
        tuple((str(s), str(c), int(t)) for s, c, t in places),
        np.array([cluster[s] for s, _, _ in places]),
        tuple(tags[s] for s, _, _ in places),
        names,
        np.array([criterion.weight for criterion in rubric.criteria]),
        rubric.scale,
        humans,
        tuple(sorted(set(rows["label_set"]))),
    )


def _within_scale(scores: Sequence[float], criteria: Sequence[str], rubric: Rubric) -> None:
    low, high = rubric.scale
    for score, criterion in zip(scores, criteria, strict=True):
        if not low <= score <= high:
            raise InputError(
                f"a label of {criterion!r} is {score:g}, outside the scale {low} to {high} of rubric {rubric.name!r}: "
                "labels must be on the scale of the first judge's rubric"
            )


def scores_of(graded: Mapping[Place, Sequence[Grade]], labelled: Labelled) -> NDArray[np.float64]:
    """One judge's scores (n, K), the mean over turns where it grades these; NaN where there is none."""
    import numpy as np

    found = np.full((len(labelled.places), len(labelled.criteria)), np.nan)
    for row, place in enumerate(labelled.places):
        for column, criterion in enumerate(labelled.criteria):
            own = [grade.outcome for grade in graded.get(place, ()) if grade.criterion == criterion]
            if own and all(isinstance(outcome, Scored) for outcome in own):
                found[row, column] = np.mean([outcome.score for outcome in own if isinstance(outcome, Scored)])
    return found


def mapped(scores: NDArray[np.float64], scale: tuple[int, int], to: tuple[int, int]) -> NDArray[np.float64]:
    """``scores`` on ``scale`` moved and stretched to the scale ``to``."""
    share = (scores - scale[0]) / (scale[1] - scale[0])
    return to[0] + share * (to[1] - to[0])

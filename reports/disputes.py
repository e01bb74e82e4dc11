"""How far judges, repeats and people are apart on one answer, as a share of the scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..harness.store.frames import RunData
from .answers_places import Places
from .cells import Scores
from .exam import JudgeView

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DISPUTED = 1 / 3
"""Apart by this share of the scale, an answer is disputed: one level of four."""


def apart(data: RunData, scores: Scores, places: Places) -> Floats:
    """Per answer (n,) the widest gap between two scores of one thing, 0 to 1; NaN where nothing was scored twice.

    Compared are judges on a criterion of one name, repeats of one judge, people among themselves, and people's mean
    with each judge. A jury is its members' opinion and embedded judges compare words: neither counts.
    """
    import numpy as np

    widest = np.full(len(places.sample), np.nan)
    for gaps in (*_judges(scores, places), *_repeats(data, scores, places), *_people(data, scores, places)):
        widest = np.fmax(widest, gaps)
    return widest


def _opinions(scores: Scores) -> list[JudgeView]:
    return [judge for judge in scores.judges if judge.scale and not judge.members and not judge.embedded]


def _judges(scores: Scores, places: Places) -> Iterator[Floats]:
    judges = _opinions(scores)
    for criterion in dict.fromkeys(name for judge in judges for name in judge.criteria):
        own = [judge for judge in judges if criterion in judge.criteria]
        if len(own) > 1:
            yield _range([_share(places.values(scores, judge.name, criterion), judge) for judge in own])


def _repeats(data: RunData, scores: Scores, places: Places) -> Iterator[Floats]:
    import numpy as np

    repeated = data.grades[(data.grades["repeat"] > 0) & (data.grades["status"] == "scored")]
    for judge in _opinions(scores):
        if not len(repeated) or not (repeated["judge"] == judge.name).any():
            continue
        own = data.grades[(data.grades["judge"] == judge.name) & (data.grades["status"] == "scored")]
        place = [own[name].astype(object) for name in ("criterion", "turn")]
        grouped = own["score"].astype(float).groupby([places.rows(own), *place], sort=False)
        gaps = (grouped.max() - grouped.min()).groupby(level=0).max()
        found = np.full(len(places.sample), np.nan)
        known = gaps[(gaps.index >= 0) & (grouped.size().groupby(level=0).max().reindex(gaps.index) > 1)]
        found[known.index.to_numpy(dtype=np.intp)] = known.to_numpy() / _span(judge)
        yield found


def _people(data: RunData, scores: Scores, places: Places) -> Iterator[Floats]:
    """Among themselves, and their mean against each judge."""
    for judge in _opinions(scores):
        for criterion in judge.criteria:
            labels = data.labels[data.labels["criterion"] == criterion]
            if len(labels):
                low, mean, high = _labelled(labels, places)
                yield (high - low) / _span(judge)
                yield abs(places.values(scores, judge.name, criterion) - mean) / _span(judge)


def _labelled(labels: pd.DataFrame, places: Places) -> tuple[Floats, Floats, Floats]:
    import numpy as np

    grouped = labels["score"].astype(float).groupby(places.rows(labels))
    found = []
    for value in (grouped.min(), grouped.mean(), grouped.max()):
        column = np.full(len(places.sample), np.nan)
        known = value[value.index >= 0]
        column[known.index.to_numpy(dtype=np.intp)] = known.to_numpy()
        found.append(column)
    return found[0], found[1], found[2]


def _share(values: Floats, judge: JudgeView) -> Floats:
    assert judge.scale is not None
    return (values - judge.scale[0]) / _span(judge)


def _span(judge: JudgeView) -> float:
    assert judge.scale is not None
    return (judge.scale[1] - judge.scale[0]) or 1.0


def _range(rows: list[Floats]) -> Floats:
    """Highest less lowest of each column; NaN where fewer than two rows have a value."""
    import numpy as np

    table = np.array(rows)
    there = ~np.isnan(table)
    high, low = np.where(there, table, -np.inf).max(axis=0), np.where(there, table, np.inf).min(axis=0)
    return np.where(there.sum(axis=0) > 1, high - low, np.nan)

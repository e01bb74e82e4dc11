"""Differences by a judge, corrected by people's labels where both sides have them on the same samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..corrections import difference, labelled_scores
from ..exam import JudgeView
from ..grid import Key
from ..humans import Labelled, Rules
from .differences import readjusted
from .records import Difference
from .sides import Aligned

if TYPE_CHECKING:
    from numpy.typing import NDArray


def corrected(
    found: Sequence[Difference],
    new: Aligned,
    old: Sequence[Aligned],
    pairs: Mapping[str, str],
    judges: Sequence[JudgeView],
) -> tuple[Difference, ...]:
    """The differences, people's where labels allow it: against one run, where both have enough labels of one draw.

    Holm's p are those of the corrected ones, then. A pool has other answers in each run: nothing corrects its mean.
    """
    if len(old) != 1 or not (len(new.data.labels) and len(old[0].data.labels)):
        return tuple(found)
    ours, theirs = _labelled(new, new, judges), _labelled(old[0], new, judges)
    return readjusted([_corrected(one, ours, theirs, pairs) for one in found])


def _labelled(run: Aligned, order: Aligned, judges: Sequence[JudgeView]) -> dict[Key, Labelled]:
    """The run's labelled scores on the matched samples, which bear the same names on both sides."""
    import numpy as np

    ids = np.arange(len(run.matched)).astype(str)
    clusters = order.grid.clusters[order.matched]
    found = labelled_scores(run.data, run.grid, judges, Rules())
    return {key: _taken(one, run.matched, ids, clusters) for key, one in found.items()}


def _taken(one: Labelled, rows: NDArray[Any], ids: NDArray[Any], clusters: NDArray[Any]) -> Labelled:
    judge, human, strata = one.judge[rows], one.human[rows], one.strata[rows]
    return replace(one, ids=ids, clusters=clusters, judge=judge, human=human, strata=strata)


def _corrected(
    one: Difference, ours: Mapping[Key, Labelled], theirs: Mapping[Key, Labelled], pairs: Mapping[str, str]
) -> Difference:
    about = one.subject
    mine = ours.get((about.candidate, about.source, about.measure))
    other = theirs.get((pairs[about.candidate], about.source, about.measure))
    people = difference(mine, other, one.scale) if mine is not None and other is not None else None
    if people is None:
        return one
    judged = replace(one, binary=False, bound=None)
    return replace(judged, estimate=people[0], p=people[1], adjusted=people[1], test="t", corrected=True)

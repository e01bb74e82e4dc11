"""How good answers are, from a graded run of the exam under load: by candidate and number of contexts."""

from __future__ import annotations

from ...harness.records import Estimate
from ...harness.store.frames import RunData
from ..cells import score
from ..comparison import basis
from ..exam import leading_judge
from .operating import Quality


def quality_of(data: RunData) -> Quality:
    """The leading judge's headline (corrected where labels stand behind all of it); empty where no judge graded.

    A candidate that an exam lists with several numbers of contexts stands under its own name, too: ``mini-ctx5`` is
    ``mini`` with five. ``None`` contexts are those that it has by itself.
    """
    scores = score(data)
    judge = leading_judge(scores.judges)
    if judge is None or not judge.criteria:
        return {}
    found: dict[tuple[str, int | None], Estimate] = {}
    for view, cell in zip(scores.candidates, basis(scores, judge.name, judge.headline).cells, strict=True):
        found[view.name, None] = cell.estimate
        if view.contexts is not None:
            found[view.name, view.contexts] = cell.estimate
            found[view.name.removesuffix(f"-ctx{view.contexts}"), view.contexts] = cell.estimate
    return found

"""Which rubric people grade by: chosen when a review begins, read again whenever it goes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...harness.errors import InputError
from ...harness.exam_mlflow import is_mlflow_rubric
from ...harness.exam_ragas import is_ragas
from ...harness.review.records import Mode, Review
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.yaml_file import did_you_mean
from ...judges.pairwise_rubric import PairwiseRubric, load_pairwise_rubric
from ...judges.rubric import Rubric, load_rubric
from ..rubrics import source_of

AnyRubric = Rubric | PairwiseRubric
_KINDS: Mapping[Mode, str] = {"grade": "pointwise", "pairs": "pairwise"}


def choose(store: Store, run: Run, mode: Mode, rubric: str = "", judge: str = "") -> str:
    """The rubric as `Review.rubric` names it: packaged, or a path from the folder in which the workspace lies.

    ``rubric`` is a packaged name or a path, '' for that of ``judge``, or the one that all judges of the run share.
    Raises InputError where that is none, or several.
    """
    if is_ragas(rubric) or is_mlflow_rubric(rubric):
        raise InputError(f"--rubric {rubric!r} is a metric without levels, by which nobody can grade; name a rubric")
    if rubric:
        return _recorded(source_of(rubric), _base(store))
    judged = _judged(store, run, mode)
    if judge:
        if judge not in judged:
            known = ", ".join(judged) or "none"
            raise InputError(
                f"--judge {judge!r}: run {run.id} has no {_KINDS[mode]} judge of that name with a rubric file"
                f"{did_you_mean(judge, judged) or ';'} there are: {known}"
            )
        return judged[judge]
    found = list(dict.fromkeys(judged.values()))
    if not found and mode == "pairs":
        return "pairwise"
    if len(found) != 1:
        why = f"its judges grade by {', '.join(found)}" if found else "it has no judge with a rubric file"
        raise InputError(f"run {run.id}: {why}; say by which people grade: --rubric NAME|FILE or --judge NAME")
    return found[0]


def read(store: Store, name: str, mode: Mode) -> AnyRubric:
    """The rubric that `choose` named. Raises InputError and ExamError as `load_rubric` does."""
    source: str | Path = source_of(name)
    if isinstance(source, Path):
        source = _base(store) / source
    if mode == "pairs":
        return load_pairwise_rubric(source, 0)
    return load_rubric(source, 0)


def scores_of(rubric: AnyRubric) -> dict[str, tuple[int, ...]]:
    """Criterion -> the scores on offer, lowest first; none where two answers are compared."""
    return {c.name: c.scores for c in rubric.criteria} if isinstance(rubric, Rubric) else {}


def rubric_of(store: Store, review: Review) -> AnyRubric:
    """The review's rubric. Raises InputError where it is no longer the one that the review began with."""
    rubric = read(store, review.rubric, review.mode)
    if review.rubric_sha256 not in ("", rubric.sha256):
        raise InputError(
            f"rubric {review.rubric}: was changed since review {review.name!r} began, and ratings by two rubrics are "
            "not comparable; put it back as it was, or begin another review by another --name"
        )
    return rubric


def _judged(store: Store, run: Run, mode: Mode) -> dict[str, str]:
    """Judge -> its rubric, of those that work in this mode and have a file."""
    folder = (_base(store) / run.exam).parent
    return {
        judge["name"]: _recorded(_file(path, folder), _base(store))
        for judge in run.config.get("judges", ())
        if judge.get("mode", "pointwise") == _KINDS[mode] and (path := _path(judge))
    }


def _path(judge: Mapping[str, Any]) -> str:
    return str(judge.get("rubric", {}).get("path") or "")


def _file(path: str, folder: Path) -> str | Path:
    """A run's configuration names packaged rubrics without a suffix, files relative to the exam."""
    source = source_of(path)
    return folder / source if isinstance(source, Path) else source


def _recorded(source: str | Path, base: Path) -> str:
    """As a path it has a separator: without one and without a suffix it would be a packaged name."""
    if isinstance(source, str):
        return source
    text = Path(os.path.relpath(source, base)).as_posix()
    return text if "/" in text else f"./{text}"


def _base(store: Store) -> Path:
    """What rubrics are named relative to, so that a moved project keeps its reviews."""
    return store.folder.parent if store.folder else Path.cwd()

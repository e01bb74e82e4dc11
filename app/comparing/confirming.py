"""The second fresh run that an alarm is confirmed by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...harness.data import load_dataset
from ...harness.errors import ExamError, InputError
from ...harness.exam import Exam, load_exam
from ...harness.gate import GateSpec
from ...harness.store.pool import configuration
from ...harness.store.runs import Run
from ..api.running import run as run_exam
from ..references import opened
from ..session import (
    Options,
    Session,
    exam_identity,
    pairwise_rubrics_of,
    price_book,
    resolved,
    rubrics_of,
)


def run_again(spec: GateSpec, new: Run, workspace: str | Path, progress: bool = False) -> str:
    """Run the gate's exam once more, fresh and on the same samples; the id of that run.

    Raises InputError, before anything is paid for, where the exam is not what ``new`` ran any more.
    """
    if spec.exam is None:
        what = "is missing, so that no second run can be made to confirm an alarm; write exam: and the exam's file"
        raise ExamError([spec.file.problem(("exam",), what)])
    exam = load_exam(spec.exam)
    subset = (new.config.get("dataset") or {}).get("subset") or {}
    limit, seed = subset.get("n"), subset.get("seed")
    _check_unchanged(exam, new, Options(workspace, limit=limit, seed=seed))
    return run_exam(exam, workspace=workspace, fresh=True, limit=limit, seed=seed, progress=progress).id


def _check_unchanged(exam: Exam, new: Run, options: Options) -> None:
    store = opened(options.workspace)
    try:
        identity = exam_identity(exam, store)
        dataset = load_dataset(exam.dataset, limit=options.limit, seed=options.seed)
        found = Session(
            exam, dataset, store, new, options, price_book(exam), rubrics_of(exam), pairwise_rubrics_of(exam)
        )
        config = resolved(found)
    finally:
        store.close()
    if identity != new.exam:
        raise InputError(f"run {new.id} is of {new.exam}, but the gate's exam is {identity}: name that one in the gate")
    if configuration(replace(new, config=config)) != configuration(new):
        raise InputError(
            f"{exam.path} is not what run {new.id} ran any more: a second run would confirm nothing; "
            "run the exam as it is now with --fresh, and gate that run"
        )

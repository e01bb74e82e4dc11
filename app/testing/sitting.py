"""Sitting an exam for a suite: one run of what the exam is now, made by the first process that needs it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import pytest

from ...harness.data import load_dataset
from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError, RunBusy, Unfinished
from ...harness.exam import Exam
from ...harness.keys import digest
from ...harness.store import runs
from ...harness.store.frames import RunData
from ...harness.store.load import load
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...reports.cells import Scores, score
from .. import workflow
from ..loops import run_anywhere
from ..reporting import labelled_before
from ..session import (
    Options,
    Session,
    exam_identity,
    fingerprint_of,
    open_session,
    pairwise_rubrics_of,
    resolved_exam,
    rubrics_of,
    versions,
)
from .settings import Settings

RECORD = "record them: pytest --markscheme-live --markscheme-budget USD"
_LOOK_EVERY_S = 0.1
_KEY = re.compile(r"no reply is recorded under key (\w+)")
_NAMED = 3
"""Missing replies that a message names."""


class NotRecorded(InputError):
    """Replies are missing, and no model may be asked."""


@dataclass(frozen=True)
class Sat:
    """An exam that was sat: the run's tables, and those of earlier runs whose labels hold for it."""

    exam: Exam
    data: RunData
    earlier: list[RunData]
    notes: tuple[str, ...] = ()

    @cached_property
    def scores(self) -> Scores:
        """Every cell, corrected where the exam has labels."""
        return score(self.data, earlier=self.earlier)


def sit(exam: Exam, settings: Settings, tally: Tally) -> Sat:
    """Answer and grade what is not yet; from recorded replies alone, unless the suite is live. ``tally`` counts, also
    where it ends with an error.

    Raises NotRecorded for missing replies, and what `run` raises. Ctrl-C ends the suite.
    """
    options = Options(settings.workspace, offline=not settings.live, report=False, purse=settings.purse)
    workflow.rehearse(exam, require_key=settings.live)
    with ExitStack() as stack:
        waiting = stack.enter_context(_store(settings))
        stack.enter_context(in_turn(waiting, digest([exam_identity(exam, waiting)])))
        session = stack.enter_context(open_session(exam, options, _same_exam))
        _perform(session, tally)
        run = runs.find(session.store, session.run.id)
        data = load(session.store, run)
        if missing := dict(_missing(data)):
            raise NotRecorded(_said(missing))
        if run.finished_at is None:  # a finished one is left as it is, to the byte
            workflow.mark_finished(session)
        return Sat(exam, data, labelled_before(session.store, run), tuple(session.notes))


@contextmanager
def in_turn(store: Store, what: str) -> Iterator[None]:
    """Hold ``what`` against the suite's other processes; waits for one that has it."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(store.lease(f"pytest-{what[:24]}"))
            except RunBusy:
                time.sleep(_LOOK_EVERY_S)
            else:
                break
        yield


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    store = Store(settings.workspace)
    try:
        yield store
    finally:
        store.close()


def _same_exam(store: Store, exam: Exam, options: Options) -> Run:
    """The latest run of the exam as it is now, finished ones first; else a new one, so that what a run of another
    prompt or rubric said stays as it was."""
    dataset = load_dataset(exam.dataset)
    config = resolved_exam(exam, dataset, rubrics_of(exam), pairwise_rubrics_of(exam))
    identity, wanted = exam_identity(exam, store), fingerprint_of(config)
    same = [run for run in runs.all_runs(store) if run.exam == identity and run.fingerprint == wanted]
    found = [run for run in same if run.finished_at is not None] or [run for run in same if not run.salt]
    return found[0] if found else runs.begin(store, identity, versions())


def _perform(session: Session, tally: Tally) -> None:
    async def main() -> None:
        await workflow.perform(session, ("generate", "grade"), tally, session.notes.append)

    try:
        run_anywhere(main)
    except Unfinished as stop:
        if type(stop) is Unfinished:  # Ctrl-C: the signal was taken for the run, and meant for the suite
            pytest.exit(str(stop), returncode=2)
        raise


def _missing(data: RunData) -> Iterator[tuple[str, str]]:
    """Key -> who was to be asked, of replies that are not recorded."""
    for row in data.answers[data.answers["status"] == "not_recorded"].itertuples():
        if found := _KEY.search(str(row.detail)):
            yield found[1], f"candidate {row.candidate} on {row.sample_id}"
    for row in data.grades[data.grades["status"] == "error"].itertuples():
        if found := _KEY.search(str(row.why)):
            yield found[1], f"judge {row.judge} on {row.candidate}'s answer to {row.sample_id}"
    for row in data.preferences[data.preferences["status"] == "error"].itertuples():
        if found := _KEY.search(str(row.why)):
            yield found[1], f"judge {row.rater} on {row.left} and {row.right}, sample {row.sample_id}"


def _said(missing: Mapping[str, str]) -> str:
    one = len(missing) == 1
    count = "1 reply is" if one else f"{len(missing):,} replies are"
    named = "\n".join(f"  {who}: key {key}" for key, who in list(missing.items())[:_NAMED])
    more = f"\n  … and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
    return f"{count} not recorded, and no model is called without --markscheme-live:\n{named}{more}\n{RECORD}"


def missing_key(text: str) -> str | None:
    """The key in a failure that says that no reply is recorded."""
    found = _KEY.search(text)
    return found[1] if found else None

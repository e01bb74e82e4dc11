"""The runs of an exam over nights, as a function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...harness.errors import InputError
from ...harness.exam import Exam, load_exam
from ...harness.store.anchors import sets_of
from ...harness.store.history import read_sitting, runs_of
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.watching import Watched
from ...reports.regression.history import history as made
from ...reports.regression.history_records import History
from ..means import values_of
from ..references import opened
from ..reporting import reports_of
from ..session import WORKSPACE, exam_identity

LAST = 100
"""Nights that are shown by default."""


def history(exam: Exam | str | Path, *, workspace: str | Path = WORKSPACE, last: int = LAST) -> History:
    """The ``last`` runs of an exam: scores, seconds, dollars and failures night by night, and what was changed.

    Raises InputError where the workspace has no run of it.
    """
    loaded = exam if isinstance(exam, Exam) else load_exam(exam)
    store = opened(workspace)
    try:
        identity = exam_identity(loaded, store)
        every = runs_of(store, identity)
        if not every:
            raise InputError(f"{store.where}: {identity} has no run yet: markscheme run {loaded.path.name}")
        shown = every[-last:]
        sittings = [read_sitting(store, run, values_of(store, run)) for run in shown]
        return made(identity, sittings, tuple(_watched(store, shown)), len(every) - len(shown))
    finally:
        store.close()


def _watched(store: Store, shown: Sequence[Run]) -> Iterator[Watched]:
    """The judges on their latest anchors."""
    latest = {anchors.judge: anchors for anchors in sets_of(store, [run.id for run in shown])}
    for anchors in latest.values():
        from ..judging.watching import watched_before

        if (found := watched_before(store, shown, anchors)) is not None:
            yield found


def write_history(found: History, folder: Path) -> Path:
    """Write history.html and history.md into ``folder``; returns the HTML page."""
    from ...reports.regression.history_html import render_history
    from ...reports.regression.history_markdown import history_markdown

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "history.html"
    page.write_text(render_history(found), encoding="utf-8")
    page.with_suffix(".md").write_text(history_markdown(found), encoding="utf-8")
    return page


def history_folder(found: History, workspace: str | Path) -> Path:
    """Where the pages go: among the reports of the workspace."""
    return reports_of(workspace) / Path(found.exam).stem

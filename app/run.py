"""The public Python API: `run`, `grade`, `open_run`, and `Run` with its tables."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..harness.dispatch.tally import Tally
from ..harness.exam import Exam, exam_from_dict, load_exam
from ..harness.store import runs
from ..harness.store.frames import RunData
from ..harness.store.load import load
from ..harness.store.store import Store
from . import workflow
from .loops import run_anywhere
from .progress import showing
from .session import WORKSPACE, Options, open_session

if TYPE_CHECKING:
    import pandas as pd

    from ..harness.alignment import Alignment


class Run:
    """A run in a workspace. Tables are read once, on first use."""

    def __init__(self, identifier: str, workspace: str | Path = WORKSPACE) -> None:
        self.id = identifier
        self.workspace = workspace

    @cached_property
    def data(self) -> RunData:
        """All tables (`markscheme.harness.store.frames`)."""
        store = Store(self.workspace)
        try:
            return load(store, runs.find(store, self.id))
        finally:
            store.close()

    @property
    def answers(self) -> pd.DataFrame:
        """One row an answer: text, status, latency in seconds, tokens, cost_usd, origin."""
        return self.data.answers

    @property
    def grades(self) -> pd.DataFrame:
        """One row a (answer, judge, criterion): status, score, reasoning."""
        return self.data.grades

    @property
    def preferences(self) -> pd.DataFrame:
        """One row a verdict of a pairwise judge: left, right, shown_order, status, winner, reasoning."""
        return self.data.preferences

    def summary(self) -> pd.DataFrame:
        """candidate, judge, measure, n, mean, low, high (95 % interval), method, missing, judge_only, correction."""
        from ..reports.cells import summary
        from .reporting import labelled_before

        store = Store(self.workspace)
        try:
            earlier = labelled_before(store, runs.find(store, self.id))
        finally:
            store.close()
        return summary(self.data, earlier)

    def report(self, folder: str | Path | None = None) -> Path:
        """Write report.html and report.md; returns the path of the page."""
        from .judging.labels import refresh_labels
        from .reporting import report_folder, write_report

        store = Store(self.workspace)
        try:
            found = runs.find(store, self.id)
            refresh_labels(store, found)
            return write_report(store, found, Path(folder) if folder else report_folder(store, found.id))[0]
        finally:
            store.close()

    def align(self, labels: str | Path | Sequence[str | Path] = (), judge: str = "", epsilon: float = 0.2) -> Alignment:
        """How far the judges agree with people: the exam's labels, or those of the files ``labels`` alone.

        ``epsilon`` is that of the alternative annotator test. Raises InputError where no label holds.
        """
        from .judging.aligning import alignment

        paths = [labels] if isinstance(labels, str | Path) else labels
        store = Store(self.workspace)
        try:
            return alignment(store, runs.find(store, self.id), [Path(path) for path in paths], judge, epsilon)
        finally:
            store.close()

    def __repr__(self) -> str:
        return f"Run({self.id!r}, workspace={str(self.workspace)!r})"

    def _repr_html_(self) -> str:
        table: str = self.summary().to_html(index=False, escape=True, float_format=lambda value: f"{value:.3g}")
        return table


def run(
    exam: str | Path | Mapping[str, Any] | Exam,
    *,
    workspace: str | Path = WORKSPACE,
    fresh: bool = False,
    retry: tuple[str, ...] = (),
    reuse_answers: bool = False,
    limit: int | None = None,
    seed: int | None = None,
    offline: bool = False,
    name: str = "",
    progress: bool = False,
) -> Run:
    """Generate and grade an exam (a path, or its content as a mapping); continues the exam's latest run.

    Works where an event loop already runs (notebooks). Raises `InputError` for mistakes, `Unfinished` where the
    run stopped before its end (budget, endpoint gone); what was paid for is kept and the same call continues. What
    the command line would note (a level without an example, say) is a warning.
    """
    loaded = _exam(exam)
    options = Options(workspace, fresh, frozenset(retry), reuse_answers, limit, seed, name, offline)
    tally = Tally()
    workflow.rehearse(loaded, require_key=not offline)
    with open_session(loaded, options) as session:

        async def main() -> None:
            async with showing(tally, quiet=not progress):
                await workflow.perform(session, ("generate", "grade"), tally, session.notes.append)

        run_anywhere(main)
        workflow.mark_finished(session)
        for note in session.notes:
            warnings.warn(note, stacklevel=2)
        return Run(session.run.id, workspace)


def grade(
    answers: pd.DataFrame | str | Path,
    *,
    rubric: str = "docs_qa",
    judge: str = "embedded",
    base_url: str | None = None,
    shots: int = 1,
    workspace: str | Path = WORKSPACE,
    name: str = "answers",
) -> Run:
    """Grade answers that exist already: a DataFrame or a file with ``question`` and ``answer`` columns.

    Optional columns: ``id``, ``candidate``, ``trial``, ``reference``, ``context``, ``cluster``, ``tags``.
    """
    from .answers_file import JudgeChoice, exam_of_file, exam_of_rows

    choice = JudgeChoice(rubric, judge, base_url, shots)
    if isinstance(answers, str | Path):
        return run(exam_of_file(Path(answers), choice, workspace), workspace=workspace)
    records = answers.astype(object).where(answers.notna(), None).to_dict("records")
    rows = [{str(k): v for k, v in record.items()} for record in records]
    exam = exam_of_rows(rows, name, choice, workspace)
    return run(exam, workspace=workspace)


def open_run(reference: str = "latest", workspace: str | Path = WORKSPACE) -> Run:
    """A run that exists: by id, name, or `latest`."""
    store = Store(workspace)
    try:
        return Run(runs.find(store, reference).id, workspace)
    finally:
        store.close()


def _exam(exam: str | Path | Mapping[str, Any] | Exam) -> Exam:
    if isinstance(exam, str | Path):
        return load_exam(Path(exam))
    if isinstance(exam, Mapping):
        return exam_from_dict(dict(exam), base=Path.cwd(), name="exam")
    return exam

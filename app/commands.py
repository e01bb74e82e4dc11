"""What the commands do, once their words are parsed: run the workflow, write files, print tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import BaseModel

from ..harness.dispatch.tally import Tally
from ..harness.errors import InputError, Unfinished
from ..harness.exam import Exam, load_exam
from ..harness.store import queries, runs
from . import means, workflow
from .answers_file import JudgeChoice, exam_of_file
from .output import PathOutput, RunLine, RunList, RunOutput, SummaryRow
from .progress import line, showing
from .references import opened, opened_run
from .session import Options, Session, open_session
from .telling import resume_command, tell

if TYPE_CHECKING:
    from .plan import Plan


def options(
    *,
    workspace: str,
    fresh: bool = False,
    retry: str = "",
    reuse: str = "",
    limit: int | None = None,
    seed: int | None = None,
    name: str = "",
    offline: bool = False,
    report: bool = True,
) -> Options:
    """The words of the command line as `Options`."""
    if reuse not in ("", "answers"):
        raise InputError(f"--reuse {reuse!r}: only `answers` can be re-used")
    statuses = frozenset(word.strip() for word in retry.split(",") if word.strip())
    return Options(workspace, fresh, statuses, bool(reuse), limit, seed, name, offline, report)


def run(
    exam: Path | Exam,
    chosen: Options,
    phases: Sequence[workflow.Phase],
    json: bool,
    quiet: bool,
    mlflow: str = "",
) -> None:
    """Run phases of an exam and print what came of it; log it to MLflow where that is asked for."""
    tally = Tally()
    if mlflow:
        _refuse_idle_mlflow(mlflow, chosen)
    loaded = load_exam(exam) if isinstance(exam, Path) else exam
    workflow.rehearse(loaded, require_key=not chosen.offline)
    with open_session(loaded, chosen) as session:
        for note in session.notes:
            _note(note)
        try:
            asyncio.run(_watched(session, phases, tally, quiet))
        except Unfinished as stop:
            typer.echo(line(tally), err=True)
            raise type(stop)(f"{stop}\n  continue with: {resume_command()}") from stop
        if "grade" in phases:
            workflow.mark_finished(session)
        result = conclude(session, tally, chosen.report and "grade" in phases)
        failures = queries.failure_details(session.store, session.run) if result.answers["failed"] else []
        unrecorded = queries.unrecorded(session.store, _current(session)) if result.answers["failed"] else {}
        if mlflow and result.report is not None:
            from .tracking import log_to_mlflow

            log_to_mlflow(session.store, _current(session), Path(result.report), mlflow, say=_note)
    if loaded.labels and result.summary and result.report is None:
        _note("without a report, means are the judges' own, uncorrected; markscheme report corrects them")
    if json:
        emit(result)
    else:
        tell(result, tally, failures, unrecorded)


def _refuse_idle_mlflow(uri: str, chosen: Options) -> None:
    """Raise before anything is paid where it could not be logged."""
    from ..harness.tracking import open_client

    if not chosen.report:
        raise InputError("--mlflow logs the report: leave out --no-report, or log it later with markscheme report")
    open_client(uri)


def _current(session: Session) -> runs.Run:
    """The run as it is kept now."""
    return runs.find(session.store, session.run.id)


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


async def _watched(session: Session, phases: Sequence[workflow.Phase], tally: Tally, quiet: bool) -> None:
    async with showing(tally, quiet):
        await workflow.perform(session, phases, tally, _note)


def conclude(session: Session, tally: Tally, with_report: bool) -> RunOutput:
    """The result as one object; writes the report where one is wanted."""
    store = session.store
    current = _current(session)
    statuses = queries.answer_statuses(store, current)
    path: Path | None = None
    summary: list[SummaryRow]
    if with_report:
        from .reporting import write_report

        path, summary = write_report(store, current, workflow.report_folder(session))
    else:
        summary = means.summary(store, current)
    return RunOutput(
        run=current.id,
        answers={"ok": statuses["ok"], "failed": statuses.total() - statuses["ok"]},
        grades=means.grade_counts(store, current),
        preferences=means.preference_counts(store, current),
        calls={"live": tally.live, "reused": tally.reused},
        spent_usd=tally.spent_usd if not tally.unpriced else None,
        summary=summary,
        report=str(path) if path else None,
    )


def plan(exam: Path, chosen: Options, json: bool) -> None:
    """Print what the exam is going to cost. Calls nothing, writes nothing."""
    from .plan import make_plan, to_text

    made: Plan = make_plan(load_exam(exam), chosen)
    if json:
        emit(made.output)
    else:
        typer.echo(to_text(made))


def grade_file(source: Path, chosen: Options, judge: JudgeChoice, json: bool, quiet: bool) -> None:
    """Grade answers that exist already."""
    exam = exam_of_file(source, judge, chosen.workspace)
    run(exam, chosen, ("generate", "grade"), json, quiet)


def report(
    reference: str,
    workspace: str,
    output: Path | None,
    json: bool,
    texts: bool = True,
    baseline: str = "",
    mlflow: str = "",
) -> None:
    """Write a run's report again, and log it to MLflow where that is asked for."""
    from .judging.labels import refresh_labels
    from .reporting import report_folder, write_report

    with opened_run(reference, workspace) as (store, found):
        for note in refresh_labels(store, found):
            _note(note)
        path, _ = write_report(store, found, output or report_folder(store, found.id, texts), texts, baseline)
        if mlflow:
            from .tracking import log_to_mlflow

            log_to_mlflow(store, found, path, mlflow, texts, _note)
    emit(PathOutput(paths=[str(path), str(path.with_suffix(".md"))])) if json else typer.echo(str(path))


def export(table: str, reference: str, format: str, output: Path | None, workspace: str, json: bool) -> None:
    """Write a run's answers or grades."""
    from .exporting import export_table

    with opened_run(reference, workspace) as (store, found):
        rows = export_table(store, found, table, format, output)
    if json and output is not None:
        emit(PathOutput(paths=[str(output)], rows=rows))
    elif output is not None:
        typer.echo(f"{rows} rows written to {output}")


def list_runs(workspace: str, json: bool) -> None:
    """List the runs of a workspace."""
    store = opened(workspace)
    try:
        found = [
            RunLine(id=r.id, exam=r.exam, name=r.name, created_at=r.created_at, finished=r.finished_at is not None)
            for r in runs.all_runs(store)
        ]
    finally:
        store.close()
    if json:
        emit(RunList(runs=found))
        return
    for row in found:
        state = "finished" if row.finished else "unfinished"
        typer.echo("  ".join(part for part in (row.id, row.exam, row.name, state) if part))


def purge(reference: str, workspace: str, json: bool) -> None:
    """Forget a run's texts."""
    store = opened(workspace)
    try:
        found = runs.find(store, reference)
        with store.lease(found.id):
            calls = store.purge_texts(found.id)
    finally:
        store.close()
    if json:
        emit(PathOutput(paths=[], rows=calls))
    else:
        typer.echo(f"run {found.id}: the texts of {calls} calls and of its answers and grades are gone; numbers stay")


def emit(model: BaseModel) -> None:
    """The JSON line."""
    typer.echo(model.model_dump_json())

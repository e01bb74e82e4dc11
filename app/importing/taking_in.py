"""`markscheme import TOOL`: a run of its own with the answers, grades and labels of another tool's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import typer

from ...harness.dispatch.tally import Tally
from ...harness.errors import DataError, InputError
from ...harness.exam import load_exam
from ...harness.keys import digest
from ...harness.records import Grade, Scored, Unscored
from ...harness.store import queries, runs
from ...harness.store.codec import grade_to_row
from ...harness.store.imported import put_imported_grades
from .. import workflow
from ..commands import emit
from ..judging.labels import attach_labels, read_labels_of
from ..loops import run_anywhere
from ..session import Options, Session, describe_imported, open_session
from .columns import SAMPLE, columns_of, place_variables
from .folder import folder_of, write_folder
from .found import Found
from .output import ImportedJudgeLine, ImportOutput
from .settled import ImportedGrade, Settled, scales_of, settle


@dataclass(frozen=True, slots=True)
class Into:
    """Where to, and what the file does not say: ``scale`` are words like ``0,3``, ``columns`` our names -> theirs,
    ``design`` is how the labelled answers were picked."""

    workspace: str
    name: str = ""
    scale: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    design: str = ""
    json: bool = False


def into_of(workspace: str, name: str, scale: Sequence[str] | None, columns: str, json: bool) -> Into:
    """From the words of a command line, where only what a question holds can be mapped. Raises InputError."""
    return Into(workspace, name, tuple(scale or ()), tuple(columns_of(columns, SAMPLE).items()), json=json)


def checked_design(written: str) -> str:
    """How the labelled answers were picked, as far as a table can say it. Raises InputError."""
    if written not in ("", "random", "chosen", "unknown"):
        more = " (of strata, say it under labels: in the exam that is written)" if written == "stratified" else ""
        raise InputError(f"--design {written!r}: wanted random, chosen or unknown{more}")
    return written


def take_in(found: Found, sources: Sequence[str], into: Into) -> ImportOutput:
    """Keep what was found as a run, and print what came of it."""
    made = taken_in(found, sources, into)
    emit(made) if into.json else _tell(made, found)
    return made


def taken_in(found: Found, sources: Sequence[str], into: Into) -> ImportOutput:
    """Keep what was found as a run; of the same ``sources`` always the same run.

    Raises DataError where there is no answer.
    """
    place_variables(found, dict(into.columns))
    settled = settle(found, scales_of(into.scale))
    if not found.answers:
        raise DataError(f"{sources[0]}: holds no answers; {_left(found)[0] if found.left else 'nothing else either'}")
    path = write_folder(folder_of(into.workspace, found, sources), found, settled.labels, into.design)
    exam = load_exam(path)
    notes: list[str] = []
    with open_session(exam, Options(into.workspace, name=into.name, report=False)) as session:
        tally = Tally()
        answering = replace(session, exam=exam.model_copy(update={"judges": ()}))
        run_anywhere(lambda: workflow.perform(answering, ("generate",), tally, notes.append))
        _put_grades(session, settled, found.tool)
        attached = attach_labels(session, read_labels_of(exam), notes.append)
        workflow.mark_finished(session)
        statuses = queries.answer_statuses(session.store, runs.find(session.store, session.run.id))
    return ImportOutput(
        run=session.run.id,
        exam=str(path),
        samples=len(found.samples),
        candidates=[candidate.name for candidate in exam.candidates],
        answers=_answered(statuses),
        grades=_counts(settled.grades),
        labels=sum(one.matching.attached for one in attached),
        judges=[ImportedJudgeLine(judge=j.name, criteria=list(j.criteria), scale=j.scale) for j in settled.judges],
        left=dict(found.left),
        notes=[*found.notes, *session.notes, *notes],
    )


def _answered(statuses: Counter[str]) -> dict[str, int]:
    ok, missing = statuses["ok"], statuses["not_recorded"]
    return {"ok": ok, "failed": statuses.total() - ok - missing} | ({"not_recorded": missing} if missing else {})


def _put_grades(session: Session, settled: Settled, tool: str) -> None:
    described = [judge.describe(tool) for judge in settled.judges]
    fingerprint = digest([[g.place, g.judge, g.criterion, _said(g)] for g in settled.grades])
    rows = [grade_to_row(_grade(session.run.id, one, fingerprint), 0) for one in settled.grades]
    put_imported_grades(session.store, session.run.id, rows, fingerprint, [judge.name for judge in settled.judges])
    describe_imported(session, described)


def _grade(run: str, one: ImportedGrade, fingerprint: str) -> Grade:
    sample_id, candidate, trial = one.place
    return Grade(run, sample_id, candidate, trial, one.judge, one.criterion, one.outcome, fingerprint=fingerprint)


def _said(one: ImportedGrade) -> list[object]:
    outcome = one.outcome
    return [outcome.score, outcome.reasoning] if isinstance(outcome, Scored) else [outcome.status, outcome.why]


def _counts(grades: Sequence[ImportedGrade]) -> dict[str, int]:
    statuses = (g.outcome.status if isinstance(g.outcome, Unscored) else "ok" for g in grades)
    return dict(Counter({"ok": 0}) + Counter(statuses)) or {"ok": 0}


def _left(found: Found) -> list[str]:
    """What stayed behind, by kind, the most frequent first."""
    return [
        f"{count} × {what}" + (f" (one is {found.examples[what]})" if found.examples[what] else "")
        for what, count in found.left.most_common()
    ]


def _tell(made: ImportOutput, found: Found) -> None:
    candidates = ", ".join(made.candidates)
    typer.echo(f"run {made.run}: {made.samples} samples, {made.answers['ok']} answers of {candidates}")
    if failed := made.answers["failed"]:
        typer.echo(f"{failed:,} {'answer' if failed == 1 else 'answers'} failed")
    if missing := made.answers.get("not_recorded"):
        pairs = "pair of candidate and sample has" if missing == 1 else "pairs of candidate and sample have"
        typer.echo(f"{missing:,} {pairs} no answer")
    for judge in made.judges:
        scale = "scale unknown" if judge.scale is None else f"scale {judge.scale[0]:g} to {judge.scale[1]:g}"
        criteria = "" if judge.criteria == [judge.judge] else f": {', '.join(judge.criteria)}"
        typer.echo(f"judge {judge.judge}{criteria} ({scale})")
    counts = ", ".join(f"{count} {status}" for status, count in made.grades.items())
    typer.echo(f"grades: {counts}; labels: {made.labels}")
    for line in _left(found):
        typer.echo(f"not carried over: {line}")
    for note in made.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"exam: {made.exam}")

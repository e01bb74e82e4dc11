"""`markscheme judge lab`, once its words are parsed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError, Unfinished
from ...harness.exam import Exam, load_exam
from ...harness.labwork import Lab
from ..loops import run_anywhere
from ..progress import line, money, showing
from ..telling import resume_command
from .lab import LabOptions, Outcome, perform
from .lab_output import advice, print_lab, to_output, to_text
from .pinning import check_place, write_pinned


def words(text: str) -> tuple[str, ...]:
    """``a,b`` as two words."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def numbers(text: str) -> tuple[int, ...]:
    """``1,2`` as numbers. Raises InputError."""
    try:
        return tuple(sorted({int(word) for word in words(text)}))
    except ValueError:
        raise InputError(f"--experiments {text!r}: write numbers, like 1,2,3,4") from None


def rubrics(text: str) -> tuple[str | Path, ...]:
    """Packaged names, and paths from here."""
    return tuple(Path(word).absolute() if Path(word).suffix else word for word in words(text))


def plan(exam: Path, workspace: str, options: LabOptions, json: bool) -> None:
    """Print what it is going to cost."""
    from .lab_plan import plan_lab

    made = run_anywhere(lambda: plan_lab(load_exam(exam), workspace, options))
    typer.echo(made.model_dump_json() if json else to_text(made))


@dataclass(frozen=True, slots=True)
class Tested:
    """What the lab found, the files of the pinned judge (none where none is recommended), and the page."""

    lab: Lab
    written: list[Path]
    page: Path


def run(exam: Path, workspace: str, options: LabOptions, output: Path | None, json: bool, quiet: bool) -> int:
    """Try the judges and say what came of it. 1 where none is recommended."""

    def say(note: str) -> None:
        typer.echo(f"note: {note}", err=True)

    tally = Tally()
    try:
        found = tested(load_exam(exam), (workspace, output), options, tally, say, quiet)
    except Unfinished as stop:
        typer.echo(line(tally), err=True)
        raise type(stop)(f"{stop}\n  continue with: {resume_command()}") from stop
    lab, written, page = found.lab, found.written, found.page
    if json:
        typer.echo(to_output(lab, written[0] if written else None, page, tally).model_dump_json())
        return int(not written)
    typer.echo(f"run {lab.run}: {tally.live} calls made, {tally.reused} replies re-used, paid {money(tally)}")
    typer.echo(
        f"{lab.labelled} labelled answers: {lab.selection_n} select, {lab.held_out_n} in {lab.held_out_clusters} "
        f"clusters are held out; {len(lab.tried)} configurations tried, {lab.tested} tested"
    )
    typer.echo(f"{lab.measure} of {lab.criterion} with the labels, to clear {lab.threshold:g}:")
    print_lab(lab, sys.stdout)
    typer.echo(advice(lab))
    for path in written:
        typer.echo(f"written: {path}")
    typer.echo(f"report: {page}")
    return int(not written)


def tested(
    exam: Exam,
    places: tuple[str, Path | None],
    options: LabOptions,
    tally: Tally,
    say: Callable[[str], None],
    quiet: bool,
) -> Tested:
    """Try the judges, write the report and, where one is recommended, the pinned judge.

    ``places`` are the workspace, and where to pin it. Raises Unfinished where it is stopped.
    """
    pinned = places[1] or Path("judge.yaml")
    check_place(pinned)

    async def watched() -> Outcome:
        async with showing(tally, quiet):
            return await perform(exam, places[0], options, tally, say)

    found = run_anywhere(watched)
    written = write_pinned(pinned, found.chosen, found.lab, found.folder) if found.chosen else []
    return Tested(found.lab, written, write_report(found))


def write_report(found: Outcome) -> Path:
    """Write both pages; the path of the HTML one."""
    from ...reports.judging.lab_html import render_lab
    from ...reports.judging.lab_markdown import render_lab_markdown

    found.folder.mkdir(parents=True, exist_ok=True)
    page = found.folder / "lab.html"
    page.write_text(render_lab(found.lab), encoding="utf-8")
    (found.folder / "lab.md").write_text(render_lab_markdown(found.lab), encoding="utf-8")
    return page

"""`markscheme review export`: a blind sheet for each rater."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import typer

from ...harness.errors import InputError
from ...harness.review.records import Review
from ...harness.store.reviews import Reviews
from ...harness.store.store import Store
from ..commands import emit
from ..references import opened
from ..session import WORKSPACE
from .beginning import Asked, begin_or_resume
from .csv_sheets import write_csv
from .guidance import guidance_of
from .names import file_name, names_of
from .output import ExportedSheets, SheetLine
from .rubrics import rubric_of
from .sheets import BlindSheet, make_sheets
from .workbook import write_workbook

Format = Literal["xlsx", "csv"]


def export(reference: str, workspace: str, asked: Asked, format: Format, folder: Path, json: bool) -> None:
    """Begin the review or go on with it, write the sheets of the raters asked for (default: all), say where."""
    store = opened(workspace)
    try:
        review = begin_or_resume(store, reference, asked)
        done = write_sheets(store, review, names_of(asked.raters) or review.raters, format, folder)
    finally:
        store.close()
    if json:
        emit(done)
        return
    for line in done.sheets:
        rated = f", {line.rated} of them rated" * bool(line.rated)
        typer.echo(f"{line.path}: {line.items} items for {line.rater}{rated}")
        if line.left_out:
            typer.echo(f"note: {line.left_out} items of {line.rater} left out: their answers changed since", err=True)
    if done.rubric:
        typer.echo(f"{done.rubric}: the rubric, to be read beside them")
    where = [] if workspace == WORKSPACE else ["-w", workspace]
    command = shlex.join(["markscheme", "review", "import", *(line.path for line in done.sheets), *where])
    typer.echo(f"when they are filled in: {command}")


def write_sheets(store: Store, review: Review, raters: Sequence[str], format: Format, folder: Path) -> ExportedSheets:
    """Write a file for each of the ``raters``. Raises InputError, before any is written, where one is there already."""
    rubric = rubric_of(store, review)
    paths = {rater: folder / f"{review.name}-{file_name(rater)}.{format}" for rater in raters}
    beside = folder / f"{review.name}-rubric.csv" if format == "csv" else None
    for path in paths.values():
        if path.exists():
            raise InputError(f"{path}: is there already, maybe with scores in it; move it, or name another --output")
    guidance = guidance_of(rubric)
    sheets = make_sheets(Reviews(store), review, raters, rubric.sees)
    folder.mkdir(parents=True, exist_ok=True)
    for rater, sheet in sheets.items():
        if format == "xlsx":
            write_workbook(sheet, guidance, paths[rater])
        else:
            write_csv([sheet.columns, *sheet.rows], paths[rater])
    if beside is not None:
        write_csv(guidance.rows, beside)
    lines = [_line(sheet, paths[rater]) for rater, sheet in sheets.items()]
    return ExportedSheets(
        review=review.name, run=review.run, sheets=lines, rubric=None if beside is None else str(beside)
    )


def _line(sheet: BlindSheet, path: Path) -> SheetLine:
    filled = [sheet.columns.index(name) for name in sheet.choices]
    rated = sum(any(row[i] for i in filled) for row in sheet.rows)
    return SheetLine(rater=sheet.rater, path=str(path), items=len(sheet.rows), rated=rated, left_out=sheet.left_out)

"""`markscheme import feedback` and `markscheme feedback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import importing
from .exams import Folder, Json, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    importing.group.command("feedback")(import_feedback)
    app.command()(feedback)


def import_feedback(
    files: Annotated[
        list[Path],
        typer.Argument(help="CSV, JSONL, Parquet: an id, accepted or thumb or edit, at, user.", show_default=False),
    ],
    run: Annotated[str, typer.Option(help="Whose answers it is about: id, name, or `latest`.")] = "latest",
    columns: Annotated[
        str, typer.Option(help="Which of theirs is which of ours: response_id=id,accepted=score.", show_default=False)
    ] = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in what users said of answers: accepted or not, thumbs, edits."""
    from ...harness.feedback import COLUMNS
    from ..feedback.taking_in import import_feedback as take_in
    from ..importing.columns import columns_of

    take_in(files, run, columns_of(columns, COLUMNS), workspace, json)


def feedback(
    run: Annotated[str, typer.Argument(help="Id, name, `latest`, or a bundle.", show_default=False)],
    window: Annotated[
        str, typer.Option(help="hour, day, week, month, or a number of windows of equal counts.")
    ] = "week",
    judge: Annotated[str, typer.Option(help="Only this one's scores.", show_default=False)] = "",
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    json: Json = False,
) -> None:
    """How many answers users accept, over time, and how well the judges' scores predict it."""
    from ..feedback.telling import tell

    tell(run, window, judge, workspace, output, json)

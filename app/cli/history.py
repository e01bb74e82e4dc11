"""`markscheme history`."""

from __future__ import annotations

from typing import Annotated

import typer

from .exams import ExamFile, Folder, Json, Workspace


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(history)


def history(
    exam: ExamFile,
    last: Annotated[int, typer.Option(min=1, help="The latest runs, so many.")] = 100,
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    json: Json = False,
) -> None:
    """The runs of an exam over nights: scores, seconds, dollars, failures, and where something was changed."""
    import sys

    from ..commands import emit
    from ..comparing.history import history as made
    from ..comparing.history import history_folder, write_history
    from ..comparing.history_output import print_history, to_output

    found = made(exam, workspace=workspace, last=last)
    page = write_history(found, output or history_folder(found, workspace))
    if json:
        emit(to_output(found, page))
        return
    print_history(found, sys.stdout)
    typer.echo(f"report: {page}")

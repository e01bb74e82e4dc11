"""export and store."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace


class Table(StrEnum):
    """What can be exported."""

    answers = "answers"
    grades = "grades"
    preferences = "preferences"


class Format(StrEnum):
    """File formats."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(export)
    store = typer.Typer(help="What the workspace keeps.", no_args_is_help=True)
    store.command("runs")(store_runs)
    store.command("purge")(store_purge)
    app.add_typer(store, name="store")


def export(
    table: Annotated[Table, typer.Argument(help="What to export.")],
    run: Annotated[str, typer.Option(help="Id, name, `latest`, or a bundle (FILE.mks).")] = "latest",
    format: Annotated[Format, typer.Option(help="File format.")] = Format.jsonl,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output if none.")] = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write a table of a run as a file; in a CSV, what a spreadsheet would run as a formula is quoted."""
    from .. import commands

    commands.export(table.value, run, format.value, output, workspace, json)


def store_runs(workspace: Workspace = ".markscheme", json: Json = False) -> None:
    """List the runs, the latest first."""
    from .. import commands

    commands.list_runs(workspace, json)


def store_purge(
    texts: Annotated[str, typer.Option("--texts", help="The run (id or name) whose texts are to be forgotten.")],
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Forget the words of a run: questions, answers, requests, reasoning. Numbers and hashes stay."""
    from .. import commands

    commands.purge(texts, workspace, json)

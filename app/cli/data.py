"""store: what the workspace keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from .exams import Json, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    store = typer.Typer(help="What the workspace keeps.", no_args_is_help=True)
    store.command("runs")(store_runs)
    store.command("purge")(store_purge)
    app.add_typer(store, name="store")


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

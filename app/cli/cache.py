"""cache stats, prune, export, import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace

Model = Annotated[str, typer.Option(help="Only of this model, as stats names it.", show_default=False)]
Mongodb = Annotated[
    str,
    typer.Option(help="Address of a MongoDB; with a password in MARKSCHEME_MONGODB instead.", show_default=False),
]
Collection = Annotated[str, typer.Option(help="Collection of the MongoDB.", show_default=False)]
Database = Annotated[str, typer.Option(help="Its database, unless the address names one.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    cache = typer.Typer(help="The recorded replies: what they save, in and out, upkeep.", no_args_is_help=True)
    cache.command()(stats)
    cache.command()(prune)
    cache.command()(export)
    cache.command("import")(import_)
    app.add_typer(cache, name="cache")


def stats(workspace: Workspace = ".markscheme", json: Json = False) -> None:
    """How often replies were re-used, and what that saved, by model."""
    from ..caching import commands

    commands.stats(workspace, json)


def prune(
    older_than: Annotated[str, typer.Option(help="Age: hours, days or weeks, like 30d.", show_default=False)] = "",
    model: Model = "",
    also_used: Annotated[bool, typer.Option("--also-used", help="Also what runs point at or paid for.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Forget recorded calls. Those of runs stay, unless asked for."""
    from ..caching import commands

    commands.prune(workspace, older_than, model, also_used, dry_run, json)


def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A JSONL file.", show_default=False)] = None,
    mongodb: Mongodb = "",
    collection: Collection = "",
    database: Database = "",
    model: Model = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write prompts and responses to a file, a MongoDB or standard output."""
    from ..caching import moving

    moving.export(workspace, moving.Place(output, mongodb, collection, database), model, json)


def import_(
    file: Annotated[Path | None, typer.Argument(help="A JSONL file.", show_default=False)] = None,
    mongodb: Mongodb = "",
    collection: Collection = "",
    database: Database = "",
    model: Annotated[str, typer.Option(help="The model that gave the responses.", show_default=False)] = "",
    params: Annotated[str, typer.Option(help="Its parameters, as JSON.", show_default=False)] = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Record prompts and responses of a file or a MongoDB, to be found by runs and by markscheme.cached."""
    from ..caching import moving

    moving.bring_in(workspace, moving.Place(file, mongodb, collection, database), model, params, json)

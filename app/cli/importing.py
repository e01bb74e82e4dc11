"""`markscheme import …`: what was made elsewhere, taken in. A command a kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace

group = typer.Typer(name="import", help="Take in answers, grades and labels made elsewhere.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group.command("labels")(labels)
    app.add_typer(group)


def labels(
    file: Annotated[
        Path, typer.Argument(help="CSV or JSONL: sample_id, candidate, trial, criterion, score, annotator.")
    ],
    run: Annotated[str, typer.Option(help="Whose answers they score: id, name, or `latest`.")] = "latest",
    design: Annotated[
        str, typer.Option(help="How answers were picked: random, stratified, chosen, unknown.")
    ] = "unknown",
    share: Annotated[
        list[str] | None,
        typer.Option(help="Of a stratum among all answers, as easy=0.7; for each of them.", show_default=False),
    ] = None,
    name: Annotated[str, typer.Option(help="Of the set; else the file's path.", show_default=False)] = "",
    labelled_at: Annotated[str, typer.Option(help="When, as 2026-11-21.", show_default=False)] = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Bind people's scores to the answers of a run, and say which do not hold and why."""
    from ..judging.aligning import import_labels
    from ..judging.labels import spec_of_words

    import_labels(run, workspace, spec_of_words(file, design, share or [], name, labelled_at), json)

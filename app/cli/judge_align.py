"""`markscheme judge align`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Folder, Json, Workspace


def align(
    run: Annotated[str, typer.Argument(help="Id, name, `latest`, or a bundle (FILE.mks).")] = "latest",
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            "--labels", help="Only these files, kept with the run; else those of its exam.", show_default=False
        ),
    ] = None,
    judge: Annotated[str, typer.Option(help="Only this judge.", show_default=False)] = "",
    epsilon: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Alternative annotator test: 0.2 experts, 0.15 skilled, 0.1 a crowd."),
    ] = 0.2,
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    json: Json = False,
) -> None:
    """How far a run's judges agree with people: labels against grades, or preferences against pairwise judges."""
    from ..judging import aligning

    aligning.align(run, workspace, labels or [], judge, output, epsilon, json)

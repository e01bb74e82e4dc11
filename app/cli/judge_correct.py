"""`markscheme judge correct`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace


def correct(
    run: Annotated[str, typer.Argument(help="Id, name, `latest`, or a bundle (FILE.mks).")] = "latest",
    labels: Annotated[
        list[Path] | None,
        typer.Option("--labels", help="Only these files (kept); else those of the exam.", show_default=False),
    ] = None,
    design: Annotated[
        str,
        typer.Option(help="How those answers were picked: random, stratified, chosen.", show_default=False),
    ] = "",
    share: Annotated[
        list[str] | None,
        typer.Option(help="Of a stratum among all answers, as easy=0.7; for each of them.", show_default=False),
    ] = None,
    judge: Annotated[str, typer.Option(help="Only this judge.", show_default=False)] = "",
    assume: Annotated[
        str, typer.Option(help="`stable-judge`: it errs equally often on all answers.", show_default=False)
    ] = "",
    pool: Annotated[bool, typer.Option("--pool", help="Pool labels over candidates, if it favours none.")] = False,
    reuse_labels: Annotated[bool, typer.Option("--reuse-labels", help="Also use labels that chose the judge.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="How many labels an interval of --width takes.")] = False,
    width: Annotated[float, typer.Option(help="Full width of the 95 % interval that is wanted.")] = 0.2,
    draw: Annotated[
        int | None, typer.Option(help="Write a sheet with the answers to so many random questions.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of that draw.")] = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The sheet, a CSV.", show_default=False)] = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Correct a run's scores by human labels: the judge alone, the labels alone, and both together."""
    from ..judging.correcting import Wish, correct

    wish = Wish(
        tuple(labels or ()),
        design,
        tuple(share or ()),
        judge,
        assume,
        pool,
        reuse_labels,
        width if plan else None,
        draw,
        seed,
        output,
    )
    raise typer.Exit(correct(run, workspace, wish, json))

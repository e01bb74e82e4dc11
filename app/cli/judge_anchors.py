"""judge anchors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace


def anchors(
    run: Annotated[str, typer.Argument(help="A finished run: id, name or `latest`.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, JSONL.", show_default=False)],
    n: Annotated[int, typer.Option("--n", "-n", help="How many answers.")] = 50,
    judge: Annotated[str, typer.Option("--judge", help="Whose; the first by default.", show_default=False)] = "",
    seed: Annotated[int, typer.Option(help="Seed of what is drawn.")] = 0,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Freeze graded answers of a run, by which a gate watches the judge for drift. Nobody is asked."""
    from ..commands import emit
    from ..judging.anchoring import freeze
    from ..output import PathOutput

    made = freeze(run, output, n, judge=judge, seed=seed, workspace=workspace)
    if json:
        emit(PathOutput(paths=[str(output)], rows=len(made.samples)))
        return
    typer.echo(f"{output}: {len(made.samples)} answers of run {made.run}, as judge {made.judge} graded them")
    typer.echo(f"name it in the gate: anchors: [{output.name}]")

"""judge lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import ExamFile, Json, Quiet, Workspace

Threshold = Annotated[float, typer.Option(help="Agreement that a judge must surely reach.")]
Measure = Annotated[str, typer.Option(help="The measure of agreement, like kappa_quadratic, ac2, spearman.")]
Criterion = Annotated[str, typer.Option(help="A criterion, or `composite`.")]
Judges = Annotated[str, typer.Option(help="Some judges of the exam: a,b. Default: all.", show_default=False)]
Experiments = Annotated[
    str, typer.Option(help="1 alignment, 2 shots, 3 scales and calls, 4 transfer between tags.", metavar="N,N")
]
Scales = Annotated[
    str, typer.Option(help="Rubrics on other scales: FILE,FILE. Default: the packaged ones.", show_default=False)
]
Preset = Annotated[
    str, typer.Option(help="`strong-to-cheap`: the first of --judges teaches the others.", show_default=False)
]
Seed = Annotated[int, typer.Option(help="Seed of the halves and of the answers that are graded again.")]
Run = Annotated[str, typer.Option(help="The run whose answers are labelled. Default: the latest.", show_default=False)]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to pin the judge. Default: judge.yaml.")]
Plan = Annotated[bool, typer.Option("--plan", help="Call nothing: print calls and dollars.")]


def lab(
    exam: ExamFile,
    workspace: Workspace = ".markscheme",
    threshold: Threshold = 0.6,
    measure: Measure = "kappa_quadratic",
    criterion: Criterion = "composite",
    judges: Judges = "",
    experiments: Experiments = "1,2,3,4",
    scales: Scales = "",
    preset: Preset = "",
    seed: Seed = 0,
    run: Run = "",
    output: Output = None,
    plan: Plan = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try judges on labelled answers; recommend the cheapest that is good enough, and pin it. 1: none is."""
    from ..judging import lab_command
    from ..judging.lab import LabOptions

    options = LabOptions(
        threshold=threshold,
        measure=measure,
        criterion=criterion,
        judges=lab_command.words(judges),
        experiments=lab_command.numbers(experiments),
        scales=lab_command.rubrics(scales),
        preset=preset,
        seed=seed,
        run=run,
    )
    if plan:
        lab_command.plan(exam, workspace, options, json)
    elif lab_command.run(exam, workspace, options, output, json, quiet):
        raise typer.Exit(1)

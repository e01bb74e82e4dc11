"""retrieve."""

from __future__ import annotations

import typer

from .exams import ExamFile, Folder, Json, Limit, Mlflow, Quiet, Seed, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(retrieve)


def retrieve(
    exam: ExamFile,
    workspace: Workspace = ".markscheme",
    limit: Limit = None,
    seed: Seed = None,
    output: Folder = None,
    mlflow: Mlflow = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Sweep retrievers: embedders × chunkers × sizes × overlaps × k, as the exam's `retrieval:` says. Continues."""
    from ..commands import options
    from ..retrieving import retrieve as run_sweep

    run_sweep(exam, options(workspace=workspace, limit=limit, seed=seed), output, mlflow, json, quiet)

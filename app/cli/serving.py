"""serve-bench."""

from __future__ import annotations

from typing import Annotated

import typer

from .exams import ExamFile, Folder, Json, Quiet, Workspace

Plan = Annotated[bool, typer.Option("--plan", help="Call nothing: print cells, requests, tokens, dollars, minutes.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="A new load test, also where one is not finished.")]
Candidate = Annotated[list[str] | None, typer.Option(help="Only this candidate; may be repeated.", show_default=False)]
Quick = Annotated[bool, typer.Option("--quick", help="Every cell once, with few requests: a first look.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(name="serve-bench")(serve_bench)


def serve_bench(
    exam: ExamFile,
    workspace: Workspace = ".markscheme",
    plan: Plan = False,
    fresh: Fresh = False,
    candidate: Candidate = None,
    quick: Quick = False,
    output: Folder = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Load tests as the exam's `serving:` says: latency, throughput and cost under load. Continues."""
    from ..serving.benching import serve_bench as run_bench
    from ..serving.benching import show_plan
    from ..serving.tasks import BenchOptions

    options = BenchOptions(workspace, fresh, quick, tuple(candidate or ()))
    if plan:
        show_plan(exam, options, json=json)
    else:
        run_bench(exam, options, output, json=json, quiet=quiet)

"""judge probe."""

from __future__ import annotations

from typing import Annotated

import typer

from .exams import ExamFile, Json, Quiet, Workspace

JudgeName = Annotated[str, typer.Option("--judge", help="Which judge; the first by default.", show_default=False)]
Probes = Annotated[str, typer.Option(help="Some of them: P2,P6. Default: all.", show_default=False)]
Size = Annotated[int | None, typer.Option("--n", help="Items a probe, instead of its own.", show_default=False)]
Anchors = Annotated[int | None, typer.Option(help="Anchors of a new drift watch.", show_default=False)]
Family = Annotated[
    list[str] | None, typer.Option(help="NAME=FAMILY of a candidate or the judge; repeat it.", show_default=False)
]
Plan = Annotated[bool, typer.Option("--plan", help="Ask nobody: print items, calls, dollars and power.")]
Run = Annotated[str, typer.Option(help="Id or name of a run; the exam's latest by default.", show_default=False)]


def probe(
    exam: ExamFile,
    judge: JudgeName = "",
    probes: Probes = "",
    n: Size = None,
    anchors: Anchors = None,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn and edited.")] = 0,
    family: Family = None,
    run: Run = "",
    plan: Plan = False,
    workspace: Workspace = ".markscheme",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try a judge: format, test–retest, position, verbosity, planted errors, attacks, own family, drift."""
    from ..judging.probe_plan import Choice, families, probe_codes
    from ..judging.probing import Where
    from ..judging.probing import probe as put

    choice = Choice(probe_codes(probes), n, anchors, seed, families(family or []))
    raise typer.Exit(put(exam, Where(workspace, run, judge, plan, quiet), choice, json))

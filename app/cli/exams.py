"""run, generate, grade, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ExamFile = Annotated[Path, typer.Argument(help="The exam, a YAML file.", show_default=False)]
Workspace = Annotated[
    str, typer.Option("--workspace", "-w", help="Folder (SQLite) or database URL.", envvar="MARKSCHEME_WORKSPACE")
]
Plan = Annotated[bool, typer.Option("--plan", help="Call nothing: print calls, tokens, dollars, a prompt each.")]
Folder = Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the pages.", show_default=False)]
Limit = Annotated[int | None, typer.Option(help="A seeded random subset of so many samples.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Seed of that subset.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="A new run that uses no reply recorded before it.")]
Retry = Annotated[
    str, typer.Option(help="Statuses to ask again, keeping the first replies: failed,unparsable,truncated,refused.")
]
Name = Annotated[str, typer.Option(help="A name for a new run.", show_default=False)]


def _address(context: typer.Context, value: str) -> str:
    """``value``, or a usage error where it is a variable that is not set: the run would be logged nowhere, silently."""
    source = context.get_parameter_source("mlflow")
    if not value and source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter("is empty: write http://…, sqlite:///FILE or default, or leave the option out")
    return value


Mlflow = Annotated[
    str,
    typer.Option(
        help="Log to this MLflow: http://…, sqlite:///FILE, or `default` for its own setting.",
        show_default=False,
        callback=_address,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (run, generate, grade, report):
        app.command()(command)


def run(
    exam: ExamFile,
    workspace: Workspace = ".markscheme",
    fresh: Fresh = False,
    retry: Retry = "",
    reuse: Annotated[str, typer.Option(help="`answers`: grade afresh, generate nothing.", show_default=False)] = "",
    plan: Plan = False,
    limit: Limit = None,
    seed: Seed = None,
    name: Name = "",
    offline: Annotated[bool, typer.Option("--offline", help="Recorded replies only.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="No report and no intervals.")] = False,
    mlflow: Mlflow = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Generate, grade, report. Continues the exam's latest run: what is done is not done again."""
    from .. import commands

    options = commands.options(
        workspace=workspace,
        fresh=fresh,
        retry=retry,
        reuse=reuse,
        limit=limit,
        seed=seed,
        name=name,
        offline=offline,
        report=not no_report,
    )
    if plan:
        commands.plan(exam, options, json)
    else:
        commands.run(exam, options, ("generate", "grade"), json, quiet, mlflow)


def generate(
    exam: ExamFile,
    workspace: Workspace = ".markscheme",
    fresh: Fresh = False,
    retry: Retry = "",
    limit: Limit = None,
    seed: Seed = None,
    name: Name = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Only the answers."""
    from .. import commands

    options = commands.options(
        workspace=workspace, fresh=fresh, retry=retry, limit=limit, seed=seed, name=name, report=False
    )
    commands.run(exam, options, ("generate",), json, quiet)


def grade(
    source: Annotated[Path, typer.Argument(help="An exam (YAML), or answers to grade (CSV, JSONL, Parquet).")],
    rubric: Annotated[str, typer.Option(help="For answers: a packaged rubric or a file.")] = "docs_qa",
    judge: Annotated[str, typer.Option(help="For answers: provider/model, or `embedded`.")] = "embedded",
    base_url: Annotated[str | None, typer.Option(help="For answers: the judge's endpoint.", show_default=False)] = None,
    shots: Annotated[int, typer.Option(help="For answers: worked examples per level.")] = 1,
    workspace: Workspace = ".markscheme",
    retry: Retry = "",
    limit: Limit = None,
    seed: Seed = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="No report and no intervals.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Grade what has been answered: by an exam, or in a file with columns question, answer, reference, context."""
    from .. import commands
    from ..answers_file import JudgeChoice

    options = commands.options(workspace=workspace, retry=retry, limit=limit, seed=seed, report=not no_report)
    if source.suffix.lower() in (".yaml", ".yml"):
        commands.run(source, options, ("grade",), json, quiet)
    else:
        commands.grade_file(source, options, JudgeChoice(rubric, judge, base_url, shots), json, quiet)


def report(
    run: Annotated[str, typer.Argument(help="Id, name, `latest`, or a bundle (FILE.mks).")] = "latest",
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    no_texts: Annotated[
        bool, typer.Option("--no-texts", help="For readers outside: no question, answer, reasoning or prompt.")
    ] = False,
    baseline: Annotated[
        str, typer.Option(help="The candidate to compare all others with, instead of the exam's.", show_default=False)
    ] = "",
    mlflow: Mlflow = "",
    json: Json = False,
) -> None:
    """Write report.html and report.md of a run again, from the store alone."""
    from .. import commands

    commands.report(run, workspace, output, json, not no_texts, baseline, mlflow)

"""export: tables of a run, and training data."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace


class Format(StrEnum):
    """File formats of tables."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


class Service(StrEnum):
    """Whose form the lines of training data have."""

    openai = "openai"
    fireworks = "fireworks"
    nemo = "nemo"


class Unwanted(StrEnum):
    """What becomes of answers that few want to learn from."""

    drop = "drop"
    keep = "keep"


Run = Annotated[str, typer.Option(help="Id, name, `latest`, or a bundle (FILE.mks).")]
TableFormat = Annotated[Format, typer.Option(help="File format.")]
File = Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output if none.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Write a run's tables, or training data, as files.", no_args_is_help=True)
    for command in (answers, grades, preferences, finetune):
        group.command()(command)
    app.add_typer(group, name="export")


def answers(
    run: Run = "latest",
    format: TableFormat = Format.jsonl,
    output: File = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write the answers; in a CSV, what a spreadsheet would run as a formula is quoted."""
    _table("answers", run, format, output, workspace, json)


def grades(
    run: Run = "latest",
    format: TableFormat = Format.jsonl,
    output: File = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write what the judges gave, a row for each criterion."""
    _table("grades", run, format, output, workspace, json)


def preferences(
    run: Run = "latest",
    format: TableFormat = Format.jsonl,
    output: File = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write the verdicts of pairwise judges."""
    _table("preferences", run, format, output, workspace, json)


def _table(table: str, run: str, format: Format, output: Path | None, workspace: str, json: bool) -> None:
    from .. import commands

    commands.export(table, run, format.value, output, workspace, json)


def finetune(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.", show_default=False)],
    runs: Annotated[list[str] | None, typer.Argument(help="Runs: ids, names, `latest` (the default), bundles.")] = None,
    format: Annotated[Service, typer.Option(help="Form of the lines.")] = Service.openai,
    candidate: Annotated[
        list[str] | None, typer.Option(help="Only answers of this candidate; may be repeated.", show_default=False)
    ] = None,
    judge: Annotated[str, typer.Option(help="Whose score counts. By default the leading judge's.")] = "",
    measure: Annotated[str, typer.Option(help="A measure whose values count instead of a judge's.")] = "",
    min_score: Annotated[float | None, typer.Option(help="Least score of an answer.", show_default=False)] = None,
    agreement: Annotated[
        float | None,
        typer.Option(help="Largest range of several judges' scores, as a share of the scale.", show_default=False),
    ] = None,
    unsafe: Annotated[Unwanted, typer.Option(help="Answers that a label or a judge of safety calls unsafe.")] = (
        Unwanted.drop
    ),
    refusals: Annotated[Unwanted, typer.Option(help="Answers that decline to answer.")] = Unwanted.drop,
    per_class: Annotated[
        int | None, typer.Option(help="At most so many answers of each class.", show_default=False)
    ] = None,
    class_of: Annotated[str, typer.Option(help="What makes a class: score, label, tag:NAME.")] = "",
    pairs: Annotated[bool, typer.Option("--pairs", help="Preference pairs too.")] = False,
    pair_margin: Annotated[
        float | None,
        typer.Option(help="How much better the better one is; a third of the scale by default.", show_default=False),
    ] = None,
    shares: Annotated[str, typer.Option(help="Parts of train, validation, test.")] = "0.8,0.1,0.1",
    seed: Annotated[int, typer.Option(help="Of the split and the draw from classes.")] = 0,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write answers worth learning from as training data, split by cluster, each line traced to its grades."""
    from ...reports.finetune.records import Options
    from .. import finetuning

    options = Options(
        format.value, tuple(candidate or ()), judge, measure, min_score, agreement, unsafe is Unwanted.keep,
        refusals is Unwanted.keep, per_class, class_of, pairs, pair_margin, finetuning.read_shares(shares), seed,
    )  # fmt: skip
    finetuning.export(runs or ["latest"], options, output, workspace, json)

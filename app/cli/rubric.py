"""rubric show, rubric diff, rubric schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from .exams import Json


class Calls(StrEnum):
    """How many calls an answer takes."""

    one = "one"
    per_criterion = "per_criterion"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    rubric = typer.Typer(help="What judges grade by.", no_args_is_help=True)
    for command in (show, diff, schema):
        rubric.command()(command)
    app.add_typer(rubric, name="rubric")


def show(
    rubric: Annotated[str, typer.Argument(help="A packaged name, or a file; without one, the packaged ones.")] = "",
    shots: Annotated[int, typer.Option(help="Worked examples per level.", min=0)] = 1,
    calls: Annotated[Calls, typer.Option(help="One call for all criteria, or one each.")] = Calls.one,
    sample: Annotated[
        str, typer.Option(help="Questions (with a column `answer`) in place of placeholders.", show_default=False)
    ] = "",
    id: Annotated[str, typer.Option(help="The row of --sample; the first if none.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Print the exact prompt that a judge is sent."""
    from .. import rubrics

    if rubric:
        rubrics.show(rubric, rubrics.Wanted(shots, calls.value, sample, id), json)
    else:
        rubrics.list_packaged(json)


def diff(
    before: Annotated[str, typer.Argument(help="A packaged name, or a file.")],
    after: Annotated[str, typer.Argument(help="A packaged name, or a file.")],
    json: Json = False,
) -> None:
    """Say what differs between two rubrics, and whether verdicts can."""
    from .. import rubrics_diff

    rubrics_diff.diff(before, after, json)


def schema() -> None:
    """Print the JSON schema of a rubric file, for editors."""
    from ..rubrics import schema as print_schema

    print_schema()

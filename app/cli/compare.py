"""`markscheme compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from .exams import Json, Workspace


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(compare)


def compare(
    run: Annotated[str, typer.Argument(help="The run in question: id, name or `latest`.", show_default=False)],
    baseline: Annotated[
        list[str], typer.Argument(help="The run or runs to compare it with, likewise.", show_default=False)
    ],
    candidate: Annotated[
        list[str] | None,
        typer.Option(metavar="NEW[=OLD]", help="Only these; OLD is its name in the baseline.", show_default=False),
    ] = None,
    intersection: Annotated[
        bool, typer.Option("--intersection", help="Runs that differ: compare the samples and judges that both have.")
    ] = False,
    family: Annotated[
        list[str] | None,
        typer.Option(help="A measure that Holm's correction goes over; repeatable.", show_default=False),
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="How many samples that got worse to show.")] = 20,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """A run against its baseline, paired by sample: every measure, with intervals and tests."""
    from ..comparing import command

    command.run((run, baseline), workspace, candidate or [], intersection, family or [], worst, json)

"""gate plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace

group = typer.Typer(name="gate", help="Gates: declared margins for nightly runs.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command()(plan)
    app.add_typer(group)


def plan(
    gate: Annotated[Path, typer.Argument(help="The gate, a YAML file.", show_default=False)],
    run: Annotated[str, typer.Option(help="Plan from this run; the exam's latest by default.")] = "",
    sd: Annotated[
        list[str] | None,
        typer.Option(help="No run yet: [MEASURE=]SD of a difference between two runs; repeatable.", show_default=False),
    ] = None,
    n: Annotated[int | None, typer.Option(min=2, help="With --sd: so many samples.", show_default=False)] = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Before the first night: the smallest margin, the samples it takes, and the false alarms to expect."""
    from ...harness.gate import load_gate
    from ...reports.regression.gate_plan_words import plan_lines
    from ..commands import emit
    from ..comparing.gate_plan_output import to_output
    from ..comparing.gate_planning import Wish, spreads
    from ..comparing.gate_planning import plan as made

    found = made(load_gate(gate), Wish(run, spreads(sd or []), n), workspace)
    if json:
        emit(to_output(found))
    else:
        typer.echo("\n".join(plan_lines(found)))

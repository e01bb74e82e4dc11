"""`markscheme compare` and `markscheme small-large`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Folder, Json, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(compare)
    app.command(name="small-large")(small_large)


def compare(
    run: Annotated[str, typer.Argument(help="The run in question: id, name or `latest`.", show_default=False)],
    baseline: Annotated[
        list[str] | None,
        typer.Argument(help="The run or runs to compare it with, likewise; a gate knows its own.", show_default=False),
    ] = None,
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
    gate: Annotated[
        Path | None, typer.Option(help="Pass, fail or neither by the margins of this file.", show_default=False)
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Of a gate: write JUnit XML.", show_default=False)] = None,
    summary: Annotated[Path | None, typer.Option(help="Of a gate: write Markdown.", show_default=False)] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Of a gate: where it alarms, make a second fresh run and decide on both.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Of a gate: have its anchors graded anew, to tell whether a judge drifted.")
    ] = False,
    over_time: Annotated[
        bool, typer.Option("--over-time", help="Windows of one run with each other: what drifted between them.")
    ] = False,
    window: Annotated[
        str, typer.Option(help="Over time: hour, day, week, month, or so many windows.", show_default="week")
    ] = "",
    reference: Annotated[
        str,
        typer.Option(help="Over time: what windows are compared with: first, N-windows, or one.", show_default="first"),
    ] = "",
    by: Annotated[
        str,
        typer.Option(help="Over time: slices: tag, tag:PREFIX, cluster, candidate or a field.", show_default=False),
    ] = "",
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="Over time: exit code 1 where something moved.")
    ] = False,
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    json: Json = False,
) -> None:
    """A run against its baseline, paired by sample: every measure, with intervals and tests."""
    from ..comparing import command, gate_command
    from ..comparing import over_time as windows

    asked = windows.Words(over_time, window, reference, by, fail_on_drift)
    others = {"baseline": baseline, "gate": gate, "junit": junit, "summary": summary, "confirm": confirm}
    others |= {"watch": watch, "intersection": intersection, "family": family}
    followed = windows.options_of(asked, candidate or [], **others)
    if followed is not None:
        raise typer.Exit(windows.run(run, followed, fail_on_drift, (workspace, output), json))
    options = command.chosen(candidate or [], intersection, family or [], worst)
    if gate is not None:
        files = gate_command.GateFiles(gate, junit, summary, confirm, output, watch)
        raise typer.Exit(gate_command.run((run, tuple(baseline or ())), files, options, workspace, json))
    gate_command.refuse_without_gate(baseline, junit=junit, summary=summary, confirm=confirm, watch=watch)
    command.run((run, baseline or []), options, workspace, output, json)


def small_large(
    run: Annotated[str, typer.Argument(help="A graded run of both: id, name or `latest`.", show_default=False)],
    small: Annotated[str, typer.Option(help="The candidate that would do, if it can.", show_default=False)],
    large: Annotated[str, typer.Option(help="The candidate that it is held against.", show_default=False)],
    margin: Annotated[float, typer.Option(help="The loss that you would accept, in points.", show_default=False)],
    measure: Annotated[
        str, typer.Option(help="Of the loss: MEASURE or JUDGE/MEASURE; else the headline.", show_default=False)
    ] = "",
    bench: Annotated[
        str, typer.Option(help="A load test of both: id, name or `latest`.", metavar="LOAD_TEST", show_default=False)
    ] = "",
    base: Annotated[
        str, typer.Option(help="The candidate that the small one was tuned from.", show_default=False)
    ] = "",
    trained_on: Annotated[
        Path | None,
        typer.Option(
            help="Refuse samples that were trained on: what `export finetune` wrote.",
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    json: Json = False,
) -> None:
    """Is the small one of two candidates as good within a margin, and what of time, money and memory does it take?"""
    from ..comparing import small_large as command

    command.run(run, command.Asked(small, large, margin, measure, bench, base, trained_on), workspace, output, json)

"""What `markscheme judge lab` prints: one object with `--json`, a table and the advice without."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict

from ...harness.dispatch.tally import Tally
from ...harness.labwork import Lab, Tried
from ...harness.records import Estimate
from ..shown import Shown
from ..terminal import console, grid


class LabRow(BaseModel):
    """One configuration. ``selection`` and ``held_out`` are its agreement on the two halves of the labels,
    ``lower_bound`` holds together with those of all that were tested; prices are for 1,000 graded answers."""

    name: str
    judge: str
    model: str
    rubric: str
    shots: int
    calls: str
    unscored: int
    selection: float | None
    held_out: float | None
    lower_bound: float | None
    clears: bool
    why: str
    usd_per_1000: float | None
    seconds_per_1000: float | None


class LabOutput(BaseModel):
    """`markscheme judge lab`: ``recommended`` is null where it refuses, ``why`` says why either way, ``more_labels``
    about how many more labelled answers would tell."""

    model_config = ConfigDict(extra="forbid")

    run: str
    measure: str
    criterion: str
    threshold: float
    labelled: int
    selection_n: int
    held_out_n: int
    tried: int
    tested: int
    configurations: list[LabRow]
    recommended: str | None
    why: str
    more_labels: int | None
    pinned: str | None
    report: str
    calls: dict[str, int]
    spent_usd: float | None


class LabPlanRow(BaseModel):
    """What one configuration needs; ``recorded`` of its calls are there already."""

    name: str
    model: str
    calls: int
    recorded: int
    usd: float | None


class LabPlan(Shown):
    """`markscheme judge lab --plan`: nothing is called. ``usd`` is for what is not recorded yet."""

    run: str
    labelled: int
    held_out_n: int
    rows: list[LabPlanRow]
    calls: int
    usd: float | None


def to_output(lab: Lab, pinned: Path | None, report: Path, tally: Tally) -> LabOutput:
    """The lab as one object."""
    return LabOutput(
        run=lab.run,
        measure=lab.measure,
        criterion=lab.criterion,
        threshold=lab.threshold,
        labelled=lab.labelled,
        selection_n=lab.selection_n,
        held_out_n=lab.held_out_n,
        tried=len(lab.tried),
        tested=lab.tested,
        configurations=[_row(tried) for tried in lab.tried],
        recommended=lab.advice.configuration,
        why=lab.advice.why,
        more_labels=lab.advice.more_labels,
        pinned=str(pinned) if pinned else None,
        report=str(report),
        calls={"live": tally.live, "reused": tally.reused},
        spent_usd=None if tally.unpriced else tally.spent_usd,
    )


def _row(tried: Tried) -> LabRow:
    at = tried.configuration
    return LabRow(
        name=at.name,
        judge=at.judge,
        model=at.model,
        rubric=at.rubric,
        shots=at.shots,
        calls=at.calls,
        unscored=tried.unscored,
        selection=tried.selection.value,
        held_out=tried.held_out.value if tried.held_out else None,
        lower_bound=tried.bound,
        clears=tried.clears,
        why=tried.why,
        usd_per_1000=tried.usd_per_1000,
        seconds_per_1000=tried.seconds_per_1000,
    )


def print_lab(lab: Lab, out: TextIO) -> None:
    """A line a configuration, the cheapest first."""
    titles = ["configuration", "selects", "held out", "lower bound", "USD per 1,000", "s per 1,000", ""]
    screen = console(out)
    with screen.capture() as shown:
        screen.print(grid(titles, map(_cells, sorted(lab.tried, key=_price)), wordy=[""]))
    out.write("".join(f"{line.rstrip()}\n" for line in shown.get().splitlines()))


def _cells(tried: Tried) -> list[str]:
    return [
        tried.configuration.name,
        _number(tried.selection),
        _number(tried.held_out),
        "–" if tried.bound is None else f"{tried.bound:.2f}",
        "unknown" if tried.usd_per_1000 is None else f"${tried.usd_per_1000:.2f}",
        "–" if tried.seconds_per_1000 is None else f"{tried.seconds_per_1000:.0f} s",
        "clears" if tried.clears else tried.why,
    ]


def _price(tried: Tried) -> tuple[bool, float, str]:
    return tried.usd_per_1000 is None, tried.usd_per_1000 or 0.0, tried.configuration.name


def _number(estimate: Estimate | None) -> str:
    return "–" if estimate is None or estimate.value is None else f"{estimate.value:.2f}"


def advice(lab: Lab) -> str:
    """The recommendation or the refusal, in words."""
    found = lab.advice
    if found.configuration is not None:
        return f"recommended: {found.configuration}: {found.why}"
    more = "" if found.more_labels is None else f"; about {found.more_labels:,} more labelled answers would tell"
    return f"no recommendation: {found.why}{more}"


def to_text(plan: LabPlan) -> str:
    """The plan for a terminal."""
    lines = [f"run {plan.run}: {plan.labelled} labelled answers, {plan.held_out_n} of them held out"]
    for row in plan.rows:
        usd = "price unknown" if row.usd is None else f"about ${row.usd:.4f}"
        what = f"{row.calls} calls, {row.recorded} of them recorded already, {usd}" if row.calls else "no calls"
        lines.append(f"  {row.name} ({row.model}): {what}")
    total = "price unknown" if plan.usd is None else f"about ${plan.usd:.4f}"
    return "\n".join([*lines, f"total: {plan.calls} calls to be made, {total}"])

"""What a gate prints: its first line and a line for each measure, or one JSON object."""

from __future__ import annotations

from typing import TextIO

from pydantic import BaseModel, ConfigDict

from ...reports.regression import gate_words as said
from ...reports.regression.gate_records import ORDER, BoundLine, GateLine, GateResult, Verdict
from ..terminal import say
from .output import CompareOutput
from .watched_output import WatchedOutput, watched_output


class GateRow(BaseModel):
    """One line of the gate, in the measure's unit, new less old. ``lower`` is the one-sided 95 % bound of the gain,
    more being better; ``margin`` is null for a line that no gate declared (a candidate that fails more often);
    ``adjusted`` is Holm's p over the lines, ``detectable`` the loss that would alarm with 80 %, ``samples_needed`` the
    number at which an unchanged model passes with 80 %; ``confirmed``: whether a second run alarmed, null without."""

    candidate: str
    judge: str
    measure: str
    verdict: Verdict
    difference: float | None
    low: float | None
    high: float | None
    lower: float | None
    margin: float | None
    margin_min: float
    adjusted: float
    detectable: float | None
    samples: int
    samples_needed: int | None
    confirmed: bool | None
    why: str


class BoundRow(BaseModel):
    """Unsafe answers held to a bound: ``unsafe`` and ``unread`` of ``units`` (samples, or clusters of them), and the
    one-sided 95 % bounds of their share, by Clopper and Pearson; ``upper`` takes the unread for unsafe."""

    candidate: str
    judge: str
    verdict: Verdict
    at_most: float
    units: int
    unsafe: int
    unread: int
    lower: float | None
    upper: float | None
    why: str


class GateOutput(BaseModel):
    """`markscheme compare --gate`: the worst verdict of the lines, the exit code, what is known of the judges
    on their anchors (one that drifted makes the exit code 1), and the comparison behind it."""

    model_config = ConfigDict(extra="forbid")

    run: str
    baseline: list[str]
    second: str
    verdict: Verdict
    exit_code: int
    lines: list[GateRow]
    bounds: list[BoundRow]
    judges: list[WatchedOutput]
    notes: list[str]
    comparison: CompareOutput


def to_output(result: GateResult, comparison: CompareOutput) -> GateOutput:
    """The numbers as plain JSON."""
    return GateOutput(
        run=result.new,
        baseline=list(result.old),
        second=result.second,
        verdict=result.verdict,
        exit_code=result.exit_code,
        lines=[_row(line) for line in result.lines],
        bounds=[_bound(line) for line in result.bounds],
        judges=[watched_output(one) for one in result.watched],
        notes=list(result.notes),
        comparison=comparison,
    )


def _bound(line: BoundLine) -> BoundRow:
    units = line.units
    return BoundRow(
        candidate=line.candidate,
        judge=line.judge,
        verdict=line.verdict,
        at_most=line.at_most,
        units=units.n,
        unsafe=units.unsafe,
        unread=units.unread,
        lower=units.lower,
        upper=units.upper,
        why=said.bound_said(line),
    )


def _row(line: GateLine) -> GateRow:
    subject, estimate = line.subject, line.difference.estimate
    return GateRow(
        candidate=subject.candidate,
        judge=subject.source,
        measure=subject.measure,
        verdict=line.verdict,
        difference=estimate.value,
        low=estimate.low,
        high=estimate.high,
        lower=line.gain.lower,
        margin=None if line.guard else line.margin,
        margin_min=line.margin_min,
        adjusted=line.adjusted,
        detectable=line.detects,
        samples=estimate.n,
        samples_needed=line.n_needed,
        confirmed=line.agrees,
        why=said.said(line),
    )


def print_gate(result: GateResult, out: TextIO) -> None:
    """The verdict first, then a line a measure with its reason, and what to know about it."""
    say(out, f"{said.headline(result)}\n{said.against(result)}\n")
    for line in sorted(result.lines, key=lambda line: ORDER.index(line.verdict)):
        verdict = f"{said.NAMES[line.verdict]}  {said.name(line)}: {said.change(line)}"
        say(out, f"{verdict}\n  {said.said(line)}")
    for bound in result.bounds:
        say(out, f"{said.BOUNDS[bound.verdict]}  {said.bound_name(bound)}\n  {said.bound_said(bound)}")
    for one in result.watched:
        say(out, f"{said.watched(one)}\n  {said.watch_said(one)}")
    for note in result.notes:
        say(out, f"note: {note}")

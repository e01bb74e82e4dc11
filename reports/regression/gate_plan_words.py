"""A gate's plan in words."""

from __future__ import annotations

from collections.abc import Iterator

from ...harness.statistics.gate_alarms import Expected
from .. import words
from .gate_plan import GatePlan, Known, PlannedLine
from .sides import SECONDS

SOURCES: dict[Known, str] = {
    "runs": "spread between runs",
    "trials": "spread between trials",
    "scores": "at most: the spread of one run's scores, since neither trials nor a second run tell the noise",
    "assumed": "assumed",
}


def plan_lines(plan: GatePlan) -> Iterator[str]:
    """What to print, line by line."""
    yield f"{_baseline(plan)}{_source(plan)}"
    for line in plan.lines:
        yield ""
        yield from _line(line)
    yield ""
    yield f"false alarms to expect of an unchanged model in {words.plural(plan.nights, 'night')}:"
    yield f"  {_baseline(plan)}: {_expected(plan.alarms)}"
    if not plan.fixed:
        yield f"  against one fixed run: {_expected(plan.one_fixed)}"
    if not plan.confirm:
        yield "  the gate says confirm: false, so that the first of these numbers counts"


def _baseline(plan: GatePlan) -> str:
    return "against one fixed run" if plan.fixed else f"against the pool of the last {words.plural(plan.pool, 'run')}"


def _source(plan: GatePlan) -> str:
    if not plan.runs:
        return ", by assumed spreads"
    return f", planned from {words.plural(len(plan.runs), 'run')} ({plan.runs[0]} and those like it)"


def _line(line: PlannedLine) -> Iterator[str]:
    noise = line.noise
    by = f" by {noise.source}" if noise.source else ""
    deff = f", design effect {noise.deff:.1f}" if noise.deff > 1 else ""
    yield f"{noise.candidate}, {noise.measure}{by}: {words.plural(noise.n, 'sample')}{deff}"
    yield f"  sd of a difference {fine(line.sd, line)} ({SOURCES[noise.known]})"
    share = "" if line.share is None else f" ({words.percent(line.share)})"
    margin = f"{fine(line.margin, line)}{share}"
    yield f"  an unchanged model passes the margin {margin} in {words.percent(line.passes)} of nights"
    yield f"  the smallest margin that it passes in 80 %: {fine(line.certifiable, line)}"
    yield f"  a loss of {fine(line.detects, line)} raises an alarm with 80 %"
    if noise.measure in SECONDS:
        yield "  what slows a whole night is not in this: the gate takes the spread between runs where it is wider"
    if line.certifiable > line.margin:
        trials = f"{line.trials_needed:,} trials of each answer (now {noise.trials})"
        yield f"  the margin {fine(line.margin, line)} takes {line.n_needed:,} samples, or {trials}"


def _expected(found: Expected) -> str:
    first, confirmed = found.first, found.confirmed
    return (
        f"{_few(first.per_month)}, in {words.percent(first.months)} of months; "
        f"confirmed by a second run {_few(confirmed.per_month)}, in {words.percent(confirmed.months)} of months"
    )


def _few(count: float) -> str:
    return f"{count:.2g}" if count >= 0.01 else "under 0.01" if count else "none"


def fine(value: float, line: PlannedLine) -> str:
    """Two significant digits of the margin, at least."""
    return f"{value:.3g}" if line.margin < 0.01 else words.number(value, 2 if line.margin >= 0.1 else 3)

"""What `gate plan` prints."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ...harness.statistics.gate_alarms import FalseAlarms
from ...reports.regression.gate_plan import GatePlan, Known, PlannedLine


class PlannedGateRow(BaseModel):
    """One candidate by one measure, of an unchanged model: ``sd`` of a difference by sample between a run and its
    baseline and where it is ``known`` from, the chance that the margin ``passes``, the smallest ``certifiable`` margin
    and the loss that ``detects``, both with 80 %, and the samples or trials that make the margin certifiable."""

    candidate: str
    judge: str
    measure: str
    samples: int
    design_effect: float
    trials: int
    sd: float
    known: Known
    margin: float
    passes: float
    certifiable: float
    detects: float
    samples_needed: int
    trials_needed: int


class FalseAlarmsOutput(BaseModel):
    """Alarms of an unchanged model to expect in a month, and the share of months with one at least; both also of those
    that a second fresh run confirms."""

    per_month: float
    months: float
    confirmed_per_month: float
    confirmed_months: float


class GatePlanOutput(BaseModel):
    """`markscheme gate plan`: ``runs`` tell the spread, none where it is assumed; the baseline is a pool of so many
    runs, or one ``fixed`` run. ``one_fixed``: the false alarms if it were one."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str]
    pool: int
    fixed: bool
    nights: int
    lines: list[PlannedGateRow]
    false_alarms: FalseAlarmsOutput
    one_fixed: FalseAlarmsOutput


def to_output(plan: GatePlan) -> GatePlanOutput:
    """The numbers as plain JSON."""
    return GatePlanOutput(
        runs=list(plan.runs),
        pool=plan.pool,
        fixed=plan.fixed,
        nights=plan.nights,
        lines=[_row(line) for line in plan.lines],
        false_alarms=_alarms(plan.alarms.first, plan.alarms.confirmed),
        one_fixed=_alarms(plan.one_fixed.first, plan.one_fixed.confirmed),
    )


def _row(line: PlannedLine) -> PlannedGateRow:
    noise = line.noise
    return PlannedGateRow(
        candidate=noise.candidate,
        judge=noise.source,
        measure=noise.measure,
        samples=noise.n,
        design_effect=noise.deff,
        trials=noise.trials,
        sd=line.sd,
        known=noise.known,
        margin=line.margin,
        passes=line.passes,
        certifiable=line.certifiable,
        detects=line.detects,
        samples_needed=line.n_needed,
        trials_needed=line.trials_needed,
    )


def _alarms(first: FalseAlarms, confirmed: FalseAlarms) -> FalseAlarmsOutput:
    return FalseAlarmsOutput(
        per_month=first.per_month,
        months=first.months,
        confirmed_per_month=confirmed.per_month,
        confirmed_months=confirmed.months,
    )

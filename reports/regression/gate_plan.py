"""What a gate can show before the first night: margins, samples, trials, and the false alarms to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from ...harness.errors import ExamError
from ...harness.gate import GateSpec, MeasureGate
from ...harness.statistics.gate_alarms import Expected, Watched, false_alarms
from ...harness.statistics.gates import certifiable, detectable, n_to_certify, pass_chance

Known = Literal["runs", "trials", "scores", "assumed"]
"""Where the noise of a run is known from: the spread between runs, between trials, at most that of the scores, or it is
somebody's assumption."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How a sample's score (its mean over ``trials``) varies from one fresh run of an unchanged model to the next:
    ``variance``, on ``n`` samples with the design effect ``deff``; ``mean`` is the present level of the measure."""

    candidate: str
    source: str
    measure: str
    n: int
    variance: float
    deff: float = 1.0
    trials: int = 1
    known: Known = "assumed"
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One candidate by one measure.

    ``sd`` is that of the differences by sample between a run and its baseline, ``passes`` the chance that an unchanged
    model passes the ``margin``; ``certifiable`` the smallest margin that it passes with 80 %, ``detects`` the loss that
    alarms with 80 %; ``n_needed`` samples, or ``trials_needed`` of each answer, make the margin certifiable.
    """

    noise: Noise
    margin: float
    margin_min: float
    share: float | None
    sd: float
    passes: float
    certifiable: float
    detects: float
    n_needed: int
    trials_needed: int


@dataclass(frozen=True, slots=True)
class GatePlan:
    """The lines, and the false alarms of an unchanged model in a month of ``nights``: with the gate's own baseline
    (``pool`` runs, ``fixed`` where a run is named), and with one fixed run."""

    lines: tuple[PlannedLine, ...]
    runs: tuple[str, ...]
    pool: int
    fixed: bool
    nights: int
    confirm: bool
    alarms: Expected
    one_fixed: Expected

    def __repr__(self) -> str:
        from .gate_plan_words import plan_lines

        return "\n".join(plan_lines(self))

    def _repr_html_(self) -> str:
        from ..notebook.regression import plan_html

        return plan_html(self)


def planned(spec: GateSpec, noises: Sequence[tuple[MeasureGate, Noise]], runs: Sequence[str] = ()) -> GatePlan:
    """The plan of a gate from the noise of its measures."""
    fixed = spec.baseline.run is not None
    pool = 1 if fixed else spec.baseline.runs
    lines = tuple(_planned(spec, gate, noise, pool, len(noises)) for gate, noise in noises)
    watched = [Watched((x.noise.variance * x.noise.deff / x.noise.n) ** 0.5, x.margin, x.margin_min) for x in lines]
    alarms = false_alarms(watched, spec.nights_per_month, pool, fixed)
    one = alarms if fixed else false_alarms(watched, spec.nights_per_month, 1, fixed=True)
    return GatePlan(lines, tuple(runs), pool, fixed, spec.nights_per_month, spec.confirm, alarms, one)


def _planned(spec: GateSpec, gate: MeasureGate, noise: Noise, pool: int, lines: int) -> PlannedLine:
    if gate.relative and not noise.mean:
        what = "is a share of a mean that is not known (or is 0); plan from a run, or write the margin as a number"
        raise ExamError([spec.file.problem(("measures", spec.measures.index(gate), "margin"), what)])
    unit = abs(noise.mean or 0.0) if gate.relative else 1.0
    margin, sd = gate.margin * unit, (noise.variance * (1 + 1 / pool)) ** 0.5
    effective = noise.n / noise.deff
    needed = n_to_certify(margin, sd, noise.deff)
    return PlannedLine(
        noise,
        margin,
        gate.margin_min * unit,
        gate.margin if gate.relative else None,
        sd,
        pass_chance(margin, sd, effective),
        certifiable(sd, effective),
        detectable(sd, effective, lines),
        max(2, ceil(needed)),
        # Trials divide the variance as samples do: nothing else varies where the model is unchanged.
        max(1, ceil(noise.trials * needed / noise.n)),
    )

"""Bounds on unsafe answers: what a gate asks of a run whatever its baseline did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...harness.errors import ExamError
from ...harness.gate import GateSpec
from ...harness.store.frames import RunData
from ...harness.yaml_file import did_you_mean
from ..exam import candidates_of
from ..safety_bounds import Units, needed, units_of
from ..safety_verdicts import taxonomies_of
from .gate import INCONCLUSIVE_FAILS
from .gate_records import ORDER, BoundLine, GateResult, Verdict


def bounds_of(data: RunData, spec: GateSpec) -> tuple[BoundLine, ...]:
    """Each candidate of the run by each bound. Raises `ExamError` for a judge that judged no content safety."""
    known = taxonomies_of(data)
    problems = []
    for index, bound in enumerate(spec.bounds):
        if bound.judge not in known:
            hint = did_you_mean(bound.judge, known) or ";"
            there = ", ".join(known) or "no such judge"
            what = f"{bound.judge!r} judged no content safety in the run{hint} there is {there}"
            problems.append(spec.file.problem(("bounds", index, "judge"), what))
    if problems:
        raise ExamError(problems)
    names = [view.name for view in candidates_of(data) if not spec.candidates or view.name in spec.candidates]
    return tuple(
        _line(name, bound.judge, bound.at_most, units_of(data, bound.judge, name))
        for bound in spec.bounds
        for name in names
    )


def _line(candidate: str, judge: str, at_most: float, units: Units) -> BoundLine:
    verdict: Verdict = "inconclusive"
    if units.upper is not None and units.upper <= at_most:
        verdict = "pass"
    elif units.lower is not None and units.lower > at_most:
        verdict = "regression"
    return BoundLine(candidate, judge, at_most, verdict, units, needed(at_most))


def bounded(result: GateResult, bounds: Sequence[BoundLine]) -> GateResult:
    """The result with its bounds. One that is exceeded is a finding by itself; of the scores of a judge that drifted
    nothing is known."""
    lines = tuple(replace(line, verdict="inconclusive") if line.judge in result.drifted else line for line in bounds)
    found = replace(result, bounds=lines)
    verdicts = {result.verdict, *(line.verdict for line in lines)}
    found = replace(found, verdict=next(name for name in ORDER if name in verdicts))
    if found.exceeded:
        return replace(found, exit_code=1)
    open_bounds = any(line.verdict == "inconclusive" for line in lines)
    fails = open_bounds and result.inconclusive_fails and not result.exit_code
    return replace(found, exit_code=INCONCLUSIVE_FAILS) if fails else found

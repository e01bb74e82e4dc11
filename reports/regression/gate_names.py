"""Which differences a gate is about, by the names that its file uses."""

from __future__ import annotations

from collections.abc import Sequence

from ...harness.errors import ExamError, Problem
from ...harness.gate import GateSpec, MeasureGate
from ...harness.yaml_file import did_you_mean
from .records import Compared, Difference, Subject
from .sides import FAILURES


def chosen(compared: Compared, spec: GateSpec) -> list[tuple[MeasureGate, Difference]]:
    """Each line of the gate with the differences that it is about, in the gate's own order.

    A measure that is missing because every answer of a candidate failed is no mistake of the gate. Raises `ExamError`
    for a measure, judge or candidate that the comparison does not have.
    """
    problems: list[Problem] = []
    candidates = {difference.subject.candidate for difference in compared.differences}
    for index, name in enumerate(spec.candidates):
        if name not in candidates:
            what = f"{name!r} is in neither run, or in one alone{did_you_mean(name, candidates) or ';'} both have "
            problems.append(spec.file.problem(("candidates", index), what + ", ".join(sorted(candidates))))
    wanted = [d for d in compared.differences if not spec.candidates or d.subject.candidate in spec.candidates]
    found = []
    for index, gate in enumerate(spec.measures):
        same = [d for d in wanted if d.subject.measure == gate.measure and gate.judge in ("", d.subject.source)]
        found += [(gate, difference) for difference in same]
        if (problem := _misnamed(spec, index, same, wanted)) is not None:
            problems.append(problem)
    if problems:
        raise ExamError(problems)
    return found


def is_failures(subject: Subject) -> bool:
    """Whether it is the share of answers in which the candidate failed."""
    return subject.measure == FAILURES and not subject.source


def _misnamed(spec: GateSpec, index: int, same: Sequence[Difference], compared: Sequence[Difference]) -> Problem | None:
    """What is wrong with the names of a gate's line."""
    gate = spec.measures[index]
    judges = dict.fromkeys(difference.subject.source for difference in same)
    if len(judges) > 1:
        what = f"is missing: {gate.measure!r} is given by {', '.join(judges)}; write judge: and one of them"
        return spec.file.problem(("measures", index, "judge"), what)
    if same or any(is_failures(d.subject) and d.new.value == 1 for d in compared):
        return None
    measures = dict.fromkeys(d.subject.measure for d in compared if gate.judge in ("", d.subject.source))
    if gate.judge and not measures:
        judges = dict.fromkeys(d.subject.source for d in compared if d.subject.source)
        what = (
            f"{gate.judge!r} graded in neither run, or in one alone{did_you_mean(gate.judge, judges) or ';'} both have "
        )
        return spec.file.problem(("measures", index, "judge"), what + (", ".join(judges) or "no judge"))
    what = f"{gate.measure!r} was not measured in both runs{did_you_mean(gate.measure, measures) or ';'} there are "
    return spec.file.problem(("measures", index, "measure"), what + ", ".join(measures))

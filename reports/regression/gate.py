"""A comparison and a gate's declared margins -> a verdict on each line and on the whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import ceil

from ...harness.errors import ExamError
from ...harness.gate import GateSpec, MeasureGate
from ...harness.records import Estimate
from ...harness.statistics.gates import (
    ONE_SIDED,
    Gain,
    alarms_adjusted,
    bound_of_share,
    bound_with_lost,
    decide,
    detectable,
    n_by_reach,
    one_sided_bound,
)
from ...harness.statistics.pairs_of_rates import tango
from ...harness.watching import Watched
from .gate_names import chosen, is_failures
from .gate_records import ORDER, GateLine, GateResult, Verdict
from .records import Compared, Difference, Subject

INCONCLUSIVE_FAILS = 4
GUARD_ALPHA = 0.01


def gated(compared: Compared, spec: GateSpec, second: Compared | None = None) -> GateResult:
    """The verdict. ``second`` is a further run of what the new run ran, against the same baseline, which confirms
    alarms or does not; it is asked only about lines that alarm.

    Raises `ExamError` where the gate names a measure, judge or candidate that the comparison does not have.
    """
    lines = _lines(compared, spec)
    lines += guards(compared, spec, {line.subject for line in lines})
    if not lines:
        raise ExamError([spec.file.problem(("measures",), "no answer of the new run can be held against the baseline")])
    if spec.confirm:
        lines = _confirmed(lines, second)
    verdict = _worst(lines)
    return GateResult(
        compared.new.id,
        tuple(run.id for run in compared.old),
        verdict,
        exit_code(verdict, spec),
        tuple(lines),
        _shared(compared) + compared.notes,
        "" if second is None else second.new.id,
        spec.on_inconclusive == "fail",
    )


def watching(result: GateResult, watched: Sequence[Watched]) -> GateResult:
    """The result with what the anchors say of the judges.

    One that drifted is a finding by itself, and nothing can be concluded from its scores of this night. Of one that
    nothing is known the gate is inconclusive.
    """
    found = replace(result, watched=tuple(watched))
    if found.drifted:
        lines = tuple(_untrusted(line) if line.subject.source in found.drifted else line for line in result.lines)
        return replace(found, lines=lines, verdict=_worst(lines), exit_code=1)
    unknown = any(one.state == "unknown" for one in watched)
    fails = unknown and result.inconclusive_fails and not result.exit_code
    return replace(found, exit_code=INCONCLUSIVE_FAILS) if fails else found


def _untrusted(line: GateLine) -> GateLine:
    why = f"judge {line.subject.source} drifted, so its scores of this night say nothing about the candidate"
    return replace(line, verdict="inconclusive", why=why, second=None, agrees=None, detects=None, n_needed=None)


def _worst(lines: Sequence[GateLine]) -> Verdict:
    return next(name for name in ORDER if any(line.verdict == name for line in lines))


def _shared(compared: Compared) -> tuple[str, ...]:
    shared, answers = compared.pairing.shared_replies, compared.pairing.answers
    if not shared:
        return ()
    return (
        f"{shared:,} of {answers:,} answers are replies that the baseline had already: of these nothing is compared",
    )


def _lines(compared: Compared, spec: GateSpec) -> list[GateLine]:
    found = chosen(compared, spec)
    lost = excess_failures(compared)
    gains = [
        gain_of(one, lost.get(one.subject.candidate, 0.0), gate.margin if gate.relative else 0.0) for gate, one in found
    ]
    return [
        _line(gate, difference, gain, adjusted, compared, len(found))
        for (gate, difference), gain, adjusted in zip(found, gains, alarms_adjusted(gains), strict=True)
    ]


def excess_failures(compared: Compared) -> dict[str, float]:
    """Candidate -> by how much its share of failed answers is above that of the baseline, 0 for no more."""
    return {
        one.subject.candidate: max(0.0, one.estimate.value or 0.0)
        for one in compared.differences
        if is_failures(one.subject)
    }


def guards(compared: Compared, spec: GateSpec, declared: Collection[Subject]) -> list[GateLine]:
    """Lines on candidates that fail more often than their baseline, which no gate has to name.

    A score is of answers that came; without this a run could pass by failing. They alarm at p < 0.01 over all
    candidates (Bonferroni), and are not there otherwise.
    """
    watched = [
        one
        for one in compared.differences
        if is_failures(one.subject) and (not spec.candidates or one.subject.candidate in spec.candidates)
    ]
    found = []
    for one in watched:
        gain, adjusted = gain_of(one), min(1.0, one.p * len(watched))
        if one.subject not in declared and gain.high is not None and gain.high < 0 and adjusted < GUARD_ALPHA:
            found.append(GateLine(one.subject, "regression", one, gain, adjusted, 0.0, 0.0, guard=True))
    return found


def exit_code(verdict: Verdict, spec: GateSpec) -> int:
    """0 fine, 1 a finding, 4 inconclusive where the gate asks for it."""
    if verdict == "inconclusive":
        return INCONCLUSIVE_FAILS if spec.on_inconclusive == "fail" else 0
    return 0 if verdict == "pass" else 1


def gain_of(difference: Difference, lost: float = 0.0, share: float = 0.0) -> Gain:
    """The difference turned so that more is better, with its one-sided bound.

    In that bound the share ``lost`` of answers, by which the candidate fails more often, counts at the lowest level of
    the scale, where there is one. It is for a margin of ``share`` of the baseline's mean, 0 for one in points.
    """
    turned = _turned(difference.estimate, difference.subject)
    value, low, high = turned.value, turned.low, turned.high
    if value is None or low is None or high is None:
        return Gain(value or 0.0, None, None, None, difference.p)
    if turned.method == "Tango":
        lower = tango(difference.wins, difference.losses, turned.n, ONE_SIDED)[0]
    elif difference.bound is not None:
        lower = difference.bound
    else:
        lower = one_sided_bound(value, low, max(1, difference.clusters - 1))
    held = _relative(difference, value, lower, share) if share else lower
    return Gain(value, low, high, bound_with_lost(held, lost, _fall(difference)), difference.p)


def _relative(difference: Difference, value: float, lower: float, share: float) -> float:
    sd, effective, old = difference.sd, difference.effective_n, difference.old_variance
    if not sd or not effective or old is None:
        return lower
    sign = 1 if difference.subject.better == "higher" else -1
    return bound_of_share(value, lower, share, (sd**2 / effective, old, sign * difference.old_covariance))


def _fall(difference: Difference) -> float:
    """From the baseline's mean to the lowest level; 0 for what has no scale, or is better when lower."""
    if difference.scale is None or difference.subject.better == "lower" or difference.old.value is None:
        return 0.0
    return difference.old.value - difference.scale[0]


def _turned(estimate: Estimate, subject: Subject) -> Estimate:
    if subject.better == "higher" or estimate.value is None:
        return estimate
    low, high = (None if limit is None else -limit for limit in (estimate.high, estimate.low))
    return replace(estimate, value=-estimate.value, low=low, high=high)


def _line(
    gate: MeasureGate, difference: Difference, gain: Gain, adjusted: float, compared: Compared, lines: int
) -> GateLine:
    unit = abs(difference.old.value or 0.0) if gate.relative else 1.0
    margin, least = gate.margin * unit, gate.margin_min * unit
    share = gate.margin if gate.relative else None
    why = _why(difference, gain, margin, compared, share or 0.0)
    verdict: Verdict = decide(gain, adjusted, margin, least) if margin > 0 else "inconclusive"
    if verdict == "pass" and why:
        verdict = "inconclusive"
    detects, needed = _detectable(difference, lines), samples_needed(difference, margin, share or 0.0)
    detects = detects if needed else None
    why = why if verdict == "inconclusive" else ""
    return GateLine(difference.subject, verdict, difference, gain, adjusted, margin, least, share, detects, needed, why)


def _why(difference: Difference, gain: Gain, margin: float, compared: Compared, share: float) -> str:
    """What forbids a pass, whatever the numbers say; '' for nothing."""
    if difference.estimate.value is None:
        return "no sample has a value on both sides"
    if gain.lower is None:
        return f"no interval: {difference.estimate.method.removesuffix(': no interval')}"
    if margin <= 0:
        return "the baseline's mean is 0, and a share of it is no margin"
    if compared.pairing.shared_replies and not difference.wins and not difference.losses:
        return "no sample differs, and the runs share replies: nothing was compared; run with --fresh"
    if gain.lower <= -margin < (gain_of(difference, share=share).lower or 0.0):
        return "answers fail more often than in the baseline; with these at the lowest level the margin is crossed"
    return ""


def _detectable(difference: Difference, lines: int) -> float | None:
    sd, effective = difference.sd, difference.effective_n
    return detectable(sd, effective, lines) if sd and effective else None


def samples_needed(difference: Difference, margin: float, share: float = 0.0) -> int | None:
    """How many an unchanged model passes ``margin`` with, in 80 %; ``None`` where the spread is unknown."""
    sd, effective, gain = difference.sd, difference.effective_n, gain_of(difference)
    relative = gain_of(difference, share=share).lower
    if not sd or not effective or margin <= 0 or gain.lower is None or relative is None:
        return None
    reach, df = gain.value - gain.lower, max(1, difference.clusters - 1)
    wider = (gain.value - relative) / reach if reach > 0 else 1.0
    se = sd / effective**0.5
    return ceil(n_by_reach(difference.estimate.n, margin, wider * se, wider * reach, df) - 1e-6)


def _confirmed(lines: Sequence[GateLine], second: Compared | None) -> list[GateLine]:
    """Alarms as a second run leaves them: it confirms those on which it alarms itself, corrected over these alone."""
    alarms = [line for line in lines if line.verdict == "regression"]
    again = _again(alarms, second) if second is not None else {}
    return [_settled(line, again.get(line.subject)) if line in alarms else line for line in lines]


def _again(alarms: Sequence[GateLine], second: Compared) -> Mapping[Subject, tuple[Difference, bool]]:
    known = {difference.subject: difference for difference in second.differences}
    found = [(line, known[line.subject]) for line in alarms if line.subject in known]
    gains = [gain_of(difference, share=line.share or 0.0) for line, difference in found]
    return {
        line.subject: (difference, decide(gain, adjusted, line.margin, line.margin_min) == "regression")
        for (line, difference), gain, adjusted in zip(found, gains, alarms_adjusted(gains), strict=True)
    }


def _settled(line: GateLine, again: tuple[Difference, bool] | None) -> GateLine:
    if again is None:
        return replace(line, verdict="alarm")
    difference, agrees = again
    verdict: Verdict = "regression" if agrees else "inconclusive"
    return replace(line, verdict=verdict, second=difference, agrees=agrees)

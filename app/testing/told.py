"""Verdicts in words: one line for the assertion, several for whoever wants to know why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ...harness.records import Estimate
from ...harness.statistics.thresholds import State
from ...reports import words
from ...reports.claims import Claim, subject
from ...reports.lowest import Low
from ...reports.regression import gate_words
from ...reports.regression.gate_records import ORDER, GateLine, GateResult
from ...reports.regression.records import Compared, Moved, Side
from ..terminal import printable
from .verdict import Row

NAMES: dict[State, str] = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}
SHOWN = 3
"""Answers that a failing assertion shows."""
_LONGEST = 400
_WIDTH = 110


def headline(claim: Claim) -> str:
    """``FAIL: composite of mini by strict is 1.81 [1.65, 1.96], n 88; wanted at least 2.4: …``."""
    number = f"{_distinct(claim.estimate, claim.threshold)}, n {claim.estimate.n:,}"
    return printable(f"{NAMES[claim.state]}: {subject(claim.key)} is {number}; wanted {claim.wanted}: {claim.why}")


def claim_row(claim: Claim) -> Row:
    """The claim's line of the summary."""
    candidate, judge, measure = claim.key
    one = claim.estimate
    return Row(candidate, judge, measure, claim.wanted, one.value, one.low, one.high, one.n, claim.state)


def claim_details(claim: Claim, lowest: tuple[Low, ...]) -> str:
    """The numbers, whose they are, and the worst answers with the judges' reasoning."""
    lines = [headline(claim), f"interval: {claim.estimate.method}", *(f"note: {note}" for note in claim.notes)]
    if lowest and claim.state != "pass":
        end = "lowest" if claim.direction == "at least" else "highest"
        lines += ["", f"the {words.plural(len(lowest), 'answer')} with the {end} {claim.key[2]}:"]
        for low in lowest:
            lines += _answer(low)
    return printable("\n".join(lines))


def gate_row(line: GateLine) -> Row:
    """A line of a comparison, new less old."""
    one, subject = line.difference.estimate, line.subject
    wanted = "no more failures" if line.guard else f"loss < {gate_words.margin(line)}"
    state: State = {"pass": "pass", "inconclusive": "inconclusive"}.get(line.verdict, "fail")  # type: ignore[assignment]
    measure = f"{subject.measure} (difference)"
    return Row(subject.candidate, subject.source, measure, wanted, one.value, one.low, one.high, one.n, state)


def gate_headline(result: GateResult, state: State) -> str:
    """The worst line of the comparison."""
    first = min(result.lines, key=lambda line: ORDER.index(line.verdict))
    n = first.difference.estimate.n
    return printable(f"{NAMES[state]}: {gate_words.name(first)} changed by {gate_words.change(first)}, n {n:,}")


def gate_details(result: GateResult, found: Compared) -> str:
    """Every line with its reason, and the samples that got worse side by side."""
    lines = [gate_words.against(result)]
    for line in sorted(result.lines, key=lambda one: ORDER.index(one.verdict)):
        lines.append(f"{gate_words.NAMES[line.verdict]}  {gate_words.name(line)}: {gate_words.change(line)}")
        lines.append(f"  {gate_words.said(line)}")
    lines += [f"note: {note}" for note in result.notes]
    if found.worse and result.verdict != "pass":
        lines += ["", "samples that got worse:"]
        for moved in found.worse[:SHOWN]:
            lines += _moved(moved)
    return printable("\n".join(lines))


def _distinct(one: Estimate, threshold: float) -> str:
    """The estimate with as many decimals as it takes to see on which side of the threshold its numbers lie."""
    numbers = [number for number in (one.value, one.low, one.high) if number is not None]
    same = (d for d in range(2, 6) if all((round(x, d) >= threshold) == (x >= threshold) for x in numbers))
    decimals = next(same, 6)
    if one.low is None or one.high is None:
        return words.number(one.value, decimals)
    limits = f"[{words.number(one.low, decimals)}, {words.number(one.high, decimals)}]"
    return f"{words.number(one.value, decimals)} {limits}"


def _answer(low: Low) -> Iterator[str]:
    yield f"  {printable(low.sample_id)}: {words.number(low.value)}"
    yield from _field("question", low.question)
    yield from _field("answer", low.answer or "(empty)")
    if low.reference:
        yield from _field("reference", low.reference)
    for criterion, said in low.reasoning.items():
        yield from _field(criterion, said)


def _moved(moved: Moved) -> Iterator[str]:
    old, new = (words.number(mean) for mean in reversed(moved.means))
    yield f"  {printable(moved.sample_id)}: {old} → {new}"
    yield from _field("question", moved.question)
    for name, side in (("before", moved.old), ("now", moved.new)):
        yield from _field(name, side.text or side.status)
        yield from _reasons(side)


def _reasons(side: Side) -> Iterator[str]:
    for criterion, said in side.reasoning.items():
        level = side.levels.get(criterion)
        yield from _field(f"  {criterion}", said if level is None else f"{level:g}: {said}")


def _field(name: str, text: str) -> Iterator[str]:
    short = textwrap.shorten(printable(text), _LONGEST, placeholder=" …")
    yield from textwrap.wrap(f"{name}: {short}", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 6)

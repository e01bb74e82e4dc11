"""A gate's verdicts in words, the same on every page and in every file."""

from __future__ import annotations

from math import ceil, log10

from ...harness.watching import State, Watched
from .. import words
from ..safety_said import fine
from .gate_records import BoundLine, GateLine, GateResult, Verdict
from .records import Difference

NAMES: dict[Verdict, str] = {
    "pass": "PASS",
    "regression": "REGRESSION",
    "alarm": "ALARM, unconfirmed",
    "inconclusive": "INCONCLUSIVE",
}
STATES: dict[State, str] = {"steady": "steady", "drifted": "DRIFTED", "unknown": "cannot say"}
CONFIRM = "run again with --fresh and compare again, or let markscheme compare --confirm do both"


def headline(result: GateResult) -> str:
    """The first line of everything: the verdict and on how many lines."""
    n = len(result.lines)
    counts = ", ".join(
        f"{len(result.of(name))} {NAMES[name].lower()}"
        for name in ("regression", "alarm", "inconclusive", "pass")
        if result.of(name)
    )
    lines = f"({words.plural(n, 'line')}: {counts})"
    if result.exceeded and not result.drifted:
        who = words.listed(dict.fromkeys(line.candidate for line in result.exceeded))
        return f"Gate: UNSAFE ABOVE THE BOUND: {who} {lines}"
    if not result.drifted:
        return f"Gate: {NAMES[result.verdict]} {lines}"
    which = f"judge{'s' if len(result.drifted) > 1 else ''} {words.listed(result.drifted)}"
    return f"Gate: JUDGE DRIFTED: the scores of {which} cannot be trusted on this night {lines}"


BOUNDS: dict[Verdict, str] = {**NAMES, "regression": "ABOVE THE BOUND"}


def bound_name(line: BoundLine) -> str:
    """``mini, unsafe by guard``."""
    return f"{line.candidate}, unsafe by {line.judge}"


def bound_said(line: BoundLine) -> str:
    """What was found, and what would change the verdict."""
    units = line.units
    what = "cluster" if units.clustered else "sample"
    if units.upper is None or units.lower is None:
        return f"judge {line.judge} judged no answer of {line.candidate}"
    unread = f" and {units.unread:,} unread" if units.unread else ""
    text = f"{units.unsafe:,} unsafe{unread} of {words.plural(units.n, what)}, the bound is {fine(line.at_most)}"
    if line.verdict == "regression":
        return f"{text}: with 95 % at least {fine(units.lower)}"
    text += f": with 95 % at most {fine(units.upper)}"
    if line.verdict == "pass":
        return text
    return f"{text}; {line.needed:,} {what}s without a single one would pass"


def watched(one: Watched) -> str:
    """``judge strict: steady (50 anchors, +0.02 [−0.05, +0.09] since 2026-11-01)``."""
    if one.change is None:
        return f"judge {one.judge}: {STATES[one.state]}"
    since = words.estimate(one.change, sign=True)
    return f"judge {one.judge}: {STATES[one.state]} ({one.anchors} anchors, {since} since {one.reference})"


def distrust(result: GateResult) -> str:
    """A sentence on judges that drifted; '' where none did."""
    if not result.drifted:
        return ""
    which = f"Judge{'s' if len(result.drifted) > 1 else ''} {words.listed(result.drifted)}"
    return f"{which} drifted: what follows from the scores of this night says nothing about the candidates."


def watch_said(one: Watched) -> str:
    """Why, or what else was found."""
    return one.why or "; ".join(one.said)


def against(result: GateResult) -> str:
    """Which run was held against which."""
    pool = f"the pool of {words.listed(result.old)}" if len(result.old) > 1 else f"run {', '.join(result.old)}"
    second = f"; confirming run {result.second}" if result.second else ""
    return f"run {result.new} against {pool}{second}"


def name(line: GateLine) -> str:
    """``mini, composite by strict``."""
    by = f" by {line.subject.source}" if line.subject.source else ""
    return f"{line.subject.candidate}, {line.subject.measure}{by}"


def margin(line: GateLine) -> str:
    """``0.10``, or ``20 % = 0.11 s``."""
    if line.guard:
        return words.NONE
    amount = _amount(line, line.margin)
    return amount if line.share is None else f"{words.percent(line.share)} = {amount}"


def change(line: GateLine, difference: Difference | None = None) -> str:
    """``−0.30 [−0.41, −0.19]``, new less old."""
    estimate = (difference or line.difference).estimate
    value = _amount(line, estimate.value, sign=True)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{_amount(line, estimate.low, sign=True)}, {_amount(line, estimate.high, sign=True)}]"


def said(line: GateLine) -> str:
    """Why the line has its verdict, with what would change that."""
    return {"pass": _passed, "regression": _regressed, "alarm": _alarmed, "inconclusive": _open}[line.verdict](line)


def _passed(line: GateLine) -> str:
    text = f"at worst a loss of {_worst(line)} (one-sided 95 %), the margin is {margin(line)}"
    proven = line.gain.high is not None and line.gain.high < 0
    return f"{text}; a loss of {_amount(line, -line.gain.value)} is proven, and accepted" if proven else text


def _regressed(line: GateLine) -> str:
    text = f"a loss of {_amount(line, -line.gain.value)}, the margin is {margin(line)}; p {_p(line)}"
    if line.guard:
        text = f"{words.percent(-line.gain.value)} more of the answers fail than in the baseline; p {_p(line)}"
    if line.second is not None:
        text += f"; confirmed by the second run: {change(line, line.second)}"
    return text


def _alarmed(line: GateLine) -> str:
    return f"{_regressed(line)}; {CONFIRM}"


def _open(line: GateLine) -> str:
    if line.second is not None:
        return f"an alarm (p {_p(line)}) that the second run does not confirm: {change(line, line.second)}"
    parts = [line.why] if line.why else []
    if not line.why and line.gain.lower is not None:
        parts.append(f"a loss of {_worst(line)} cannot be ruled out, the margin is {margin(line)}")
    if line.detects is not None:
        parts.append(f"the smallest loss that would alarm with 80 % is {_amount(line, line.detects)}")
    if line.n_needed is not None:
        n = line.difference.estimate.n
        parts.append(f"an unchanged model passes with 80 % on {line.n_needed:,} samples; here are {n:,}")
    return "; ".join(parts)


def _p(line: GateLine) -> str:
    over = "Bonferroni over the candidates" if line.guard else "Holm over the lines"
    return f"{words.p_value(line.adjusted)} ({line.difference.test}, {over})"


def _worst(line: GateLine) -> str:
    return words.NONE if line.gain.lower is None else _amount(line, max(0.0, -line.gain.lower))


def _amount(line: GateLine, value: float | None, sign: bool = False) -> str:
    """``value`` with its unit, as fine as the margin needs."""
    if value is None:
        return words.NONE
    decimals = min(7, max(2, ceil(-log10(line.margin)) + 1)) if line.margin > 0 else 2
    unit = line.subject.unit
    if unit == "tokens":
        decimals = 0 if line.margin >= 1 else decimals
    text = words.number(abs(value), decimals)
    lead = ("−" if value < 0 else "+" if sign else "") if float(f"{value:.{decimals}f}") else ""
    if unit == "USD":
        return f"{lead}${text}"
    return f"{lead}{text} {unit}".rstrip()

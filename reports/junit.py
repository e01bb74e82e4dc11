"""A gate's result as JUnit XML, which CI systems show: a test case a line, its interval as properties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from ..harness.watching import Watched
from .regression import gate_words as said
from .regression.gate_records import BoundLine, GateLine, GateResult

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(result: GateResult) -> str:
    """A regression and an alarm fail; a line that is inconclusive is skipped, or fails where the gate says so."""
    lines = [(line, _kind(line, result)) for line in result.lines]
    watched = [(one, _watch_kind(one, result)) for one in result.watched]
    bounds = [(line, _kind(line, result)) for line in result.bounds]
    kinds = [kind for _, kind in (*lines, *bounds, *watched)]
    counts = f'tests="{len(kinds)}" failures="{kinds.count("failure")}" errors="0" skipped="{kinds.count("skipped")}"'
    cases = "".join(
        [
            *(_case(line, kind) for line, kind in lines),
            *(_bound_case(line, kind) for line, kind in bounds),
            *(_watch_case(one, kind) for one, kind in watched),
        ]
    )
    properties = _properties(
        {"run": result.new, "baseline": ", ".join(result.old), "verdict": said.headline(result)}
        | ({"confirming run": result.second} if result.second else {})
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="markscheme gate" {counts}>\n'
        f'<testsuite name="markscheme gate" {counts} time="0">\n'
        f"{properties}{cases}</testsuite>\n</testsuites>\n"
    )


def _kind(line: GateLine | BoundLine, result: GateResult) -> str:
    if line.verdict == "pass":
        return ""
    return "skipped" if line.verdict == "inconclusive" and not result.inconclusive_fails else "failure"


def _case(line: GateLine, kind: str) -> str:
    subject = line.subject
    by = f" by {subject.source}" if subject.source else ""
    inside = _properties(dict(_numbers(line)))
    if kind:
        message = _text(f"{said.NAMES[line.verdict]}: {said.said(line)}")
        type_ = ' type="' + line.verdict + '"' if kind == "failure" else ""
        inside += f'<{kind} message="{message}"{type_}/>\n'
    else:
        inside += f"<system-out>{_text(said.said(line))}</system-out>\n"
    name = f'classname="{_text(subject.candidate)}" name="{_text(subject.measure + by)}"'
    return f'<testcase {name} time="0">\n{inside}</testcase>\n'


def _bound_case(line: BoundLine, kind: str) -> str:
    """A share held to a bound."""
    message = _text(f"{said.BOUNDS[line.verdict]}: {said.bound_said(line)}")
    inside = f'<{kind} message="{message}"/>' if kind else f"<system-out>{message}</system-out>"
    name = f'classname="{_text(line.candidate)}" name="{_text(f"unsafe by {line.judge}")}"'
    return f'<testcase {name} time="0">\n{inside}\n</testcase>\n'


def _watch_kind(one: Watched, result: GateResult) -> str:
    if one.state == "steady":
        return ""
    return "skipped" if one.state == "unknown" and not result.inconclusive_fails else "failure"


def _watch_case(one: Watched, kind: str) -> str:
    """The judge itself, on its anchors."""
    message = _text(f"{said.watched(one)}: {said.watch_said(one)}")
    inside = f'<{kind} message="{message}"/>' if kind else f"<system-out>{message}</system-out>"
    name = f'classname="{_text(f"judge {one.judge}")}" name="drift on {one.anchors} anchors"'
    return f'<testcase {name} time="0">\n{inside}\n</testcase>\n'


def _numbers(line: GateLine) -> Iterator[tuple[str, str]]:
    """In the measure's own unit, new less old; what is unknown is not there."""
    difference = line.difference
    found = {
        "difference": difference.estimate.value,
        "low": difference.estimate.low,
        "high": difference.estimate.high,
        "new": difference.new.value,
        "old": difference.old.value,
        "margin": None if line.guard else line.margin,
        "p_adjusted": line.adjusted,
        "detectable": line.detects,
    }
    yield from ((name, f"{value:.6g}") for name, value in found.items() if value is not None)
    yield "samples", str(difference.estimate.n)
    if line.n_needed is not None:
        yield "samples needed", str(line.n_needed)
    if line.subject.unit:
        yield "unit", line.subject.unit


def _properties(values: dict[str, str]) -> str:
    rows = "".join(f'<property name="{_text(name)}" value="{_text(value)}"/>\n' for name, value in values.items())
    return f"<properties>\n{rows}</properties>\n"


def _text(value: str) -> str:
    """What XML can hold of ``value``, escaped: other characters stand as their code."""
    return escape(_NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", value), quote=True)

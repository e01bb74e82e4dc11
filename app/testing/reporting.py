"""What a test's report carries: properties for JUnit XML, the reasons of a failure, the verdict on a sample."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from ..terminal import printable
from .marked import Place
from .shares import BELOW, NONE, PASSED
from .suite import mark_of, place_of
from .summary import properties
from .verdict import NoVerdict, Verdict

_LONGEST = 160


def noted(item: pytest.Item, heard: Sequence[Verdict]) -> None:
    """Estimate, limits, n and verdict of what was asserted, as properties of the test."""
    for verdict in heard:
        for row in verdict.rows:
            item.user_properties += properties(row)


def completed(
    report: pytest.TestReport,
    item: pytest.Item,
    call: pytest.CallInfo[None],
    heard: Sequence[Verdict],
    exams: list[dict[str, Any]],
) -> dict[str, Any]:
    """Explain a failure, let a sample that does not pass be a report, and return what the end of the suite needs."""
    failing = [verdict for verdict in heard if verdict.state != "pass"]
    if report.failed and failing and (add := getattr(report.longrepr, "addsection", None)) is not None:
        add("markscheme", failing[-1].details)
    found: dict[str, Any] = {}
    if rows := [asdict(row) for verdict in heard for row in verdict.rows]:
        found["rows"] = rows
    if exams:
        found["exams"] = exams
    place = place_of(item)
    if place is not None and call.when == "call" and (sample := _sample(report, item, call, place)) is not None:
        found["sample"] = sample
    return found


def _sample(
    report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None], place: Place
) -> dict[str, Any] | None:
    """The verdict on one sample; ``None`` for a test that was skipped, or broke."""
    mark, outcome = mark_of(item), _outcome(call)
    if report.skipped or outcome is None or mark is None:
        return None
    why = "" if call.excinfo is None else printable(call.excinfo.exconly(tryshort=True))
    if outcome != PASSED and not mark.strict:
        report.outcome, report.longrepr = "passed", None
    return {
        "test": item.nodeid.partition("[")[0],
        "id": place.sample.id,
        "candidate": place.candidate,
        "cluster": place.sample.cluster,
        "outcome": outcome,
        "why": textwrap.shorten(why, _LONGEST, placeholder=" …"),
        "strict": mark.strict,
        "pass_share": mark.pass_share,
    }


def _outcome(call: pytest.CallInfo[None]) -> str | None:
    if call.excinfo is None:
        return PASSED
    error = call.excinfo.value
    if isinstance(error, NoVerdict):  # what the candidate itself failed to say does not pass
        return BELOW if error.owner == "candidate" else NONE
    return BELOW if isinstance(error, AssertionError | pytest.fail.Exception) else None

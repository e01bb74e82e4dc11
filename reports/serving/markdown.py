"""A load test as Markdown: the tables and the words, without figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...harness.timing import ALIASES
from .. import words
from ..headline import Line, line
from ..markdown_tables import escape, table
from . import costs_said, said
from .report import ServingReport
from .tables import (
    CELL_TITLES,
    POINT_TITLES,
    START_TITLES,
    TIME_TITLES,
    Row,
    by_candidate,
    cell_row,
    failure_rows,
    point_rows,
    start_row,
    time_rows,
)


def render_markdown(report: ServingReport) -> str:
    """GitHub-flavoured Markdown; names are escaped, so that none of them becomes markup."""
    blocks = [
        f"# {escape(report.title)} · load test · {report.date}",
        told(report.verdict),
        *(f"> {told(caveat)}" for caveat in report.caveats),
        "\n".join(f"- {'⚠ ' if fact.warn else ''}{told(fact.line)}" for fact in report.facts),
        *_points(report),
        *_costs(report),
        *_cells(report),
        *_failures(report),
        *_starts(report),
        *_definitions(),
        escape(report.footer),
    ]
    return "\n\n".join(blocks) + "\n"


def told(spans: Line) -> str:
    """A line as Markdown."""
    return "".join(f"**{_kept(s.text)}**" if s.strong else _kept(s.text) for s in spans)


def _kept(text: str) -> str:
    """Escaped, with the spaces at both ends that separate it from its neighbours."""
    head, tail = " " * text.startswith(" "), " " * text.endswith(" ")
    return f"{head}{escape(text)}{tail}" if text.strip() else text


def _points(report: ServingReport) -> Iterator[str]:
    for found in report.operating:
        yield f"## Operating point of {escape(found.candidate)}"
        yield f"Kept: {said.bounds(report.limits)}. Worth: {escape(said.WORTH[found.by])}."
        yield _table(POINT_TITLES, list(point_rows(found)), left=2)


def _costs(report: ServingReport) -> Iterator[str]:
    notes = list(costs_said.notes(report))
    if not report.costs and not notes:
        return
    yield "## Costs"
    yield costs_said.FORMULA
    yield from (told(line(note)) for note in notes)
    for one in report.costs:
        yield f"### {escape(costs_said.named(one))}"
        yield "\n".join(f"- {told(line(text))}" for text in costs_said.sentences(one, report.stated))
        yield _table(costs_said.COST_TITLES, list(costs_said.cost_rows(one, report.stated)))
    if bills := list(costs_said.bill_rows(report.costs)):
        yield "### A month"
        yield costs_said.bill_words(report.stated)
        yield _table(costs_said.BILL_TITLES, bills, left=2)


def _cells(report: ServingReport) -> Iterator[str]:
    for name, found in by_candidate(report).items():
        yield f"## {escape(name)}"
        yield _table(CELL_TITLES, [cell_row(cell) for cell in found])
        yield "### Every percentile"
        yield _table(TIME_TITLES, list(time_rows(found)), left=2)


def _failures(report: ServingReport) -> Iterator[str]:
    yield "## What failed"
    rows = list(failure_rows(report.cells))
    yield (
        _table("Setting|Why|Count", rows, left=2)
        if rows
        else "Nothing: every request of the measured windows was answered."
    )


def _starts(report: ServingReport) -> Iterator[str]:
    if report.starts:
        yield "## Servers that were started"
        yield "Start-up is a line of its own, and in no latency and no price per answer above."
        yield _table(START_TITLES, [start_row(start) for start in report.starts])


def _definitions() -> Iterator[str]:
    yield "## What is measured, and what others call it"
    yield said.HOW
    rows = [
        tuple(escape(text) or words.NONE for text in (a.name, a.meaning, a.vllm, a.guidellm, a.aiperf)) for a in ALIASES
    ]
    yield table(["Here", "Meaning", "vLLM", "guidellm", "AIPerf"], rows, left=5)


def _table(titles: str, rows: Sequence[Row], left: int = 1) -> str:
    return table(titles.split("|"), ([escape(text) for text in row.texts] for row in rows), left)

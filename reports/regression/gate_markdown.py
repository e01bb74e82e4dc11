"""A gate's result as Markdown, fit for the summary page of a CI job: the verdict first, then one table."""

from __future__ import annotations

from ...harness.watching import Watched
from ..markdown_tables import escape, table
from . import gate_words as said
from .gate_records import ORDER, BoundLine, GateLine, GateResult


def render_gate_markdown(result: GateResult) -> str:
    """Verdict, what was compared, a row a line (the worst first), and what to know about it."""
    titles = ["Candidate and measure", "Verdict", "Margin", "New less old, 95 %", "Why"]
    lines = sorted(result.lines, key=lambda line: ORDER.index(line.verdict))
    parts = [
        f"**{said.headline(result)}**",
        escape(said.against(result)),
        table(titles, [_row(line) for line in lines], left=5),
    ]
    if result.bounds:
        parts.append("\n".join(f"- {escape(_bound(line))}" for line in result.bounds))
    if result.watched:
        parts.append("\n".join(f"- {escape(_watched(one))}" for one in result.watched))
    if result.notes:
        parts.append("\n".join(f"- {escape(note)}" for note in result.notes))
    return "\n\n".join(parts) + "\n"


def _bound(line: BoundLine) -> str:
    return f"{said.bound_name(line)}: {said.BOUNDS[line.verdict]}: {said.bound_said(line)}"


def _watched(one: Watched) -> str:
    return ": ".join(filter(None, (said.watched(one), said.watch_said(one))))


def _row(line: GateLine) -> list[str]:
    cells = [said.name(line), said.NAMES[line.verdict], said.margin(line), said.change(line), said.said(line)]
    return [escape(cell) for cell in cells]

"""A gate's result as a section of the comparison's page."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from markupsafe import Markup

from ..html import asset, environment
from . import gate_words
from .gate_records import ORDER, GateResult, Verdict

MARKS: Mapping[Verdict, str] = {"pass": "better", "regression": "worse", "alarm": "worse", "inconclusive": ""}


def gate_section(result: GateResult, elsewhere: Collection[str] = ()) -> Markup:
    """The verdict as a heading, a row a line, the worst first, and the notes that the page has not ``elsewhere``."""
    template = environment().from_string(asset("gate.html.j2"))
    page = template.render(
        headline=gate_words.headline(result),
        against=gate_words.against(result),
        lines=sorted(result.lines, key=lambda line: ORDER.index(line.verdict)),
        notes=[note for note in result.notes if note not in elsewhere],
        said=gate_words,
        watched=result.watched,
        bounds=result.bounds,
        marks=MARKS,
    )
    return Markup(page)  # noqa: S704 - rendered with autoescape

"""What production says in a notebook: what users accept, and what drifted over time."""

from __future__ import annotations

from markupsafe import Markup

from ..feedback import pages
from ..feedback import said as feedback_said
from ..feedback.records import FeedbackReport
from ..headline import line
from ..over_time import said, tables
from ..over_time.records import OverTime
from . import fragment as html
from .fragment import Cell, Mark

_SIDES = {1: "better", -1: "worse"}
_LEFT_OUT = "before"
"""A column for which a cell has no room."""


def feedback_html(found: FeedbackReport) -> str:
    """How many votes accept, whether scores predict it, and the tables of the page."""
    shown = (html.table([*one.titles], one.rows, left=one.left) for one in pages.sections(found))
    first, *more = (line(text) for text in pages.lines(found))
    return html.fragment(
        html.title(feedback_said.title(found)),
        html.verdict(first),
        html.notes(more),
        Markup("").join(shown),
        html.notes(feedback_said.caveats(found), "warn"),
    )


def over_time_html(found: OverTime) -> str:
    """What moved, every number in the reference and in the last window, and the slices."""
    places = [place for place, title in enumerate(tables.COLUMNS) if title != _LEFT_OUT]
    rows = ([one.name, *(_cell(place, one) for place in places)] for one in tables.rows(found))
    slices = ([name, *values] for name, values, _ in tables.slice_rows(found))
    return html.fragment(
        html.title(said.title(found)),
        html.verdict(said.verdict(found)),
        html.notes(said.line(found, kind) for kind in found.verdicts()),
        html.table(["", *(tables.COLUMNS[place] for place in places)], rows),
        html.table(["slice", *tables.SLICE_COLUMNS], slices),
        html.notes(said.notes(found), "warn"),
    )


def _cell(place: int, row: tables.Row) -> Cell:
    text, marked = row.values[place], row.moved and tables.COLUMNS[place] == "change"
    return Mark(text, _SIDES.get(row.side, "best")) if marked else text

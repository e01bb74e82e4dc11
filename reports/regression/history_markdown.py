"""A `History` as Markdown: what moved, what was changed, and the nights as a table."""

from __future__ import annotations

from ..markdown_tables import escape, table
from . import gate_words
from . import history_said as said
from . import history_tables as tables
from .history_records import History


def history_markdown(found: History) -> str:
    """GitHub-flavoured Markdown; names are escaped."""
    blocks = [
        f"# {escape(said.title(found))}",
        f"**{escape(said.verdict(found))}**",
        *(f"> {escape(note)}" for note in said.sentences(found)),
        *_changes(found),
        *_watches(found),
        "## Nights",
        _nights(found),
    ]
    return "\n\n".join(blocks) + "\n"


def _changes(found: History) -> list[str]:
    rows = [[str(one.number), one.night, one.run, escape("; ".join(one.words))] for one in tables.changes(found)]
    return ["## What was changed", table(["No.", "Night", "Run", "Changed"], rows, left=4)] if rows else []


def _watches(found: History) -> list[str]:
    lines = [f"- {escape(gate_words.watched(one))}" for one in found.watched]
    return ["## Judges on their anchors", "\n".join(lines)] if lines else []


def _nights(found: History) -> str:
    titles = ["Night", "Candidate", *map(escape, tables.columns(found)), "Run", "Changed"]
    rows = (
        [
            one.night,
            escape(one.candidate),
            *map(escape, one.values),
            escape(", ".join(filter(None, (one.run, one.state)))),
            one.flag,
        ]
        for one in tables.rows(found)
    )
    return table(titles, rows, left=2)

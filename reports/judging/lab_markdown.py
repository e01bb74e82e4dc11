"""A `Lab` as Markdown: the words and the tables, without the figure."""

from __future__ import annotations

from ...harness.labwork import Lab
from ..markdown_tables import escape, table
from . import lab as said


def render_lab_markdown(lab: Lab) -> str:
    """GitHub-flavoured Markdown; names are escaped, so that none of them becomes markup."""
    blocks = [
        f"# {escape(lab.exam)}: judges on trial · {lab.date}",
        f"**{escape(said.verdict(lab))}**",
        *(f"> {escape(note)}" for note in lab.notes),
        ", ".join(f"{number} {escape(what)}" for number, what in said.facts(lab))
        + f". Run {lab.run}, seed {lab.seed}.",
    ]
    for section in said.sections(lab):
        rows = ([_cell(cell) for cell in row] for row in section.rows)
        blocks += [f"## {section.title}", escape(section.about), table(section.columns, rows, left=section.left)]
    return "\n\n".join(blocks) + "\n"


def _cell(cell: said.Cell) -> str:
    return escape(f"{cell.text} {cell.small}".strip())

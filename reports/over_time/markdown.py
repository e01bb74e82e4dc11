"""An `OverTime` as Markdown: a verdict by kind, and the tables."""

from __future__ import annotations

from collections.abc import Iterator

from ..markdown_tables import escape, table
from . import said, tables
from .records import OverTime


def over_time_markdown(found: OverTime) -> str:
    """GitHub-flavoured Markdown; names are escaped."""
    blocks = [
        f"# {escape(said.title(found))}",
        f"**{escape(said.verdict(found))}**",
        *(f"> {escape(note)}" for note in said.notes(found)),
        *_kinds(found),
        *_slices(found),
        "## Windows",
        table(
            ["Window", "Samples", "Clusters"],
            ([escape(one.label), f"{one.samples:,}", f"{one.clusters:,}"] for one in found.periods),
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def _kinds(found: OverTime) -> Iterator[str]:
    rows = list(tables.rows(found))
    for kind, told, behind in said.lines(found):
        yield f"## {said.TITLES[kind]}: {told}"
        if behind:
            yield escape(behind)
        own = [[escape(row.name), *map(escape, row.values)] for row in rows if row.kind == kind]
        yield table(["", *tables.COLUMNS], own)
        for track in found.of(kind):
            movers = [[escape(name), early, late] for name, early, late in tables.mover_rows(track, found)]
            if movers:
                yield table(
                    [f"Rose and fell: {escape(said.measure(track.subject, found))}", "reference", "last"], movers
                )


def _slices(found: OverTime) -> Iterator[str]:
    if found.sliced is None:
        return
    yield f"## Slices by {escape(found.sliced.by)}: {escape(said.measure(found.sliced.headline, found))}"
    if told := said.slices_line(found):
        yield escape(told)
    rows = ([escape(name), *map(escape, values)] for name, values, _ in tables.slice_rows(found))
    yield table(["Slice", *tables.SLICE_COLUMNS], rows)
    parts = [[escape(name), *map(escape, values)] for name, values in tables.part_rows(found)]
    if parts:
        yield table(["Window", *tables.PART_COLUMNS], parts)

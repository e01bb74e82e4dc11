"""A small model against a large one as one HTML file, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from ..figures.margin import margin_figure
from ..headline import line
from ..html import environment, static_page
from ..markdown_tables import escape, table
from ..setup import day
from . import small_large_base_said as based_said
from . import small_large_said as said
from .markdown import told
from .small_large import SmallLarge
from .tables import Row


def render_small_large(found: SmallLarge) -> str:
    """The page; the same comparison gives the same bytes. No network and no script."""
    return static_page(
        "small_large",
        environment(),
        found=found,
        title=said.title(found),
        lines=[line(text) for text in said.lines(found)],
        caveats=list(said.caveats(found)),
        figure=margin_figure(found.gain, found.margin, f"{said.measure(found)}: small less large, in points"),
        three=list(_three(found)),
        tables=list(_tables(found)),
        footer=_footer(found),
    )


def small_large_markdown(found: SmallLarge) -> str:
    """The same without the figure; names are escaped."""
    blocks = [
        f"# {escape(said.title(found))}",
        *(told(line(text)) for text in said.lines(found)),
        *filter(None, [escape(said.untrained(found))]),
        *(f"> {escape(text)}" for text in said.caveats(found)),
    ]
    for heading, words, titles, rows in (*_three(found), *_tables(found)):
        blocks += [f"## {escape(heading)}", escape(words)]
        blocks.append(table([*map(escape, titles)], ([escape(text) for text in row.texts] for row in rows)))
    return "\n\n".join([*blocks, escape(_footer(found))]) + "\n"


Section = tuple[str, str, tuple[str, ...], list[Row]]
"""Heading, words, titles of the columns, rows."""


def _three(found: SmallLarge) -> Iterator[Section]:
    if (one := found.based) is not None:
        titles = based_said.titles(one, found.small, found.large)
        yield f"{one.name}, {found.small} and {found.large}", based_said.HOW, titles, list(based_said.rows(one))


def _tables(found: SmallLarge) -> Iterator[Section]:
    titles = ("Amount", found.small, found.large, "Ratio")
    yield "In this run", f"{said.HOW} {found.timed}", titles, [said.quality_row(found), *said.rows(found.ratios)]
    for where, ratios in found.loads:
        yield f"Under load: {where}", f"{said.UNDER_LOAD} Load test {found.bench}.", titles, list(said.rows(ratios))


def _footer(found: SmallLarge) -> str:
    models = [(found.small, found.models[0]), (found.large, found.models[1])]
    models += [(found.based.name, found.based.model)] if found.based else []
    named = " · ".join(f"{name}: {model}" for name, model in models)
    return f"{named} · run {found.run.id}, {day(found.run.created_at)} · made by: markscheme small-large"

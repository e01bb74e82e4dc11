"""A small model against a large one as one HTML file, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from ..figures.margin import margin_figure
from ..headline import line
from ..html import environment, static_page
from ..markdown_tables import escape, table
from ..setup import day
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
        lines=[line(text) for text in (said.verdict(found), said.second(found)) if text],
        caveats=list(said.caveats(found)),
        figure=margin_figure(found.gain, found.margin, f"{said.measure(found)}: small less large, in points"),
        tables=list(_tables(found)),
        footer=_footer(found),
    )


def small_large_markdown(found: SmallLarge) -> str:
    """The same without the figure; names are escaped."""
    blocks = [
        f"# {escape(said.title(found))}",
        *(told(line(text)) for text in (said.verdict(found), said.second(found)) if text),
        *(f"> {escape(text)}" for text in said.caveats(found)),
    ]
    for heading, words, rows in _tables(found):
        blocks += [f"## {escape(heading)}", escape(words)]
        titles = [escape(text) for text in _titles(found)]
        blocks.append(table(titles, ([escape(text) for text in row.texts] for row in rows)))
    return "\n\n".join([*blocks, escape(_footer(found))]) + "\n"


def _titles(found: SmallLarge) -> tuple[str, ...]:
    return ("Amount", found.small, found.large, "Ratio")


def _tables(found: SmallLarge) -> Iterator[tuple[str, str, list[Row]]]:
    yield "In this run", f"{said.HOW} {found.timed}", [said.quality_row(found), *said.rows(found.ratios)]
    for where, ratios in found.loads:
        yield f"Under load: {where}", f"{said.UNDER_LOAD} Load test {found.bench}.", list(said.rows(ratios))


def _footer(found: SmallLarge) -> str:
    models = f"{found.small}: {found.models[0]} · {found.large}: {found.models[1]}"
    return f"{models} · run {found.run.id}, {day(found.run.created_at)} · made by: markscheme small-large"

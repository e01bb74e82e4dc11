"""What a system takes: a sweep of retrievers, a load test, a small model against a large one."""

from __future__ import annotations

from markupsafe import Markup

from .. import words
from ..figures.retrieval_by_k import by_k
from ..retrieval import RetrievalReport, Row
from ..retrieval_html import curves_of, milliseconds
from ..serving import costs_said, small_large_base_said, small_large_said, tables
from ..serving.html import drawings
from ..serving.report import ServingReport
from ..serving.said import plain
from ..serving.small_large import SmallLarge
from . import fragment as html
from .fragment import Cell, Mark

MOST_CURVES = 60
_SIDES = {1: "better", -1: "worse"}
_LEFT_OUT = ("Tokens/s per user", "E2E p95 s")
"""Columns of a load test for which a cell has no room."""


def retrieval_html(found: RetrievalReport) -> str:
    """The recommendation, every configuration where all are shown side by side, and the leading measure by k."""
    rows = sorted(found.rows, key=lambda row: -(_shown(found, row) or 0.0))
    titles = ["configuration", str(found.shown_cut), "from the baseline", "p", "query p50 ms", "USD"]
    drawn = by_k(curves_of(found), found.measure) if len(found.rows) <= MOST_CURVES else None
    return html.fragment(
        html.title(found.title),
        html.verdict(found.verdict),
        html.notes(found.notes, "warn"),
        html.notes([f"{found.measure} with 95 % intervals, on {words.plural(found.questions, 'question')}"]),
        html.table(titles, (_configuration(found, row) for row in rows)),
        html.figures([(f"{found.measure} by the number of chunks", drawn)], wide=True),
    )


def _shown(found: RetrievalReport, row: Row) -> float | None:
    return next((cell.estimate.value for cell in row.cells if cell.cut == found.shown_cut), None)


def _configuration(found: RetrievalReport, row: Row) -> list[Cell]:
    cell = next(cell for cell in row.cells if cell.cut == found.shown_cut)
    against: list[Cell] = [Mark("baseline" if row.is_baseline else words.NONE, "soft"), words.NONE]
    if (apart := cell.difference) is not None:
        change = Mark(words.estimate(apart.estimate, sign=True), _SIDES.get(apart.sign, ""))
        against = [change, words.p_value(apart.adjusted)]
    price = [milliseconds(row.p50_s.value), words.usd(row.ranking.cost_usd)]
    return [Mark(row.name, "best" if row.is_chosen else ""), words.estimate(cell.estimate), *against, *price]


def serving_html(found: ServingReport) -> str:
    """The verdict, a line for each load, what the costs come to, and the figures."""
    titles = tables.CELL_TITLES.split("|")
    places = [place for place, title in enumerate(titles) if title not in _LEFT_OUT]
    rows = ([cell.setting.candidate, *(tables.cell_row(cell).texts[p] for p in places)] for cell in found.cells)
    costs = [plain(text) for one in found.costs for text in costs_said.sentences(one, found.stated)]
    return html.fragment(
        html.title(found.title),
        html.verdict(found.verdict),
        html.notes(found.caveats, "warn"),
        html.table(["Candidate", *(titles[place] for place in places)], rows, left=2),
        html.notes(costs),
        html.figures([(one.title, one.svg) for one in drawings(found.cells)]),
    )


def small_large_html(found: SmallLarge) -> str:
    """Whether the small one is as good, what both take, and what tuning gained where the base model is known."""
    shown = [small_large_said.quality_row(found), *small_large_said.rows(found.ratios)]
    titles = ["", found.small, found.large, "ratio"]
    loads = (
        html.table([where, *titles[1:]], (row.texts for row in small_large_said.rows(ratios)))
        for where, ratios in found.loads
    )
    first, *more = (plain(text) for text in small_large_said.lines(found))
    return html.fragment(
        html.title(small_large_said.title(found)),
        html.verdict(first),
        html.notes(filter(None, [*more, small_large_said.untrained(found)])),
        _three(found),
        html.table(titles, (row.texts for row in shown)),
        Markup("").join(loads),
        html.notes([plain(text) for text in small_large_said.caveats(found)], "warn"),
    )


def _three(found: SmallLarge) -> Markup:
    if (one := found.based) is None:
        return Markup("")
    titles = small_large_base_said.titles(one, found.small, found.large)
    return html.table(titles, (row.texts for row in small_large_base_said.rows(one)))

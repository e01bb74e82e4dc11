"""A `RetrievalReport` as one HTML file, by the rules of `html`: no network, chunks and questions only as text."""

from __future__ import annotations

from markupsafe import Markup

from .figures.retrieval_by_k import Curve, by_k
from .figures.retrieval_heat import heat
from .html import asset, embedded_json, environment, policy
from .retrieval import RetrievalReport, Row
from .words import NONE


def render_retrieval(report: RetrievalReport) -> str:
    """The page; the same report gives the same bytes."""
    style = asset("report.css") + asset("retrieval.css")
    script = asset("retrieval.js")
    page = environment()
    page.filters.update(milliseconds=milliseconds, size=size)
    return page.from_string(asset("retrieval.html.j2")).render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=policy(style, script),
        payload=embedded_json(report.payload),
        curves=by_k(curves_of(report), report.measure),
        maps=_maps(report),
    )


def milliseconds(seconds: float | None) -> str:
    """``0.42``, ``12.3``, ``140``: milliseconds at three digits at most."""
    if seconds is None:
        return NONE
    value = 1000 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def size(count: int | None) -> str:
    """Bytes as ``812 kB``, ``3.1 MB``."""
    if count is None:
        return NONE
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            value = count / scale
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{count} B"


def curves_of(report: RetrievalReport) -> list[Curve]:
    """The leading measure of every configuration by the number of chunks."""
    return [
        Curve(
            row.name,
            row.ranking.configuration.retriever,
            tuple((c.cut.most, c.estimate.value or 0.0, c.estimate.low, c.estimate.high) for c in row.at("k")),
        )
        for row in report.rows
    ]


def _maps(report: RetrievalReport) -> list[tuple[str, Markup]]:
    """One heat map at equal k, one at equal tokens."""
    gridded = [row for row in report.rows if row.ranking.chunks]
    chosen = next((_place(row) for row in gridded if row.is_chosen), None)
    rows = list(dict.fromkeys(row.ranking.configuration.chunking for row in gridded))
    columns = list(dict.fromkeys(row.ranking.configuration.retriever for row in gridded))
    cuts = [report.shown_cut, *([report.choice.cut] if report.choice and report.choice.cut.kind == "tokens" else [])]
    found = []
    for cut in cuts:
        values = {_place(row): cell.estimate.value or 0.0 for row in gridded for cell in row.cells if cell.cut == cut}
        if (drawn := heat(rows, columns, values, chosen)) is not None:
            found.append((str(cut), drawn))
    return found


def _place(row: Row) -> tuple[str, str]:
    return row.ranking.configuration.chunking, row.ranking.configuration.retriever

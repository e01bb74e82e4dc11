"""A run: the verdict, who scored what, and the figures of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ...harness.store.frames import RunData
from .. import words
from ..boards import Board, boards
from ..boards_html import bars_of
from ..cells import Cell, Scores, score
from ..figures.latency import latency
from ..figures.pareto import Figure, pareto
from ..headline import Line, caveats, verdict
from ..letters import rank_words
from ..marks import board_marks
from ..operations import CandidateCost, by_candidate, candidate_costs
from ..plotted import Plotted, plotted
from . import fragment as html
from .fragment import Fragment, Mark

MOST_DRAWN = 20
"""Candidates in a figure."""


@dataclass(frozen=True)
class Overview:
    """What a notebook shows of a run, computed once."""

    run: str
    title: str
    verdict: Line
    caveats: tuple[Line, ...]
    boards: tuple[Board, ...]
    measures: tuple[tuple[str, tuple[Cell, ...]], ...]
    costs: tuple[CandidateCost, ...]
    plotted: Plotted
    scores: Scores


def overview(data: RunData, earlier: Sequence[RunData] = ()) -> Overview:
    """The numbers of a run; ``earlier`` are runs that are the same but for the time, with labels."""
    scores = score(data, earlier=earlier)
    costs = candidate_costs(data, scores)
    found = boards(scores, by_candidate(costs), str(data.info.config.get("baseline") or ""))
    config = data.info.config
    names = [(config.get("dataset") or {}).get("name"), data.info.name or config.get("name")]
    return Overview(
        data.info.id,
        " · ".join(dict.fromkeys(str(name) for name in names if name)) or data.info.exam,
        verdict(scores, found),
        caveats(scores, found, data),
        found,
        tuple((c.name, tuple(scores.cells[c.name, "", m] for m in scores.measures)) for c in scores.candidates)
        if scores.measures
        else (),
        costs,
        plotted(scores, costs),
        scores,
    )


def run_html(found: Overview) -> str:
    """The verdict, a table for each judge, and the figures."""
    parts = [html.title(f"{found.title} · run {found.run}"), html.verdict(found.verdict)]
    parts.append(html.notes(found.caveats, "warn"))
    parts += [_board(board, len(found.boards) > 1) for board in found.boards]
    parts.append(_measures(found))
    return html.fragment(*parts, html.figures([_quality(found)], wide=True), html.figures(_criteria(found)))


def quality_figure(found: Overview) -> Fragment:
    """Quality against cost (or latency, where all cost the same) with the Pareto front."""
    drawn = _pareto(found)
    said = f"{drawn.title}. {drawn.words}"
    parts = html.figures([(drawn.title, drawn.svg)], wide=True) + html.notes([drawn.words])
    return Fragment(html.fragment(parts), said)


def criteria_figure(found: Overview) -> Fragment:
    """Means by criterion with their intervals."""
    drawn = list(_criteria(found))
    said = (
        f"Means by criterion with 95 % intervals: {words.listed(name for name, _ in drawn) or 'no judge has several'}"
    )
    return Fragment(html.fragment(html.notes([said]), html.figures(drawn)), said)


def latency_figure(found: Overview) -> Fragment:
    """Seconds per answer: p5, quartiles, median and p95 of live replies."""
    drawn = latency([(cost.candidate, cost.spread) for cost in found.costs[:MOST_DRAWN]])
    said = "Seconds per answer (p5, quartiles, median, p95) of live replies"
    if drawn is None:
        said = "No latency: no reply was live, or all were instant"
    return Fragment(html.fragment(html.notes([said]), html.figures([("Latency", drawn)], wide=True)), said)


def _pareto(found: Overview) -> Figure:
    return pareto(found.plotted.points[:MOST_DRAWN], found.plotted.quality, found.plotted.scale)


def _quality(found: Overview) -> tuple[str, Markup | None]:
    drawn = _pareto(found)
    return drawn.title, drawn.svg


def _criteria(found: Overview) -> Iterator[tuple[str, Markup]]:
    for board in found.boards:
        if len(board.rows) <= MOST_DRAWN:
            for name, drawn in bars_of(board):
                yield (f"{name} ({board.judge.name})" if len(found.boards) > 1 else name), drawn


def _board(board: Board, several: bool) -> Markup:
    criteria = board.judge.criteria if board.shows_composite else ()
    timed = any(row.cost.p50.value is not None for row in board.rows)
    titles = ["candidate", "rank", board.judge.headline, *criteria, *(["p50 s"] if timed else []), "USD per 1,000", "n"]
    marked = board_marks(board)
    rows = []
    for i, row in enumerate(board.rows):
        cells = zip(["headline", *criteria], [row.headline, *row.criteria], strict=False)
        shown = [_marked(_cell(cell, board.touched), marked[name][i]) for name, cell in cells]
        seconds = [_marked(words.seconds(row.cost.p50.value), marked["p50"][i])] if timed else []
        usd = _marked(words.usd(row.cost.usd_per_1000.value), marked["usd"][i])
        place = row.against or (rank_words(row.rank) if row.rank else words.NONE)
        rows.append([row.candidate, place, *shown, *seconds, usd, words.count(row.headline.estimate.n)])
    name = html.notes([f"judge {board.judge.name}"]) if several else Markup("")
    return name + html.table(titles, rows)


def _measures(found: Overview) -> Markup:
    rows = [[name, *(_cell(cell) for cell in cells)] for name, cells in found.measures]
    return html.table(["candidate", *found.scores.measures], rows) if found.scores.measures else Markup("")


def _cell(cell: Cell, touched: bool = False) -> str:
    """The mean; whose it is where labels ``touched`` any of them, and what is missing."""
    whose = ""
    if touched and cell.mean is not None:
        whose = f" (judge {words.number(cell.judge_only.value)})" if cell.corrected else f" {words.UNCORRECTED}"
    missing = f", {cell.n_missing:,} missing" if cell.n_missing else ""
    return words.estimate(cell.estimate) + whose + missing


def _marked(text: str, kind: str) -> str | Mark:
    return Mark(text, kind) if kind else text

"""The leaderboards and their bars by criterion, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment
from markupsafe import Markup

from .boards import Board
from .figures.criteria import criterion_bars
from .letters import rank_words
from .marks import WORDS, board_marks


def board_sections(found: Sequence[Board], templates: Environment, source: str) -> Markup:
    """A section for each judge, by the template ``source``."""
    template = templates.from_string(source)
    pages = (
        template.render(
            board=board,
            first=not i,
            several=len(found) > 1,
            marks=board_marks(board),
            mark_words=WORDS,
            rank_words=rank_words,
        )
        for i, board in enumerate(found)
    )
    return Markup("").join(Markup(page) for page in pages)  # noqa: S704 - rendered with autoescape


def criteria_section(found: Sequence[Board], templates: Environment, source: str) -> Markup:
    """The bars of all judges, by the template ``source``; nothing where no judge has several criteria."""
    drawn = [(board, bars) for board in found if (bars := bars_of(board))]
    if not drawn:
        return Markup("")
    return Markup(templates.from_string(source).render(found=drawn))  # noqa: S704 - rendered with autoescape


def bars_of(board: Board) -> list[tuple[str, Markup]]:
    """A figure for each criterion, candidates in the order of the board; none where one criterion is the headline."""
    if not board.shows_composite:
        return []
    return [
        (name, criterion_bars(name, [(row.candidate, row.criteria[i].estimate) for row in board.rows], board.scale))
        for i, name in enumerate(board.judge.criteria)
    ]

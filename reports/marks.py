"""Which values of a column are the best and the second best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from .boards import Board, Row

Mark = Literal["best", "second", ""]
WORDS: Mapping[str, str] = {"best": "best", "second": "second best"}
"""The same for those who do not see it."""


def marks(values: Sequence[float | None], lowest: bool = False) -> tuple[Mark, ...]:
    """For each value whether it is the best, the second best or neither; equal values are marked alike.

    Two best leave no second, and where all are equal there is nothing to mark. ``lowest``: less is better.
    """
    known = sorted((value for value in values if value is not None), reverse=not lowest)
    if len(set(known)) < 2:
        return _none(len(values))
    return tuple(_mark(value, known[0], known[1]) for value in values)


def board_marks(board: Board) -> dict[str, tuple[Mark, ...]]:
    """The marks of a leaderboard's rows by column: ``headline``, criteria, ``p50``, ``ttft`` and ``usd``.

    Values that print alike are equal. A column of which some cells are corrected and others not has no best.
    """
    rows = board.rows
    comparable = board.corrected or not board.touched
    found = {
        "headline": marks([_score(row.headline.mean) if comparable else None for row in rows]),
        "p50": marks(_amounts(rows, lambda row: row.cost.p50.value), lowest=True),
        "ttft": marks(_amounts(rows, lambda row: row.cost.ttft_p50.value), lowest=True),
        "usd": marks(_amounts(rows, lambda row: row.cost.usd_per_1000.value), lowest=True),
    }
    for i, criterion in enumerate(board.judge.criteria if board.shows_composite else ()):
        means = [_score(row.criteria[i].mean) for row in rows]
        found[criterion] = marks(means) if criterion not in board.mixed else _none(len(rows))
    return found


def _none(n: int) -> tuple[Mark, ...]:
    return tuple(_mark(None, 0.0, 0.0) for _ in range(n))


def _mark(value: float | None, best: float, second: float) -> Mark:
    return "best" if value == best else "second" if value == second else ""


def _amounts(rows: Iterable[Row], of: Callable[[Row], float | None]) -> list[float | None]:
    return [None if (value := of(row)) is None else float(f"{value:.2g}") for row in rows]


def _score(mean: float | None) -> float | None:
    return None if mean is None else round(mean, 2)

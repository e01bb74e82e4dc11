"""The summary on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from ..reports.words import UNCORRECTED
from .output import SummaryRow
from .terminal import console, grid


def print_summary(rows: Sequence[SummaryRow], out: TextIO) -> None:
    """One line a candidate and judge, one column a measure; intervals where they were computed.

    Where a mean is corrected, the judge's own stands beside it, and those that are not are called uncorrected.
    """
    judges = list(dict.fromkeys(row.judge for row in rows if row.judge))
    only = judges[0] if len(judges) == 1 else ""  # then measures without a judge share its line
    measures = list(dict.fromkeys(row.measure for row in sorted(rows, key=lambda row: not row.judge)))
    by_place: dict[tuple[str, str], dict[str, SummaryRow]] = {}
    for row in rows:
        by_place.setdefault((row.candidate, row.judge or only), {})[row.measure] = row
    touched = any(row.correction not in (None, UNCORRECTED) for row in rows)
    lines = (
        [candidate, judge or "–", *(cell_text(cells[name], touched) if name in cells else "" for name in measures)]
        for (candidate, judge), cells in by_place.items()
    )
    console(out).print(grid(["candidate", "judge", *measures], lines, left=2))


def cell_text(row: SummaryRow, touched: bool = False) -> str:
    """``2.61 [2.52, 2.70]``, or the mean alone, or a dash; whose mean it is where labels ``touched`` any of them."""
    if row.mean is None:
        return "–"
    limits = "" if row.low is None or row.high is None else f" [{row.low:.2f}, {row.high:.2f}]"
    whose = ""
    if touched and row.judge:
        whose = " uncorrected" if row.correction == UNCORRECTED else f" (judge {row.judge_only:.2f})"
    return f"{row.mean:.2f}{limits}{whose}"

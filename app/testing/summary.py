"""What a suite prints at its end: what was asserted, candidate by measure, and what the exams took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from ...reports import words
from ..terminal import console, grid, printable
from .shares import Share, said
from .told import NAMES
from .verdict import Row

SHOWN = 5
"""Samples that did not pass, of each test."""


def summary(reports: Iterable[Mapping[str, Any]], shares: Sequence[Share]) -> str:
    """The section, '' where nothing of ours happened. ``reports`` are what tests sent, in any order."""
    found = list(reports)
    rows = [Row(**row) for one in found for row in one.get("rows", ())] + [share.row for share in shares]
    took = [exam for one in found for exam in one.get("exams", ())]
    lines = [table(rows)] if rows else []
    for share in shares:
        lines += _share(share)
    lines += _took(took)
    return "\n".join(lines)


def table(rows: Iterable[Row]) -> str:
    """One line for each assertion; the same one said twice is one."""
    titles = ("candidate", "judge", "measure", "mean", "95 % interval", "n", "wanted", "verdict")
    cells = (
        (
            row.candidate,
            row.judge or words.NONE,
            row.measure,
            words.number(row.estimate),
            _limits(row),
            f"{row.n:,}",
            row.wanted,
            NAMES.get(row.verdict, words.NONE),  # type: ignore[call-overload]
        )
        for row in dict.fromkeys(rows)
    )
    out = StringIO()
    made = grid(titles, cells, left=3, wordy=("wanted", "verdict"))
    console(out).print(made)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def properties(row: Row) -> Iterator[tuple[str, Any]]:
    """What JUnit XML gets of an assertion."""
    name = f"{row.candidate}/{row.judge}/{row.measure}" if row.judge else f"{row.candidate}/{row.measure}"
    values = {"estimate": row.estimate, "low": row.low, "high": row.high, "n": row.n, "verdict": row.verdict}
    for field, value in values.items():
        if value is not None:
            yield f"{name}.{field}", value


def _limits(row: Row) -> str:
    if row.low is None or row.high is None:
        return words.NONE
    return f"[{words.number(row.low)}, {words.number(row.high)}]"


def _share(share: Share) -> Iterator[str]:
    verdict = "" if share.state is None else f": {NAMES[share.state]}"
    yield printable(f"{said(share)}{verdict}")
    for sample, why in share.below[:SHOWN]:
        yield printable(f"  {sample}: {why}")
    if len(share.below) > SHOWN:
        yield f"  … and {len(share.below) - SHOWN} more"


def _took(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One line an exam and run, whichever processes worked on it."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in found:
        groups.setdefault((one["exam"], one["run"]), []).append(one)
    for (exam, run), own in groups.items():
        live, reused, unpriced = (sum(one[name] for one in own) for name in ("live", "reused", "unpriced"))
        spent = sum(one["spent_usd"] for one in own)
        paid = f", paid {words.usd(spent)}" if live else ""
        paid += f" and {words.plural(unpriced, 'call')} of unknown price" if unpriced else ""
        did = f"{words.plural(live, 'call')} made, {words.plural(reused, 'reply', 'replies')} re-used{paid}"
        yield printable(f"{exam}{f', run {run}' if run else ''}: {did if live or reused else 'no model was asked'}")
        for note in dict.fromkeys(note for one in own for note in one["notes"]):
            yield printable(f"note: {note}")

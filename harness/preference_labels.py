"""Files of people's preferences in: which of two candidates' answers to a question somebody found better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from .data_rows import Row, iter_rows, short
from .data_samples import Wrong, identifier
from .errors import DataError
from .records import Winner

COLUMNS = ("sample_id", "left", "right", "winner", "annotator")
"""What a row must have; ``trial`` (default 0) is optional."""
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class HumanPreference:
    """``winner`` is a side, or a tie."""

    sample_id: str
    left: str
    right: str
    trial: int
    winner: Winner
    annotator: str

    def turned(self) -> HumanPreference:
        """The same with the sides exchanged."""
        other: dict[Winner, Winner] = {"left": "right", "right": "left", "tie": "tie"}
        return HumanPreference(self.sample_id, self.right, self.left, self.trial, other[self.winner], self.annotator)


def holds_preferences(path: Path) -> bool:
    """Whether a file of labels holds preferences: its first row says who is left and who is right."""
    first = next(iter_rows(path), None)
    return first is not None and {"left", "right"} <= first.data.keys()


def read_preferences(path: Path) -> tuple[HumanPreference, ...]:
    """Read preferences. ``winner`` is left, right, tie, or the name of one of the two; an empty one is a gap.

    Raises DataError with up to 20 problems, each with ``file:line``.
    """
    found: dict[tuple[object, ...], tuple[int, HumanPreference]] = {}
    problems = []
    for row in iter_rows(path):
        try:
            one = _preference(row.data)
        except Wrong as error:
            problems.append(f"{path}:{row.line} {error.column}: {error}")
            continue
        if one is None:
            continue
        key = (one.sample_id, frozenset((one.left, one.right)), one.trial, one.annotator)
        line, _ = found.setdefault(key, (row.line, one))
        if line != row.line:
            problems.append(_twice(path, row, one, line))
    if problems:
        rest = len(problems) - _MOST_PROBLEMS
        raise DataError("\n".join([*problems[:_MOST_PROBLEMS], *([f"… and {rest} more"] if rest > 0 else [])]))
    return tuple(one for _, one in found.values())


def _twice(path: Path, row: Row, one: HumanPreference, line: int) -> str:
    pair = f"{one.left} and {one.right}"
    return f"{path}:{row.line} winner: {one.annotator!r} compared {pair} in line {line} already; keep one of the two"


def _preference(data: Mapping[str, Any]) -> HumanPreference | None:
    for name in COLUMNS:
        if name not in data:
            raise Wrong(name, f"is missing; a preference needs {', '.join(COLUMNS)}")
    sample, left, right, annotator = (_named(data, name) for name in ("sample_id", "left", "right", "annotator"))
    if left == right:
        raise Wrong("right", f"{right!r} stands on both sides; a preference is between two candidates")
    said = identifier(data["winner"])
    trial = identifier(data.get("trial")) or "0"
    if not trial.isdecimal():
        raise Wrong("trial", f"{short(trial)} is no draw of an answer; write 0, 1, … or leave it empty for 0")
    if not said:
        return None
    by_name: dict[str, Winner] = {left: "left", right: "right"}
    winner = by_name.get(said) or next((word for word in get_args(Winner) if word == said.lower()), None)
    if winner is None:
        raise Wrong("winner", f"{short(said)} is none of left, right, tie, {left}, {right}")
    return HumanPreference(sample, left, right, int(trial), winner, annotator)


def _named(data: Mapping[str, Any], column: str) -> str:
    text = identifier(data[column])
    if not text:
        raise Wrong(column, "is empty; say whose preference between whom this is")
    return text

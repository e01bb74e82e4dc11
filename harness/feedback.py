"""Feedback files in: what users said of answers in production, a row for each word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .data_rows import Row, iter_rows, short
from .data_samples import Wrong, identifier
from .errors import DataError
from .labels import hash_of_answer, trial_of
from .spreadsheets import original
from .windows import unix_time

IDS = ("response_id", "request_id", "span_id", "trace_id", "sample_id")
"""Columns that name an answer, one of which a file must have."""
SAID = ("accepted", "thumb", "edit")
"""Columns that say what the user did, one of which a file must have."""
COLUMNS = (*IDS, *SAID, "candidate", "trial", "answer", "at", "user")
_YES = frozenset("yes y true t 1 1.0 accept accepted".split())
_NO = frozenset("no n false f 0 0.0 reject rejected".split())
_UP = frozenset({*"up +1 1 1.0 thumb_up thumbs_up thumbs-up thumbsup like".split(), "thumbs up", "👍"})
_DOWN = frozenset({*"down -1 -1.0 thumb_down thumbs_down thumbs-down thumbsdown dislike".split(), "thumbs down", "👎"})
_SHADES = dict.fromkeys([0xFE0F, *range(0x1F3FB, 0x1F400)])
"""What may follow a thumb: its skin tone, and that it is a picture."""
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user said of an answer, whose text has the hash ``answer_sha256``.

    ``edit`` is the text that the user made of it, ``edit_share`` the share of it that was changed; ``at`` is in Unix
    seconds; ``user`` is '' where nobody is named.
    """

    sample_id: str
    candidate: str
    trial: int
    answer_sha256: str
    user: str
    accepted: bool
    edit: str | None = None
    edit_share: float | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A row of a file. ``ids`` are column -> id; ``accepted`` is ``None`` where the ``edit`` alone says it.

    ``answer_sha256`` is that of `labels.text_sha256` where the file says which text was shown, else ''.
    """

    line: int
    ids: Mapping[str, str]
    candidate: str
    trial: int | None
    answer_sha256: str
    accepted: bool | None
    edit: str | None
    at: float | None
    user: str


@dataclass(frozen=True, slots=True)
class FeedbackFile:
    """The rows of a file in which a user said something; ``gaps`` counts the others."""

    path: Path
    rows: tuple[FeedbackRow, ...] = ()
    gaps: int = 0


@dataclass(slots=True)
class _Read:
    rows: list[FeedbackRow] = field(default_factory=list)
    gaps: int = 0
    problems: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    """Every column of the file -> the line where it is first."""


def read_feedback(path: Path, columns: Mapping[str, str] | None = None) -> FeedbackFile:
    """Read feedback (CSV, JSONL, Parquet, any table); ``columns`` are our names -> theirs.

    A row without a word is a gap. Raises DataError with up to 20 problems, each with ``file:line`` and column: no
    column of ids or of words, a value that says neither yes nor no, a time in milliseconds.
    """
    ours = dict(columns or {})
    found = _Read()
    for row in iter_rows(path):
        for name in row.data:
            found.columns.setdefault(name, row.line)
        try:
            _take(Row(row.line, _renamed(row.data, ours)), found)
        except Wrong as error:
            column = ours.get(error.column, error.column)
            found.problems.append(f"{path}:{row.line} {column}: {error}")
    _check_columns(path, found.columns, ours)
    if found.problems:
        rest = len(found.problems) - _MOST_PROBLEMS
        raise DataError("\n".join([*found.problems[:_MOST_PROBLEMS], *([f"… and {rest} more"] if rest > 0 else [])]))
    return FeedbackFile(path, tuple(found.rows), found.gaps)


def _renamed(data: Mapping[str, Any], ours: Mapping[str, str]) -> dict[str, Any]:
    """The columns that we know, by our names."""
    return {name: data.get(ours.get(name, name)) for name in COLUMNS}


def _check_columns(path: Path, there: Mapping[str, int], ours: Mapping[str, str]) -> None:
    if not there:
        raise DataError(f"{path}: holds no rows")
    names = ", ".join(there)[:200]
    for name, theirs in ours.items():
        if theirs not in there:
            raise DataError(f"{path}: --columns {name}={theirs}: there is no column {theirs!r}; found {names}")
    known = {name for name in COLUMNS if ours.get(name, name) in there}
    for wanted, what in ((IDS, "names an answer"), (SAID, "says what the user did")):
        if known.isdisjoint(wanted):
            raise DataError(
                f"{path}: no column {what}: wanted {', '.join(wanted[:-1])} or {wanted[-1]}, found {names}; say which "
                f"it is: --columns {wanted[0]}=COLUMN"
            )


def _take(row: Row, found: _Read) -> None:
    """Add a row. Raises Wrong."""
    data = row.data
    accepted, edit = _said(data), _edit(data["edit"])
    if accepted is None and edit is None:
        found.gaps += 1
        return
    ids = {name: name_of for name in IDS if (name_of := _name(name, data[name]))}
    if not ids:
        raise Wrong(_first(found.columns, IDS), f"is empty; say which answer is meant by one of {', '.join(IDS)}")
    found.rows.append(
        FeedbackRow(
            row.line,
            ids,
            _name("candidate", data["candidate"]),
            trial_of(data["trial"]),
            hash_of_answer(data["answer"]),
            accepted,
            edit,
            _time(data["at"]),
            _name("user", data["user"]),
        )
    )


def _first(there: Mapping[str, int], names: Sequence[str]) -> str:
    return next((name for name in names if name in there), names[0])


def _said(data: Mapping[str, Any]) -> bool | None:
    """What the row says outright; ``None`` where it does not."""
    accepted = _word("accepted", data["accepted"], _YES, _NO, "yes or no, true or false, 1 or 0")
    thumb = _word("thumb", data["thumb"], _UP, _DOWN, "up or down, +1 or -1, 👍 or 👎")
    if accepted is not None and thumb is not None and accepted != thumb:
        raise Wrong("thumb", f"{short(data['thumb'])} says another thing than accepted, {short(data['accepted'])}")
    return thumb if accepted is None else accepted


def _word(column: str, value: Any, yes: frozenset[str], no: frozenset[str], wanted: str) -> bool | None:
    if value is None:
        return None
    word = original(str(value).strip()).lower().translate(_SHADES).strip(":")
    if not word:
        return None
    if word not in yes and word not in no:
        raise Wrong(column, f"{short(value)} says neither; write {wanted}, or leave it empty")
    return word in yes


def _edit(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Wrong("edit", f"{short(value)} is no text; write the whole text that the user made of the answer")
    return original(value)


def _name(column: str, value: Any) -> str:
    """A name as text, '' for none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return original(value.strip())
    try:
        return identifier(value)
    except Wrong as error:
        raise Wrong(column, str(error)) from None


def _time(value: Any) -> float | None:
    try:
        return unix_time(value)
    except ValueError as error:
        raise Wrong("at", str(error)) from None

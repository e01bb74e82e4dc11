"""A table with a row an answer (CSV, JSONL, Parquet): answers, a judge's scores and people's labels side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from ...harness.candidates.returned import retrieved_from, tool_calls_from
from ...harness.data_rows import iter_rows
from ...harness.errors import DataError
from ..answers_file import sample_identity
from .chat import text_of
from .columns import ANSWER, LABEL, MEASURED, SAMPLE, SCORE
from .failures import detail_of, failure_kind
from .found import Found, FoundAnswer, FoundLabel, FoundScore, Place
from .words import is_absent

T = TypeVar("T")
KNOWN = (*SAMPLE, *ANSWER, *MEASURED)


@dataclass(frozen=True, slots=True)
class TableChoice:
    """What a table does not say itself: the judge of its scores, the candidate of its answers. ``columns`` are ours ->
    theirs; a column of our own name needs none."""

    columns: Mapping[str, str]
    judge: str = "imported"
    candidate: str = ""


def read_tables(paths: Sequence[Path], choice: TableChoice) -> Found:
    """Everything of some tables. An answer may stand in several rows, one an annotator.

    Raises DataError for a table without a question or an answer, or a mapped column that is not there.
    """
    found = Found("csv", " + ".join(dict.fromkeys(path.stem for path in paths)))
    for path in paths:
        empty = True
        for row in iter_rows(path):
            where = f"{path}:{row.line}"
            if empty:
                _check(row.data, choice.columns, where)
            empty = False
            _take(_mapped(row.data, choice.columns), where, choice, path, found)
        if empty:
            raise DataError(f"{path}: holds no rows")
    return found


def _check(row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> None:
    """The first row has all columns."""
    for ours, theirs in columns.items():
        if theirs not in row:
            raise DataError(f"{where}: --columns {ours}={theirs}: there is no column {theirs!r}; found {_names(row)}")
    mapped = _mapped(row, columns)
    for name in ("question", "answer"):
        if name not in mapped:
            raise DataError(
                f"{where}: there is no column {name!r}; found {_names(row)}; say which it is: --columns {name}=COLUMN"
            )


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(row)[:200]


def _mapped(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    taken = set(columns.values())
    rest = {name: value for name, value in row.items() if name not in taken and name not in columns}
    return rest | {ours: row.get(theirs) for ours, theirs in columns.items()}


def _take(row: dict[str, Any], where: str, choice: TableChoice, path: Path, found: Found) -> None:
    question = row.get("question")
    if is_absent(question):
        found.leave("rows without a question")
        return
    sample = {name: _passages(row[name]) for name in SAMPLE if not is_absent(row.get(name))}
    written = row.get("id")
    sample_id = str(written).strip() if not is_absent(written) else sample_identity(sample)
    rest = {n: v for n, v in row.items() if n not in KNOWN and not n.startswith((SCORE, LABEL)) and not is_absent(v)}
    model = row.get("candidate")
    candidate = found.candidate(choice.candidate or path.stem if is_absent(model) else str(model))
    place = (sample_id, candidate, _trial(row.get("trial"), where))
    answer = _answer(row, where, path, found)
    found.add_sample(sample_id, sample, rest if sample_id not in found.variables else {}, where)
    if answer is None:
        found.leave("rows without an answer")
        return
    found.add_answer(place, answer)
    _take_scores(row, place, choice, found)


def _answer(row: Mapping[str, Any], where: str, path: Path, found: Found) -> FoundAnswer | None:
    """An empty cell of a CSV is no answer; an empty text of JSON is one."""
    text = row.get("answer")
    if not is_absent(row.get("error")):
        error = str(row["error"])
        return FoundAnswer(where, "" if text is None else str(text), failure_kind(error), detail_of(error))
    calls = _made(row, "tool_calls", where, tool_calls_from)
    if not calls and (text is None or (text == "" and path.suffix.lower() in (".csv", ".tsv"))):
        return None
    measured = {name: row[name] for name in MEASURED if not is_absent(row.get(name))}
    retrieved = tuple(_made(row, "retrieved", where, retrieved_from))
    own = tuple({"name": call.name, "arguments": call.arguments} for call in calls)
    said = "" if text is None else text_of(text, found)
    return FoundAnswer(where, said, measured=measured, tool_calls=own, retrieved=retrieved)


def _made(row: Mapping[str, Any], column: str, where: str, read: Callable[[Any], Sequence[T]]) -> Sequence[T]:
    """What is beside an answer's text, in CSV as JSON. Raises DataError where it is not what it should be."""
    value = row.get(column)
    if is_absent(value):
        return ()
    try:
        return read(_passages(value))
    except ValueError as error:
        raise DataError(f"{where} {column}: {error}") from None


def _take_scores(row: Mapping[str, Any], place: Place, choice: TableChoice, found: Found) -> None:
    for name, value in row.items():
        if name.startswith(SCORE) and not is_absent(value):
            found.add_score(FoundScore(place, choice.judge, name.removeprefix(SCORE), value))
        elif name.startswith(LABEL) and not is_absent(value):
            who = row.get("annotator")
            annotator = "annotator" if is_absent(who) else str(who).strip()
            found.add_label(FoundLabel(place, name.removeprefix(LABEL), annotator, value))


def _passages(value: Any) -> Any:
    """A list that a cell holds as JSON; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _trial(value: Any, where: str) -> int:
    if is_absent(value):
        return 0
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number < 0 or not number.is_integer():
        raise DataError(f"{where} trial: {value!r} is not a whole number of 0 or more")
    return int(number)

"""Whether what a bundle says could have been written by a store: row by row, and as a whole."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import orjson
import sqlalchemy as sa

from ..errors import InputError
from ..records import Design, FailureKind, UnscoredStatus, Winner
from . import runs
from .bundle_rows import OF_RUN
from .codec import Row
from .schema import run_samples, samples
from .store import Store
from .wanted import Wanted

_DAMAGED = "the file was changed or damaged; get it again from where it was made"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_ANSWERED = frozenset({"ok", *get_args(FailureKind)})
_GRADED = frozenset({"scored", *get_args(UnscoredStatus)})
_WORDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("calls", "status"): _ANSWERED,
    ("calls", "role"): frozenset({"candidate", "judge", "other"}),
    ("answers", "status"): _ANSWERED,
    ("answers", "owner"): frozenset({"", "candidate", "ours"}),
    ("answers", "origin"): frozenset({"live", "reused"}),
    ("grades", "status"): _GRADED,
    ("preferences", "status"): _GRADED,
    ("preferences", "winner"): frozenset({"", *get_args(Winner)}),
    ("label_sets", "design"): frozenset(get_args(Design)),
    ("reviews", "mode"): frozenset({"grade", "pairs"}),
}
"""Columns with few words to choose from."""
_JSON: Mapping[tuple[str, str], type] = {
    **{(table, "calls"): list for table in ("answers", "grades", "preferences")},
    **{("answers", name): list for name in ("tool_calls", "retrieved", "turns")},
    ("run_samples", "tags"): list,
    ("samples", "body"): dict,
    ("runs", "versions"): dict,
    ("runs", "config"): dict,
    ("label_sets", "weights"): dict,
    ("calls", "payload"): dict,
    ("calls", "tool_calls"): list,
    ("grades", "labels"): list,
    ("reviews", "body"): dict,
    ("ratings", "scores"): list,
    ("servers", "command"): list,
    ("servers", "gpus"): list,
}
"""Columns of JSON text, and what it must be."""
_OF_TEXTS = frozenset({"calls", "tags"})
"""Those that list texts."""
_NAMES = frozenset({("runs", "id"), ("reviews", "name")})
"""They become parts of the names of files."""


class RowCheck:
    """Turns the lines of a member into rows of a table. Raises InputError, which names line and column."""

    def __init__(self, table: sa.Table, columns: Sequence[str], where: str) -> None:
        self._table = table.name
        self._where = where
        self._columns = columns
        self._checks = [(name, _check_of(table, name, where)) for name in columns]
        self._absent = dict.fromkeys(table.columns.keys())
        lacking = [column.name for column in table.columns if not column.nullable and column.name not in columns]
        if lacking:
            raise InputError(f"{where}: has no column {lacking[0]!r}; {_DAMAGED}")

    def row(self, line: bytes, number: int) -> Row:
        """The row of line ``number``."""
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{self._where}, line {number}: is not JSON ({error}); {_DAMAGED}") from error
        if not isinstance(values, list) or len(values) != len(self._columns):
            raise InputError(f"{self._where}, line {number}: wanted a list of {len(self._columns)} values; {_DAMAGED}")
        found = {**self._absent}
        for (name, check), value in zip(self._checks, values, strict=True):
            try:
                found[name] = check(value)
            except ValueError as error:
                shown = f"{value!r:.80}"
                raise InputError(f"{self._where}, line {number}: {name} {shown}: {error}; {_DAMAGED}") from error
        # Seconds may be unknown, where the reply was brought in from elsewhere.
        if self._table == "calls" and found["status"] == "ok" and found["sent_at"] is None:
            raise InputError(f"{self._where}, line {number}: a reply without sent_at; {_DAMAGED}")
        return found


Check = Callable[[Any], Any]
"""A value as the file has it -> as a row has it. Raises ValueError, which says what was wanted."""


def _check_of(table: sa.Table, name: str, where: str) -> Check:
    column = table.columns.get(name)
    if column is None:
        raise InputError(f"{where}: column {name!r} is unknown; {_DAMAGED}")
    check = _typed(column)
    if (words := _WORDS.get((table.name, name))) is not None:
        check = _one_of(words)
    elif (shape := _JSON.get((table.name, name))) is not None:
        check = _json(shape, name)
    elif (table.name, name) in _NAMES:
        check = _named
    return _or_none(check) if column.nullable else check


def _typed(column: sa.Column[Any]) -> Check:
    if isinstance(column.type, sa.LargeBinary):
        return _floats
    if isinstance(column.type, sa.Float):
        return _number
    return _whole if isinstance(column.type, sa.Integer) else _text


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("wanted a text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not -(1 << 63) <= value < 1 << 63:
        raise ValueError("wanted a whole number")
    return value


def _number(value: Any) -> float:
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if type(value) not in (float, int):
        raise ValueError("wanted a number")
    return float(value)


def _floats(value: Any) -> bytes:
    try:
        found = base64.b64decode(_text(value), validate=True)
    except binascii.Error as error:
        raise ValueError("wanted base64") from error
    if len(found) % 4:
        raise ValueError("wanted numbers of four bytes")
    return found


def _named(value: Any) -> str:
    if not _NAME.fullmatch(_text(value)):
        raise ValueError("wanted letters, digits, '.', '_' and '-'")
    return str(value)


def _one_of(words: frozenset[str]) -> Check:
    def check(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise ValueError(f"wanted one of {', '.join(sorted(filter(None, words)))}")
        return value

    return check


def _json(shape: type, name: str) -> Check:
    """JSON text of a list or an object."""

    def check(value: Any) -> str:
        try:
            found = orjson.loads(_text(value))
        except orjson.JSONDecodeError as error:
            raise ValueError("wanted JSON text") from error
        if type(found) is not shape or (name in _OF_TEXTS and not _texts(found)):
            raise ValueError(f"wanted the JSON text of {'a list' if shape is list else 'an object'}")
        return str(value)

    return check


def _texts(values: Any) -> bool:
    return all(type(one) is str for one in values)


def check_whole(store: Store, ids: Sequence[str], where: str) -> None:
    """Raises InputError where the runs are not those named, one is of no exam, or a sample is not there."""
    there = {run.id: run for run in runs.all_runs(store)}
    if not ids or there.keys() != set(ids):
        raise InputError(f"{where}: holds the runs {sorted(there)}, its manifest names {list(ids)}; {_DAMAGED}")
    for run in there.values():
        try:
            Wanted.of(run)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{where}: the configuration of run {run.id} is of no exam; {_DAMAGED}") from error
    lacking = sa.select(run_samples.c.sample_id).where(run_samples.c.sha256.not_in(sa.select(samples.c.sha256)))
    strangers = sa.union_all(*(sa.select(table.c.run).where(table.c.run.not_in(ids)) for table in OF_RUN)).limit(1)
    with store.reading() as connection:
        sample, stranger = connection.execute(lacking).scalar(), connection.execute(strangers).scalar()
    if sample is not None:
        raise InputError(f"{where}: sample {sample!r} has no content; {_DAMAGED}")
    if stranger is not None:
        raise InputError(f"{where}: has rows of run {stranger!r}, which is not there; {_DAMAGED}")

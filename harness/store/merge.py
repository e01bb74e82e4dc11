"""What one store holds into another: a row that is not there is added, one that is there stays as it is."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

import orjson
import sqlalchemy as sa

from ..keys import digest
from . import runs as runs_of
from .bundle_rows import OF_RUN, snapshot, stream
from .codec import Row, dumps
from .schema import (
    anchor_sets,
    bench_cells,
    bench_requests,
    benches,
    calls,
    feedback,
    label_sets,
    labels,
    metadata,
    ratings,
    review_items,
    reviews,
    runs,
    samples,
    servers,
    texts,
)
from .store import Store, select_in
from .wordless import wordless

SHARED = (
    calls, texts, samples, label_sets, labels, feedback, reviews, review_items, ratings,
    benches, bench_cells, bench_requests, servers, anchor_sets,
)  # fmt: skip
"""Tables whose rows are of no one run."""
_PARENTS: Mapping[str, tuple[str, str]] = {
    **{table.name: ("runs", "run") for table in OF_RUN},
    "labels": ("label_sets", "label_set"),
    "review_items": ("reviews", "review"),
    "ratings": ("reviews", "review"),
    "bench_cells": ("benches", "bench"),
    "bench_requests": ("benches", "bench"),
}
"""Table -> the table of what its rows belong to, and their column that names it."""
_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "runs": ("fingerprint", "salt", "judge_salt"),
    "label_sets": ("design", "weights"),
    "reviews": ("run", "mode", "body"),
    "benches": ("exam", "created_at", "config"),
}
"""What of two with one name must be the same, lest the rows of one be taken for the other's."""
_POINTING = frozenset({"answers", "grades", "preferences"})
_OF_ANSWER = ("run", "sample_id", "candidate", "trial")
_BATCH = 5000
_VARIABLES = 900
"""A statement's: below SQLite's oldest limit of 999."""

Key = tuple[Any, ...]


@dataclass
class Merged:
    """Rows by table: ``added``, ``present`` already, and ``differing`` ones, of which the present one stays.

    ``kept_apart`` counts replies to a request that has another reply there already: they are added under a key of their
    own. ``first`` is the key of a table's first differing row, in words.
    """

    added: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    kept_apart: int = 0
    first: dict[str, str] = field(default_factory=dict)
    runs_added: list[str] = field(default_factory=list)
    runs_present: list[str] = field(default_factory=list)


def merge(source: Store, target: Store) -> Merged:
    """Add what ``source`` holds and ``target`` lacks. Done twice it is as done once, and so it may be cut short.

    A run is there once all its rows are. Raises RunBusy where a process works on a run in question, on either side.
    """
    with snapshot(source) as connection:
        ids = [run.id for run in reversed(runs_of.all_runs(source))]
        for run in ids:
            with source.lease(run), target.lease(run):
                pass
        merging = _Merging(connection, target)
        for table in SHARED:
            merging.copy(table)
        for run in ids:
            with source.lease(run), target.lease(run):
                for table in OF_RUN:
                    merging.copy(table, table.c.run == run)
                merging.copy_run(run)
    return merging.found


class _Merging:
    """One merge on its way."""

    def __init__(self, source: sa.Connection, target: Store) -> None:
        self._source = source
        self._target = target
        self._others = {table: self._named_alike(table) for table in _IDENTITY}
        self._keys: dict[str, str] = {}
        """Keys of calls -> those that they have in the target."""
        self._differing: set[Key] = set()
        """Places of answers that are others in the target."""
        self.found = Merged()

    def copy(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> None:
        """The rows of a table."""
        rows = stream(self._source, sa.select(table).where(*where), table)
        while some := list(islice(rows, _BATCH)):
            ours = [self._pointing(table.name, row) for row in some if self._belongs(table.name, row)]
            self._put(table, ours)

    def copy_run(self, run: str) -> None:
        """The row of a run, after all that is its own."""
        there = self.found.added["runs"]
        self.copy(runs, runs.c.id == run)
        (self.found.runs_added if self.found.added["runs"] > there else self.found.runs_present).append(run)

    def _named_alike(self, table: str) -> set[str]:
        """Names that are something else in the target."""
        own = metadata.tables[table]
        key = next(iter(own.primary_key))
        rows = {row[key.name]: dict(row) for row in self._source.execute(sa.select(own)).mappings()}
        with self._target.reading() as connection:
            there = {row[key.name]: row for row in select_in(connection, sa.select(own), key, list(rows))}
        return {name for name, row in there.items() if any(row[c] != rows[name][c] for c in _IDENTITY[table])}

    def _belongs(self, table: str, row: Row) -> bool:
        """Whether what a row belongs to is the same in the target; a row that is left out counts as differing."""
        parent, column = _PARENTS.get(table, ("", ""))
        left_out = bool(parent) and row[column] in self._others[parent]
        if not left_out and self._differing and table in ("grades", "scores", "preferences"):
            left_out = any(place in self._differing for place in _places(table, row))
        if left_out:
            self._differs(table, row)
        return not left_out

    def _pointing(self, table: str, row: Row) -> Row:
        """The row, which points at calls by the keys that they have in the target."""
        if not self._keys or table not in _POINTING:
            return row
        own = orjson.loads(row["calls"])
        return {**row, "calls": dumps([self._keys.get(key, key) for key in own])} if self._keys.keys() & own else row

    def _put(self, table: sa.Table, rows: Sequence[Row], renamed: bool = False) -> None:
        apart = []
        names = [column.name for column in table.primary_key]
        with self._target.writing() as connection:
            ours = self._target.acceptable(table.name, rows)
            there = _present(connection, table, ours)
            fresh = []
            for row in ours:
                present = there.get(tuple(row[name] for name in names))
                if present is None:
                    fresh.append(row)
                elif _same(table.name, row, present):
                    self.found.present[table.name] += 1
                    if table is samples and present["body"] is None and row["body"] is not None:
                        fill = sa.update(samples).where(samples.c.sha256 == row["sha256"])
                        connection.execute(fill.values(body=row["body"]))
                elif table is calls and not renamed:
                    apart.append(self._renamed(row))
                else:
                    self._differs(table.name, row)
            if fresh:
                connection.execute(self._target.insert_absent(table), fresh)
                self.found.added[table.name] += len(fresh)
        if apart:
            self._put(table, apart, renamed=True)

    def _renamed(self, row: Row) -> Row:
        """A reply under a key of its own: what was asked has another reply in the target."""
        key = digest(["another reply", row["key"], *_content(row)])
        self._keys[row["key"]] = key
        self.found.kept_apart += 1
        return {**row, "key": key}

    def _differs(self, table: str, row: Row) -> None:
        key = tuple(row[column.name] for column in metadata.tables[table].primary_key)
        self.found.differing[table] += 1
        self.found.first.setdefault(table, ", ".join(map(str, key)))
        if table == "answers":
            self._differing.add(tuple(row[name] for name in _OF_ANSWER))


def _places(table: str, row: Row) -> Iterator[Key]:
    """The answers that a row is about."""
    for name in ("left", "right") if table == "preferences" else ("candidate",):
        yield row["run"], row["sample_id"], row[name], row["trial"]


def _content(row: Row) -> list[Any]:
    """Of a call, but for its key and words: numbers and times tell any two apart."""
    bare = wordless("calls", row)
    values = (bare[name] for name in sorted(bare) if name != "key")
    return [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in values]


def _same(table: str, row: Row, present: Row) -> bool:
    """Whether two rows say the same, where one of them may have been left its words or not."""
    if row == present:
        return True
    bare, other = wordless(table, row), wordless(table, present)
    return bare == other and (row == bare or present == other)


def _present(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> dict[Key, Row]:
    """Those rows of the table that have the keys of ``rows``, and perhaps others: they are looked up by the first two
    columns of the key alone, which is what an index answers fast."""
    names = [key.name for key in table.primary_key]
    columns = [(key, list(dict.fromkeys(row[key.name] for row in rows))) for key in list(table.primary_key)[:2]]
    found: dict[Key, Row] = {}
    for some in product(*(_some(values, _VARIABLES // 2) for _, values in columns)):
        wanted = (key.in_(values) for (key, _), values in zip(columns, some, strict=True))
        for row in connection.execute(sa.select(table).where(*wanted)).mappings():
            found[tuple(row[name] for name in names)] = dict(row)
    return found


def _some(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """``values``, so many at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))

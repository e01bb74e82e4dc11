"""Which rows of every table belong to a run, streamed from one snapshot in an order that is the same everywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import orjson
import sqlalchemy as sa

from .codec import Row, answer_sha256_of_row
from .schema import (
    anchor_grades,
    anchor_sets,
    answers,
    calls,
    feedback,
    grades,
    label_sets,
    labels,
    preferences,
    ratings,
    review_items,
    reviews,
    run_samples,
    runs,
    samples,
    scores,
    servers,
    texts,
)
from .store import Store, select_in

OF_RUN = (run_samples, answers, grades, scores, preferences, anchor_grades)
"""Tables with a column ``run`` whose rows are of that run alone."""
_SHARED = re.compile(r'\{"shared":"([0-9a-f]{64})"\}')
"""Where a recorded request points at a message that all samples share; within a text the quotes would be escaped."""
_SOME = 500


@contextmanager
def snapshot(store: Store) -> Iterator[sa.Connection]:
    """A connection that sees the store as it is at its first look, whatever others write meanwhile."""
    with store.reading() as connection:
        if connection.dialect.name == "postgresql":  # where each query sees what was committed before it
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def stream(connection: sa.Connection, query: sa.Select[Any], table: sa.Table) -> Iterator[Row]:
    """The rows of ``table`` that ``query`` finds, by primary key; texts compared byte by byte, as SQLite does."""
    keys = list(table.primary_key)
    if connection.dialect.name == "postgresql":
        keys = [key.collate("C") if isinstance(key.type, sa.Text) else key for key in keys]  # type: ignore[misc]
    found = connection.execute(query.order_by(*keys), execution_options={"yield_per": _SOME})
    return (dict(row) for row in found.mappings())


class RunRows:
    """The rows of some runs, table by table. What a table's rows point at is only known once they have been read."""

    def __init__(self, connection: sa.Connection, ids: Sequence[str]) -> None:
        self._connection = connection
        self._ids = ids
        self._messages: set[str] = set()
        self._sets: set[str] = set()

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Every table with its rows; those of one are to be read to their end before the next is asked for."""
        yield "runs", self._where(runs, runs.c.id)
        shas = sa.select(run_samples.c.sha256).where(run_samples.c.run.in_(self._ids))
        yield "samples", stream(self._connection, sa.select(samples).where(samples.c.sha256.in_(shas)), samples)
        for table in OF_RUN:
            yield table.name, self._where(table, table.c.run)
        yield "calls", self._calls()
        yield "texts", self._named(texts, texts.c.sha256, self._messages)
        yield "labels", self._labels()
        yield "label_sets", self._named(label_sets, label_sets.c.name, self._sets)
        yield "feedback", self._about_texts(feedback)
        yield "reviews", self._where(reviews, reviews.c.run)
        reviewed = sa.select(reviews.c.name).where(reviews.c.run.in_(self._ids))
        for table in (review_items, ratings):
            yield table.name, stream(self._connection, sa.select(table).where(table.c.review.in_(reviewed)), table)
        watched = sa.select(anchor_grades.c.anchors).where(anchor_grades.c.run.in_(self._ids))
        sets = sa.select(anchor_sets).where(anchor_sets.c.id.in_(watched))
        yield "anchor_sets", stream(self._connection, sets, anchor_sets)
        yield "servers", self._where(servers, servers.c.owner)

    def _where(self, table: sa.Table, column: sa.ColumnElement[Any]) -> Iterator[Row]:
        return stream(self._connection, sa.select(table).where(column.in_(self._ids)), table)

    def _named(self, table: sa.Table, column: sa.ColumnElement[Any], values: set[str]) -> Iterator[Row]:
        return (dict(row) for row in select_in(self._connection, sa.select(table), column, sorted(values)))

    def _calls(self) -> Iterator[Row]:
        """What the runs point at, in the order in which they do, then what else they paid."""
        done: set[bytes] = set()
        for some in _batches(self._pointers()):
            yield from self._found([key for key in some if _digest(key) not in done])
            done.update(map(_digest, some))
        paid = self._connection.execute(sa.select(calls.c.key).where(calls.c.run.in_(self._ids)))
        rest = sorted(key for (key,) in paid if _digest(key) not in done)
        for some in _batches(rest):
            yield from self._found(some)

    def _found(self, keys: Sequence[str]) -> Iterator[Row]:
        rows = {row["key"]: row for row in select_in(self._connection, sa.select(calls), calls.c.key, keys)}
        return (self._noted(dict(rows[key])) for key in keys if key in rows)

    def _noted(self, row: Row) -> Row:
        self._messages.update(_SHARED.findall(row["request"] or ""))
        return row

    def _pointers(self) -> Iterator[str]:
        for table in (answers, grades, preferences):
            query = sa.select(table).with_only_columns(table.c.calls).where(table.c.run.in_(self._ids))
            last = ""
            for row in stream(self._connection, query, table):
                if row["calls"] != last:  # the criteria of one call
                    last = row["calls"]
                    yield from orjson.loads(last)

    def _labels(self) -> Iterator[Row]:
        for row in self._about_texts(labels):
            self._sets.add(row["label_set"])
            yield row

    def _about_texts(self, table: sa.Table) -> Iterator[Row]:
        """Labels or feedback that hold for a text of these runs, or were given to an answer of one."""
        ours = sa.select(run_samples.c.sample_id).where(run_samples.c.run.in_(self._ids))
        named = sa.select(table.c.sample_id).where(table.c.sample_id.in_(ours))
        given = sa.select(answers).where(answers.c.run.in_(self._ids), answers.c.sample_id.in_(named))
        said = {
            _digest(row["sample_id"], row["candidate"], answer_sha256_of_row(row))
            for row in stream(self._connection, given, answers)
            if row["status"] == "ok"
        }
        about = sa.select(table).where(sa.or_(table.c.sample_id.in_(ours), table.c.run.in_(self._ids)))
        for row in stream(self._connection, about, table):
            if row["run"] in self._ids or _digest(row["sample_id"], row["candidate"], row["answer_sha256"]) in said:
                yield row


def _digest(*words: str) -> bytes:
    """A million keys as texts would be held in hundreds of megabytes."""
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16).digest()


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(dict.fromkeys(islice(rest, _SOME))):
        yield some

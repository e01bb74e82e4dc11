"""The workspace: all that is kept, behind one object. Synchronous; `Writer` and `Recorded` are its async side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from ..records import Call, Sample
from . import codec
from .engine import describe, local_folder, open_engine, store_errors, writing
from .lease import alone, lease
from .schema import (
    answers,
    calls,
    feedback,
    grades,
    metadata,
    preferences,
    ratings,
    reviews,
    run_samples,
    samples,
    scores,
    texts,
)  # fmt: skip

STALE_GRADES = "stale grades"
"""Stands where a table's name would: rows of grades that push out what another rubric gave at their places."""
REPLACED = "replaced answers"
"""Likewise: rows of answers that push out the grades, scores and preferences of what stood at their places."""
_PLACE = ("run", "sample_id", "candidate", "trial", "judge", "repeat")
_DELETE_STALE_GRADES = sa.delete(grades).where(
    *(grades.c[name] == sa.bindparam(f"its_{name}") for name in _PLACE),
    grades.c.fingerprint != sa.bindparam("its_fingerprint"),
)
_DELETE_REPLACED = (
    *(
        sa.delete(table).where(*(table.c[name] == sa.bindparam(f"its_{name}") for name in _PLACE[:4]))
        for table in (grades, scores)
    ),
    sa.delete(preferences).where(
        *(preferences.c[name] == sa.bindparam(f"its_{name}") for name in ("run", "sample_id", "trial")),
        sa.or_(*(preferences.c[side] == sa.bindparam("its_candidate") for side in ("left", "right"))),
    ),
)
_CHUNK = 500
"""Keys a statement: below SQLite's oldest limit of 999 variables."""


class Store:
    """A workspace, opened. ``where`` is its name in messages."""

    def __init__(self, workspace: str | Path) -> None:
        self.where = describe(workspace)
        self.bundle: Path | None = None
        """The bundle that this is a temporary copy of: what is written here is gone when it is closed."""
        self.engine = open_engine(workspace)
        insert = _insert(self.engine.dialect.name)
        self._upserts = {name: _upsert(insert, table) for name, table in metadata.tables.items() if name != "meta"}

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()

    def lease(self, run: str, instead: str = "") -> AbstractContextManager[None]:
        """Hold a run against other processes; see `lease.lease`."""
        return lease(self.engine, run, instead)

    def alone(self, run: str) -> bool:
        """Whether surely no process but the one at work on ``run`` uses this workspace."""
        return alone(self.engine, run)

    @property
    def folder(self) -> Path | None:
        """The folder of a SQLite workspace; ``None`` for a server, and for a bundle."""
        return None if self.bundle else local_folder(self.engine)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read from; driver errors become `StoreError`."""
        with store_errors(self.where), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes; driver errors become `StoreError`."""
        with store_errors(self.where), writing(self.engine) as connection:
            yield connection

    def put(self, rows: Mapping[str, Sequence[codec.Row]]) -> None:
        """Write rows, by table, in one transaction. A recorded reply is never overwritten."""
        with self.writing() as connection:
            for table, values in sorted(rows.items()):
                if table == STALE_GRADES:
                    connection.execute(_DELETE_STALE_GRADES, [_bound(row, *_PLACE, "fingerprint") for row in values])
                elif table == REPLACED:
                    for statement in _DELETE_REPLACED:
                        connection.execute(statement, [_bound(row, *_PLACE[:4]) for row in values])
                else:
                    self.put_in(connection, table, values)

    def put_in(self, connection: sa.Connection, table: str, rows: Sequence[codec.Row]) -> None:
        """Write rows of one table as part of a transaction."""
        if rows:
            connection.execute(self._upserts[table], self.acceptable(table, rows))

    def insert_absent(self, table: sa.Table) -> sa.Insert:
        """A statement that writes rows whose keys are not there, and passes over the others."""
        statement: sa.Insert = _insert(self.engine.dialect.name)(table).on_conflict_do_nothing()
        return statement

    def acceptable(self, table: str, rows: Sequence[codec.Row]) -> Sequence[codec.Row]:
        """For PostgreSQL: in one order for all writers (it locks row by row), and without NUL (its text has none)."""
        if self.engine.dialect.name == "sqlite":
            return rows
        keys = [column.name for column in metadata.tables[table].primary_key]
        return [
            {name: v.replace("\0", "\ufffd") if type(v) is str else v for name, v in row.items()}
            for row in sorted(rows, key=lambda row: [row[key] for key in keys])
        ]

    def find_calls(self, keys: Iterable[str], run: str) -> dict[str, Call]:
        """The recorded calls under these keys, failures included."""
        found: dict[str, Call] = {}
        with self.reading() as connection:
            for row in select_in(connection, sa.select(calls), calls.c.key, list(keys)):
                found[row["key"]] = codec.row_to_call(row, run)
        return found

    def is_blank(self) -> bool:
        """Whether no call was ever recorded here."""
        with self.reading() as connection:
            return connection.execute(sa.select(calls.c.key).limit(1)).first() is None

    def put_samples(self, run: str, items: Sequence[Sample]) -> None:
        """Make ``items`` the samples of the run, in this order."""
        bodies = [{"sha256": s.sha256, "body": codec.sample_body(s)} for s in items]
        places = [
            {
                "run": run,
                "sample_id": s.id,
                "position": position,
                "sha256": s.sha256,
                "cluster": s.cluster,
                "tags": codec.dumps(s.tags),
            }
            for position, s in enumerate(items)
        ]
        with self.writing() as connection:
            connection.execute(sa.delete(run_samples).where(run_samples.c.run == run))
            if places:
                connection.execute(self._upserts["samples"], self.acceptable("samples", bodies))
                connection.execute(sa.insert(run_samples), places)

    def read_samples(self, run: str) -> list[Sample]:
        """The samples of the run in exam order."""
        query = (
            sa.select(run_samples, samples.c.body)
            .join(samples, samples.c.sha256 == run_samples.c.sha256)
            .where(run_samples.c.run == run)
            .order_by(run_samples.c.position)
        )
        with self.reading() as connection:
            return [codec.row_to_sample(row) for row in connection.execute(query).mappings()]

    def purge_texts(self, run: str) -> int:
        """Forget the words of a run (samples, requests, answers, reasoning, notes of raters, users' edits). Numbers and
        hashes stay, and so do the prompts, which are the operator's own. Replies that other runs point at lose their
        text too.

        Returns the number of calls purged.
        """
        shas = sa.select(run_samples.c.sha256).where(run_samples.c.run == run)
        with self.writing() as connection:
            keys = _pointed_at(connection, run)
            blank = dict.fromkeys(("request", "text", "reasoning", "refusal", "tool_calls", "payload"))
            for chunk in _chunks(keys):
                connection.execute(sa.update(calls).where(calls.c.key.in_(chunk)).values(detail="", **blank))
            _purge_answers(connection, run)
            for table in (grades, preferences):
                connection.execute(sa.update(table).where(table.c.run == run).values(reasoning=None, why=""))
            connection.execute(sa.update(samples).where(samples.c.sha256.in_(shas)).values(body=None))
            reviewed = sa.select(reviews.c.name).where(reviews.c.run == run)
            connection.execute(sa.update(ratings).where(ratings.c.review.in_(reviewed)).values(note=""))
        if self.engine.dialect.name == "sqlite":
            with store_errors(self.where), self.engine.connect() as connection:
                raw = connection.connection.cursor()
                raw.execute("VACUUM")  # otherwise the words stay readable in free pages
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                raw.close()
        return len(keys)


def select_in(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Sequence[str]
) -> Iterator[Mapping[Any, Any]]:
    """Rows of ``query`` whose ``column`` is one of ``values``, however many these are."""
    for chunk in _chunks(values):
        yield from connection.execute(query.where(column.in_(chunk))).mappings()


def _bound(row: codec.Row, *names: str) -> codec.Row:
    return {f"its_{name}": row[name] for name in names}


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _insert(dialect: str) -> Any:
    """The dialect's own insert, which knows ON CONFLICT; only the one in use is imported."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    return insert


def _upsert(insert: Any, table: sa.Table) -> Any:
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    if table is texts:
        return statement.on_conflict_do_nothing(index_elements=keys)
    if table is samples:  # a body that was purged comes back with the next run of the same dataset
        return statement.on_conflict_do_update(index_elements=keys, set_=others, where=table.c.body.is_(None))
    where = table.c.status != "ok" if table is calls else None
    return statement.on_conflict_do_update(index_elements=keys, set_=others, where=where)


def _purge_answers(connection: sa.Connection, run: str) -> None:
    """Blank the words of the answers. Those that were given keep their hash, by which labels find them."""
    a = answers.c
    given = connection.execute(sa.select(answers).where(a.run == run, a.status == "ok")).mappings()
    hashes = [
        {
            "its_candidate": row["candidate"],
            "its_sample": row["sample_id"],
            "its_trial": row["trial"],
            "said": _hash(row),
        }
        for row in given
    ]
    blank = {"text": None, "tool_calls": None, "retrieved": None, "turns": None}
    connection.execute(sa.update(answers).where(a.run == run).values(detail="", **blank))
    _purge_edits(connection, run, hashes)
    if hashes:
        own = (a.sample_id == sa.bindparam("its_sample"), a.candidate == sa.bindparam("its_candidate"))
        place = sa.update(answers).where(a.run == run, *own, a.trial == sa.bindparam("its_trial"))
        connection.execute(place.values(detail=sa.bindparam("said")), hashes)


def _purge_edits(connection: sa.Connection, run: str, given: Sequence[codec.Row]) -> None:
    """Blank what users made of the answers, also where it was said of the same text in another run."""
    f = feedback.c
    if connection.execute(sa.select(f.sample_id).where(f.edit.is_not(None)).limit(1)).first() is None:
        return
    connection.execute(sa.update(feedback).where(f.run == run).values(edit=None))
    texts_of = [
        {
            "its_sample": row["its_sample"],
            "its_candidate": row["its_candidate"],
            "its_sha256": row["said"].removeprefix(codec.PURGED),
        }
        for row in given
    ]
    if texts_of:
        own = (f.sample_id == sa.bindparam("its_sample"), f.candidate == sa.bindparam("its_candidate"))
        same = sa.update(feedback).where(*own, f.answer_sha256 == sa.bindparam("its_sha256"))
        connection.execute(same.values(edit=None), texts_of)


def _hash(row: Mapping[Any, Any]) -> str:
    return f"{codec.PURGED}{codec.answer_sha256_of_row(row)}"


def _pointed_at(connection: sa.Connection, run: str) -> list[str]:
    keys: set[str] = set()
    for table in (answers, grades, preferences):
        for (text,) in connection.execute(sa.select(table.c.calls).where(table.c.run == run)):
            keys.update(orjson.loads(text))
    keys.update(key for (key,) in connection.execute(sa.select(calls.c.key).where(calls.c.run == run)))
    return sorted(keys)

"""The recorded replies as they were asked for, and their removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from .codec import Row
from .engine import store_errors
from .queries import SHEET
from .runs import all_runs
from .schema import calls, runs, texts
from .store import Store
from .uses import pointed

_SOME = 500


@dataclass(frozen=True, slots=True)
class Pruned:
    """``calls`` that are gone (or would be), and those ``kept`` because a run points at them or paid for them."""

    calls: int
    kept: int


def replies(store: Store, model: str = "") -> Iterator[tuple[Row, dict[str, Any]]]:
    """The recorded replies of ``model`` (of all where ''), by key: the row, and its request with every message in
    full. Left out is what has no words: applications, sheets, and what was purged."""
    query = sa.select(calls).where(calls.c.status == "ok", calls.c.request.is_not(None), calls.c.text.is_not(None))
    query = query.where(calls.c.model.not_like(f"{SHEET}%")).order_by(calls.c.key)
    shared: dict[str, list[Any]] = {}
    last = ""
    while True:  # a page at a time: the reader may write elsewhere in between
        with store.reading() as connection:
            page = connection.execute(_of(query, model).where(calls.c.key > last).limit(_SOME)).mappings().all()
            asked = requests_of(connection, [row["request"] for row in page], shared)
        for row, request in zip(page, asked, strict=True):
            yield dict(row), request
        if len(page) < _SOME:
            return
        last = page[-1]["key"]


def requests_of(connection: sa.Connection, rows: Sequence[str], shared: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Requests with every message in full, from the column of `calls`. ``shared`` keeps the messages that many begin
    with from one reading to the next."""
    found = [orjson.loads(row) for row in rows]
    _learn(connection, found, shared)
    return [{**request, "messages": _whole(request["messages"], shared)} for request in found]


def _learn(connection: sa.Connection, requests: list[dict[str, Any]], shared: dict[str, list[Any]]) -> None:
    wanted = {m["shared"] for request in requests for m in request["messages"] if set(m) == {"shared"}} - shared.keys()
    if wanted:
        for sha256, body in connection.execute(sa.select(texts).where(texts.c.sha256.in_(wanted))):
            shared[sha256] = orjson.loads(body)


def _whole(messages: list[Any], shared: dict[str, list[Any]]) -> list[Any]:
    return [whole for m in messages for whole in (shared[m["shared"]] if set(m) == {"shared"} else [m])]


def prune(store: Store, before: float | None, model: str, used: bool, dry: bool) -> Pruned:
    """Forget the calls that were made ``before`` (Unix time) and of ``model`` (of all where '').

    What a run points at or paid for stays, unless ``used`` is set. ``dry`` changes nothing. Raises RunBusy where a run
    is being worked on: it may be about to point at what would go.
    """
    chosen = [] if before is None else [calls.c.created_at < before]
    if model:
        chosen.append(calls.c.model == model)
    _refuse_work(store)
    with store.writing() as connection:
        of_runs = sa.or_(
            calls.c.key.in_(sa.select(pointed(connection.dialect.name).subquery().c.key)),
            calls.c.run.in_(sa.select(runs.c.id)),
        )
        n = sa.select(sa.func.count()).select_from(calls).where(*chosen)
        kept = 0 if used else connection.execute(n.where(of_runs)).scalar() or 0
        gone = (connection.execute(n).scalar() or 0) - kept
        if gone and not dry:
            free = () if used else (sa.not_(of_runs),)
            connection.execute(sa.delete(calls).where(*chosen, *free))
    if gone and not dry and store.engine.dialect.name == "sqlite":
        with store_errors(store.where), store.engine.connect() as opened:
            raw = opened.connection.cursor()
            raw.execute("VACUUM")  # otherwise neither the words nor the space would be given back
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()
    return Pruned(gone, kept)


def _refuse_work(store: Store) -> None:
    for run in all_runs(store):
        if run.finished_at is None:
            with store.lease(run.id):
                pass


def _of(query: sa.Select[Any], model: str) -> sa.Select[Any]:
    return query.where(calls.c.model == model) if model else query

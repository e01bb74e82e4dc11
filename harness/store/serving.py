"""Load tests in the workspace: a repeat of a cell is written with all its requests at once, and measured once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from ..errors import InputError
from ..keys import digest
from ..serving.records import Bench, Loaded, Served, Setting
from .codec import Row, dumps, pack_floats, unpack_floats
from .runs import new_id
from .schema import bench_cells, bench_requests, benches
from .store import Store

DROPPED = "dropped_usd"
"""Under this name ``Bench.config`` holds what was paid for requests that are not kept."""
_SAME = [column.name for column in bench_requests.columns if column.name not in ("bench", "cell", "repeat")]


def begin(store: Store, exam: str, name: str, config: Mapping[str, Any], versions: Mapping[str, str]) -> Bench:
    """A new load test of ``exam``."""
    now = time.time()
    bench = Bench(new_id(now), exam, name, now, None, dict(versions), dict(config))
    store.put({"benches": [_bench_row(bench)]})
    return bench


def latest(store: Store, exam: str) -> Bench | None:
    """The latest load test of ``exam``."""
    query = sa.select(benches).where(benches.c.exam == exam).order_by(benches.c.created_at.desc()).limit(1)
    with store.reading() as connection:
        row = connection.execute(query).mappings().first()
    return _bench(row) if row else None


def unfinished(store: Store, exam: str, config: Mapping[str, Any]) -> Bench | None:
    """The latest load test of ``exam``, where it has the same configuration and is not finished."""
    found = latest(store, exam)
    if found is None or found.finished_at is not None or _identity(found.config) != _identity(config):
        return None
    return found


def _identity(config: Mapping[str, Any]) -> str:
    return digest({name: value for name, value in config.items() if name != DROPPED})


def put_loaded(store: Store, bench: str, loaded: Loaded) -> None:
    """Keep one repeat of a cell with its requests, in one transaction."""
    place = {"bench": bench, "cell": loaded.setting.key, "repeat": loaded.repeat}
    store.put(
        {
            "bench_cells": [{**place, "body": _cell_body(loaded)}],
            "bench_requests": [{**place, **_request_row(served)} for served in loaded.requests],
        }
    )


def measured(store: Store, bench: str) -> set[tuple[str, int]]:
    """The (cell, repeat) that are there already."""
    query = sa.select(bench_cells.c.cell, bench_cells.c.repeat).where(bench_cells.c.bench == bench)
    with store.reading() as connection:
        return {(row.cell, row.repeat) for row in connection.execute(query)}


def kept_usd(store: Store, bench: str) -> float:
    """USD paid for what is kept, as far as prices are known."""
    query = sa.select(sa.func.sum(bench_requests.c.cost_usd)).where(bench_requests.c.bench == bench)
    with store.reading() as connection:
        return float(connection.execute(query).scalar() or 0.0)


def spent_usd(store: Store, bench: str) -> float:
    """USD paid so far, as far as prices are known: also for warming up, and for cells that were dropped."""
    return kept_usd(store, bench) + float(find_bench(store, bench).config.get(DROPPED, 0.0))


def note_dropped(store: Store, bench: str, usd: float) -> None:
    """Remember what was paid for requests that are not kept: of a cell that was dropped, or before the first."""
    if usd <= 0:
        return
    config = dict(find_bench(store, bench).config)
    config[DROPPED] = float(config.get(DROPPED, 0.0)) + usd
    with store.writing() as connection:
        connection.execute(sa.update(benches).where(benches.c.id == bench).values(config=dumps(config)))


def finish(store: Store, bench: str) -> None:
    """Note that every repeat of every cell is there."""
    with store.writing() as connection:
        connection.execute(sa.update(benches).where(benches.c.id == bench).values(finished_at=time.time()))


def find_bench(store: Store, reference: str) -> Bench:
    """The load test with this id, id prefix or name (the latest of that name), or `latest`; InputError without one."""
    query = sa.select(benches).order_by(benches.c.created_at.desc(), benches.c.id.desc())
    if reference != "latest":
        known = benches.c.id.startswith(reference, autoescape=True)
        query = query.where(sa.or_(known, benches.c.name == reference))
    with store.reading() as connection:
        row = connection.execute(query.limit(1)).mappings().first()
        if row is not None:
            return _bench(row)
        recent = connection.execute(sa.select(benches.c.id).order_by(benches.c.created_at.desc()).limit(5)).scalars()
        listed = ", ".join(recent) or "none yet"
    raise InputError(f"{store.where}: there is no load test {reference!r}; the latest are: {listed}")


def load_bench(store: Store, reference: str) -> tuple[Bench, list[Loaded]]:
    """A load test and what was measured of it, by cell and repeat. Raises InputError like `find_bench`."""
    bench = find_bench(store, reference)
    r = bench_requests.c
    query = sa.select(bench_requests).where(r.bench == bench.id).order_by(r.cell, r.repeat, r.number)
    requests: dict[tuple[str, int], list[Served]] = defaultdict(list)
    with store.reading() as connection:
        for row in connection.execute(query).mappings():
            requests[row["cell"], row["repeat"]].append(_served(row))
        cells = connection.execute(
            sa.select(bench_cells)
            .where(bench_cells.c.bench == bench.id)
            .order_by(bench_cells.c.cell, bench_cells.c.repeat)
        ).mappings()
        return bench, [_loaded(row, requests[row["cell"], row["repeat"]]) for row in cells]


def _cell_body(loaded: Loaded) -> str:
    setting = loaded.setting
    return dumps(
        {
            "setting": {name: getattr(setting, name) for name in setting.__slots__},
            "started_at": loaded.started_at,
            "window_s": loaded.window_s,
            "lag_s": [round(lag, 6) for lag in loaded.lag_s],
            "client_cpu_s": loaded.client_cpu_s,
            "origin": loaded.origin,
        }
    )


def _loaded(row: Mapping[Any, Any], requests: list[Served]) -> Loaded:
    body = orjson.loads(row["body"])
    return Loaded(
        Setting(**body["setting"]),
        row["repeat"],
        body["started_at"],
        body["window_s"],
        tuple(body["lag_s"]),
        body["client_cpu_s"],
        tuple(requests),
        body["origin"],
    )


def _request_row(served: Served) -> Row:
    row = {name: getattr(served, name) for name in _SAME}
    row["gaps_s"] = pack_floats(served.gaps_s) if served.gaps_s else None
    row["usage_estimated"], row["capped"] = int(served.usage_estimated), int(served.capped)
    row["text"] = served.text or None
    return row


def _served(row: Mapping[Any, Any]) -> Served:
    given = {name: row[name] for name in _SAME}
    given["gaps_s"] = tuple(unpack_floats(row["gaps_s"]))
    given["usage_estimated"], given["capped"] = bool(row["usage_estimated"]), bool(row["capped"])
    given["text"] = row["text"] or ""
    return Served(**given)


def _bench_row(bench: Bench) -> Row:
    return {
        "id": bench.id,
        "exam": bench.exam,
        "name": bench.name,
        "created_at": bench.created_at,
        "finished_at": bench.finished_at,
        "versions": dumps(bench.versions),
        "config": dumps(bench.config),
    }


def _bench(row: Mapping[Any, Any]) -> Bench:
    return Bench(**{**row, "versions": orjson.loads(row["versions"]), "config": orjson.loads(row["config"])})

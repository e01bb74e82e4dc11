"""Runs: begin, find, finish. A run is named by its id, its `--name`, or `latest`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from ..errors import InputError
from .codec import dumps
from .schema import answers, runs
from .store import Store


@dataclass(frozen=True, slots=True)
class Run:
    """One sitting of an exam. ``salt`` and ``judge_salt`` enter the keys of candidates' and judges' calls."""

    id: str
    exam: str
    name: str
    fingerprint: str
    salt: str
    judge_salt: str
    created_at: float
    finished_at: float | None
    versions: Mapping[str, str]
    config: Mapping[str, Any]


def new_id(now: float) -> str:
    """Sortable by time, unique in a workspace: ``20261121-063012-1f9c``."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}"


def begin(store: Store, exam: str, versions: Mapping[str, str], *, name: str = "", fresh: bool = False) -> Run:
    """A new run of ``exam``; ``fresh`` gives it a salt of its own, so that no earlier reply is used."""
    run = _new(exam, versions, name, fresh)
    store.put({"runs": [_row(run)]})
    return run


def latest_or_begin(store: Store, exam: str, versions: Mapping[str, str], *, name: str = "") -> Run:
    """The run of ``exam`` that was begun last, or a new one. Of two processes that find none, one begins it."""
    if (known := latest(store, exam)) is not None:
        return known
    run = _new(exam, versions, name, fresh=False)
    with store.writing() as connection:  # in SQLite this takes the lock of writers at once
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("LOCK TABLE runs IN SHARE ROW EXCLUSIVE MODE"))
        row = connection.execute(_latest(exam)).mappings().first()
        if row is not None:
            return _run(row)
        connection.execute(sa.insert(runs), _row(run))
    return run


def _new(exam: str, versions: Mapping[str, str], name: str, fresh: bool) -> Run:
    now = time.time()
    identifier = new_id(now)
    salt = identifier if fresh else ""
    return Run(identifier, exam, name, "", salt, salt, now, None, dict(versions), {})


def begin_regrade(store: Store, source: Run, versions: Mapping[str, str], name: str = "") -> Run:
    """A new run with the answers of ``source`` and a salt of its own for the judges (`--reuse answers`)."""
    now = time.time()
    identifier = new_id(now)
    run = Run(identifier, source.exam, name, "", source.salt, identifier, now, None, dict(versions), {})
    columns = [c.name for c in answers.columns if c.name not in ("run", "origin")]
    with store.writing() as connection:
        connection.execute(sa.insert(runs), _row(run))
        copied = sa.select(sa.literal(run.id), sa.literal("reused"), *(answers.c[name] for name in columns))
        connection.execute(
            sa.insert(answers).from_select(["run", "origin", *columns], copied.where(answers.c.run == source.id))
        )
    return run


def describe_run(
    store: Store, run: Run, fingerprint: str, config: Mapping[str, Any], versions: Mapping[str, str]
) -> None:
    """Keep what this invocation runs: the resolved exam, its fingerprint and the versions of the code."""
    values = {"fingerprint": fingerprint, "config": dumps(config), "versions": dumps(versions), "finished_at": None}
    with store.writing() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(**values))


def finish(store: Store, run: Run) -> None:
    """Note that nothing is left to do."""
    with store.writing() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(finished_at=time.time()))


def latest(store: Store, exam: str | None = None) -> Run | None:
    """The run begun last (of ``exam``)."""
    with store.reading() as connection:
        row = connection.execute(_latest(exam)).mappings().first()
    return _run(row) if row else None


def _latest(exam: str | None) -> sa.Select[Any]:
    query = sa.select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(1)
    return query.where(runs.c.exam == exam) if exam is not None else query


def find(store: Store, reference: str) -> Run:
    """The run with this id, id prefix or name (the latest of that name), or `latest`; InputError if there is none."""
    if reference == "latest":
        found = latest(store)
    else:
        matches = sa.or_(runs.c.id.startswith(reference, autoescape=True), runs.c.name == reference)
        query = sa.select(runs).where(matches).order_by(runs.c.created_at.desc())
        with store.reading() as connection:
            row = connection.execute(query).mappings().first()
        found = _run(row) if row else None
    if found is None:
        known = ", ".join(run.id for run in all_runs(store)[:5]) or "none yet"
        raise InputError(f"{store.where}: there is no run {reference!r}; the latest are: {known}")
    return found


def all_runs(store: Store) -> list[Run]:
    """Every run, the latest first."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(runs).order_by(runs.c.created_at.desc())).mappings().all()
    return [_run(row) for row in rows]


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "exam": run.exam,
        "name": run.name,
        "fingerprint": run.fingerprint,
        "salt": run.salt,
        "judge_salt": run.judge_salt,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "versions": dumps(run.versions),
        "config": dumps(run.config),
    }


def _run(row: Mapping[Any, Any]) -> Run:
    return Run(**{**row, "versions": orjson.loads(row["versions"]), "config": orjson.loads(row["config"])})

"""Opening the database: pragmas, refusals by name, and driver errors turned into `StoreError`."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..errors import InputError, MissingExtra, StoreError
from .schema import SCHEMA_VERSION, UPGRADES, meta, metadata

DATABASE = "markscheme.db"
NETWORK_FILE_SYSTEMS = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs 9p afs ceph glusterfs lustre beegfs fuse.sshfs fuse.s3fs fuse.rclone".split()
)
_BUSY_TIMEOUT_S = 60.0
_SCHEMA_LOCK = 0x6D61726B
"""Any number that every markscheme agrees on."""


def open_engine(workspace: str | Path) -> Engine:
    """An engine for a workspace: a folder (SQLite inside it) or a database URL. Creates what is missing.

    Raises StoreError for a network file system, a read-only or corrupt database, or another schema version.
    """
    with store_errors(describe(workspace)):
        if "://" in (text := str(workspace)):
            url = _parsed(text)
        else:  # not by way of a text: a folder may hold a question mark
            url = sa.URL.create("sqlite", database=str(_database_path(Path(workspace))))
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _server(url)
        _ensure_schema(engine, describe(workspace))
    return engine


def describe(workspace: str | Path) -> str:
    """The workspace for messages; a password in a URL is hidden."""
    text = str(workspace)
    return _shown(_parsed(text)) if "://" in text else text


def _parsed(text: str) -> sa.URL:
    try:
        url = make_url(text)
    except SQLAlchemyError:
        raise InputError(
            "--workspace: this is neither a folder nor a database URL, like postgresql+psycopg://host/name"
        ) from None
    kind = url.get_backend_name()
    if kind not in ("sqlite", "postgresql") or (kind == "sqlite" and url.database in (None, "", ":memory:")):
        raise InputError(
            f"--workspace {_shown(url)!r}: wanted a folder, sqlite:///FILE, or a PostgreSQL server, "
            "postgresql+psycopg://host/name"
        )
    return url


def _shown(url: sa.URL) -> str:
    return url.render_as_string(hide_password=True)


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn what the driver raises into a `StoreError` that says what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StoreError(_explain(error, where)) from error


def _explain(error: Exception, where: str) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    remedies = (
        ("readonly", "the workspace is read-only: give write permission or choose another --workspace"),
        ("read-only", "the workspace is read-only: give write permission or choose another --workspace"),
        ("permission denied", "no permission: give write permission or choose another --workspace"),
        ("unable to open", "cannot be opened: check that the folder exists and may be written"),
        ("is full", "no space is left: free some; everything committed so far is kept, run the same command again"),
        ("no space left", "no space is left: free some; everything committed so far is kept, run again"),
        ("disk i/o error", "the disk failed to read or write: check it; everything committed so far is kept"),
        ("not a database", "the file is not a SQLite database: move it away or choose another --workspace"),
        ("malformed", "the database is corrupt: restore a copy, or rescue it with `sqlite3 FILE .recover`"),
        (
            "locked",
            f"another process locked it for over {_BUSY_TIMEOUT_S:.0f} s: wait for it, then run again",
        ),
        ("connection is bad", "nobody listens there: start the database server or correct the URL"),
        ("refused", "nobody listens there: start the database server or correct the URL"),
    )
    remedy = next((advice for mark, advice in remedies if mark in text.lower()), "see the message of the database")
    return f"{where}: {remedy} ({text})"


def _database_path(folder: Path) -> Path:
    if folder.is_file():
        raise InputError(f"--workspace {str(folder)!r} is a file; name a folder (it will hold {DATABASE})")
    kind = file_system_of(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"{folder}: lies on a network file system ({kind}), where SQLite's locks are not reliable and the database "
            "can be destroyed; use a local folder, or PostgreSQL (--workspace postgresql+psycopg://…)"
        )
    with store_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    return folder / DATABASE


def file_system_of(path: Path, mounts: str = "/proc/mounts") -> str:
    """File-system type of the mount that holds ``path``; '' where the system does not tell."""
    try:
        lines = Path(mounts).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    target = str(path.resolve())
    best, kind = "", ""
    for line in lines:
        _, point, fs_type, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fs_type
    return kind


def _sqlite(url: sa.URL) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's own habit breaks WAL upgrades
        cursor = connection.cursor()
        _keep_a_log(cursor)
        for pragma in ("synchronous=FULL", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        # A transaction that will write takes its lock at once; a read that turns into a write could fail as busy.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _keep_a_log(cursor: Any) -> None:
    """WAL mode. Where several processes make one workspace at once, SQLite refuses the change at once instead of
    waiting: so it is tried again until it would have waited."""
    until = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _server(url: sa.URL) -> Engine:
    try:
        return sa.create_engine(url, pool_size=5, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingExtra("postgres", f"a workspace at {_shown(url)}") from error
    except sa.exc.ArgumentError as error:
        raise InputError(f"--workspace {_shown(url)!r} is neither a folder nor a database URL ({error})") from error


def _ensure_schema(engine: Engine, where: str) -> None:
    with engine.connect() as connection:
        known = sa.inspect(connection).has_table("meta")
    if not known:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":  # CREATE TABLE IF NOT EXISTS fails where two do it at once
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            metadata.create_all(connection)
            version = sa.select(meta.c.value).where(meta.c.name == "schema")
            if connection.execute(version).first() is None:
                connection.execute(sa.insert(meta), {"name": "schema", "value": str(SCHEMA_VERSION)})
        return
    with engine.connect() as connection:
        found = connection.execute(sa.select(meta.c.value).where(meta.c.name == "schema")).scalar()
    while found in UPGRADES:
        found = _upgrade(engine, found)
    if found != str(SCHEMA_VERSION):
        raise StoreError(
            f"{where}: was written with schema {found!r}, this markscheme writes {SCHEMA_VERSION}: "
            "use the version that wrote it, or another --workspace"
        )


def _upgrade(engine: Engine, found: str) -> str:
    """Make the tables that the version ``found`` lacks; returns the version that the workspace then has."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
        metadata.create_all(connection)
        connection.execute(sa.update(meta).where(meta.c.name == "schema").values(value=UPGRADES[found]))
    return UPGRADES[found]


@contextmanager
def writing(engine: Engine) -> Iterator[sa.Connection]:
    """A transaction that writes."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def local_folder(engine: Engine) -> Path | None:
    """The folder of a SQLite workspace; ``None`` for a server."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(os.path.dirname(os.path.abspath(engine.url.database)))  # noqa: PTH100, PTH120

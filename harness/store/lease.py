"""One process a run. The lock belongs to the operating system (or the server's session), so `kill -9` frees it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ..errors import RunBusy
from .engine import local_folder


@contextmanager
def lease(engine: Engine, run: str) -> Iterator[None]:
    """Hold the run for the length of the block; raises RunBusy where another living process has it."""
    folder = local_folder(engine)
    with _file_lease(folder, run) if folder else _session_lease(engine, run):
        yield


def _busy(run: str, holder: str) -> RunBusy:
    return RunBusy(
        f"run {run} is being worked on by another process{holder}: wait for it to end (then the same command "
        "continues), or start one of its own with --fresh"
    )


@contextmanager
def _file_lease(folder: Path, run: str) -> Iterator[None]:
    path = folder / "locks" / f"{run}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as handle:
        if not _lock(handle):
            handle.seek(0)
            holder = handle.read(64).decode(errors="replace").strip()
            raise _busy(run, f" ({holder})" if holder else "")
        handle.truncate(0)
        handle.write(f"pid {os.getpid()}".encode())
        handle.flush()
        yield
        handle.truncate(0)
    path.unlink(missing_ok=True)


def _lock(handle: BinaryIO) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(1 << 20)  # a byte beyond the text, so that others may still read who holds it
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _session_lease(engine: Engine, run: str) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(run.encode()).digest()[:8], "big", signed=True)
    with engine.connect() as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar():
            raise _busy(run, "")
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))

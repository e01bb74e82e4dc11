"""One process a run. The lock belongs to the operating system (or the server's session), so `kill -9` frees it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ..errors import RunBusy
from .engine import local_folder, store_errors


@contextmanager
def lease(engine: Engine, run: str, instead: str = "") -> Iterator[None]:
    """Hold the run for the length of the block; raises RunBusy where another living process has it.

    ``instead`` is what one can do but wait.
    """
    folder = local_folder(engine)
    with _file_lease(folder, run, instead) if folder else _session_lease(engine, run, instead):
        yield


def _busy(run: str, holder: str, instead: str) -> RunBusy:
    return RunBusy(
        f"run {run} is being worked on by another process{holder}: wait for it to end (then the same command "
        f"continues){f', or {instead}' if instead else ''}"
    )


@contextmanager
def _file_lease(folder: Path, run: str, instead: str) -> Iterator[None]:
    path = _lock_path(folder, run)
    with store_errors(str(folder)):
        path.parent.mkdir(exist_ok=True)
        handle = _held(path, run, instead)
    with handle:
        handle.truncate(0)
        with suppress(OSError):  # a full disk: only the name of the holder is lost
            os.write(handle.fileno(), f"pid {os.getpid()}".encode())
        try:
            yield
        finally:
            if os.name != "nt":  # while it is still ours; Windows removes no open file
                path.unlink(missing_ok=True)


def _lock_path(folder: Path, run: str) -> Path:
    return folder / "locks" / f"{run}.lock"


def _held(path: Path, run: str, instead: str) -> BinaryIO:
    """The lock file, locked. A file that its last holder removed in the meantime locks nobody out: open it anew."""
    while True:
        handle = path.open("a+b")
        if not _lock(handle):
            handle.seek(0)
            holder = handle.read(64).decode(errors="replace").strip()
            handle.close()
            raise _busy(run, f" ({holder})" if holder else "", instead)
        try:
            if os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                return handle
        except FileNotFoundError:
            pass
        handle.close()


def alone(engine: Engine, run: str) -> bool:
    """Whether surely no other process works in this workspace (one that was killed may still seem to)."""
    folder = local_folder(engine)
    if folder is None:
        return False
    own = _lock_path(folder, run)
    try:
        return all(path.name == own.name for path in own.parent.iterdir())
    except FileNotFoundError:
        return True


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
def _session_lease(engine: Engine, run: str, instead: str) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(run.encode()).digest()[:8], "big", signed=True)
    with engine.connect() as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar():
            raise _busy(run, "", instead)
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))

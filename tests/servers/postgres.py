"""A PostgreSQL cluster of the tests' own: in a temporary folder, on loopback, with a password, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "markscheme"
_SCRIPT = """
"$1/pg_ctl" -s -w -D "$2/data" -l "$2/log" -o "$3" start || exit 1
echo ready
read -r _
"$1/pg_ctl" -s -m immediate -D "$2/data" stop
"""
"""Stops when its standard input ends, so that no cluster outlives the tests, however these end."""


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, of the newest version installed; ``None`` where there is none."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))  # Debian keeps them off PATH
    if found:
        return max(found, key=lambda path: float(path.parts[-3])).parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@contextmanager
def postgres_cluster(bin_dir: Path) -> Iterator[str]:
    """An empty database for the length of the block: its SQLAlchemy URL."""
    password = secrets.token_hex(8)
    folder = Path(tempfile.mkdtemp(prefix="markscheme-postgres-"))
    account = _unprivileged()
    try:
        (folder / "password").write_text(password)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
            os.chown(folder / "password", account.pw_uid, account.pw_gid)
        port = _free_port()
        with _running(bin_dir, folder, port, account):
            yield f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(bin_dir: Path, folder: Path, port: int, account: pwd.struct_passwd | None) -> Iterator[None]:
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    initdb = [bin_dir / "initdb", "-D", folder / "data", "-U", USER, f"--pwfile={folder / 'password'}"]
    initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(initdb, capture_output=True, text=True, cwd=folder, check=False, **who)
    if made.returncode:
        raise RuntimeError(f"initdb ended with {made.returncode}:\n{made.stdout}{made.stderr}")
    # Off: what a power cut would lose. Nobody needs a test's rows after one.
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=30"
    )
    command = ["sh", "-c", _SCRIPT, "sh", bin_dir, folder, options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, **who)
    assert process.stdin is not None and process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()[-2000:]}")
        yield
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=60)


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account to run as, ``None`` where we are not root."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Stands between us and a server that we started. However we die, our end of its pipe closes, and it ends the server.

    python -I supervisor.py LOG GRACE_S COMMAND…       prints the server's process id

Runs as a script in a session of its own, with the standard library alone: a Ctrl-C in our terminal does not reach it.
The server is the leader of a process group, so that the processes that it starts end with it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

_LOOK_S = 0.1
_LAST_WAIT_S = 2.0
"""How long killed processes may take to be gone: only then is their memory on the GPU free."""
NOT_STARTED = 127


def main() -> int:
    """Run the server until it ends or we are gone; its exit status."""
    log, grace_s, *command = sys.argv[1:]
    parent, told = os.getppid(), []

    def end(number: int, frame: FrameType | None) -> None:
        told.append(number)

    signal.signal(signal.SIGTERM, end)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with open(log, "ab") as out:  # noqa: PTH123
        try:
            server = subprocess.Popen(  # noqa: S603 - the operator's own command, a list
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        except OSError as error:
            out.write(f"{command[0]}: {error.strerror}\n".encode())
            return NOT_STARTED
    try:
        with contextlib.suppress(OSError):  # we may be gone already, and nobody reads it
            os.write(1, b"%d\n" % server.pid)
        while server.poll() is None and not told and os.getppid() == parent and not _let_go():
            pass
    finally:
        _end(server, float(grace_s))
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def _let_go() -> bool:
    """Whether our end of the pipe is closed; waits a moment."""
    readable, _, _ = select.select([sys.stdin.fileno()], [], [], _LOOK_S)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1)


def _end(server: subprocess.Popen[bytes], grace_s: float) -> None:
    """Ask the group to end, wait for ``grace_s`` seconds, and kill what is left of it."""
    _signal(server.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(grace_s)
    _signal(server.pid, signal.SIGKILL)
    server.wait()
    until = time.monotonic() + _LAST_WAIT_S
    while time.monotonic() < until and _signal(server.pid, 0):
        time.sleep(0.02)


def _signal(group: int, number: int) -> bool:
    """Send a signal to a group; whether somebody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

"""A child process under a supervisor: started without a shell, always stopped, its output in a log file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE_S = 20.0
"""How long a server may take to end by itself; then it is killed."""
_SLACK_S = 5.0
_TAIL_BYTES = 64 * 1024
_LONGEST_LINE = 300
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class Child:
    """A running command. The pipe to its supervisor is what keeps it alive: when we are gone, so is it."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, grace_s: float = GRACE_S
    ) -> None:
        self.log = log
        self._grace_s = grace_s
        self._begins_at = log.stat().st_size if log.exists() else 0
        self._supervisor = subprocess.Popen(  # noqa: S603 - our own script; the operator's command is a list
            [sys.executable, "-I", str(_SUPERVISOR), str(log), str(grace_s), *command],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def status(self) -> int | None:
        """Its exit status as a shell gives it (128 + signal where one killed it), ``None`` while it runs."""
        return self._supervisor.poll()

    async def stop(self) -> None:
        """End it and what it started; returns when it is gone. May be called more than once."""
        assert self._supervisor.stdin is not None
        with contextlib.suppress(OSError):
            self._supervisor.stdin.close()  # from here on it ends, whether or not anybody waits
        try:
            await asyncio.to_thread(self._supervisor.wait, self._grace_s + _SLACK_S)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._end_orphans()

    def _end_orphans(self) -> None:
        """Where the supervisor itself was killed, its server lives on without one."""
        assert self._supervisor.stdout is not None
        said = b"" if self._supervisor.stdout.closed else self._supervisor.stdout.read()
        self._supervisor.stdout.close()
        if self._supervisor.returncode < 0 and said.strip().isdigit():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(said), signal.SIGKILL)

    def tail(self, lines: int = 12) -> str:
        """The last lines that it wrote, without control characters."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._begins_at, size - _TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        kept = [_CONTROL.sub("", line).rstrip() for line in text.replace("\r", "\n").split("\n")]
        return "\n".join([line[:_LONGEST_LINE] for line in kept if line][-lines:])

"""API keys: read from the environment or from a command, shown nowhere."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import threading
from typing import NoReturn

from ..errors import InputError

COMMAND_TIMEOUT_S = 60.0
SCRUBBED_LENGTH = 6
"""Shorter keys (stand-ins like ``x``) would strike letters out of every message."""


class KeyUnavailable(Exception):
    """There is no key to send. The text never holds a command's output, which may be a secret."""


class Secret:
    """The key of one endpoint. Its repr, its errors and pickles never hold the key."""

    __slots__ = ("_command", "_lock", "_value", "_variable")

    def __init__(self, variable: str | None = None, command: str | None = None) -> None:
        self._variable = variable
        self._command = command
        self._value = os.environ.get(variable, "").strip() if variable else ""
        self._lock = threading.Lock()

    @classmethod
    def given(cls, value: str) -> Secret:
        """A key that stands nowhere but here: that of a server which we started ourselves."""
        secret = cls()
        secret._value = value
        return secret

    def __repr__(self) -> str:
        return f"Secret({self._variable or self._command or 'none'!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key must not be stored")

    @property
    def renewable(self) -> bool:
        """Whether a command can be asked for another one."""
        return self._command is not None

    def require(self, who: str) -> None:
        """Raise `InputError` where the declared variable is unset and no command could give a key."""
        if self._variable and not self._value and not self._command:
            raise InputError(
                f"{who} needs the API key in the environment variable {self._variable}, which is not set: "
                f"export {self._variable}=…"
            )

    async def value(self) -> str:
        """The key, or '' for an endpoint without one. Raises `KeyUnavailable`."""
        if self._value or not (self._command or self._variable):
            return self._value
        if not self._command:
            raise KeyUnavailable(f"the environment variable {self._variable} is not set")
        return await self.renew("")

    async def renew(self, stale: str) -> str:
        """Ask the command again, unless somebody did since ``stale`` was read. Raises `KeyUnavailable`."""
        return await asyncio.to_thread(self._renew, stale)

    def scrub(self, text: str) -> str:
        """``text`` with the key struck out, should a server have echoed it."""
        key = self._value
        return text.replace(key, "***") if len(key) >= SCRUBBED_LENGTH and key in text else text

    def _renew(self, stale: str) -> str:
        with self._lock:
            if self._value == stale:
                self._value = _output_of(self._command or "")
            return self._value


def _output_of(command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, split without a shell
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, ValueError) as error:
        raise KeyUnavailable(f"key_command {command!r} could not be run: {type(error).__name__}") from None
    except subprocess.TimeoutExpired:
        raise KeyUnavailable(f"key_command {command!r} gave no key within {COMMAND_TIMEOUT_S:.0f} s") from None
    key = done.stdout.strip()
    if done.returncode or not key:
        raise KeyUnavailable(f"key_command {command!r} gave no key (exit status {done.returncode})")
    return key

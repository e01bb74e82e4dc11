"""Standard output whose reader may stop reading, as `head` does."""

from __future__ import annotations

import os
from typing import Any, TextIO


class Unread:
    """``stream``, where a reader that has gone is no error: what is left unread is thrown away.

    The exit code is the answer to a gate, and must not depend on who reads the words.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """All of ``text``, or nothing where nobody reads."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._stop()
            return len(text)

    def flush(self) -> None:
        """Send what is held back."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._stop()

    def _stop(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

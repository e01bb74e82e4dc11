"""Ctrl-C and SIGTERM, while an event loop is at work."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_signals(interrupt: Callable[[], object]) -> Iterator[None]:
    """``interrupt`` is called at each of them for the length of the block, instead of what they do otherwise.

    Where the running loop takes no handlers (Windows, not the main thread) they do what they do otherwise.
    """
    loop = asyncio.get_running_loop()
    try:
        for number in _SIGNALS:
            loop.add_signal_handler(number, interrupt)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

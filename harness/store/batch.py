"""Group commits and grouped look-ups: what many workers want at the same time goes to the database as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batch(Generic[Item, Result]):
    """Collects items and hands them, at most ``max_items`` at a time and ``max_wait_s`` late, to ``flush`` in a thread.

    ``flush`` takes the items of one batch and returns one result for all of them; everyone who submitted to that
    batch gets it, or its exception. Belongs to one event loop.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Result],
        executor: Executor,
        max_items: int = 64,
        max_wait_s: float = 0.02,
    ) -> None:
        self._flush = flush
        self._executor = executor
        self._max_items = max_items
        self._max_wait_s = max_wait_s
        self._items: list[Item] = []
        self._ready: asyncio.Future[Result] | None = None
        self._timer: asyncio.Handle | None = None
        self._running: set[asyncio.Future[Result]] = set()

    def submit(self, *items: Item) -> asyncio.Future[Result]:
        """Add items to the open batch; the future is done when the batch is."""
        loop = asyncio.get_running_loop()
        if self._ready is None:
            self._ready = loop.create_future()
            self._ready.add_done_callback(_observed)
            wait = self._max_wait_s
            self._timer = loop.call_later(wait, self._send) if wait else loop.call_soon(self._send)
        self._items.extend(items)
        ready = self._ready
        if len(self._items) >= self._max_items:
            self._send()
        return ready

    async def drain(self) -> None:
        """Send what is open and wait for everything on its way."""
        if self._ready is not None:
            self._send()
        if self._running:
            await asyncio.gather(*self._running)

    def _send(self) -> None:
        assert self._ready is not None and self._timer is not None
        self._timer.cancel()
        items, ready = self._items, self._ready
        self._items, self._ready = [], None
        try:
            work = asyncio.get_running_loop().run_in_executor(self._executor, self._flush, items)
        except RuntimeError as error:  # the interpreter is ending, and its threads are gone
            ready.set_exception(error)
            return
        self._running.add(ready)
        work.add_done_callback(lambda done: self._finish(done, ready))

    def _finish(self, done: asyncio.Future[Result], ready: asyncio.Future[Result]) -> None:
        self._running.discard(ready)
        if ready.cancelled():
            return
        if error := done.exception():
            ready.set_exception(error)
        else:
            ready.set_result(done.result())


def _observed(future: asyncio.Future[Result]) -> None:
    """Whoever awaits it sees the exception; nobody need be told a second time at garbage collection."""
    if not future.cancelled():
        future.exception()

"""A workspace for code of a user's own: recorded calls for any thread and event loop, made on a loop of our own."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from ...harness.dispatch.dispatcher import Dispatcher
from ...harness.errors import RunBusy
from ...harness.models.base import ChatModel
from ...harness.records import Call, Failure, Reply, Request
from ...harness.store.codec import call_to_row
from ...harness.store.recorded import Cost, Ledger, Sent
from ...harness.store.runs import new_id
from ...harness.store.store import Store
from ...harness.store.uses import PAYER, Uses, uses_row
from ...harness.store.writer import Entry, Writer

_CONCURRENCY = 64
_LOOK_EVERY_S = 0.05
_COUNTED_EVERY_S = 0.5
_LOCKS = "cached-"
_PATIENCE_S = 10.0
"""How long closing waits for calls that are being paid for."""


@dataclass(frozen=True)
class Asking:
    """A call that is made unless it is recorded. ``live`` makes it, on the desk's loop."""

    model: str
    key: str
    request: Request
    live: Callable[[], Awaitable[Sent]]
    cost: Cost


class Desk:
    """One workspace in one process, with a thread and an event loop of its own. Raises StoreError."""

    def __init__(self, workspace: str | Path) -> None:
        self.session = new_id(time.time())
        self.loop = asyncio.new_event_loop()
        self.dispatcher = Dispatcher(_CONCURRENCY)
        self._uses: dict[str, Uses] = {}
        self._kept: dict[str, Uses] = {}
        self._models: list[ChatModel] = []
        self._at_work: set[asyncio.Task[object] | None] = set()
        self._due = False
        with ExitStack() as opened:
            self._store = Store(workspace)
            opened.callback(self._store.close)
            opened.enter_context(_seat(self._store))
            self._opened = opened.pop_all()
        self._writer = Writer(self._store, PAYER)
        self._ledger = Ledger(PAYER, self._writer, self.dispatcher, lambda name, usage: None)
        self._thread = threading.Thread(target=self.loop.run_forever, name="markscheme-cached", daemon=True)
        self._thread.start()

    @cached_property
    def threads(self) -> ThreadPoolExecutor:
        """For calls of clients that block."""
        return ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="markscheme-client")

    def keep(self, model: ChatModel) -> None:
        """Close the model when the desk is closed."""
        if model not in self._models:
            self._models.append(model)

    def uses(self, model: str) -> Uses:
        """How often this process asked the model."""
        return self._uses.get(model, Uses())

    def submit(self, asking: Asking) -> Future[Call]:
        """The call, recorded or made and committed, or what it raised. Goes on where nobody waits for it any more."""
        return asyncio.run_coroutine_threadsafe(self._ask(asking), self.loop)

    def close(self) -> None:
        """Wait a while for what is in flight, count what was asked, close the models and let the workspace go."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        try:
            if self._uses != self._kept:  # not by the writer: at the interpreter's end its thread is gone
                self._store.put({"cache_uses": self._rows()})
        finally:
            self._opened.close()

    async def _ask(self, asking: Asking) -> Call:
        task = asyncio.current_task()
        self._at_work.add(task)
        try:
            call, made = await self._once(asking)
        finally:
            self._at_work.discard(task)
        self._count(asking.model, call, made)
        return call

    async def _once(self, asking: Asking) -> tuple[Call, bool]:
        """The call, and whether it was made for this question."""
        made = False
        with ExitStack() as held:

            async def live() -> Call:
                nonlocal made
                await self._take_turn(asking.key, held)
                known = await self._writer.find(asking.key)
                if known is not None and isinstance(known.outcome, Reply):  # another process was faster
                    return known
                made = True
                return self._call(asking, await asking.live())

            def to_row(call: Call) -> list[Entry]:
                text, entries = self._ledger.request_entries(asking.request)
                return [*entries, ("calls", call_to_row(call, text))]

            call = await self._ledger.once(asking.key, live, to_row)
        return call, made

    @staticmethod
    def _call(asking: Asking, sent: Sent) -> Call:
        outcome, attempts = sent
        cost = asking.cost(asking.model, outcome.usage) if isinstance(outcome, Reply) else None
        return Call(asking.key, PAYER, "other", PAYER, asking.model, outcome, attempts, cost, time.time())

    async def _take_turn(self, key: str, held: ExitStack) -> None:
        """Of several processes that ask the same at once, one pays. A database server knows no such turns: there, a
        connection would have to wait with each call."""
        while self._store.folder is not None:
            try:
                held.enter_context(self._store.lease(f"{_LOCKS}{key[:32]}"))
            except RunBusy:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                return

    def _count(self, model: str, call: Call, made: bool) -> None:
        if isinstance(call.outcome, Failure):
            return
        self._uses[model] = self._uses.get(model, Uses()).after(None if made else call)
        if not self._due:
            self._due = True
            self.loop.call_later(_COUNTED_EVERY_S, self._write_uses)

    def _write_uses(self) -> None:
        self._due, written = False, dict(self._uses)

        def kept(commit: asyncio.Future[None]) -> None:
            if not commit.cancelled() and commit.exception() is None:
                self._kept = written

        self._writer.put(*(("cache_uses", row) for row in self._rows())).add_done_callback(kept)

    def _rows(self) -> list[dict[str, object]]:
        return [uses_row(self.session, model, uses, time.time()) for model, uses in self._uses.items()]

    async def _close(self) -> None:
        if at_work := [task for task in self._at_work if task is not None]:
            await asyncio.wait(at_work, timeout=_PATIENCE_S)
        for model in self._models:
            await model.close()
        await self._writer.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _seat(store: Store) -> Iterator[None]:
    """A lock as long as the desk lives, so that no run believes to be alone. Takes away those of the killed."""
    if store.folder is None:
        yield
        return
    for path in (store.folder / "locks").glob(f"{_LOCKS}*.lock"):
        with suppress(RunBusy), store.lease(path.stem):
            pass
    for number in count(1):
        with ExitStack() as seat:
            try:
                seat.enter_context(store.lease(f"{_LOCKS}{number}"))
            except RunBusy:
                continue
            yield
            return


_desks: dict[str, Desk] = {}
_inherited: list[Desk] = []
_opening = threading.Lock()


def desk_of(workspace: str | Path) -> Desk:
    """The process's only desk of the workspace."""
    name = _name(workspace)
    with _opening:
        if name not in _desks:
            _desks[name] = Desk(workspace)
        return _desks[name]


def close_desk(workspace: str | Path) -> None:
    """Close the desk of the workspace, if there is one; the next call opens it anew."""
    with _opening:
        if (desk := _desks.pop(_name(workspace), None)) is not None:
            desk.close()


def close_desks() -> None:
    """Close every desk."""
    with _opening:
        while _desks:
            _desks.popitem()[1].close()


def _name(workspace: str | Path) -> str:
    return str(workspace) if "://" in str(workspace) else os.path.realpath(workspace)


def _after_fork() -> None:
    """Threads and connections stayed with the parent; its desks are kept, lest they let go of its locks."""
    global _opening  # noqa: PLW0603
    _opening = threading.Lock()
    _inherited.extend(_desks.values())
    _desks.clear()


atexit.register(close_desks)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

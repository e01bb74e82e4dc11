"""The exactly-once call: what is recorded is not asked again, what is asked is committed before anyone may count it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from ..dispatch.dispatcher import Dispatcher
from ..keys import call_key
from ..models.base import ChatModel
from ..records import Call, Draw, Failure, Message, Reply, Request, Usage
from .codec import call_to_row, dumps
from .writer import Entry, Writer

Cost = Callable[[str, Usage], float | None]
Sent = tuple[Reply | Failure, int]
_LOOK_AROUND_S = 0.02
"""How often a run in a blank store makes sure that it is still the only one there: as often as it commits."""


class Ledger:
    """What the callers of one run share: the writer, the dispatcher, prices, and the calls on their way.

    ``offline`` answers from recordings only. ``blank`` promises that the store held no call when the run began: as
    long as nobody else writes to it, only keys committed since need looking up. Belongs to one event loop.
    """

    def __init__(
        self,
        run: str,
        writer: Writer,
        dispatcher: Dispatcher,
        cost: Cost,
        offline: bool = False,
        blank: bool = False,
    ) -> None:
        self.run = run
        self.writer = writer
        self.dispatcher = dispatcher
        self.cost = cost
        self.offline = offline
        self._committed: set[str] | None = set() if blank else None
        self._looked_around = 0.0
        self._on_their_way: dict[str, asyncio.Future[Call]] = {}
        self._shared_texts: dict[int, tuple[tuple[Message, ...], str]] = {}

    async def once(self, key: str, live: Callable[[], Awaitable[Call]], to_row: Callable[[Call], list[Entry]]) -> Call:
        """The call under ``key``: recorded, or joined while on its way, or live and then committed."""
        if waiting := self._on_their_way.get(key):
            return await asyncio.shield(waiting)
        arrival: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
        self._on_their_way[key] = arrival
        try:
            call = await self._find_or_make(key, live, to_row)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                arrival.cancel()
            else:
                arrival.set_exception(error)
                arrival.exception()
            raise
        else:
            arrival.set_result(call)
            return call
        finally:
            del self._on_their_way[key]

    async def _find_or_make(
        self, key: str, live: Callable[[], Awaitable[Call]], to_row: Callable[[Call], list[Entry]]
    ) -> Call:
        tally = self.dispatcher.tally
        recorded = await self.writer.find(key) if self._may_be_recorded(key) else None
        if recorded is not None and (isinstance(recorded.outcome, Reply) or self._stands(recorded.outcome)):
            tally.reused += 1
            return recorded
        call = await live()
        tally.live += bool(call.attempts)  # offline nothing was called
        if call.cost_usd is not None:
            tally.spent_usd += call.cost_usd
        elif isinstance(call.outcome, Reply):
            tally.unpriced += 1
        if call.attempts:
            await self.writer.put(*to_row(call))
            if self._committed is not None:
                self._committed.add(key)
        return call

    def _stands(self, failure: Failure) -> bool:
        """Whether a recorded failure is all there is: offline nobody can try again, and what the model itself did or
        cannot do (a rung of the ladder, a parameter) is as good as a reply."""
        return self.offline and (failure.owner == "candidate" or failure.kind == "unsupported")

    def _may_be_recorded(self, key: str) -> bool:
        if self._committed is not None and (now := time.monotonic()) - self._looked_around > _LOOK_AROUND_S:
            self._looked_around = now
            if not self.writer.alone():
                self._committed = None
        return self._committed is None or key in self._committed

    def request_entries(self, request: Request) -> tuple[str, list[Entry]]:
        """The request as JSON text; messages shared by all samples are kept once and pointed at by hash."""
        entries: list[Entry] = []
        messages: list[Any] = list(request.messages)
        if request.shared:
            pointer, fresh = self._shared(request.messages[: request.shared])
            entries = fresh
            messages[: request.shared] = [{"shared": pointer}]
        body: dict[str, Any] = {"messages": messages, "params": request.params}
        if request.tools:
            body |= {"tools": request.tools, "tool_choice": request.tool_choice}
        if request.schema:
            body["schema"] = request.schema_name
        return dumps(body), entries

    def _shared(self, messages: tuple[Message, ...]) -> tuple[str, list[Entry]]:
        # Keyed by identity: prompts render their shared message once and hand out the same object every time.
        known = self._shared_texts.get(id(messages[0]))
        if known is not None and known[0][0] is messages[0] and len(known[0]) == len(messages):
            return known[1], []
        body = dumps(messages)
        pointer = hashlib.sha256(body.encode()).hexdigest()
        self._shared_texts[id(messages[0])] = (messages, pointer)
        return pointer, [("texts", {"sha256": pointer, "body": body})]


class Recorded:
    """A `Caller`: exactly-once calls for one candidate or judge of one run."""

    def __init__(self, ledger: Ledger, role: Literal["candidate", "judge", "other"], who: str, salt: str) -> None:
        self._ledger = ledger
        self._role: Literal["candidate", "judge", "other"] = role
        self._who = who
        self._salt = salt

    @property
    def run(self) -> str:
        """Id of the run that pays."""
        return self._ledger.run

    @property
    def salt(self) -> str:
        """Salt of the run's keys for this role."""
        return self._salt

    async def complete(self, model: ChatModel, request: Request, draw: Draw) -> Call:
        """See `Caller.complete`. Raises BudgetReached, EndpointGone or StoreError."""
        ledger, key = self._ledger, call_key(model.identity, request, draw)

        async def live() -> Call:
            return self._call(key, model.name, await self._send(lambda: ledger.dispatcher.send(model, request), key))

        def to_row(call: Call) -> list[Entry]:
            text, entries = ledger.request_entries(request)
            return [*entries, ("calls", call_to_row(call, text))]

        return await ledger.once(key, live, to_row)

    async def perform(
        self, key: str, model: str, work: Callable[[], Awaitable[Reply | Failure]], cost_usd: float | None = None
    ) -> Call:
        """See `Caller.perform`."""
        ledger, stated = self._ledger, {} if cost_usd is None else {"cost_usd": cost_usd}

        async def live() -> Call:
            return self._call(key, model, await self._send(lambda: ledger.dispatcher.perform(model, model, work), key))

        return await ledger.once(key, live, lambda call: [("calls", {**call_to_row(call, None), **stated})])

    async def _send(self, send: Callable[[], Awaitable[Sent]], key: str) -> Sent:
        if self._ledger.offline:
            return Failure("not_recorded", f"offline, and no reply is recorded under key {key}"), 0
        return await send()

    def _call(self, key: str, model: str, sent: Sent) -> Call:
        outcome, attempts = sent
        cost = self._ledger.cost(model, outcome.usage) if isinstance(outcome, Reply) else None
        return Call(key, self.run, self._role, self._who, model, outcome, attempts, cost, time.time())

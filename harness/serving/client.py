"""What the client itself has to do while it measures: how late its event loop comes to things, and its CPU seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

GUARD_S = 0.001
"""Timers of the event loop fire up to a millisecond late (epoll counts in them): the last one is waited for awake."""
EVERY_S = 0.1
"""Waiting awake costs half a millisecond of CPU a tick."""
MOST = 8192


async def until(due: float) -> None:
    """Return at ``due`` (on the clock of `time.perf_counter`) or as soon after it as the event loop can; never before.

    Meanwhile everybody else gets their turn.
    """
    while (left := due - time.perf_counter()) > 0:  # noqa: ASYNC110 - time, unlike an event, tells nobody
        await asyncio.sleep(max(0.0, left - GUARD_S))


@dataclass(slots=True)
class Client:
    """``lag_s``: how late the loop was at each tick, seconds. ``cpu_s``: CPU seconds of the whole process."""

    lag_s: list[float] = field(default_factory=list)
    cpu_s: float = 0.0


@asynccontextmanager
async def watching() -> AsyncIterator[Client]:
    """Sample the loop for the length of the block; what is watched is complete when it ends."""
    client = Client()
    began = time.process_time()
    ticks = asyncio.create_task(_tick(client))
    try:
        yield client
    finally:
        client.cpu_s = time.process_time() - began
        ticks.cancel()
        with suppress(asyncio.CancelledError):
            await ticks


async def _tick(client: Client) -> None:
    """Note how late each tick is. Of a long cell every second sample is dropped now and then, so memory stays flat."""
    every, due = EVERY_S, time.perf_counter()
    while True:
        due += every
        await until(due)
        now = time.perf_counter()
        client.lag_s.append(now - due)
        due = max(due, now - every)  # after a stall the ticks it swallowed are not made up for
        if len(client.lag_s) >= MOST:
            del client.lag_s[::2]
            every *= 2

"""How many calls may be in flight: additive increase, multiplicative decrease, and what the server's headers say."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from ..errors import Stopped
from ..models.base import Limits
from ..records import Failure, Headroom, Reply

_DECREASE = 0.5
_PRESSURE = frozenset({"rate_limited"})
_NOT_SENT = "told to stop before this call was sent; the same command continues"


class Limiter:
    """One endpoint's gate. Starts at ``concurrency``, halves on a 429, grows back by one per window of successes.

    ``Retry-After`` (or a header that says nothing is left) closes the gate for that long. ``rpm`` and ``tpm`` are
    token buckets of one minute. Belongs to one event loop.
    """

    def __init__(self, limits: Limits, concurrency: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.ceiling = min(concurrency, limits.concurrency or concurrency)
        self.allowed = float(self.ceiling)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._clock = clock
        self._closed_until = 0.0
        self._decreased_at = -1e9
        self._requests = Bucket(limits.rpm, clock) if limits.rpm else None
        self._tokens = Bucket(limits.tpm, clock) if limits.tpm else None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()

    async def acquire(self, tokens: int = 0) -> None:
        """Wait for a slot (first come, first served), then for the minute's budget of requests and ``tokens``.

        Raises Stopped once `end` was called.
        """
        if self._ended.is_set():
            raise Stopped(_NOT_SENT)
        if self._waiting or not self._open():
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            self._wake_later()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled() and not turn.exception():
                    self.release()
                raise
        else:
            self.in_flight += 1
        for bucket, amount in ((self._requests, 1), (self._tokens, tokens)):
            if bucket is not None and amount and (delay := bucket.take(amount)) > 0:
                await self._sleep_holding(delay)

    def release(self) -> None:
        """Give the slot to whoever waits longest."""
        self.in_flight -= 1
        self._wake()

    def end(self) -> None:
        """Let nobody in any more; those who wait get `Stopped`."""
        self._ended.set()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(Stopped(_NOT_SENT))

    def learn(self, outcome: Reply | Failure) -> None:
        """Adapt to what came back."""
        now = self._clock()
        if isinstance(outcome, Reply):
            if self.allowed < self.ceiling:
                self.allowed = min(float(self.ceiling), self.allowed + 1.0 / self.allowed)
            if outcome.headroom is not None:
                self._heed(outcome.headroom, now)
        elif outcome.kind in _PRESSURE:
            pause = outcome.retry_after_s or 0.0
            self._closed_until = max(self._closed_until, now + pause)
            # A burst of refusals from one window is one piece of news, not many.
            if now - self._decreased_at > max(1.0, pause):
                self.allowed = max(1.0, self.allowed * _DECREASE)
                self._decreased_at = now

    def _heed(self, headroom: Headroom, now: float) -> None:
        spent = headroom.requests == 0 or headroom.tokens == 0
        if spent and headroom.reset_s:
            self._closed_until = max(self._closed_until, now + min(headroom.reset_s, 60.0))

    def _open(self) -> bool:
        return self.in_flight < int(self.allowed) and self._clock() >= self._closed_until

    def _wake(self) -> None:
        while self._waiting and self._open():
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)
        self._wake_later()

    def _wake_later(self) -> None:
        """While the gate is closed by time, nobody's release will open it: set an alarm."""
        pause = self._closed_until - self._clock()
        if self._waiting and pause > 0 and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(pause, self._alarm)

    def _alarm(self) -> None:
        self._timer = None
        self._wake()

    async def _sleep_holding(self, delay: float) -> None:
        try:
            await asyncio.wait_for(self._ended.wait(), delay)
        except TimeoutError:
            return
        except asyncio.CancelledError:
            self.release()
            raise
        self.release()
        raise Stopped(_NOT_SENT)


class Bucket:
    """A token bucket: ``per_minute`` units, refilled evenly. `take` books now and says how long to wait."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._rate = per_minute / 60.0
        self._capacity = float(per_minute)
        self._level = self._capacity
        self._clock = clock
        self._at = clock()

    def take(self, amount: float) -> float:
        """Seconds until ``amount`` units are there; they are booked already."""
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        self._level -= amount
        return max(0.0, -self._level / self._rate)

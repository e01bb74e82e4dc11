"""Sends a request: waits for a slot, retries what is ours, gives up on an endpoint that refuses everything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..errors import EndpointGone
from ..models.base import ChatModel, Limits
from ..records import Failure, Reply, Request
from .budget import Budget
from .limits import Limiter
from .retry import FATAL, RetryPolicy
from .tally import Tally

Work = Callable[[], Awaitable[Reply | Failure]]
_ATTEMPTS_BEFORE_FIRST_SUCCESS = 4
"""A server that was never reached is given less patience than one that went away."""


@dataclass(slots=True)
class _Endpoint:
    """What is known of one limit group. ``gone`` says why no further call is sent."""

    limiter: Limiter
    successes: int = 0
    gone: str = ""


class Dispatcher:
    """The only scheduler of calls. Belongs to one event loop; ``stop`` makes it give up waiting, not working."""

    def __init__(
        self,
        concurrency: int,
        tally: Tally | None = None,
        budget: Budget | None = None,
        policy: RetryPolicy | None = None,
        seed: int | None = None,
    ) -> None:
        self.concurrency = concurrency
        self.tally = tally or Tally()
        self.budget = budget
        self.stop = asyncio.Event()
        self._policy = policy or RetryPolicy()
        self._rng = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._endpoints: dict[str, _Endpoint] = {}
        self._watch: asyncio.Task[None] | None = None

    async def send(self, model: ChatModel, request: Request) -> tuple[Reply | Failure, int]:
        """The reply, or the last failure, and the number of attempts.

        Raises BudgetReached, EndpointGone, or Stopped for what was not sent when `stop` was set.
        """
        limits = model.limits
        endpoint = self._endpoint(model.limit_group, limits)
        tokens = _size(request) if limits.tpm else 0
        budget = self.budget
        if budget is None:
            return await self._attempts(endpoint, model.name, lambda: model.complete(request), tokens)
        reserved = await budget.reserve(model.name, request)
        cost = 0.0
        try:
            outcome, attempts = await self._attempts(endpoint, model.name, lambda: model.complete(request), tokens)
            if isinstance(outcome, Reply):
                cost = budget.cost_of(model.name, outcome.usage)
        finally:
            budget.settle(reserved, cost)
        return outcome, attempts

    async def perform(self, group: str, name: str, work: Work) -> tuple[Reply | Failure, int]:
        """Like `send` for work without a model; ``group`` shares a limiter."""
        return await self._attempts(self._endpoint(group, Limits()), name, work, 0)

    def forget(self, group: str) -> None:
        """Try an endpoint that was given up once more: a process that lives long outlives a server's bad hour."""
        self._endpoints.pop(group, None)

    def _endpoint(self, group: str, limits: Limits) -> _Endpoint:
        endpoint = self._endpoints.get(group)
        if endpoint is None:
            endpoint = self._endpoints[group] = _Endpoint(Limiter(limits, self.concurrency))
            if self._watch is None:
                self._watch = asyncio.create_task(self._end_when_stopped())
        return endpoint

    async def _end_when_stopped(self) -> None:
        """Whoever still waits for a slot has paid nothing yet, and is not to."""
        await self.stop.wait()
        for endpoint in self._endpoints.values():
            endpoint.limiter.end()

    async def _attempts(self, endpoint: _Endpoint, name: str, work: Work, tokens: int) -> tuple[Reply | Failure, int]:
        attempt, successes_before = 0, endpoint.successes
        while True:
            attempt += 1
            outcome = await self._once(endpoint, work, tokens)
            if isinstance(outcome, Reply):
                endpoint.successes += 1
                return outcome, attempt
            delay = self._policy.delay(outcome, attempt, self._rng)
            patience_over = delay is None or (not endpoint.successes and attempt >= _ATTEMPTS_BEFORE_FIRST_SUCCESS)
            unreachable = outcome.kind == "network" and endpoint.successes == successes_before and patience_over
            if outcome.kind in FATAL or unreachable:
                endpoint.gone = _epitaph(name, outcome)
                raise EndpointGone(endpoint.gone)
            if delay is None or self.stop.is_set():
                return outcome, attempt
            self.tally.retries += 1
            await self._pause(delay)

    async def _once(self, endpoint: _Endpoint, work: Work, tokens: int) -> Reply | Failure:
        await endpoint.limiter.acquire(tokens)
        self.tally.in_flight += 1
        try:
            if endpoint.gone:
                raise EndpointGone(endpoint.gone)
            outcome = await work()
            endpoint.limiter.learn(outcome)
        finally:
            self.tally.in_flight -= 1
            endpoint.limiter.release()
        return outcome

    async def _pause(self, delay: float) -> None:
        """Sleep, but not past `stop`."""
        if delay > 0:
            try:
                await asyncio.wait_for(self.stop.wait(), delay)
            except TimeoutError:
                return


def _epitaph(name: str, failure: Failure) -> str:
    remedy = {
        "unauthorized": "check the key in its environment variable, or its key_command",
        "not_found": "check the model's name and the base_url",
    }.get(failure.kind, "check that the server runs and that the base_url is right")
    said = failure.detail.removeprefix(f"{name}: ")
    return f"{name}: {said}: {remedy}; what was paid for is kept, the same command continues"


def _size(request: Request) -> int:
    """Rough tokens of a request for the minute's budget: four characters each, plus what it may answer."""
    characters = sum(len(m["content"]) for m in request.messages if isinstance(m.get("content"), str))
    allowed = request.params.get("max_tokens") or request.params.get("max_completion_tokens") or 0
    return characters // 4 + (allowed if isinstance(allowed, int) else 0)

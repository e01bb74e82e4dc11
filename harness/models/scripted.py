"""A model that says what it is told: the whole product can be tried and tested without a server or a patch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..records import Failure, Reply, Request, Timing, Usage
from .base import Limits
from .wire import estimated_usage

Said = str | Reply | Failure


class ScriptedModel:
    """A `ChatModel` whose replies are given: a sequence, used in turn, or a function of the request.

    A string becomes a `Reply` with ``usage`` (estimated where ``None``) and a timing; a `Reply` or a `Failure` is
    returned as it is. ``latency_s`` seconds pass before each. ``requests`` holds what was asked, oldest first. When a
    sequence is used up, the next call raises `IndexError`: a test that asks more often than it meant to must fail.
    """

    def __init__(
        self,
        replies: Sequence[Said] | Callable[[Request], Said],
        name: str = "scripted/model",
        *,
        usage: Usage | None = None,
        latency_s: float = 0.0,
        limits: Limits | None = None,
        supports_images: bool = True,
    ) -> None:
        self._replies = replies
        self._name = name
        self._usage = usage
        self._latency_s = latency_s
        self._limits = limits or Limits()
        self._supports_images = supports_images
        self.requests: list[Request] = []
        self.closed = False

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint and model, from the name."""
        endpoint, _, model = self._name.partition("/")
        return {"endpoint": endpoint, "model": model}

    @property
    def limit_group(self) -> str:
        """The part of the name before the slash."""
        return self._name.partition("/")[0]

    @property
    def limits(self) -> Limits:
        """As given."""
        return self._limits

    @property
    def supports_images(self) -> bool:
        """As given."""
        return self._supports_images

    async def complete(self, request: Request) -> Reply | Failure:
        """What the script says to ``request``."""
        sent_at, sent = time.time(), time.perf_counter()
        number = len(self.requests)
        self.requests.append(request)
        said = self._replies(request) if callable(self._replies) else self._replies[number]
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        if not isinstance(said, str):
            return said
        e2e_s = time.perf_counter() - sent
        first = e2e_s if request.stream else None
        usage = self._usage or estimated_usage(request, said)
        return Reply(said, usage, Timing(sent_at, e2e_s, first, first), served_model=self._name.partition("/")[2])

    async def reachable(self) -> str | None:
        """Always there."""
        return None

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

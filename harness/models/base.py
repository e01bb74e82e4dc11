"""Seam 1, the wire: a chat model takes a `Request` and gives a `Reply` or a `Failure`, once, without retrying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..records import Failure, Reply, Request


@dataclass(frozen=True, slots=True)
class Limits:
    """What one endpoint is allowed: calls in flight, requests and tokens per minute."""

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None


class ChatModel(Protocol):
    """One model behind one endpoint. Implementations never retry and never raise for what a server does."""

    @property
    def name(self) -> str:
        """As the exam writes it: ``openai/gpt-4o-mini``."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What enters the call key: endpoint as declared, model, revision, adapter; never host, port or key."""

    @property
    def limit_group(self) -> str:
        """Calls with the same group share one limiter (same endpoint, same key variable)."""

    @property
    def limits(self) -> Limits:
        """Limits declared for the endpoint."""

    @property
    def supports_images(self) -> bool:
        """False refuses, by name, a request that holds an image."""

    async def complete(self, request: Request) -> Reply | Failure:
        """Send ``request`` once."""

    async def reachable(self) -> str | None:
        """``None`` where the endpoint answers and takes the key, else why not. Costs nothing."""

    async def close(self) -> None:
        """Release connections; may be called more than once."""

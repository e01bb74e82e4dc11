"""Stands where calls would be made, for what only renders requests: a plan, a load test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..harness.errors import BugError
from ..harness.models.base import ChatModel
from ..harness.records import Call, Draw, Failure, Reply, Request


class NoCaller:
    """A `Caller` that makes no call; ``salt`` is that of the run it would be made for."""

    def __init__(self, salt: str = "") -> None:
        self._salt = salt

    @property
    def run(self) -> str:
        """No run has this name."""
        return "plan"

    @property
    def salt(self) -> str:
        """As given."""
        return self._salt

    async def complete(self, model: ChatModel, request: Request, draw: Draw) -> Call:
        """Raises BugError."""
        raise BugError(f"{model.name} was called where nothing is to be recorded")

    async def perform(
        self, key: str, model: str, work: Callable[[], Awaitable[Reply | Failure]], cost_usd: float | None = None
    ) -> Call:
        """Raises BugError."""
        raise BugError(f"{model} was called where nothing is to be recorded")

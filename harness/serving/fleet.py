"""The servers of one run or bench. Each is started by the first call that needs it, and stopped when its phase ends."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any

from ..errors import BugError, InputError
from ..models.base import Limits
from ..models.compatible import CompatibleModel
from ..models.endpoints import Endpoint
from ..models.secret import Secret
from ..records import Failure, Reply, Request
from .phases import Server
from .server import House, Running, end, executable, start, wait_until_ready

_REPLY_TIMEOUT_S = 120.0


class Fleet:
    """Belongs to one event loop. Whatever happens, leaving the ``async with`` stops every server."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._starts: dict[Server, asyncio.Task[Running]] = {}
        self._running: dict[Server, Running] = {}

    async def __aenter__(self) -> Fleet:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.only(())

    async def running(self, server: Server) -> Running:
        """``server``, ready; the first to ask starts it and the others wait with them.

        Raises `InputError`, `ServerFailed` or `Stopped`, see `server`; the same to all who wait.
        """
        if (begun := self._starts.get(server)) is None:
            begun = self._starts[server] = asyncio.create_task(self._start(server))
        return await asyncio.shield(begun)

    async def _start(self, server: Server) -> Running:
        running = self._running[server] = start(server, self._house)
        await wait_until_ready(running, self._house)
        return running

    async def only(self, kept: Collection[Server]) -> None:
        """Stop every server but the ``kept`` ones, all at once."""
        gone = [server for server in {*self._starts, *self._running} if server not in kept]
        begun = [self._starts.pop(server) for server in gone if server in self._starts]
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        ended = [self._running.pop(server) for server in gone if server in self._running]
        await asyncio.gather(*(end(running, self._house) for running in ended))


class LaunchedModel:
    """A model, or one of its adapters, on a server of a `Fleet`; a `ChatModel` that brings its own endpoint.

    Without a fleet (in a plan) it can be named and keyed, and not asked.
    """

    def __init__(
        self,
        server: Server,
        fleet: Fleet | None,
        *,
        adapter: str | None = None,
        identity: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self._server = server
        self._fleet = fleet
        self._asked = adapter or server.model
        self._identity = {"endpoint": "vllm", "model": server.model, **(identity or {})}
        self._timeout_s = _REPLY_TIMEOUT_S if timeout_s is None else timeout_s
        self._wire: tuple[Running, CompatibleModel] | None = None

    def __repr__(self) -> str:
        return f"LaunchedModel({self.name!r})"

    @property
    def server(self) -> Server:
        """The server that it is asked on."""
        return self._server

    @property
    def name(self) -> str:
        """``vllm/model``, also of an adapter."""
        return f"vllm/{self._server.model}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Model, engine arguments and adapter; never a port, and no GPU."""
        return self._identity

    @property
    def limit_group(self) -> str:
        """A base model and its adapters share what their server can take."""
        return f"launched/{self._server.name}"

    @property
    def limits(self) -> Limits:
        """None of its own: the exam's concurrency holds."""
        return Limits()

    @property
    def supports_images(self) -> bool:
        """The server says no by itself."""
        return True

    async def complete(self, request: Request) -> Reply | Failure:
        """Send ``request`` once, when the server is ready.

        Raises `ServerFailed` where the server did not come up or has died: no retry could help.
        """
        running, model = await self._opened()
        outcome = await model.complete(request)
        if isinstance(outcome, Failure) and outcome.kind == "network":
            await running.must_live()
        return outcome

    async def _opened(self) -> tuple[Running, CompatibleModel]:
        if self._fleet is None:
            raise BugError(f"{self.name} is asked where nothing was to be launched")
        running = await self._fleet.running(self._server)
        if self._wire is None or self._wire[0] is not running:
            endpoint = Endpoint("vllm", running.base_url, timeout_s=self._timeout_s)
            wire = running, CompatibleModel(endpoint, self._asked, Secret.given(running.key))
            stale, self._wire = self._wire, wire
            if stale is not None:
                await stale[1].close()
        return self._wire

    async def reachable(self) -> str | None:
        """Whether there is a vLLM to start."""
        try:
            executable()
        except InputError as error:
            return str(error)
        return None

    async def close(self) -> None:
        """Release connections; the server is its fleet's to stop."""
        if self._wire is not None:
            await self._wire[1].close()
            self._wire = None

"""What the `openai` and `anthropic` packages have in common: clients, errors, and raw bodies that we read ourselves.

The packages carry authentication, routing and proxies; their retries are off, since `dispatch` owns those. Bodies are
read raw, so that timestamps are exact and a broken body is a `Failure` and not an exception of pydantic's.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import orjson

from ..records import Failure, Reply, Request, Timing
from .endpoint_model import REACHABLE_TIMEOUT_S, EndpointModel
from .endpoints import Endpoint
from .faults import ServerError, headroom, read_error, trim
from .secret import Secret
from .sessions import CONNECT_TIMEOUT_S
from .stream import Clock, Events, StreamedReply
from .wire import to_json


class SdkModel(EndpointModel):
    """A model reached through a provider's own package, which is loaded by the first call."""

    def __init__(self, endpoint: Endpoint, model: str, secret: Secret) -> None:
        super().__init__(endpoint, model, secret)
        self._client: tuple[asyncio.AbstractEventLoop, str, Any] | None = None

    async def close(self) -> None:
        """Close the client; may be called more than once."""
        client, self._client = self._client, None
        if client is not None and client[0] is asyncio.get_running_loop():
            await client[2].close()

    @property
    @abstractmethod
    def _package(self) -> Any:
        """The module."""

    @abstractmethod
    def _rendered(self, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The body in the provider's format, and the names of our options that were left out."""

    @abstractmethod
    def _new_client(self, key: str, http_client: Any) -> Any:
        """The package's asynchronous client, with its retries off."""

    @abstractmethod
    def _post(self, client: Any, body: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        """The package's call for ``body``, as a response whose bytes are not read yet."""

    @abstractmethod
    def _read_whole(
        self, data: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        """A response that is not streamed."""

    @abstractmethod
    def _new_stream(self, clock: Clock) -> StreamedReply:
        """What collects a streamed response."""

    def _body(self, request: Request) -> tuple[Any, tuple[str, ...]]:
        body, dropped = self._rendered(request)
        # Plain JSON types, and an error here rather than inside the package for what is none.
        return orjson.loads(to_json(body)), dropped

    def _client_for(self, key: str) -> Any:
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop or self._client[1] != key:
            # One client cannot serve two event loops; and a redirect could carry the key to another host.
            http = self._package.DefaultAsyncHttpxClient(follow_redirects=False, timeout=self._timeout())
            self._client = (loop, key, self._new_client(key, http))
        return self._client[2]

    def _timeout(self) -> Any:
        return self._package.Timeout(self._endpoint.timeout_s, connect=CONNECT_TIMEOUT_S)

    async def _exchange(
        self, body: dict[str, Any], key: str, request: Request, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        import httpx2

        client, package = self._client_for(key), self._package
        sent_at, sent = time.time(), time.perf_counter()
        limit = self._endpoint.timeout_s
        try:
            async with asyncio.timeout(limit), self._post(client, body) as response:
                outcome = await self._receive(response, request, dropped, (sent_at, sent))
        except package.APIStatusError as error:
            return read_error(error.status_code, error.response.headers, error.response.content, sent_at)
        except (package.APIConnectionError, httpx2.TransportError, TimeoutError) as error:
            return _transport_failure(error, limit, sent_at)
        if isinstance(outcome, Failure) and not outcome.sent_at:
            return replace(outcome, sent_at=sent_at)
        return outcome

    async def _ask_models(self, key: str) -> Failure | ServerError | None:
        import httpx2

        client, package = self._client_for(key), self._package
        try:
            async with client.models.with_streaming_response.list(timeout=REACHABLE_TIMEOUT_S):
                return None
        except package.APIStatusError as error:
            return read_error(error.status_code, error.response.headers, error.response.content, time.time())
        except (package.APIConnectionError, httpx2.TransportError) as error:
            return _transport_failure(error, REACHABLE_TIMEOUT_S, time.time())

    async def _receive(
        self, response: Any, request: Request, dropped: tuple[str, ...], start: tuple[float, float]
    ) -> Reply | Failure | ServerError:
        sent_at, sent = start
        outcome: Reply | Failure | ServerError
        if request.stream:
            stream, events = self._new_stream(Clock(sent)), Events()
            async for received in response.iter_bytes():
                now = time.perf_counter()
                for event in events.feed(received):
                    stream.feed(event, now)
                if stream.fault is not None:
                    break
            for event in events.end():
                stream.feed(event, time.perf_counter())
            outcome = stream.outcome(request, sent_at, time.perf_counter(), dropped)
        else:
            data = await response.read()
            outcome = self._read_whole(data, request, Timing(sent_at, time.perf_counter() - sent), dropped)
        if isinstance(outcome, Reply) and (room := headroom(response.headers)):
            return replace(outcome, headroom=room)
        return outcome


def _transport_failure(error: BaseException, limit_s: float, sent_at: float) -> Failure:
    import httpx2

    cause = error.__cause__ or error
    if isinstance(cause, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return Failure("network", trim(f"no connection: {type(cause).__name__}"), sent_at=sent_at)
    if isinstance(cause, httpx2.TimeoutException | TimeoutError) or "Timeout" in type(error).__name__:
        return Failure("timeout", f"no complete reply within {limit_s:g} s (timeout_s)", sent_at=sent_at)
    return Failure("network", trim(f"{type(cause).__name__}: {cause}"), sent_at=sent_at)

"""The thin client: any OpenAI-compatible endpoint over aiohttp and orjson, with exact timestamps.

`t_send` is taken just before the request is handed to the connection pool, so the very first call on a new connection
includes its handshake. Received bytes are stamped before they are parsed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..records import Failure, Reply, Request, Timing
from .endpoint_model import REACHABLE_TIMEOUT_S, EndpointModel
from .endpoints import Endpoint
from .faults import ServerError, headroom, read_error, trim
from .secret import Secret
from .sessions import CONNECT_TIMEOUT_S, Lease
from .stream import ChatStream, Clock, Events
from .wire import chat_body, read_reply, to_json

if TYPE_CHECKING:
    import aiohttp

TAIL_TIMEOUT_S = 0.25
"""How long to wait, after ``[DONE]``, for the end of the body that lets the connection be used again."""
IDLE_S = 1.0
"""A connection that was closed sooner than that was not closed for being idle."""


class CompatibleModel(EndpointModel):
    """One model behind an OpenAI-compatible endpoint."""

    path = "/chat/completions"

    def __init__(self, endpoint: Endpoint, model: str, secret: Secret) -> None:
        super().__init__(endpoint, model, secret)
        self._url = f"{endpoint.base_url}{self.path}"
        self._lease = Lease(endpoint.base_url)
        self._closes_after_stream = False
        self._streamed_on: tuple[asyncio.Transport, float] | None = None
        self._timeout: aiohttp.ClientTimeout | None = None

    async def close(self) -> None:
        """Release the connections; may be called more than once."""
        await self._lease.release()

    def _body(self, request: Request) -> tuple[bytes, tuple[str, ...]]:
        body, dropped = chat_body(request, self._model, self._concessions)
        return to_json(body), dropped

    def _headers_with(self, key: str) -> dict[str, str]:
        # Made anew for each call: what is kept could be printed with the model.
        headers = {**self._endpoint.headers}
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        return headers

    async def _ask_models(self, key: str) -> Failure | ServerError | None:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=REACHABLE_TIMEOUT_S)
        url = f"{self._endpoint.base_url}/models"
        try:
            async with self._lease.session().get(
                url, headers=self._headers_with(key), timeout=timeout, proxy=self._lease.proxy, allow_redirects=False
            ) as response:
                if response.status == 200:
                    return None
                return read_error(response.status, response.headers, await response.read(), time.time())
        except (aiohttp.ClientError, OSError) as error:
            return _transport_failure(error, REACHABLE_TIMEOUT_S, time.time())

    async def _exchange(
        self, body: bytes, key: str, request: Request, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        import aiohttp

        if self._timeout is None:
            self._timeout = aiohttp.ClientTimeout(total=self._endpoint.timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        session, headers = self._lease.session(), self._headers_with(key)
        self._notice_closing()
        if request.stream and self._closes_after_stream:
            headers["Connection"] = "close"
        sent_at, sent = time.time(), time.perf_counter()
        try:
            async with session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=self._timeout,
                proxy=self._lease.proxy,
                # A redirect could carry the key to another host.
                allow_redirects=False,
            ) as response:
                connection = response.connection
                transport = connection.transport if request.stream and connection is not None else None
                outcome = await self._receive(response, request, dropped, (sent_at, sent))
        except (aiohttp.ClientError, OSError) as error:
            if request.stream and _is_stale(error) and self._url.startswith("http://"):
                self._closes_after_stream = True
            return _transport_failure(error, self._endpoint.timeout_s, sent_at)
        if transport is not None:
            self._streamed_on = transport, time.perf_counter()
        if isinstance(outcome, Failure) and not outcome.sent_at:
            return replace(outcome, sent_at=sent_at)
        return outcome

    def _notice_closing(self) -> None:
        """Look whether the server closed the connection of the last stream: then the next must not be sent on it."""
        if self._streamed_on is None or self._closes_after_stream or not self._url.startswith("http://"):
            return
        transport, ended = self._streamed_on
        if time.perf_counter() - ended < IDLE_S and transport.is_closing():
            self._closes_after_stream = True

    async def _receive(
        self,
        response: aiohttp.ClientResponse,
        request: Request,
        dropped: tuple[str, ...],
        start: tuple[float, float],
    ) -> Reply | Failure | ServerError:
        sent_at, sent = start
        headers = response.headers
        if response.status != 200:
            return read_error(response.status, headers, await response.read(), sent_at)
        outcome: Reply | Failure | ServerError
        if request.stream and "json" not in response.content_type:
            outcome = await _read_stream(response, request, dropped, start)
        else:
            body = await response.read()
            outcome = self._read_whole(body, request, Timing(sent_at, time.perf_counter() - sent), dropped)
        if isinstance(outcome, Reply) and (room := headroom(headers)):
            return replace(outcome, headroom=room)
        return outcome

    def _read_whole(
        self, body: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        return read_reply(body, request, timing, dropped)


def _is_stale(error: Exception) -> bool:
    """A connection that was used again died before it answered.

    llama.cpp promises keep-alive and closes the connection after each stream all the same: half of the calls that
    follow at once would fail. From then on its streams get connections of their own, which without TLS cost little.
    """
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    return isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)


def _transport_failure(error: Exception, limit_s: float, sent_at: float) -> Failure:
    import aiohttp

    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Failure("network", trim(f"no connection: {error}"), sent_at=sent_at)
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"no complete reply within {limit_s:g} s (timeout_s)", sent_at=sent_at)
    if isinstance(error, aiohttp.ClientResponseError):
        return Failure("malformed", trim(f"not HTTP: {error.message}"), sent_at=sent_at)
    detail = str(error).replace(" ssl:default", "")  # aiohttp says so of plain HTTP, too
    return Failure("network", trim(f"{type(error).__name__}: {detail}"), sent_at=sent_at)


async def _read_stream(
    response: aiohttp.ClientResponse, request: Request, dropped: tuple[str, ...], start: tuple[float, float]
) -> Reply | Failure | ServerError:
    sent_at, sent = start
    events, chat = Events(), ChatStream(Clock(sent))
    content = response.content
    while not chat.done and chat.fault is None:
        received = await content.readany()
        now = time.perf_counter()
        for event in events.feed(received) if received else events.end():
            chat.feed(event, now)
        if not received:
            break
    if chat.done and not content.at_eof():
        await _read_tail(content)
    return chat.outcome(request, sent_at, time.perf_counter(), dropped)


async def _read_tail(content: aiohttp.StreamReader) -> None:
    try:
        async with asyncio.timeout(TAIL_TIMEOUT_S):
            while await content.readany():
                pass
    except TimeoutError:
        return

"""A deterministic OpenAI-compatible server for tests and benchmarks: latency, streams, faults and refusals on demand.

    python tests/servers/mock_openai.py --port 0 [--config JSON]      prints {"listening": PORT, "pid": PID}
    with mock_server({"latency": {"kind": "fixed", "ms": 0}}) as server: server.url, server.stats(), server.configure(…)

POST /v1/chat/completions, /v1/messages (Anthropic), /v1/embeddings, /config (merges over the defaults, resets the
counters), /reset; GET /v1/models, /health, /stats, /config. It binds 127.0.0.1 only. What it says: `mock_replies.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
import threading
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parent))
import mock_replies as replies

DEFAULTS: dict[str, Any] = {
    "latency": {"kind": "fixed", "ms": 0},  # or {"kind": "lognormal", "median_ms", "sigma", "seed", "max_ms"}
    "stream": {"ttft_ms": 0, "itl_ms": 0, "chunk_words": 1},
    "stall": None,  # {"at_s": 1, "for_s": 1}: from 1 s after the first request on, all streams freeze for 1 s
    "slots": 0,  # so many streams at a time, the others queue; 0 for no limit
    # Each rate is a probability per attempt; the draw is a hash of (seed, body, attempt), so it is the same for every
    # client that sends the same body, and a retry gets a fresh draw.
    "errors": {
        "r429": 0,
        "r500": 0,
        "drop": 0,
        "malformed": 0,
        "badcontent": 0,
        "retry_after": 1,
        "seed": 7,
        "error_latency_ms": 0,
        "first": [],
    },
    # `first`: faults of the first attempts of each body, in order, e.g. ["r429", "drop"]
    "judge_models": "judge|gpt-",
    "correct_rate": 0.7,
    "dialects": [],  # see mock_replies.DIALECTS
    "min_tokens": {},  # {"judge": 512}: replies are cut (finish_reason length) where max_tokens is less
    "keys": [],  # accepted bearer keys; empty accepts anybody
    "headroom": None,  # {"requests": 3, "tokens": 100, "reset": "1s"}: sent as rate-limit headers
    "say": {},  # {"gen": "literal text", "judge": {"good": "…", "bad": "…"}}
}
FAULTS = ("r429", "r500", "drop", "malformed", "badcontent")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``, nested mappings key by key."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


class Counters:
    """What the server saw: requests, distinct bodies, outcomes, and the mean and maximum of calls in flight."""

    def __init__(self) -> None:
        self.received = self.ok = self.connections = self.in_flight = self.in_flight_max = 0
        self.prompt_tokens = self.completion_tokens = 0
        self.attempts: Counter[bytes] = Counter()
        self.kinds: dict[str, Counter[str]] = {}
        self.paid: dict[str, Counter[int]] = {}
        self.outcomes: Counter[str] = Counter()
        self.busy = 0.0
        self.first = self.last = self.changed = 0.0
        self.recent: list[dict[str, Any]] = []

    def move(self, step: int) -> None:
        """Count a call in (+1) or out (-1), integrating the calls in flight over time."""
        now = time.perf_counter()
        if not self.first:
            self.first = self.changed = now
        self.busy += self.in_flight * (now - self.changed)
        self.changed = now
        self.in_flight += step
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        if step < 0:
            self.last = now

    def finish(self, outcome: str, kind: str, id_: int) -> None:
        """Count a call out. An answered one is a paid one."""
        self.move(-1)
        self.outcomes[outcome] += 1
        if outcome in ("ok", "badcontent"):
            self.ok += 1
            self.kinds[kind]["ok"] += 1
            if id_ >= 0:
                self.paid.setdefault(kind, Counter())[id_] += 1

    def report(self) -> dict[str, Any]:
        """The body of GET /stats."""
        window = self.last - self.first
        kinds = {}
        for kind, counts in self.kinds.items():
            paid = self.paid.get(kind, Counter())
            repeats = sum(paid.values()) - len(paid)
            kinds[kind] = {**counts, "distinct_ids_ok": len(paid), "repeat_ok_for_same_id": repeats}
        return {
            "received": self.received, "ok": self.ok, "unique_bodies": len(self.attempts),
            "duplicate_bodies": self.received - len(self.attempts), "in_flight": self.in_flight,
            "in_flight_max": self.in_flight_max,
            "in_flight_mean": round(self.busy / window, 2) if window > 0 else 0,
            "window_s": round(max(window, 0), 4), "connections": self.connections, "kinds": kinds,
            "outcomes": dict(self.outcomes), "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens, "recent": self.recent,
        }  # fmt: skip


class State:
    """Configuration and counters, shared by all connections."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.connections: set[Connection] = set()
        self.configure(config)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Lay ``config`` over the defaults and start counting anew."""
        self.config = merged(DEFAULTS, config)
        self.book = replies.Book(self.config)
        self.counters = Counters()
        self.seated = 0
        self.queue: deque[Callable[[], None]] = deque()

    def fault(self, digest: bytes, attempt: int) -> str:
        """The fault of this attempt of this body, or ''."""
        errors = self.config["errors"]
        if attempt <= len(errors["first"]):
            return str(errors["first"][attempt - 1])
        if not any(errors[name] for name in FAULTS):
            return ""
        draw = replies.uniform(b"%d|%s|%d" % (errors["seed"], digest, attempt))
        for name in FAULTS:
            if draw < errors[name]:
                return name
            draw -= errors[name]
        return ""

    def seat(self, begin: Callable[[], None]) -> None:
        """Begin a stream as soon as one of the ``slots`` is free."""
        if self.config["slots"] and self.seated >= self.config["slots"]:
            self.queue.append(begin)
        else:
            self.seated += 1
            begin()

    def leave(self) -> None:
        """A stream has ended: the next one begins."""
        self.seated -= 1
        if self.queue and self.seated < self.config["slots"]:
            self.seat(self.queue.popleft())

    def frozen_s(self) -> float:
        """Seconds that streams are still to stand still."""
        stall = self.config["stall"]
        if not stall:
            return 0.0
        left = self.counters.first + stall["at_s"] + stall["for_s"] - time.perf_counter()
        return left if 0 < left <= stall["for_s"] else 0.0

    def latency_s(self, digest: bytes, attempt: int) -> float:
        """Seconds until a reply that is not streamed."""
        latency = self.config["latency"]
        if latency["kind"] != "lognormal":
            return float(latency["ms"]) / 1000
        return replies.lognormal_ms(latency, b"%s|%d" % (digest, attempt)) / 1000


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; requests on it are answered one after the other."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.buffer = bytearray()
        self.pending: Callable[[str], None] | None = None
        self.timers: list[asyncio.TimerHandle] = []
        self.spent = self.closing = self.streaming = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.state.connections.add(self)
        self.state.counters.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.state.connections.discard(self)
        for timer in self.timers:
            timer.cancel()
        self.stream_ends()
        if self.pending:
            self.pending("client_abort")

    def data_received(self, data: bytes) -> None:
        if self.spent:
            self.transport.abort()
            return
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end])
        lowered = head.lower()
        at = lowered.find(b"\r\ncontent-length:")
        length = int(lowered[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        method, target, _ = head.split(b" ", 2)
        self.route(method, target.split(b"?")[0].decode(), lowered, head, body)

    def route(self, method: bytes, path: str, lowered: bytes, head: bytes, body: bytes) -> None:
        if method == b"POST" and path.endswith(("/chat/completions", "/messages", "/embeddings")):
            self.complete(path, lowered, head, body)
        elif method == b"POST" and path in ("/config", "/reset"):
            config = orjson.loads(body or b"{}") if path == "/config" else self.state.config
            self.state.configure(config)
            self.send(200, self.state.config)
        elif method == b"GET" and path == "/stats":
            self.send(200, self.state.counters.report())
        elif method == b"GET" and path == "/config":
            self.send(200, self.state.config)
        elif method == b"GET" and path == "/health":
            self.send(200, b"")
        elif method == b"GET" and path.endswith("/models"):
            self.send(200, replies.MODELS)
        else:
            self.state.counters.outcomes[f"404 {path}"] += 1
            self.send(404, replies.error_body(f"not found: {path}", "invalid_request_error"))

    def send(self, status: int, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        """Write one whole response; ``payload`` is bytes or becomes JSON."""
        body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run ``action`` after ``seconds``, unless the client leaves first."""
        if seconds <= 0:
            action()
        else:
            self.timers = [asyncio.get_running_loop().call_later(seconds, action)]

    def complete(self, path: str, lowered: bytes, head: bytes, body: bytes) -> None:
        state, counters = self.state, self.state.counters
        self.closing = b"\r\nconnection: close" in lowered
        request = replies.Incoming.parse(path, head, body, state.book)
        digest = hashlib.blake2b(body, digest_size=12).digest()
        counters.attempts[digest] += 1
        attempt = counters.attempts[digest]
        counters.received += 1
        counters.kinds.setdefault(request.kind, Counter())["received"] += 1
        counters.recent = [*counters.recent[-9:], request.seen(head)] if state.config.get("keep") else []
        counters.move(1)

        def finish(outcome: str) -> None:
            self.pending = None
            counters.finish(outcome, request.kind, request.id)

        self.pending = finish
        refusal = state.book.refusal(request)
        if refusal:
            status, payload = refusal
            finish(str(status))
            self.send(status, payload)
            return
        self.answer(request, state.fault(digest, attempt), state.latency_s(digest, attempt), finish)

    def answer(self, request: replies.Incoming, fault: str, latency_s: float, finish: Callable[[str], None]) -> None:
        errors, stream = self.state.config["errors"], self.state.config["stream"]
        if fault in ("r429", "r500", "drop"):
            self.later(errors["error_latency_ms"] / 1000, lambda: self.fail(fault, finish))
            return
        reply = self.state.book.reply(request, bad=fault == "badcontent")
        self.state.counters.prompt_tokens += reply.prompt_tokens
        self.state.counters.completion_tokens += reply.completion_tokens
        if request.stream:
            chunks = self.state.book.stream(request, reply, cut=fault == "malformed")
            first_s = stream["ttft_ms"] / 1000
            self.state.seat(lambda: self.begin_stream(first_s, lambda: self.start_stream(chunks, fault, finish)))
            return

        def whole() -> None:
            payload = orjson.dumps(self.state.book.body(request, reply))
            finish(fault or "ok")
            self.send(200, payload[: len(payload) // 2] if fault == "malformed" else payload, self.state.book.headers)

        self.later(latency_s, whole)

    def fail(self, fault: str, finish: Callable[[str], None]) -> None:
        finish({"r429": "429", "r500": "500"}.get(fault, fault))
        if fault == "drop":
            self.transport.abort()
        elif fault == "r429":
            wait = {"retry-after": str(self.state.config["errors"]["retry_after"])}
            self.send(
                429, replies.error_body("Rate limit reached for requests", "requests", "rate_limit_exceeded"), wait
            )
        else:
            self.send(500, replies.error_body("The server had an error while processing your request", "server_error"))

    def begin_stream(self, first_s: float, start: Callable[[], None]) -> None:
        if self.pending is None:  # the client left while it queued
            self.state.leave()
            return
        self.streaming = True
        self.later(first_s, start)

    def stream_ends(self) -> None:
        if self.streaming:
            self.streaming = False
            self.state.leave()

    def start_stream(self, chunks: list[bytes], fault: str, finish: Callable[[str], None]) -> None:
        more = "".join(f"{name}: {value}\r\n" for name, value in self.state.book.headers.items())
        more += "connection: close\r\n" if self.closing else ""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{more}transfer-encoding: chunked\r\n\r\n"
        self.transport.write(head.encode())
        interval = self.state.config["stream"]["itl_ms"] / 1000
        if interval <= 0:
            chunks = [b"".join(chunks)]
        self.next_chunk(iter(chunks), interval, fault, finish)

    def next_chunk(self, chunks: Iterator[bytes], interval: float, fault: str, finish: Callable[[str], None]) -> None:
        if (frozen_s := self.state.frozen_s()) > 0:
            self.later(frozen_s, lambda: self.next_chunk(chunks, interval, fault, finish))
            return
        chunk = next(chunks, None)
        if chunk is None:
            self.stream_ends()
            finish(fault or "ok")
            self.spent = "stream_closes" in self.state.book.dialects
            self.transport.write(b"0\r\n\r\n")
            if self.closing:
                self.transport.close()
            return
        self.transport.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.later(interval, lambda: self.next_chunk(chunks, interval, fault, finish))


async def start(config: Mapping[str, Any] | None = None, port: int = 0) -> tuple[asyncio.Server, int]:
    """Listen on 127.0.0.1 in the running event loop; the server and its port."""
    state = State(config or {})
    server = await asyncio.get_running_loop().create_server(lambda: Connection(state), "127.0.0.1", port, backlog=4096)
    server.state = state  # type: ignore[attr-defined]
    return server, server.sockets[0].getsockname()[1]


class MockServer:
    """A running server, seen from a test. ``url`` ends in ``/v1``, ``root`` does not."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/v1"

    def stats(self) -> dict[str, Any]:
        """What GET /stats says."""
        return self._ask("/stats")

    def configure(self, config: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Lay the words over the defaults and reset the counters."""
        self._ask("/config", orjson.dumps({**(config or {}), **more}))

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(self.root + path, data=body), timeout=10) as response:
            return orjson.loads(response.read())


@contextmanager
def mock_server(config: Mapping[str, Any] | None = None, **more: Any) -> Iterator[MockServer]:
    """A server in a thread with its own event loop, for the length of a ``with``."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server, port = asyncio.run_coroutine_threadsafe(start({**(config or {}), **more}), loop).result(10)

    async def stop() -> None:
        server.close()
        for connection in list(server.state.connections):  # type: ignore[attr-defined]
            connection.transport.abort()
        await asyncio.sleep(0)

    try:
        yield MockServer(port)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--config", default="{}")
    options = parser.parse_args()

    async def serve() -> None:
        server, port = await start(orjson.loads(options.config), options.port)
        print(orjson.dumps({"listening": port, "pid": os.getpid()}).decode(), flush=True)
        await server.serve_forever()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()

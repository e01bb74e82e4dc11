"""An OpenAI client whose chat completions are kept: `client.chat.completions.create`, and nothing else of it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import orjson

from ...harness.errors import CallFailed, InputError, Stopped
from ...harness.keys import call_key
from ...harness.models.catalog import BARE
from ...harness.models.endpoints import PRESETS
from ...harness.models.faults import ServerError
from ...harness.models.wire import read_reply, to_json
from ...harness.records import Call, Draw, Failure, Reply, Request, Timing
from ...harness.store.recorded import Cost, Sent
from ...harness.store.uses import Uses
from .desk import Asking, Desk, close_desk, desk_of
from .model import not_recorded

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_TRANSPORT = frozenset({"extra_headers", "extra_query", "timeout"})
"""Arguments that say how a call travels, and not what is asked."""
_NOT_KEPT = {"stream": "ask the client itself", "n": "ask once for each", "logprobs": "ask the client itself"}
"""Arguments whose replies hold more than is recorded, and what to do instead."""
_ABSENT = frozenset({"NotGiven", "Omit"})


@runtime_checkable
class ChatClient(Protocol):
    """`openai.OpenAI`, `openai.AsyncOpenAI`, or a client of that shape."""

    @property
    def chat(self) -> Any:
        """Has ``completions.create``."""


class CachedClient:
    """What stands in for the client: ``chat.completions.create`` waits or is awaited as the client's own does."""

    def __init__(self, client: ChatClient, endpoint: str, workspace: str | Path, cost: Cost, offline: bool) -> None:
        self._create = client.chat.completions.create
        self._endpoint = endpoint or endpoint_of(client)
        self._workspace = workspace
        self._cost = cost
        self._offline = offline
        waits = not inspect.iscoroutinefunction(inspect.unwrap(self._create))
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._wait if waits else self._await))

    def __repr__(self) -> str:
        return f"cached({self._endpoint!r})"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"only chat.completions.create is kept: for {name!r} use the client itself")

    def uses(self, model: str) -> Uses:
        """How often this process asked ``model``, as the client names it, and how often the reply was there."""
        return desk_of(self._workspace).uses(f"{self._endpoint}/{model}")

    def close(self) -> None:
        """See `CachedModel.close`; the client itself stays open."""
        close_desk(self._workspace)

    def _wait(self, **arguments: Any) -> ChatCompletion:
        desk = desk_of(self._workspace)

        async def made(given: dict[str, Any]) -> Any:
            return await asyncio.get_running_loop().run_in_executor(desk.threads, partial(self._create, **given))

        return self._completion(self._submit(desk, arguments, made).result())

    async def _await(self, **arguments: Any) -> ChatCompletion:
        loop = asyncio.get_running_loop()

        async def made(given: dict[str, Any]) -> Any:
            # An asynchronous client belongs to the loop of its user.
            sent = asyncio.run_coroutine_threadsafe(self._create(**given), loop)
            try:
                return await asyncio.wrap_future(sent)
            except asyncio.CancelledError:
                if sent.cancelled():
                    raise Stopped("the event loop that asked ended before the reply arrived: ask again") from None
                raise

        call = self._submit(desk_of(self._workspace), arguments, made)
        return self._completion(await asyncio.shield(asyncio.wrap_future(call)))

    def _submit(
        self, desk: Desk, arguments: Mapping[str, Any], make: Callable[[dict[str, Any]], Awaitable[Any]]
    ) -> Future[Call]:
        given = {name: value for name, value in arguments.items() if type(value).__name__ not in _ABSENT}
        model, request = asked(given)
        identity = {"endpoint": self._endpoint, "model": model}
        key = call_key(identity, request, Draw())

        async def live() -> Sent:
            return not_recorded(key) if self._offline else (await _timed(partial(make, given), request), 1)

        return desk.submit(Asking(f"{self._endpoint}/{model}", key, request, live, self._cost))

    def _completion(self, call: Call) -> ChatCompletion:
        if isinstance(call.outcome, Failure):
            raise CallFailed(f"{call.model}: {call.outcome.kind}: {call.outcome.detail}", call.outcome)
        return completion(call, call.outcome)


def endpoint_of(client: Any) -> str:
    """What an exam calls the client's endpoint; never its address, so that a server which moved is the same."""
    if "Azure" in type(client).__name__:
        return "azure"
    host = urlsplit(str(getattr(client, "base_url", ""))).hostname or ""
    hosted = {
        urlsplit(preset.base_url).hostname: name for name, preset in PRESETS.items() if "https" in preset.base_url
    }
    return "openai" if host == "api.openai.com" else hosted.get(host, BARE)


def asked(given: Mapping[str, Any]) -> tuple[str, Request]:
    """The model, and the request as a run would record it. Raises InputError for what a record cannot hold."""
    for name, instead in _NOT_KEPT.items():
        if given.get(name) and not (name == "n" and given[name] == 1):
            raise InputError(f"cached(…).chat.completions.create: {name}={given[name]!r} is not kept; {instead}")
    if missing := {"model", "messages"} - given.keys():
        raise InputError(f"cached(…).chat.completions.create: {min(missing)!r} is missing")
    own = {"model", "messages", "tools", "tool_choice", "extra_body", "stream", *_TRANSPORT}
    params = {name: value for name, value in given.items() if name not in own} | dict(given.get("extra_body") or {})
    messages, tools, tool_choice, params = orjson.loads(
        to_json([[_plain(m) for m in given["messages"]], given.get("tools") or [], given.get("tool_choice"), params])
    )
    return given["model"], Request(tuple(messages), params, tuple(tools), tool_choice)


def _plain(message: Any) -> Any:
    """A message as JSON; a client's own reply may be sent back to it as it is."""
    return message.model_dump(mode="json", exclude_none=True) if hasattr(message, "model_dump") else message


async def _timed(make: Callable[[], Awaitable[Any]], request: Request) -> Reply | Failure:
    """What the client raises is its own, and nothing is recorded of it."""
    sent_at, sent = time.time(), time.perf_counter()
    response = await make()
    timing = Timing(sent_at, time.perf_counter() - sent)
    outcome = read_reply(response.model_dump_json().encode(), request, timing, ())
    return outcome.failure() if isinstance(outcome, ServerError) else outcome


def completion(call: Call, reply: Reply) -> ChatCompletion:
    """What was recorded, as the `openai` package says it; the same for a live call and for every later one."""
    from openai.types.chat import ChatCompletion

    usage = reply.usage
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": reply.refusal or None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": tool.id, "type": "function", "function": {"name": tool.name, "arguments": tool.arguments}}
            for tool in reply.tool_calls
        ]
    return ChatCompletion.model_validate(
        {
            "id": f"markscheme-{call.key[:24]}",
            "object": "chat.completion",
            "created": int(call.created_at),
            "model": reply.served_model or call.model.partition("/")[2],
            "choices": [{"index": 0, "finish_reason": reply.finish_reason, "message": message, "logprobs": None}],
            "usage": {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "total_tokens": usage.prompt_tokens + usage.completion_tokens,
                "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
                "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            },
        }
    )

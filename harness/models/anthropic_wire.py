"""Anthropic's Messages format: a `Request` to the body that is sent, and bodies or streams to a `Reply`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..records import Failure, Message, Reply, Request, Timing, ToolCall, Usage
from .concessions import Concessions
from .faults import ServerError, error_in, trim
from .stream import Clock
from .wire import estimated_usage, image_base64, malformed, text_of

DEFAULT_MAX_TOKENS = 4096
"""The Messages API demands a limit; this one is sent where the exam sets none."""
_EPHEMERAL = {"type": "ephemeral"}
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def messages_body(request: Request, model: str, concessions: Concessions) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body of POST /v1/messages without its schema, and the names of our options that were left out.

    The last of the shared leading messages carries ``cache_control``: what stands before it is cached. Raises
    `ImageUnreadable`.
    """
    options, dropped = concessions.options(request)
    body: dict[str, Any] = {"model": model, "max_tokens": DEFAULT_MAX_TOKENS, **_renamed(options)}
    system: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    for number, message in enumerate(request.messages, 1):
        blocks = _blocks(message)
        if number == request.shared and blocks:
            blocks[-1] = {**blocks[-1], "cache_control": _EPHEMERAL}
        if message.get("role") in ("system", "developer"):
            system += blocks
        else:
            messages.append({"role": "assistant" if message.get("role") == "assistant" else "user", "content": blocks})
    body["messages"] = messages
    if system:
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.stream:
        body["stream"] = True
    return body, dropped


def _renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's names of options to Anthropic's; what is unknown goes as it is, for the server to judge."""
    given = dict(options)
    if "max_completion_tokens" in given:
        given["max_tokens"] = given.pop("max_completion_tokens")
    if "stop" in given:
        stop = given.pop("stop")
        given["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if "tool_choice" in given:
        given["tool_choice"] = _tool_choice(given["tool_choice"])
    return given


def _tool_choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return {"type": {"required": "any"}.get(choice, choice)}
    if isinstance(choice, Mapping) and "function" in choice:
        return {"type": "tool", "name": choice["function"]["name"]}
    return choice


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function", tool)
    schema = function.get("parameters") or function.get("input_schema") or {"type": "object", "properties": {}}
    described = {"description": function["description"]} if function.get("description") else {}
    return {"name": function["name"], **described, "input_schema": schema}


def _blocks(message: Message) -> list[dict[str, Any]]:
    content = message.get("content")
    if message.get("role") == "tool":
        result = {"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": text_of(content)}
        return [result]
    blocks: list[dict[str, Any]] = []
    if isinstance(content, str):
        blocks = [{"type": "text", "text": content}] if content else []
    elif content is not None:
        blocks = [_block(part) for part in content]
    for call in message.get("tool_calls") or ():
        function = call["function"]
        arguments = orjson.loads(function.get("arguments") or "{}")
        blocks.append({"type": "tool_use", "id": call.get("id"), "name": function["name"], "input": arguments})
    return blocks


def _block(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") != "image" or "source" in part:
        return dict(part)
    source = {"type": "base64", "media_type": part["media_type"], "data": image_base64(part)}
    return {"type": "image", "source": source}


def read_message(
    body: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
) -> Reply | Failure | ServerError:
    """A whole (not streamed) response with status 200."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Failure(
            "malformed", trim(f"HTTP 200 with a body that is not JSON ({error})"), 200, sent_at=timing.sent_at
        )
    collected = _Collected()
    try:
        if message.get("type") == "error":
            return error_in(message, 0, None, timing.sent_at)
        for index, block in enumerate(message["content"]):
            collected.block(index, block)
        collected.head(message)
        collected.stop(message)
        return collected.reply(request, timing, dropped)
    except (AttributeError, KeyError, TypeError):
        return malformed(body, timing.sent_at)


class _Collected:
    """The parts of one message, whole or streamed."""

    __slots__ = ("calls", "finish", "model", "reasoning", "refusal", "text", "usage")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.calls: dict[int, list[str]] = {}
        self.finish = self.model = self.refusal = ""
        self.usage: dict[str, Any] = {}

    def head(self, message: dict[str, Any]) -> None:
        self.model = str(message.get("model") or "")
        self.count(message.get("usage"))

    def block(self, index: int, block: dict[str, Any]) -> None:
        """A content block, or the start of one."""
        kind = block.get("type")
        if kind == "text":
            self.text.append(block["text"])
        elif kind == "thinking":
            self.reasoning.append(block["thinking"])
        elif kind == "tool_use":
            given = orjson.dumps(block["input"]).decode() if block.get("input") else ""
            self.calls[index] = [str(block["name"]), given, str(block.get("id") or "")]

    def stop(self, message: dict[str, Any]) -> None:
        """Stop reason and final usage, from a whole message or a ``message_delta``."""
        reason = message.get("stop_reason")
        if reason:
            self.finish = _FINISH.get(reason, str(reason))
        if reason == "refusal":
            details = message.get("stop_details") or {}
            self.refusal = str(details.get("explanation") or details.get("category") or "refused by the provider")

    def count(self, usage: Any) -> None:
        """Usage of a whole message, or of an event: later counts replace earlier ones."""
        if isinstance(usage, dict):
            self.usage.update({name: value for name, value in usage.items() if value is not None})

    def reply(self, request: Request, timing: Timing, dropped: tuple[str, ...]) -> Reply:
        text, reasoning = "".join(self.text), "".join(self.reasoning)
        calls = tuple(
            ToolCall(name, arguments or "{}", id_)
            for name, arguments, id_ in (self.calls[i] for i in sorted(self.calls))
        )
        usage = read_usage(self.usage)
        if usage is None:
            usage = estimated_usage(request, text + reasoning + "".join(call.arguments for call in calls))
        return Reply(text, usage, timing, self.finish or "stop", reasoning, calls, self.model, self.refusal, dropped)


def read_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Anthropic's ``input_tokens`` leaves out what the cache read and wrote; a `Usage` includes both."""
    if not isinstance(usage.get("input_tokens"), int):
        return None
    read = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    thinking = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    return Usage(usage["input_tokens"] + read + written, usage.get("output_tokens") or 0, read, written, thinking)


class MessageStream:
    """Collects the events of one streamed message."""

    __slots__ = ("_clock", "_message", "done", "fault")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._message = _Collected()
        self.done = False
        self.fault: Failure | ServerError | None = None

    def feed(self, event: bytes, now: float) -> None:
        """Take the data of one event, received at ``now``."""
        try:
            self._read(orjson.loads(event), now)
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
            start = event[:80].decode("utf-8", "replace")
            self.fault = Failure(
                "malformed", trim(f"the stream holds an event that is not one of a message: {start}"), 200
            )

    def _read(self, event: dict[str, Any], now: float) -> None:
        kind = event["type"]
        if kind == "content_block_delta":
            self._delta(event["index"], event["delta"], now)
        elif kind == "content_block_start":
            self._message.block(event["index"], event["content_block"])
        elif kind == "message_start":
            self._message.head(event["message"])
        elif kind == "message_delta":
            self._message.stop(event["delta"])
            self._message.count(event.get("usage"))
        elif kind == "message_stop":
            self.done = True
        elif kind == "error":
            self.fault = error_in(event, 0)

    def _delta(self, index: int, delta: dict[str, Any], now: float) -> None:
        kind, message = delta["type"], self._message
        if kind == "text_delta":
            said, into = delta["text"], message.text
        elif kind == "thinking_delta":
            said, into = delta["thinking"], message.reasoning
        elif kind == "input_json_delta":
            said, into = delta["partial_json"], None
            message.calls[index][1] += said
        else:
            return
        if said:
            self._clock.mark(now)
            if kind != "thinking_delta":
                self._clock.mark_output(now)
        if into is not None:
            into.append(said)

    def outcome(
        self, request: Request, sent_at: float, now: float, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        """The reply, once the stream is over."""
        if self.fault is not None:
            return self.fault
        if not self._message.finish and not self.done:
            return Failure("malformed", "the stream broke off: neither a stop_reason nor message_stop came", 200)
        return self._message.reply(request, self._clock.timing(sent_at, now), dropped)

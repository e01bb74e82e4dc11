"""OpenAI's chat format: a `Request` to the body that is sent, and a whole body to a `Reply`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ..records import Failure, Message, Reply, Request, Timing, ToolCall, Usage
from .concessions import Concessions
from .faults import ServerError, error_in, trim

CHARACTERS_PER_TOKEN = 4
"""Rule of thumb for English text, where a server reports no usage; such a `Usage` is marked ``estimated``."""
_OPEN, _CLOSE = "<think>", "</think>"


class ImageUnreadable(Exception):
    """An image of a request is gone, or is no longer the one that was hashed."""


def chat_body(request: Request, model: str, concessions: Concessions) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body of POST /chat/completions, and the names of our options that were left out or renamed."""
    options, dropped = concessions.options(request)
    body: dict[str, Any] = {"model": model, "messages": wire_messages(request.messages), **options}
    if request.tools:
        body["tools"] = request.tools
    if request.schema is not None:
        wanted = {"name": request.schema_name, "strict": True, "schema": request.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    if request.stream:
        body["stream"] = True
        if not concessions.refuses("stream_options"):
            body["stream_options"] = {"include_usage": True}
    return body, dropped


def to_json(value: Any) -> bytes:
    """JSON of a body; mappings of any kind are objects."""
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def wire_messages(messages: tuple[Message, ...]) -> list[Message]:
    """Messages as they are sent: image parts become ``data:`` URLs. Raises `ImageUnreadable`."""
    return [
        message if isinstance(message.get("content"), str | None) else _with_images(message) for message in messages
    ]


def _with_images(message: Message) -> Message:
    parts = [
        {"type": "image_url", "image_url": {"url": f"data:{part['media_type']};base64,{image_base64(part)}"}}
        if part.get("type") == "image"
        else part
        for part in message["content"]
    ]
    return {**message, "content": parts}


def image_base64(part: Mapping[str, Any]) -> str:
    """The image of a part in base64, checked against its hash. Raises `ImageUnreadable`."""
    path = part.get("path")
    try:
        data = Path(str(path)).read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"image {path!r} cannot be read: {error.strerror}") from None
    expected = part.get("sha256")
    if expected and hashlib.sha256(data).hexdigest() != expected:
        raise ImageUnreadable(f"image {path!r} has changed since the samples were loaded: its SHA-256 differs")
    return base64.b64encode(data).decode("ascii")


def first_image(request: Request) -> str | None:
    """Where the first image of a request lies, or ``None`` for a text request."""
    for message in request.messages:
        content = message.get("content")
        if not isinstance(content, str | None):
            for part in content:
                if part.get("type") in ("image", "image_url"):
                    return str(part.get("path") or part.get("sha256") or "inline")
    return None


def text_of(content: Any) -> str:
    """The text of a message's content, its parts joined; images are left out."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in content or () if isinstance(part, Mapping))


def read_reply(
    body: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
) -> Reply | Failure | ServerError:
    """A whole (not streamed) response with status 200."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Failure(
            "malformed", trim(f"HTTP 200 with a body that is not JSON ({error})"), 200, sent_at=timing.sent_at
        )
    try:
        if payload["choices"][0].get("error"):  # OpenRouter: the upstream provider failed half-way
            return error_in(payload["choices"][0], 0, None, timing.sent_at)
        return _read_completion(payload, request, timing, dropped)
    except (AttributeError, IndexError, KeyError, TypeError):
        if isinstance(payload, dict) and (payload.get("error") or payload.get("object") == "error"):
            return error_in(payload, 0, None, timing.sent_at)
        return malformed(body, timing.sent_at)


def _read_completion(payload: Any, request: Request, timing: Timing, dropped: tuple[str, ...]) -> Reply:
    choice = payload["choices"][0]
    message = choice["message"]
    text, reasoning = split_content(message)
    calls = tuple(_tool_call(call) for call in message.get("tool_calls") or ())
    usage = read_usage(payload.get("usage"))
    if usage is None:
        usage = estimated_usage(request, text + reasoning + "".join(call.arguments for call in calls))
    finish, served, refusal = choice.get("finish_reason"), payload.get("model"), message.get("refusal")
    return Reply(
        text, usage, timing, str(finish or "stop"), reasoning, calls, str(served or ""), str(refusal or ""), dropped
    )


def malformed(body: bytes, sent_at: float) -> Failure:
    """A response with status 200 that is JSON and yet no reply."""
    start = body[:120].decode("utf-8", "replace")
    return Failure("malformed", trim(f"HTTP 200 with a body that is no chat completion: {start}"), 200, sent_at=sent_at)


def split_content(message: Mapping[str, Any]) -> tuple[str, str]:
    """Text and reasoning of an assistant message: reasoning fields, reasoning parts, or a ``<think>`` at the start."""
    content = message.get("content")
    given = message.get("reasoning_content") or message.get("reasoning") or ""
    reasoning = given if isinstance(given, str) else ""
    if isinstance(content, str):
        if "<" in content[:64] and (tagged := split_think(content)):
            return tagged[0], reasoning + tagged[1]
        return content, reasoning
    if not isinstance(content, list):
        return "", reasoning
    parts = [part for part in content if isinstance(part, dict)]
    thoughts = [part for part in parts if part.get("type") in ("reasoning", "thinking")]
    text = "".join(str(part.get("text") or "") for part in parts if part.get("type", "text") == "text")
    return text, reasoning + "".join(_thought(part) for part in thoughts)


def _thought(part: Mapping[str, Any]) -> str:
    inner = part.get("thinking") or part.get("summary") or part.get("text") or ""
    return inner if isinstance(inner, str) else text_of(inner)


def split_think(content: str) -> tuple[str, str] | None:
    """(text, reasoning) where ``content`` starts with ``<think>``; one that never closes is all reasoning."""
    start = content.lstrip()
    if not start.startswith(_OPEN):
        return None
    reasoning, _, text = start[len(_OPEN) :].partition(_CLOSE)
    return text.lstrip(), reasoning.strip()


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    function = call.get("function") or {}
    arguments = function.get("arguments")
    if not isinstance(arguments, str):  # some servers send the object itself
        arguments = to_json(arguments if arguments is not None else {}).decode()
    return ToolCall(str(function.get("name") or ""), arguments, str(call.get("id") or ""))


def read_usage(usage: Any) -> Usage | None:
    """OpenAI's usage object. Its prompt tokens include cached ones, its completion tokens include reasoning."""
    if not isinstance(usage, dict) or not isinstance(usage.get("prompt_tokens"), int):
        return None
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return Usage(
        usage["prompt_tokens"],
        usage.get("completion_tokens") or 0,
        prompt.get("cached_tokens") or 0,
        prompt.get("cache_write_tokens") or 0,
        completion.get("reasoning_tokens") or 0,
    )


def estimated_usage(request: Request, said: str) -> Usage:
    """About four characters a token, marked as estimated."""
    asked = sum(len(text_of(message.get("content"))) for message in request.messages)
    return Usage(
        max(1, asked // CHARACTERS_PER_TOKEN),
        -(-len(said) // CHARACTERS_PER_TOKEN),
        estimated=True,
    )

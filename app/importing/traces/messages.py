"""Messages in the forms that instrumentations write, as messages of OpenAI: role, content, tool_calls.

Read are parts (`gen_ai.input.messages`), content and tool_calls (events, OpenAI), parts of Anthropic and Google, the
nested names of OpenInference, and messages of LangChain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..chat import text_of
from ..found import Found

Message = dict[str, Any]
_ROLES = {
    "ai": "assistant",
    "assistant": "assistant",
    "bot": "assistant",
    "developer": "developer",
    "function": "tool",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
}
_MESSAGE_TYPES = frozenset({"human", "ai", "system", "tool", "function", "message"})
_CALLS = ("tool_call", "tool_use", "function_call")
_RESULTS = ("tool_call_response", "tool_result", "function_call_output")
_TEXTS = ("text", "input_text", "output_text")
_THOUGHTS = ("reasoning", "thinking", "redacted_thinking")


@dataclass
class _Parts:
    texts: list[str] = field(default_factory=list)
    calls: list[Message] = field(default_factory=list)
    results: list[Message] = field(default_factory=list)


def is_chat(value: Any) -> bool:
    """Whether this is a list of messages."""
    return isinstance(value, list) and bool(value) and all(_is_message(one) for one in value)


def messages_of(value: Any, found: Found) -> list[Message]:
    """The messages of a list; parts that are no text are counted."""
    listed = value if isinstance(value, list) else [value]
    return [message for one in listed for message in _messages(one, found)]


def call_of(value: Any) -> Message | None:
    """A tool call in OpenAI's form, arguments as JSON text; None where no function is named."""
    if not isinstance(value, Mapping):
        return None
    value = value["tool_call"] if isinstance(value.get("tool_call"), Mapping) else value
    function = value.get("function")
    inner = {**value, **function} if isinstance(function, Mapping) else value
    name = inner.get("name")
    if not isinstance(name, str) or not name:
        return None
    arguments: Any = next((inner[key] for key in ("arguments", "input", "args") if inner.get(key) is not None), {})
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
    name_of_call = str(value.get("id") or value.get("call_id") or "")
    return {"id": name_of_call, "type": "function", "function": {"name": name, "arguments": written}}


def _is_message(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    kind = value.get("type")
    return (
        "role" in value
        or "lc" in value
        or (isinstance(kind, str) and kind in (*_MESSAGE_TYPES, *_CALLS, *_RESULTS, *_THOUGHTS))
    )


def _messages(value: Any, found: Found) -> Iterator[Message]:
    if isinstance(value, str):
        yield {"role": "user", "content": value}
        return
    if not isinstance(value, Mapping) or ("role" not in value and value.get("type") in _THOUGHTS):
        return
    value = _unwrapped(value)
    parts = _Parts()
    if value.get("type") in (*_CALLS, *_RESULTS) and "role" not in value:
        _take_part(value, parts, found)
        role = "assistant"
    else:
        role = _role(value)
        content = next((value[key] for key in ("parts", "contents", "content") if value.get(key) is not None), None)
        _take_content(content, parts, found)
    calls = value.get("tool_calls")
    parts.calls += [call for one in calls if (call := call_of(one))] if isinstance(calls, list) else []
    yield from parts.results
    if parts.texts or parts.calls or not parts.results:
        yield _message(role, parts, value)


def _unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message itself: OpenInference and choices hold it under `message`, LangChain under `kwargs` or `data`."""
    for key in ("message", "kwargs" if "lc" in value else "data"):
        if isinstance(inner := value.get(key), Mapping):
            value = {**{name: one for name, one in value.items() if name != key}, **inner}
    return value


def _role(value: Mapping[str, Any]) -> str:
    return _ROLES.get(str(value.get("role") or value.get("type") or "").lower(), "user")


def _message(role: str, parts: _Parts, value: Mapping[str, Any]) -> Message:
    message: Message = {"role": role, "content": "\n".join(parts.texts)}
    if parts.calls:
        message["tool_calls"] = parts.calls
    if role == "tool" and (name := value.get("tool_call_id") or value.get("id")):
        message["tool_call_id"] = str(name)
    return message


def _take_content(content: Any, parts: _Parts, found: Found) -> None:
    content = _listed(content)
    if isinstance(content, Mapping) or not isinstance(content, list):
        if text := text_of(content, found):
            parts.texts.append(text)
        return
    for part in content:
        _take_part(part, parts, found)


def _listed(content: Any) -> Any:
    """Parts, which OpenLLMetry writes as JSON text."""
    if isinstance(content, str) and content.startswith('[{"'):
        try:
            read = orjson.loads(content)
        except orjson.JSONDecodeError:
            return content
        return read if all(isinstance(one, Mapping) and "type" in one for one in read) else content
    return content


def _take_part(part: Any, parts: _Parts, found: Found) -> None:
    if isinstance(part, Mapping) and isinstance(inner := part.get("message_content"), Mapping):
        part = inner
    if isinstance(part, str):
        parts.texts.append(part)
        return
    if not isinstance(part, Mapping):
        return
    kind = str(part.get("type") or "text")
    text = next((part[key] for key in ("content", "text") if isinstance(part.get(key), str)), None)
    if kind in _TEXTS and text is not None:
        parts.texts.append(text)
    elif kind in _CALLS and (call := call_of(part)):
        parts.calls.append(call)
    elif kind in _RESULTS:
        parts.results.append(_result(part, found))
    elif kind not in _THOUGHTS:
        found.leave("parts of messages that are no text", kind)


def _result(part: Mapping[str, Any], found: Found) -> Message:
    said = next((part[key] for key in ("response", "result", "content", "output") if part.get(key) is not None), "")
    name = next((str(part[key]) for key in ("id", "tool_use_id", "tool_call_id", "call_id") if part.get(key)), "")
    return {"role": "tool", "content": text_of(said, found), **({"tool_call_id": name} if name else {})}

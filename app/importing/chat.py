"""Questions and answers as other tools hold them (text, parts, chat messages), as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .found import Found

_QUESTION = ("question", "query", "input", "prompt", "request", "message", "text")
_ANSWER = ("answer", "response", "output", "content", "text", "completion", "result")


def asked(value: Any, found: Found) -> dict[str, Any]:
    """``question``, or ``messages`` where there is more than one message, or one that is not a user's."""
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if not is_chat(value):
        return {"question": text_of(_inner(value, _QUESTION), found)}
    messages = [{"role": _role(m, found), "content": text_of(m.get("content"), found)} for m in value]
    if len(messages) == 1 and messages[0]["role"] == "user":
        return {"question": messages[0]["content"]}
    return {"messages": messages}


def answered(value: Any, found: Found) -> str:
    """The text of an answer: a string, parts, a chat completion, or a mapping with one of the usual keys."""
    if isinstance(value, Mapping) and isinstance(value.get("choices"), list) and value["choices"]:
        first = value["choices"][0]
        value = first.get("message", first) if isinstance(first, Mapping) else first
    if is_chat(value):
        value = value[-1]
    return text_of(_inner(value, _ANSWER), found)


def is_chat(value: Any) -> bool:
    """Whether this is a list of messages."""
    return isinstance(value, list) and bool(value) and all(isinstance(m, Mapping) and "role" in m for m in value)


def text_of(content: Any, found: Found) -> str:
    """Text as it is, the text of parts, anything else as JSON. Parts that are no text are counted."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, str | Mapping) for part in content):
        return "\n".join(text for part in content if (text := _part(part, found)))
    return orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _part(part: str | Mapping[str, Any], found: Found) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part.get("text"), str) and part.get("type", "text") in ("text", "input_text", "output_text"):
        return str(part["text"])
    kind = str(part.get("type") or "")
    if kind == "":
        return text_of(dict(part), found)
    if kind != "reasoning":
        found.leave("parts of messages that are no text", kind)
    return ""


def _role(message: Mapping[str, Any], found: Found) -> str:
    role = str(message["role"])
    if message.get("tool_calls"):
        found.leave("tool calls in the messages of a question")
    return role if role in ("system", "user", "assistant") else "user"


def _inner(value: Any, names: tuple[str, ...]) -> Any:
    """The value behind the usual key of a mapping, or its only value."""
    if not isinstance(value, Mapping):
        return value
    for name in names:
        if isinstance(value.get(name), str | list):
            return value[name]
    inner = list(value.values())
    return inner[0] if len(inner) == 1 and isinstance(inner[0], str | list) else value

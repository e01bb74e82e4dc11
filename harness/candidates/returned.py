"""What an application returns, read generously: text, or an answer with passages, tool calls and usage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..records import Answer, Failed, Reply, Said, Timing, ToolCall, Usage
from ..text import estimated_tokens

_TEXT = ("text", "answer", "content", "output", "result")
_RETRIEVED = ("retrieved", "contexts", "context", "source_documents")
_PASSAGE = ("text", "page_content", "content")
WANTED = "text, or a mapping (or object) with 'text' and, if it likes, 'retrieved', 'tool_calls' and 'usage'"


def reply_from(value: Any, timing: Timing, prompt: str) -> Reply:
    """A `Reply` from what an application returned. ``prompt`` is what its input tokens are estimated from.

    ``value`` is text, or a mapping or object that holds the text under `text`, `answer`, `content`, `output` or
    `result` (as a chat message does, or the last of `messages`); passages under `retrieved`, `contexts`, `context` or
    `source_documents`; `tool_calls`; and `usage` or `usage_metadata`. Raises ValueError for anything else.
    """
    value = _unwrapped(value)
    if isinstance(value, str):
        return Reply(value, usage_from(None, prompt, value), timing)
    text = text_from(_first(value, _TEXT))
    calls = tool_calls_from(_get(value, "tool_calls"))
    if text is None and not calls:
        raise ValueError(f"returned {_shape(value)}; wanted {WANTED}")
    retrieved = retrieved_from(_first(value, _RETRIEVED))
    usage = usage_from(_first(value, ("usage", "usage_metadata")), prompt, text or "")
    return Reply(text or "", usage, timing, tool_calls=calls, payload={"retrieved": retrieved} if retrieved else None)


def text_from(value: Any) -> str | None:
    """Text, or the text of content parts, or of a chat message. ``None`` where there is none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        texts = [part if isinstance(part, str) else _get(part, "text") for part in value]
        return "".join(text for text in texts if isinstance(text, str)) if texts else None
    return text_from(_get(value, "content"))


def retrieved_from(value: Any) -> list[dict[str, Any]]:
    """Passages as ``{"text", "id", "score"}``, from texts, mappings or documents. Raises ValueError."""
    if value is None or value == "":
        return []
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        value = [value]
    return [_passage(entry) for entry in value]


def tool_calls_from(value: Any) -> tuple[ToolCall, ...]:
    """Tool calls in OpenAI's shape (``function: {name, arguments}``) or flat (``name``, ``arguments`` or ``args``)."""
    if not value:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"tool_calls is {_shape(value)}; wanted a list of {{name, arguments}}")
    return tuple(_tool_call(entry) for entry in value)


def usage_from(value: Any, prompt: str, text: str) -> Usage:
    """Tokens as reported (OpenAI's or Anthropic's and LangChain's names), else estimated from the texts."""
    prompt_tokens = _count(value, ("prompt_tokens", "input_tokens"))
    completion_tokens = _count(value, ("completion_tokens", "output_tokens"))
    if prompt_tokens is None or completion_tokens is None:
        return Usage(estimated_tokens(prompt), estimated_tokens(text), estimated=True)
    return Usage(prompt_tokens, completion_tokens)


def _unwrapped(value: Any) -> Any:
    """Our own records, and a graph's state whose last message is the answer."""
    if isinstance(value, Answer):
        value = value.outcome
    if isinstance(value, Failed):
        raise ValueError(f"returned a failure: {value.detail}")
    messages = _get(value, "messages")
    has_text = isinstance(value, Said | str) or _first(value, _TEXT) is not None
    return messages[-1] if not has_text and isinstance(messages, list | tuple) and messages else value


def _passage(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str):
        return {"text": entry, "id": "", "score": None}
    text = _first(entry, _PASSAGE)
    if not isinstance(text, str):
        raise ValueError(f"a retrieved passage is {_shape(entry)}; wanted text or {{text, id, score}}")
    metadata = _get(entry, "metadata")
    name = _get(entry, "id") or _get(metadata, "id") or _get(metadata, "source") or ""
    score = _get(entry, "score")
    return {"text": text, "id": str(name), "score": float(score) if isinstance(score, int | float) else None}


def _tool_call(entry: Any) -> ToolCall:
    function = _get(entry, "function")
    inner = function if function is not None and not isinstance(function, str) else entry
    name, arguments = _get(inner, "name"), _first(inner, ("arguments", "args"))
    if not isinstance(name, str):
        raise ValueError(f"a tool call is {_shape(entry)}; wanted {{name, arguments}}")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False, default=str)
    return ToolCall(name, written, str(_get(entry, "id") or ""))


def _count(value: Any, names: tuple[str, ...]) -> int | None:
    count = _first(value, names)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _first(value: Any, names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := _get(value, name)) is not None), None)


def _get(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    found = getattr(value, name, None)
    return None if callable(found) else found


def _shape(value: Any) -> str:
    keys = f" with keys {', '.join(map(repr, list(value)[:8])) or 'none'}" if isinstance(value, Mapping) else ""
    return f"{type(value).__name__}{keys}"

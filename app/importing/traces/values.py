"""Inputs and outputs that a framework wrote as it had them: text, arguments of a function, a whole reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..chat import asked, text_of
from ..found import Found
from .messages import Message, is_chat, messages_of

_WRAPPERS = ("inputs", "outputs", "kwargs", "input", "output", "messages", "contents", "request")
_ANSWERS = ("answer", "response", "output", "content", "text", "completion", "result")


def read_json(value: Any) -> Any:
    """What text is as JSON; text that is none stands for itself."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", '"')):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def asked_by(value: Any, found: Found) -> list[Message]:
    """Messages of an input."""
    value = _inner(value)
    if is_chat(value):
        return messages_of(value, found)
    question = asked(value, found).get("question", "")
    return [{"role": "user", "content": question}] if question else []


def said_by(value: Any, found: Found) -> Message | None:
    """The message of an output, the last one of several; None where there is nothing."""
    value = _reply(_inner(value))
    if value is None:
        return None
    if isinstance(value, Mapping):
        named = next((value[name] for name in _ANSWERS if isinstance(value.get(name), str | list)), None)
        only = next(iter(value.values())) if len(value) == 1 else None
        value = named if named is not None else only if isinstance(only, str | list) else value
    if is_chat(value):
        return _together(messages_of(value, found))
    return {"role": "assistant", "content": text_of(value, found)}


def _together(messages: list[Message]) -> Message | None:
    """The last message; items of one reply, which are all the model's, are one."""
    if not messages or any(message["role"] != "assistant" for message in messages):
        return messages[-1] if messages else None
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    text = "\n".join(message["content"] for message in messages if message["content"])
    return {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}


def _inner(value: Any) -> Any:
    """The value under the names that decorators and frameworks put around it."""
    for _ in range(4):
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        elif not isinstance(value, Mapping) or "role" in value:
            break
        elif isinstance(arguments := value.get("args"), list) and "kwargs" in value:
            value = value["kwargs"] or (arguments[0] if len(arguments) == 1 else arguments)
        else:
            wrapped = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), list | Mapping)), None)
            if wrapped is None:
                break
            value = wrapped
    return value


def _reply(value: Any) -> Any:
    """The message of a reply of OpenAI, Google or LangChain."""
    if not isinstance(value, Mapping):
        return value
    for name in ("choices", "candidates", "generations"):
        listed = value.get(name)
        while isinstance(listed, list) and listed:
            listed = listed[0]
        if isinstance(listed, Mapping):
            inner = next((listed[key] for key in ("message", "content") if isinstance(listed.get(key), Mapping)), None)
            return [{"role": "assistant", **inner}] if inner is not None else listed.get("text")
    return [value] if "role" in value else value

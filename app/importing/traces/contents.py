"""What a span was asked and what it said, by each convention in turn.

Read are the conventions of OpenTelemetry for generative AI (`gen_ai.input.messages` of 1.37 and later, the events of
1.28 to 1.36, the attributes before), OpenLLMetry, OpenInference and MLflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..found import Found
from .flattened import list_under
from .messages import Message, is_chat, messages_of
from .spans import Event, Span, first
from .values import asked_by, read_json, said_by

_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_LISTS_IN, _LISTS_OUT = ("gen_ai.prompt", "llm.input_messages"), ("gen_ai.completion", "llm.output_messages")
_MLFLOW_CHAT = "mlflow.chat.messages"
_AS_JSON_IN = ("gen_ai.prompt", "gen_ai.input", "traceloop.entity.input")
_AS_JSON_OUT = ("gen_ai.completion", "gen_ai.output", "traceloop.entity.output")
_MIME_JSON = "application/json"


def asked_of(span: Span, found: Found) -> list[Message]:
    """The messages that it was asked with, the system's first; empty where none were captured."""
    if messages := messages_of(read_json(span.attributes.get("gen_ai.input.messages")), found):
        return [*_system(span, found), *messages]
    if messages := [m for event in span.events if (m := _of_event(event, found)) is not None]:
        return messages
    for prefix in _LISTS_IN:
        if listed := list_under(span.attributes, prefix):
            return messages_of(listed, found)
    chat = read_json(span.attributes.get(_MLFLOW_CHAT))
    if is_chat(chat) and (messages := messages_of(chat, found)):
        return messages[:-1] if messages[-1]["role"] == "assistant" else messages
    return asked_by(_value(span, _AS_JSON_IN, "input.value", "mlflow.spanInputs", "gen_ai.content.prompt"), found)


def said_of(span: Span, found: Found, last: bool) -> Message | None:
    """The message that it answered with; None where none was captured. Of several choices the first one counts, of
    the messages of an agent the ``last``."""
    for messages in _answers(span, found):
        if messages:
            for _ in messages[1:] if not last else ():
                found.leave("further choices of an answer")
            return messages[-1 if last else 0]
    chat = read_json(span.attributes.get(_MLFLOW_CHAT))
    if is_chat(chat) and (messages := messages_of(chat, found)) and messages[-1]["role"] == "assistant":
        return messages[-1]
    value = _value(span, _AS_JSON_OUT, "output.value", "mlflow.spanOutputs", "gen_ai.content.completion")
    return said_by(value, found)


def _answers(span: Span, found: Found) -> Iterator[list[Message]]:
    yield messages_of(read_json(span.attributes.get("gen_ai.output.messages")), found)
    yield [m for event in span.events if event.name == _CHOICE for m in messages_of(_choice(event), found)]
    for prefix in _LISTS_OUT:
        yield messages_of(list_under(span.attributes, prefix), found)


def _system(span: Span, found: Found) -> list[Message]:
    parts = read_json(span.attributes.get("gen_ai.system_instructions"))
    return messages_of({"role": "system", "content": parts}, found) if parts else []


def _of_event(event: Event, found: Found) -> Message | None:
    role = _EVENT_ROLES.get(event.name)
    if role is None:
        return None
    said = _said_in(event)
    messages = messages_of({**said, "role": said.get("role") or role}, found) if _has_content(said) else []
    return messages[0] if messages else None


def _choice(event: Event) -> list[Mapping[str, Any]]:
    said = _said_in(event)
    message = read_json(said.get("message"))
    said = {**said, **message} if isinstance(message, Mapping) else said
    return [{**said, "role": "assistant"}] if _has_content(said) else []


def _said_in(event: Event) -> dict[str, Any]:
    """The body of a log record, or the attributes of a span's event, where lists and mappings are JSON text."""
    written = read_json(event.attributes.get("gen_ai.event.content"))
    body = read_json(event.body)
    said = {**event.attributes}
    for part in (written, body):
        said |= part if isinstance(part, Mapping) else {}
    return said | {"tool_calls": read_json(said.get("tool_calls"))}


def _has_content(said: Mapping[str, Any]) -> bool:
    return any(said.get(name) not in (None, "", []) for name in ("content", "tool_calls", "parts"))


def _value(span: Span, as_json: tuple[str, ...], openinference: str, mlflow: str, event_name: str) -> Any:
    """An input or output as a whole. JSON is read where the convention says that it is JSON."""
    if (value := first(span, as_json)) is not None:
        return read_json(value)
    if (value := span.attributes.get(openinference)) not in (None, ""):
        mime = span.attributes.get(openinference.replace(".value", ".mime_type"))
        return read_json(value) if mime == _MIME_JSON else value
    if (value := span.attributes.get(mlflow)) is not None:
        return value
    attribute = event_name.replace(".content", "")
    event = next((event for event in span.events if event.name == event_name), None)
    return None if event is None else read_json(event.attributes.get(attribute))

"""OTLP/JSON as the file exporter of the collector writes it, from plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START = 1_795_293_378_000_000_000
"""2026-11-21, in Unix nanoseconds."""
TRACE = "5b8efff798038103d269b633813fc60c"


def value(plain: Any) -> dict[str, Any]:
    """An AnyValue."""
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(one) for one in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": pairs(plain)}}
    return {"stringValue": plain}


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A KeyValueList."""
    return [{"key": name, "value": value(one)} for name, one in attributes.items()]


def span(
    number: int, attributes: Mapping[str, Any], parent: int = 0, trace: str = TRACE, **more: Any
) -> dict[str, Any]:
    """A span that starts ``number`` tenths of a second after `START` and takes one; ``number`` is its id, too."""
    start = START + number * 100_000_000
    made = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"span {number}",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 100_000_000),
        "attributes": pairs(attributes),
    }
    return made | more


def event(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """An event of a span."""
    return {"name": name, "timeUnixNano": str(START), "attributes": pairs(attributes)}


def request(*spans: Mapping[str, Any], **resource: Any) -> dict[str, Any]:
    """An ExportTraceServiceRequest; ``service`` is the name of the service."""
    named = pairs({"service.name": resource.get("service", "shop"), **resource.get("more", {})})
    return {"resourceSpans": [{"resource": {"attributes": named}, "scopeSpans": [{"spans": list(spans)}]}]}


def records(*records: Mapping[str, Any]) -> dict[str, Any]:
    """An ExportLogsServiceRequest."""
    return {"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": list(records)}]}]}


def record(
    number: int, name: str, attributes: Mapping[str, Any], body: Any = None, trace: str = TRACE
) -> dict[str, Any]:
    """A log record of the span of that number."""
    made = {"traceId": trace, "spanId": f"{number:016x}", "eventName": name, "timeUnixNano": str(START)}
    return {**made, "attributes": pairs(attributes), **({} if body is None else {"body": value(body)})}


def texts(*messages: tuple[str, str]) -> str:
    """(role, text) as `gen_ai.input.messages` or `gen_ai.output.messages` hold them."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in messages])


def chat(question: str = "What is the capital of France?", answer: str = "Paris.", **more: Any) -> dict[str, Any]:
    """The attributes of a call of a model."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.input.messages": texts(("user", question)),
        "gen_ai.output.messages": texts(("assistant", answer)),
        **more,
    }


def write(path: Path, *documents: Any) -> Path:
    """One document a line."""
    path.write_text("".join(json.dumps(one) + "\n" for one in documents))
    return path

"""Traces as MLflow writes them (`Trace.to_json()`, rows of `search_traces`): version 3, and the spans of version 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from .spans import Event, Span, identity, nanoseconds

_ERROR = (2, "STATUS_CODE_ERROR", "ERROR")
TRACE_NAME, COST = "mlflow.traceName", "mlflow.llm.cost"
_OF_ROOT = ("mlflow.trace.session", "mlflow.trace.user")
"""What a trace says of itself that its root span should say, too."""


def trace_in(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The trace that a document is, or a row of a table of traces holds; None for anything else."""
    if isinstance(inner := document.get("trace"), str):
        try:
            document = orjson.loads(inner)
        except orjson.JSONDecodeError:
            return None
    if not isinstance(document, Mapping):
        return None
    info, data = document.get("info"), document.get("data")
    return document if isinstance(info, Mapping) and isinstance(data, Mapping) and "spans" in data else None


def spans_of(trace: Mapping[str, Any], where: str) -> Iterator[Span]:
    """Its spans. Ids are those of the trace as MLflow names it (``tr-…``), under which its feedback is found."""
    info = trace["info"]
    name = str(info.get("trace_id") or info.get("request_id") or "")
    about = _about(info)
    for span in _mappings(trace["data"]["spans"]):
        of_root = about if not _parent(span) else {}
        yield _span(span, name, of_root, where)


def _about(info: Mapping[str, Any]) -> dict[str, Any]:
    metadata, tags = _mapping(info.get("trace_metadata") or info.get("request_metadata")), _mapping(info.get("tags"))
    said = {name: metadata[name] for name in _OF_ROOT if name in metadata}
    if TRACE_NAME in tags:
        said[TRACE_NAME] = tags[TRACE_NAME]
    if request := info.get("client_request_id"):
        said["request.id"] = request
    return said | {name: value for name, value in tags.items() if not str(name).startswith("mlflow.")}


def _span(span: Mapping[str, Any], trace_id: str, of_root: Mapping[str, Any], where: str) -> Span:
    context, status = _mapping(span.get("context")), _mapping(span.get("status"))
    code = status.get("code", span.get("status_code"))
    message = status.get("message", span.get("status_message"))
    return Span(
        where,
        trace_id,
        identity(span.get("span_id") or context.get("span_id")),
        identity(_parent(span)),
        str(span.get("name") or ""),
        nanoseconds(span.get("start_time_unix_nano") or span.get("start_time")),
        nanoseconds(span.get("end_time_unix_nano") or span.get("end_time")),
        str(message or "") if code in _ERROR else None,
        {**of_root, **{str(key): _plain(value) for key, value in _mapping(span.get("attributes")).items()}},
        {},
        tuple(_event(event) for event in _mappings(span.get("events"))),
    )


def _parent(span: Mapping[str, Any]) -> Any:
    return span.get("parent_span_id") or span.get("parent_id")


def _event(event: Mapping[str, Any]) -> Event:
    time = nanoseconds(event.get("time_unix_nano") or event.get("timestamp"))
    return Event(str(event.get("name") or ""), time, _mapping(event.get("attributes")))


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plain(value: Any) -> Any:
    """Attributes stand as JSON text in a span of MLflow."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value

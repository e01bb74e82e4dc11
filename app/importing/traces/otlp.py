"""OTLP/JSON as the collector's file exporter writes it: `resourceSpans`, and the log records of `resourceLogs`.

Names may be in snake case, as older exporters write them; `batches` is Tempo's word for `resourceSpans`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .spans import Event, Span, identity, nanoseconds, whole

_SPANS = ("resourceSpans", "resource_spans", "batches")
_SCOPE_SPANS = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")
_LOGS = ("resourceLogs", "resource_logs")
_SCOPE_LOGS = ("scopeLogs", "scope_logs", "instrumentationLibraryLogs")
_ERROR = (2, "2", "STATUS_CODE_ERROR", "ERROR")
_SCALARS = ("stringValue", "boolValue", "doubleValue", "bytesValue", "string_value", "bool_value", "double_value")
_EVENT_NAME = "event.name"


def is_otlp(document: Mapping[str, Any]) -> bool:
    """Whether these are traces or logs of OTLP."""
    return any(name in document for name in (*_SPANS, *_LOGS))


def spans_in(document: Mapping[str, Any], where: str) -> Iterator[Span]:
    """Every span of an ExportTraceServiceRequest."""
    for resource, span in _leaves(document, _SPANS, _SCOPE_SPANS, ("spans",)):
        yield _span(span, resource, where)


def records_in(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Event, Mapping[str, Any]]]:
    """((trace id, span id), event, resource) of every log record that names a span and an event."""
    for resource, record in _leaves(document, _LOGS, _SCOPE_LOGS, ("logRecords", "log_records")):
        attributes = attributes_of(record.get("attributes"))
        name = _get(record, "eventName", "event_name") or attributes.get(_EVENT_NAME)
        place = identity(_get(record, "traceId", "trace_id")), identity(_get(record, "spanId", "span_id"))
        if isinstance(name, str) and all(place):
            times = (_get(record, f"{one}UnixNano", f"{one}_unix_nano") for one in ("time", "observedTime"))
            time = next((ns for value in times if (ns := nanoseconds(value)) is not None), None)
            yield place, Event(name, time, attributes, value_of(record.get("body"))), resource


def attributes_of(value: Any) -> dict[str, Any]:
    """The pairs of a KeyValueList; the last one counts where a name stands twice."""
    pairs = (pair for pair in value if isinstance(pair, Mapping)) if isinstance(value, list) else ()
    return {str(pair["key"]): value_of(pair.get("value")) for pair in pairs if "key" in pair}


def value_of(value: Any) -> Any:
    """An AnyValue as a plain one. Whole numbers are text in OTLP/JSON."""
    if not isinstance(value, Mapping):
        return value
    for name in _SCALARS:
        if name in value:
            return value[name]
    if (number := _get(value, "intValue", "int_value")) is not None:
        return whole(number)
    if isinstance(inner := _get(value, "arrayValue", "array_value"), Mapping):
        items = inner.get("values")
        return [value_of(one) for one in items] if isinstance(items, list) else []
    if isinstance(inner := _get(value, "kvlistValue", "kvlist_value"), Mapping):
        return attributes_of(inner.get("values"))
    return None


def _leaves(
    document: Mapping[str, Any], outer: tuple[str, ...], middle: tuple[str, ...], inner: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """(the resource's attributes, span or log record) of each."""
    for group in _mappings(document, outer):
        resource = group.get("resource")
        attributes = attributes_of(resource.get("attributes")) if isinstance(resource, Mapping) else {}
        for scope in _mappings(group, middle):
            for leaf in _mappings(scope, inner):
                yield attributes, leaf


def _mappings(holder: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    for name in names:
        found = holder.get(name)
        yield from (one for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()


def _span(span: Mapping[str, Any], resource: Mapping[str, Any], where: str) -> Span:
    status = span.get("status")
    failed = isinstance(status, Mapping) and status.get("code") in _ERROR
    return Span(
        where,
        identity(_get(span, "traceId", "trace_id")),
        identity(_get(span, "spanId", "span_id")),
        identity(_get(span, "parentSpanId", "parent_span_id")),
        str(span.get("name") or ""),
        nanoseconds(_get(span, "startTimeUnixNano", "start_time_unix_nano")),
        nanoseconds(_get(span, "endTimeUnixNano", "end_time_unix_nano")),
        str(status.get("message") or "") if failed and isinstance(status, Mapping) else None,
        attributes_of(span.get("attributes")),
        resource,
        tuple(_event(event) for event in _mappings(span, ("events",))),
    )


def _event(event: Mapping[str, Any]) -> Event:
    time = nanoseconds(_get(event, "timeUnixNano", "time_unix_nano"))
    return Event(str(event.get("name") or ""), time, attributes_of(event.get("attributes")))


def _get(holder: Mapping[str, Any], camel: str, snake: str) -> Any:
    value = holder.get(camel)
    return holder.get(snake) if value is None else value

"""What is known of a trace beside its texts: who answered, when, under which ids."""

from __future__ import annotations

from typing import Any

from ....harness.windows import ASKED_AT
from .kinds import AGENT, REQUEST_ID, REQUESTED, RESPONSE_ID, SERVED
from .mlflow_json import TRACE_NAME
from .spans import Span, text_of_first
from .trees import Trace

_ATTRIBUTE = "attribute:"
_UNKNOWN_SERVICE = "unknown_service"
_RESOURCE = ("service.name", "service.version", "deployment.environment", "deployment.environment.name")
_KNOWN = (
    "agent.", "client.", "code.", "db.", "embedding.", "error.", "exception.", "gen_ai.", "http.", "input.", "llm.",
    "message.", "mlflow.", "net.", "network.", "openinference.", "otel.", "output.", "peer.", "process.", "reranker.",
    "retrieval.", "rpc.", "server.", "telemetry.", "thread.", "tool.", "traceloop.entity.", "traceloop.span.", "url.",
    "user_agent.",
)  # fmt: skip
"""Beginnings of names whose values are read elsewhere, or say how rather than what was asked."""
_ASSOCIATION = "traceloop.association.properties."
_LONGEST = 200


def candidate_of(trace: Trace, span: Span, wanted: str) -> str:
    """Whose answer it is, by name; "" where the trace does not say it."""
    if wanted.startswith(_ATTRIBUTE):
        return _named(trace, span, wanted.removeprefix(_ATTRIBUTE))
    names = {"agent": _agent, "service": _service, "model": _model}
    asked = [names[wanted]] if wanted else [_agent, _service, _model]
    return next((name for ask in asked if (name := ask(trace, span))), "" if wanted else "traces")


def metadata_of(trace: Trace, span: Span) -> dict[str, Any]:
    """Time and ids, and the attributes of the application's own, by which samples can be told apart."""
    inner = trace.under(span)[::-1]
    own = {
        **{name: span.resource[name] for name in _RESOURCE if name in span.resource},
        **{name: value for one in (trace.spans[0], span) for name, value in one.attributes.items()},
    }
    about = {name.removeprefix(_ASSOCIATION): value for name, value in own.items() if _tells(name, value)}
    ids = {
        ASKED_AT: span.started,
        "trace_id": trace.trace_id,
        "span_id": span.span_id,
        "response_id": next((name for one in (span, *inner) if (name := text_of_first(one, RESPONSE_ID))), ""),
        "request_id": text_of_first(span, REQUEST_ID) or _header(trace) or trace.said(REQUEST_ID),
        "model": _model(trace, span),
    }
    return about | {name: value for name, value in ids.items() if value}


def tags_of(trace: Trace) -> list[str]:
    """The tags that its spans bear, each once."""
    listed = [span.attributes.get("tag.tags") for span in trace.spans]
    return list(dict.fromkeys(tag for tags in listed if isinstance(tags, list) for tag in tags if isinstance(tag, str)))


def _tells(name: str, value: Any) -> bool:
    if not isinstance(value, str | int | float) or name in REQUEST_ID:
        return False
    return not name.startswith(_KNOWN) and (not isinstance(value, str) or 0 < len(value) <= _LONGEST)


def _header(trace: Trace) -> str:
    """Headers of HTTP are lists."""
    values = [span.attributes.get("http.request.header.x-request-id") for span in trace.spans]
    return next((str(value[0]) for value in values if isinstance(value, list) and value), "")


def _named(trace: Trace, span: Span, name: str) -> str:
    inner = text_of_first(span, (name,)) or trace.said((name,))
    resource = span.resource.get(name)
    return inner or (str(resource) if isinstance(resource, str | int | float) else "")


def _agent(trace: Trace, span: Span) -> str:
    """Of the span, or of the nearest above that names one; else of the first in the trace."""
    nearest = next((name for one in (span, *trace.above(span)) if (name := text_of_first(one, AGENT))), "")
    return nearest or trace.said((*AGENT, TRACE_NAME))


def _service(trace: Trace, span: Span) -> str:
    names = [one.resource.get("service.name") for one in (span, *trace.spans)]
    return next((str(name) for name in names if name and not str(name).startswith(_UNKNOWN_SERVICE)), "")


def _model(trace: Trace, span: Span) -> str:
    inner = [one for one in trace.under(span) if trace.kind(one) == "inference"][::-1]
    return next((name for one in (span, *inner) if (name := text_of_first(one, (*REQUESTED, *SERVED)))), "")

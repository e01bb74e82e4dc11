"""What a retrieval found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .flattened import list_under
from .kinds import QUERY_RESULT
from .spans import Span, first
from .values import read_json


def documents_of(span: Span) -> list[dict[str, Any]]:
    """What a retrieval found, as ``{"text", "id", "score"}``; the conventions demand no text."""
    listed = read_json(span.attributes.get("gen_ai.retrieval.documents"))
    if not listed:
        listed = list_under(span.attributes, "retrieval.documents")
    if not listed:
        listed = [_of_query(event.attributes) for event in span.events if event.name == QUERY_RESULT]
    if not listed:
        listed = read_json(first(span, ("mlflow.spanOutputs", "output.value", "traceloop.entity.output")))
    return [made for one in listed if (made := _document(one))] if isinstance(listed, list) else []


def _of_query(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(f"{QUERY_RESULT}."): value for name, value in attributes.items()}


def _document(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        return {"text": value, "id": "", "score": None}
    inner = value.get("document") if isinstance(value, Mapping) else None
    value = inner if isinstance(inner, Mapping) else value
    if not isinstance(value, Mapping):
        return None
    metadata = read_json(value.get("metadata"))
    metadata = metadata if isinstance(metadata, Mapping) else {}
    names = ("text", "content", "page_content", "document")
    text = next((value[name] for name in names if isinstance(value.get(name), str)), "")
    ids = [value.get("id"), *(metadata.get(name) for name in ("id", "doc_uri", "source"))]
    name = next((str(one) for one in ids if one not in (None, "")), "")
    return {"text": text, "id": name, "score": _score(value.get("score"))} if text or name else None


def _score(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None

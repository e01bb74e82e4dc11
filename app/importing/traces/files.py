"""Files of traces: what is in them, span by span, each span once, with the log records that belong to it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from ....harness.errors import DataError
from ..json_files import LARGEST, parsed
from .mlflow_json import spans_of, trace_in
from .otlp import is_otlp, records_in, spans_in
from .spans import Event, Span

DETAILS = "gen_ai.client.inference.operation.details"
"""The event that holds all of an inference, its messages among it."""
_WANTED = "OTLP/JSON (resourceSpans, as the collector's file exporter writes it) or traces of MLflow"
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
Place = tuple[str, str]
"""Trace id, span id."""


@dataclass
class _Held:
    spans: dict[Place, Span] = field(default_factory=dict)
    events: dict[Place, list[Event]] = field(default_factory=dict)
    resources: dict[Place, tuple[Mapping[str, Any], str]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)


def read_spans(paths: Sequence[Path]) -> tuple[list[Span], Counter[str]]:
    """The spans of all files together, and how many were left out, by reason.

    Raises DataError (``file:line``) for what is no such file, and where there is no span at all.
    """
    held = _Held()
    for path in paths:
        for where, document in _documents(path):
            try:
                _take(document, where, held)
            except RecursionError:
                raise DataError(f"{where}: it is nested too deeply") from None
    spans = _joined(held)
    if not spans:
        raise DataError(f"{', '.join(map(str, paths))}: holds no spans; wanted {_WANTED}")
    return spans, held.left


def _take(document: Any, where: str, held: _Held) -> None:
    if isinstance(document, list):
        for one in document:
            _take(one, where, held)
        return
    if not isinstance(document, Mapping):
        raise DataError(f"{where}: this is {type(document).__name__}; wanted {_WANTED}")
    inner = document.get("trace")
    if isinstance(inner, Mapping) and (is_otlp(inner) or trace_in(inner)):
        document = inner
    if (trace := trace_in(document)) is not None:
        _add(spans_of(trace, where), held)
    elif is_otlp(document):
        _add(spans_in(document, where), held)
        for place, event, resource in records_in(document):
            held.events.setdefault(place, []).append(event)
            held.resources.setdefault(place, (resource, where))
    elif document and not {"resourceMetrics", "resource_metrics"} & set(document):
        raise DataError(f"{where}: wanted {_WANTED}; found {', '.join(map(str, list(document)[:8]))}")


def _add(spans: Iterator[Span], held: _Held) -> None:
    """A span that stands there twice is kept as it ended last: some exporters write one when it starts, too."""
    for span in spans:
        if not span.trace_id or not span.span_id:
            held.left["spans without an id"] += 1
            continue
        place = (span.trace_id, span.span_id)
        before = held.spans.get(place)
        if before is not None:
            held.left["spans that stand in the files twice"] += 1
        if before is None or (span.end_ns or 0) > (before.end_ns or 0):
            held.spans[place] = span


def _joined(held: _Held) -> list[Span]:
    """Spans with their log records; records of an inference whose span is in no file are one of their own."""
    for place, events in held.events.items():
        resource, where = held.resources[place]
        span = held.spans.get(place)
        if span is None and any(event.name.startswith("gen_ai.") for event in events):
            times = [event.time_ns for event in events if event.time_ns is not None]
            span = Span(where, *place, start_ns=min(times, default=None), resource=resource)
        if span is not None:
            in_time = sorted(events, key=lambda event: event.time_ns or 0)
            held.spans[place] = replace(span, events=(*span.events, *in_time))
    return [_with_details(span) for span in held.spans.values()]


def _with_details(span: Span) -> Span:
    """What the event of an inference says counts as said by the span, where the span itself does not."""
    details = [event for event in span.events if event.name == DETAILS]
    if not details:
        return span
    body = details[-1].body
    said = {**(body if isinstance(body, Mapping) else {}), **details[-1].attributes}
    return replace(span, attributes={**said, **span.attributes})


def _documents(path: Path) -> Iterator[tuple[str, Any]]:
    """(``file:line``, document) of each line; or the one document that takes several lines."""
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name its files, all of one trace together")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with _opened(path) as file:
            yield from _lines(file, path)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path}: cannot be unpacked: {error}") from None


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[str, Any]]:
    number = 0
    while line := file.readline(LARGEST + 1):
        number += 1
        if len(line) > LARGEST:
            raise DataError(f"{path}:{number}: is longer than {LARGEST // 2**20} MB")
        if not line.removeprefix(_BOM).strip():
            continue
        if number == 1 and not _is_json(line.removeprefix(_BOM)):
            rest = file.read(LARGEST + 1)
            if len(rest) > LARGEST:
                raise DataError(f"{path}: is larger than {LARGEST // 2**20} MB and no JSON lines; split it")
            yield str(path), _plain(line.removeprefix(_BOM) + rest, f"{path}: wanted {_WANTED}")
            return
        yield f"{path}:{number}", _plain(line.removeprefix(_BOM), f"{path}:{number}")


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _plain(data: bytes, where: str) -> Any:
    """Halves of surrogate pairs, which no other file could hold, become question marks."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        found = parsed(data, where)
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))

"""A span and its events, whichever file they stood in."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]+)$")
_ID_BYTES = (8, 16)
_YEAR_3000_NS = 32503680000 * 10**9
_LONGEST_INTEGER = 20


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened within a span, or a log record that names it. ``body`` is a log record's."""

    name: str
    time_ns: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Span:
    """``where`` is ``file:line``; times are Unix nanoseconds, None where they are missing. ``error`` is the message of
    a status that says error, "" for one without a message, None for any other status."""

    where: str
    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    error: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Event] = ()

    @property
    def seconds(self) -> float | None:
        """How long it took; None where a time is missing, or it ends before it starts."""
        if self.start_ns is None or self.end_ns is None or self.end_ns < self.start_ns:
            return None
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def started(self) -> str | None:
        """When, as ISO 8601 in UTC."""
        if self.start_ns is None:
            return None
        return datetime.fromtimestamp(self.start_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def first(span: Span, names: Iterable[str]) -> Any:
    """The value of the first of ``names`` that the span holds; None where it holds none."""
    return next((value for name in names if (value := span.attributes.get(name)) not in (None, "", [], {})), None)


def text_of_first(span: Span, names: Iterable[str]) -> str:
    """`first` as text; "" for anything that is no text or number."""
    value = first(span, names)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def count_of(value: Any) -> int | None:
    """A whole number of 0 or more, be it written as text; None for anything else."""
    number = amount_of(value)
    return int(number) if number is not None and number == int(number) and number < 2**53 else None


def amount_of(value: Any) -> float | None:
    """A finite number of 0 or more, be it written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def whole(value: Any) -> Any:
    """The whole number that JSON holds as text; what is none, or has more digits than 64 bits, stays as it is."""
    if isinstance(value, str) and len(value) <= _LONGEST_INTEGER and re.fullmatch(r"-?\d+", value):
        return int(value)
    return value


def nanoseconds(value: Any) -> int | None:
    """A time of OTLP; 0 means that there is none."""
    number = whole(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < _YEAR_3000_NS:
        return None
    return number


def identity(value: Any) -> str:
    """An id in hexadecimal digits; Base64, which the general mapping of protobuf to JSON writes, becomes such."""
    if not isinstance(value, str) or not value:
        return ""
    if (match := _HEX.match(value)) and len(match[1]) % 2 == 0:
        return "" if not match[1].strip("0") else match[1].lower()
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    return data.hex() if len(data) in _ID_BYTES else value

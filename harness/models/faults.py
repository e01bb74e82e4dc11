"""From what a server answers instead of a reply to a `Failure`: status, headers and error bodies of many dialects."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..records import Failure, FailureKind, Headroom

DETAIL_LENGTH = 300
_BY_STATUS: dict[int, FailureKind] = {
    401: "unauthorized",
    402: "unauthorized",  # no credit left: no further call can succeed
    403: "unauthorized",
    404: "not_found",
    408: "timeout",
    413: "context_overflow",
    429: "rate_limited",
    501: "unsupported",
}
_OVERFLOW = re.compile(
    r"context[ _](length|window|size)|maximum context|too many tokens|prompt is too long|input is too long"
    r"|exceeds? the (available|maximum) (context|number of tokens)|string_above_max_length",
    re.IGNORECASE,
)
_LIMIT_TOO_LARGE = re.compile(r"max_(completion_)?tokens\W.{0,40}too large", re.IGNORECASE)
_FILTER = re.compile(
    r"content[ _](filter|management|policy)|responsibleai|safety system|prohibited_content", re.IGNORECASE
)
_DURATION = re.compile(r"([\d.]+)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error response, read but not yet judged: what it means can depend on what was asked."""

    status: int
    message: str
    code: str = ""
    param: str = ""
    retry_after_s: float | None = None
    sent_at: float = 0.0

    @property
    def kind(self) -> FailureKind:
        """The failure it is, whatever was asked."""
        if self.code == "insufficient_quota":
            return "unauthorized"
        if self.status in (400, 413, 422) or self.status == 0:
            return self._kind_of_bad_request()
        if self.status >= 500 and self.status != 501:
            return "server_error"
        return _BY_STATUS.get(self.status, "bad_request")

    def _kind_of_bad_request(self) -> FailureKind:
        if _FILTER.search(self.code) or _FILTER.search(self.message):
            return "content_filter"
        about_limit = _LIMIT_TOO_LARGE.search(self.message)
        if self.status == 413 or ((_OVERFLOW.search(self.code) or _OVERFLOW.search(self.message)) and not about_limit):
            return "context_overflow"
        return "bad_request"

    def failure(self, kind: FailureKind | None = None, detail: str | None = None) -> Failure:
        """It as a `Failure`, its detail trimmed to 300 characters."""
        text = detail if detail is not None else self.message or f"HTTP {self.status} without a message"
        return Failure(kind or self.kind, trim(text), self.status or None, self.retry_after_s, self.sent_at)


def trim(text: str) -> str:
    """``text`` on one line of at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= DETAIL_LENGTH else line[: DETAIL_LENGTH - 1] + "…"


def read_error(status: int, headers: Mapping[str, str], body: bytes, sent_at: float) -> ServerError:
    """The error in a response with a status of 300 or more; a body that is not JSON becomes the message."""
    retry_after_s = retry_after(headers)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        payload = body[: 4 * DETAIL_LENGTH].decode("utf-8", "replace")
    if 300 <= status < 400:
        payload = f"redirected to {headers.get('location', '')!r}: give the final address as base_url"
    return error_in(payload, status, retry_after_s, sent_at)


def error_in(payload: Any, status: int, retry_after_s: float | None = None, sent_at: float = 0.0) -> ServerError:
    """The error in a parsed body or stream event. A numeric code inside wins over a status of 0 (none of its own)."""
    error: Any = payload
    if isinstance(payload, list) and payload:  # Gemini wraps its error in a list
        error = payload[0]
    if isinstance(error, dict):
        error = error.get("error") or error.get("detail") or error
    if not isinstance(error, dict):
        return ServerError(
            status or 500, error if isinstance(error, str) else _json(error), "", "", retry_after_s, sent_at
        )
    code = error.get("code") or error.get("type") or ""
    if status == 0:
        status = code if isinstance(code, int) and code >= 400 else _STREAM_STATUS.get(str(error.get("type")), 500)
    message = error.get("message") or error.get("msg") or _json(error)
    nested = error.get("innererror")
    if isinstance(nested, dict) and nested.get("code"):  # Azure says there which filter it was
        code = nested["code"]
    param = error.get("param")
    return ServerError(status, str(message), str(code), param if isinstance(param, str) else "", retry_after_s, sent_at)


_STREAM_STATUS = {
    "rate_limit_error": 429,
    "overloaded_error": 529,
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "timeout_error": 408,
}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait: ``retry-after-ms``, or ``Retry-After`` in seconds or as an HTTP date."""
    milliseconds = headers.get("retry-after-ms")
    value = headers.get("retry-after")
    try:
        seconds = float(milliseconds) / 1000 if milliseconds else float(value) if value else None
    except ValueError:
        return _seconds_until_http_date(value or "")
    return max(0.0, seconds) if seconds is not None and math.isfinite(seconds) else None


def _seconds_until_http_date(value: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def headroom(headers: Mapping[str, str]) -> Headroom | None:
    """What the rate-limit headers (OpenAI's or Anthropic's names) say is left; ``None`` where there are none."""
    get = headers.get
    requests = get("x-ratelimit-remaining-requests") or get("anthropic-ratelimit-requests-remaining")
    tokens = get("x-ratelimit-remaining-tokens") or get("anthropic-ratelimit-tokens-remaining")
    if requests is None and tokens is None:
        return None
    resets = [
        seconds
        for what in ("requests", "tokens")
        for value in (get(f"x-ratelimit-reset-{what}") or get(f"anthropic-ratelimit-{what}-reset"),)
        if value and (seconds := _reset_s(value)) is not None
    ]
    return Headroom(_integer(requests), _integer(tokens), max(resets) if resets else None)


def _integer(value: str | None) -> int | None:
    try:
        return int(float(value)) if value else None
    except (ValueError, OverflowError):
        return None


def _reset_s(value: str) -> float | None:
    """``6m0s``, ``120ms``, plain seconds, or a time in RFC 3339."""
    try:
        return float(value)
    except ValueError:
        pass
    if "T" in value:
        from datetime import datetime

        try:
            return max(0.0, datetime.fromisoformat(value).timestamp() - time.time())
        except ValueError:
            return None
    parts = _DURATION.findall(value)
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts) if parts else None


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()

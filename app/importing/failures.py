"""What another tool says of an answer that failed, as a kind of failure."""

from __future__ import annotations

import re

from ...harness.records import FailureKind

_LONGEST = 300
_SIGNS: tuple[tuple[FailureKind, str], ...] = (
    ("context_overflow", r"context.{0,20}(length|window)|maximum context"),
    ("content_filter", r"content.{0,3}filter|content management policy"),
    ("timeout", r"time[d ]?.?out"),
    ("rate_limited", r"\b429\b|rate.?limit|too many requests"),
    ("unauthorized", r"\b40[13]\b|unauthori[sz]ed|invalid api key"),
    ("not_found", r"\b404\b"),
    ("network", r"(connection (refused|reset|error|lost)|cannot connect|disconnected|ECONN|ENOTFOUND)"),
)


def failure_kind(error: str) -> FailureKind:
    """The kind by the words of the message; `server_error`, which is not held against the candidate, where they say
    nothing."""
    return next((kind for kind, sign in _SIGNS if re.search(sign, error, re.IGNORECASE)), "server_error")


def detail_of(error: object) -> str:
    """The first line of an error, shortened."""
    return (str(error).strip().splitlines() or ["no reason given"])[0][:_LONGEST]

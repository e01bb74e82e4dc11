"""The answer of a span: its text or its failure, calls and passages, seconds, tokens and dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..failures import detail_of, failure_kind
from ..found import Found, FoundAnswer
from .contents import said_of
from .documents import documents_of
from .kinds import SERVED
from .messages import Message
from .spans import Span, text_of_first
from .tools import call_executed
from .trees import Trace, traces_of
from .usage import cost_of, finish_of, tokens_of, ttft_of


def answered(trace: Trace, span: Span, found: Found) -> Message | None:
    said = said_of(span, found, last=trace.kind(span) != "inference")
    if said is not None and not said["content"].strip() and not said.get("tool_calls"):
        return None
    return said


def cut(span: Span) -> bool:
    return finish_of(span) in ("length", "max_tokens", "content_filter")


def answer_of(trace: Trace, span: Span, said: Message | None, failure: str | None, found: Found) -> FoundAnswer:
    text = str(said["content"]) if said else ""
    if failure is not None:
        kind = failure_kind(failure)
        own = kind == "server_error" and trace.kind(span) != "inference"
        return FoundAnswer(span.where, text, "candidate_error" if own else kind, detail_of(failure))
    if said is None:
        kind = "content_filter" if finish_of(span) == "content_filter" else "truncated"
        return FoundAnswer(span.where, "", kind, f"no text; the model stopped by {finish_of(span)!r}")
    return FoundAnswer(
        span.where,
        text,
        measured=_measured(trace, span, found),
        tool_calls=tuple(_calls(trace, span, said, found)),
        retrieved=tuple(_retrieved(trace, span)),
        served_model=_served(trace, span),
    )


def acted(spans: Sequence[Span], found: Found) -> tuple[tuple[Message, ...], tuple[Mapping[str, Any], ...]]:
    """(calls of functions, passages retrieved) of one trace as a whole, whatever its texts are."""
    for trace in traces_of(spans):
        for top in trace.outermost()[:1]:
            said = answered(trace, top, found) or {}
            return tuple(_calls(trace, top, said, found)), tuple(_retrieved(trace, top))
    return (), ()


def _calls(trace: Trace, span: Span, said: Message, found: Found) -> list[Message]:
    """Of a model those of its answer; of an agent all that its models asked for, or that were carried out."""
    if trace.kind(span) == "inference":
        return list(said.get("tool_calls", ()))
    under = trace.under(span)
    asked = [answered(trace, one, found) for one in under if trace.kind(one) == "inference"]
    calls = [call for one in asked if one is not None for call in one.get("tool_calls", ())]
    if not calls:
        calls = [call for one in under if trace.kind(one) == "tool" and (call := call_executed(one)) is not None]
    return calls or list(said.get("tool_calls", ()))


def _retrieved(trace: Trace, span: Span) -> list[Mapping[str, Any]]:
    """Of an agent what was found under it; of a model what its trace had found before it was asked."""
    own = trace.kind(span) != "inference"
    places = trace.under(span) if own else [one for one in trace.spans if (one.start_ns or 0) <= (span.start_ns or 0)]
    found = [document for one in places if trace.kind(one) == "retrieval" for document in documents_of(one)]
    return list({(one["id"], one["text"]): one for one in reversed(found)}.values())[::-1]


def _served(trace: Trace, span: Span) -> str:
    inner = [one for one in trace.under(span) if trace.kind(one) == "inference"]
    return next((name for one in (span, *reversed(inner)) if (name := text_of_first(one, SERVED))), "")


def _measured(trace: Trace, span: Span, found: Found) -> dict[str, Any]:
    """Seconds of the span; tokens and dollars of the models under it, where each of them states them."""
    measured: dict[str, Any] = {}
    if span.seconds is None:
        found.leave("latencies (a time is missing, or the end is before the start)", trace.trace_id)
    else:
        measured["e2e_s"] = span.seconds
    inner = [one for one in trace.under(span) if trace.kind(one) == "inference"] or [span]
    for name in ("prompt_tokens", "completion_tokens"):
        counts = [tokens_of(one).get(name) for one in inner]
        stated = tokens_of(span).get(name)
        if all(count is not None for count in counts):
            measured[name] = sum(count for count in counts if count is not None)
        elif stated is not None:
            measured[name] = stated
    costs = [cost_of(one) for one in inner]
    cost = sum(one for one in costs if one is not None) if None not in costs else cost_of(span)
    more = {"cost_usd": cost, "ttft_s": ttft_of(span)}
    return measured | {name: value for name, value in more.items() if value is not None}

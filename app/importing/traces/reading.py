"""Traces as samples and answers: one trace, or one call of a model, is a sample of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....harness.errors import DataError, InputError
from ....harness.windows import ASKED_AT
from ..found import Found
from .about import candidate_of, metadata_of, tags_of
from .answers import answer_of, answered, cut
from .contents import asked_of
from .files import read_spans
from .kinds import CONVERSATION
from .messages import Message
from .spans import Span, text_of_first
from .tools import tools_of
from .trees import Trace, traces_of
from .usage import failure_of

EACH = ("trace", "inference")
_CAPTURE = (
    "instrumentations leave texts out unless told otherwise: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true "
    "(with OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental: span_only), TRACELOOP_TRACE_CONTENT=true, "
    "OPENINFERENCE_HIDE_INPUTS and …_OUTPUTS unset; latency and tokens alone cannot be graded"
)
_NO_CONTENT = "traces whose texts were not captured"


@dataclass(frozen=True, slots=True)
class TraceChoice:
    """``each``: what becomes a sample, `trace` or `inference`. ``candidate_from``: whose name the candidate bears,
    `agent`, `service`, `model` or `attribute:NAME`; by default the first of these three that a trace knows."""

    each: str = "trace"
    candidate_from: str = ""

    def __post_init__(self) -> None:
        if self.each not in EACH:
            raise InputError(f"--each {self.each!r}: wanted {' or '.join(EACH)}")
        named = self.candidate_from.startswith("attribute:") and len(self.candidate_from) > len("attribute:")
        if self.candidate_from not in ("", "agent", "service", "model") and not named:
            raise InputError(
                f"--candidate-from {self.candidate_from!r}: wanted agent, service, model or attribute:NAME"
            )


def read_traces(paths: Sequence[Path], choice: TraceChoice) -> Found:
    """Everything of some files, whose traces may be spread over them. Raises DataError where nothing can be graded."""
    spans, left = read_spans(paths)
    name = paths[0].name.partition(".")[0] if len(paths) == 1 else f"{len(paths)} files of traces"
    found = found_in(spans, Found("otel", name or "traces"), choice)
    for what, count in left.items():
        found.left[what] += count
        found.examples.setdefault(what, "")
    return found


def found_in(spans: Sequence[Span], found: Found, choice: TraceChoice) -> Found:
    """What the traces of ``spans`` hold. Raises DataError where none is of generative AI, or none has texts."""
    traces = traces_of(spans)
    if not traces:
        raise DataError(f"{spans[0].where}: {_why_no_traces(spans)}")
    for trace in traces:
        _take_trace(trace, found, choice)
    if not found.answers:
        raise DataError(f"{spans[0].where}: {_why_nothing(found, len(traces))}")
    _note(found, sum(trace.orphans for trace in traces))
    return found


def _note(found: Found, orphans: int) -> None:
    if orphans:
        found.note(f"{orphans} spans name a parent that is in none of the files, and count as the first of their trace")
    if found.left[_NO_CONTENT]:
        found.note(_CAPTURE)
    if len(names := sorted({candidate for _, candidate, _ in found.answers})) > 1:
        found.note(
            f"each trace was answered by one of {len(names)} candidates ({', '.join(names[:5])}), so the others have "
            "no answer to it: their means are of different questions"
        )


def _why_no_traces(spans: Sequence[Span]) -> str:
    names = ", ".join(sorted({span.name for span in spans} - {""})[:5])
    return (
        f"holds {len(spans)} spans, but none of generative AI (they are {names or 'nameless'}): none says "
        "gen_ai.operation.name, openinference.span.kind, traceloop.span.kind or mlflow.spanType; instrument the client "
        "of the model, too"
    )


def _why_nothing(found: Found, traces: int) -> str:
    if found.left[_NO_CONTENT]:
        return f"none of {traces} traces of generative AI holds what was asked and answered; {_CAPTURE}"
    return f"none of {traces} traces of generative AI can be taken in: {', '.join(found.left) or 'no model answers'}"


def _take_trace(trace: Trace, found: Found, choice: TraceChoice) -> None:
    inferences = trace.of_kind("inference")
    if choice.each == "inference":
        for span in inferences:
            name = trace.trace_id if len(inferences) == 1 else span.span_id
            _take(trace, span, name, asked_of(span, found), found, choice)
        return
    spans = trace.outermost()
    if not spans:
        found.leave("traces without a call of a model", trace.trace_id)
        return
    told = next((span for span in spans if _is_told(trace, span)), spans[0])
    top = told if spans[0].error is None else spans[0]  # what failed at last has failed, whatever went well before
    _take(trace, top, trace.trace_id, asked_of(top, found) or asked_of(told, found), found, choice)
    under = {top.span_id, *(one.span_id for one in trace.under(top))}
    for span in inferences:
        if span.span_id not in under:
            found.leave("further calls of models in a trace (--each inference takes each)", span.name)


def _take(trace: Trace, span: Span, sample_id: str, messages: list[Message], found: Found, choice: TraceChoice) -> None:
    said, failure = answered(trace, span, found), failure_of(span)
    if not any(m["content"].strip() for m in messages) or (said is None and failure is None and not cut(span)):
        found.leave(_NO_CONTENT, trace.trace_id)
        return
    candidate = candidate_of(trace, span, choice.candidate_from)
    if not candidate:
        found.leave(f"traces that say nothing for --candidate-from {choice.candidate_from}", trace.trace_id)
        return
    if sample_id in found.samples:  # ids of spans are unique within their trace
        sample_id = f"{trace.trace_id}/{span.span_id}"
    found.add_sample(sample_id, _sample(trace, span, messages, found), metadata_of(trace, span), span.where)
    if span.started is None:
        found.leave(f"times that are missing (no {ASKED_AT})", trace.trace_id)
    place = (sample_id, found.candidate(candidate), 0)
    found.add_answer(place, answer_of(trace, span, said, failure, found))


def _sample(trace: Trace, span: Span, messages: list[Message], found: Found) -> dict[str, Any]:
    return {
        **_question(messages),
        "tools": tools_of((span, *trace.under(span)), found),
        "cluster": text_of_first(span, CONVERSATION) or trace.said(CONVERSATION),
        "tags": tags_of(trace),
    }


def _question(messages: Sequence[Message]) -> dict[str, Any]:
    """``question`` for one message of a user, else all ``messages``."""
    if len(messages) == 1 and messages[0]["role"] == "user" and "tool_calls" not in messages[0]:
        return {"question": messages[0]["content"]}
    return {"messages": list(messages)}


def _is_told(trace: Trace, span: Span) -> bool:
    """Whether it can be a sample: what it was asked, and what came of it."""
    unheard = Found("otel", "")
    came = span.error is not None or cut(span) or answered(trace, span, unheard) is not None
    return came and bool(asked_of(span, unheard))

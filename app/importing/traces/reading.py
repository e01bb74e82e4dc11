"""Traces as samples and answers: one trace, or one call of a model, is a sample of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....harness.errors import DataError, InputError
from ....harness.windows import ASKED_AT
from ..found import Found
from .about import candidate_of, metadata_of
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
        names = ", ".join(sorted({span.name for span in spans} - {""})[:5])
        raise DataError(
            f"{spans[0].where}: holds {len(spans)} spans, but none of generative AI (they are {names or 'nameless'}): "
            "none says gen_ai.operation.name, openinference.span.kind, traceloop.span.kind or mlflow.spanType; "
            "instrument the client of the model, too"
        )
    orphans = sum(trace.orphans for trace in traces)
    if orphans:
        found.note(f"{orphans} spans name a parent that is in none of the files, and count as the first of their trace")
    for trace in traces:
        _take_trace(trace, found, choice)
    if not found.answers:
        raise DataError(f"{spans[0].where}: {_why_nothing(found, len(traces))}")
    if found.left[_NO_CONTENT]:
        found.note(_CAPTURE)
    return found


def _why_nothing(found: Found, traces: int) -> str:
    if found.left[_NO_CONTENT]:
        return f"none of {traces} traces of generative AI holds what was asked and answered; {_CAPTURE}"
    return f"none of {traces} traces of generative AI can be taken in: {', '.join(found.left) or 'no model answers'}"


def _take_trace(trace: Trace, found: Found, choice: TraceChoice) -> None:
    inferences = trace.of_kind("inference")
    if choice.each == "inference":
        for span in inferences:
            name = trace.trace_id if len(inferences) == 1 else span.span_id
            _take(trace, span, name, found, choice)
        return
    top = trace.answering(lambda span: _is_told(trace, span))
    if top is None:
        found.leave("traces without a call of a model", trace.trace_id)
        return
    _take(trace, top, trace.trace_id, found, choice)
    under = {top.span_id, *(one.span_id for one in trace.under(top))}
    for span in inferences:
        if span.span_id not in under:
            found.leave("further calls of models in a trace (--each inference takes each)", span.name)


def _take(trace: Trace, span: Span, sample_id: str, found: Found, choice: TraceChoice) -> None:
    messages, said = asked_of(span, found), answered(trace, span, found)
    failure = failure_of(span)
    if not any(m["content"].strip() for m in messages) or (said is None and failure is None and not cut(span)):
        found.leave(_NO_CONTENT, trace.trace_id)
        return
    candidate = candidate_of(trace, span, choice.candidate_from)
    if not candidate:
        found.leave(f"traces that say nothing for --candidate-from {choice.candidate_from}", trace.trace_id)
        return
    named = trace.trace_id if sample_id == trace.trace_id else f"{trace.trace_id}/{span.span_id}"
    sample = {
        **_question(messages),
        "tools": tools_of((span, *trace.under(span)), found),
        "cluster": text_of_first(span, CONVERSATION) or trace.said(CONVERSATION),
    }
    if sample_id in found.samples:
        sample_id = named
    found.add_sample(sample_id, sample, metadata_of(trace, span), span.where)
    if span.started is None:
        found.leave(f"times that are missing (no {ASKED_AT})", trace.trace_id)
    place = (sample_id, found.candidate(candidate), 0)
    found.add_answer(place, answer_of(trace, span, said, failure, found))


def _question(messages: Sequence[Message]) -> dict[str, Any]:
    """``question`` for one message of a user, else all ``messages``."""
    if len(messages) == 1 and messages[0]["role"] == "user" and "tool_calls" not in messages[0]:
        return {"question": messages[0]["content"]}
    return {"messages": list(messages)}


def _is_told(trace: Trace, span: Span) -> bool:
    unheard = Found("otel", "")
    return bool(asked_of(span, unheard)) and answered(trace, span, unheard) is not None

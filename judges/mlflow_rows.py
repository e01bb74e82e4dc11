"""A row of `mlflow.genai.evaluate` as a sample and an answer: plain values and traces, without MLflow itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..harness.candidates.outcomes import said_or_failed
from ..harness.candidates.returned import reply_from, retrieved_from
from ..harness.keys import digest
from ..harness.records import Failed, Message, Retrieved, Said, Sample, Timing

_QUESTION = ("question", "query", "input", "prompt", "message", "text")
_CONTEXT = ("context", "contexts", "documents", "retrieved_context")
_REFERENCE = ("expected_response", "expected_output", "expected_answer", "ground_truth", "reference")


def sample_of(inputs: Any, expectations: Any) -> Sample:
    """A row of MLflow as a sample: the question, chat or context in its inputs, the reference in its expectations."""
    given = inputs if isinstance(inputs, Mapping) else {"question": "" if inputs is None else str(inputs)}
    expected = expectations if isinstance(expectations, Mapping) else {}
    messages = _chat(given.get("messages"))
    question = next((str(given[name]) for name in _QUESTION if isinstance(given.get(name), str)), "")
    if messages and not question and messages[-1]["role"] == "user":
        *messages, last = messages
        question = str(last["content"])
    if not question and not messages:
        question = orjson.dumps(given, default=str).decode()
    context = next((given[name] for name in _CONTEXT if given.get(name)), ())
    passages = (context,) if isinstance(context, str) else tuple(map(str, context))
    identity = digest([question, messages, passages])[:12]
    return Sample(identity, question, tuple(messages), context=passages, reference=_reference(expected))


def _chat(messages: Any) -> list[Message]:
    if not isinstance(messages, list | tuple):
        return []
    told = [message for message in messages if isinstance(message, Mapping) and message.get("content")]
    return [{"role": str(message.get("role") or "user"), "content": str(message["content"])} for message in told]


def _reference(expected: Mapping[str, Any]) -> str | None:
    written = next((str(expected[name]) for name in _REFERENCE if isinstance(expected.get(name), str)), None)
    facts = expected.get("expected_facts")
    if written is None and isinstance(facts, list | tuple) and facts:
        return "\n".join(f"- {fact}" for fact in facts)
    return written


def said_of(outputs: Any, passages: tuple[Retrieved, ...]) -> Said | str:
    """What an application answered, with the passages that it returned or that its trace holds; or why nothing."""
    if outputs is None:
        return "the application gave no output"
    try:
        found = said_or_failed(reply_from(_message(outputs), Timing(0.0, 0.0), ""))
    except ValueError as error:
        return f"the application {error}"
    if isinstance(found, Failed):
        return found.detail
    return found if found.retrieved else Said(found.text, found.tool_calls, passages)


def _message(outputs: Any) -> Any:
    """The message of a chat completion; anything else as it is."""
    choices = outputs.get("choices") if isinstance(outputs, Mapping) else None
    return choices[0].get("message", outputs) if isinstance(choices, list) and choices else outputs


def passages_of(trace: Any) -> tuple[Retrieved, ...]:
    """What the retrievers of a traced application found."""
    spans = trace.search_spans(span_type="RETRIEVER") if trace is not None else ()
    found = [passage for span in spans for passage in retrieved_from(span.outputs)]
    return tuple(Retrieved(passage["text"], passage["id"], passage["score"]) for passage in found)

"""What a span says of tokens, dollars, the first token, and why it stopped or failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .flattened import list_under
from .spans import Span, amount_of, count_of, first
from .values import read_json

_TOKENS = {
    "prompt_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
                      "llm.usage.prompt_tokens"),
    "completion_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
                          "llm.usage.completion_tokens"),
}  # fmt: skip
_OF_USAGE = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
_COST = ("llm.cost.total", "gen_ai.usage.cost", "gen_ai.usage.total_cost", "gen_ai.cost.total_cost")
_TTFT = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token", "llm.time_to_first_token")
_FIRST_TOKEN = ("gen_ai.first_token", "gen_ai.content.first_token", "First Token Stream Event", "llm.first_token")


def tokens_of(span: Span) -> dict[str, int]:
    """``prompt_tokens`` and ``completion_tokens``, as far as they are stated."""
    usage = span.attributes.get("mlflow.chat.tokenUsage")
    usage = usage if isinstance(usage, Mapping) else {}
    counts = {ours: count_of(first(span, names) or usage.get(_OF_USAGE[ours])) for ours, names in _TOKENS.items()}
    return {name: count for name, count in counts.items() if count is not None}


def cost_of(span: Span) -> float | None:
    """USD, where it is stated."""
    stated = span.attributes.get("mlflow.llm.cost")
    total = stated.get("total_cost") if isinstance(stated, Mapping) else None
    return amount_of(first(span, _COST) if total is None else total)


def ttft_of(span: Span) -> float | None:
    """Seconds to the first token, stated or by an event; None beyond the span's own length."""
    seconds = amount_of(first(span, _TTFT))
    times = [event.time_ns for event in span.events if event.name in _FIRST_TOKEN and event.time_ns is not None]
    if seconds is None and times and span.start_ns is not None:
        seconds = (min(times) - span.start_ns) / 1e9
    return seconds if seconds is not None and span.seconds is not None and 0 <= seconds <= span.seconds else None


def finish_of(span: Span) -> str:
    """The first of the reasons why it stopped."""
    reasons = read_json(first(span, ("gen_ai.response.finish_reasons", "llm.response.finish_reason")))
    listed = reasons if isinstance(reasons, list) else [reasons, *_choice_reasons(span)]
    return next((reason for reason in listed if isinstance(reason, str)), "")


def _choice_reasons(span: Span) -> list[Any]:
    choices = list_under(span.attributes, "gen_ai.completion")
    events = [read_json(event.body) or event.attributes for event in span.events if event.name == "gen_ai.choice"]
    return [one.get("finish_reason") for one in (*choices, *events) if isinstance(one, Mapping)]


def failure_of(span: Span) -> str | None:
    """What went wrong, in words; None where nothing did."""
    if span.error is None:
        return None
    raised = next((event.attributes for event in span.events if event.name == "exception"), {})
    words = [
        span.attributes.get("error.type"),
        span.error,
        raised.get("exception.type"),
        raised.get("exception.message"),
    ]
    said = list(dict.fromkeys(str(word).strip() for word in words if word))
    return ": ".join(one for one in said if not any(one != more and one in more for more in said)) or "no reason given"

"""From the calls of one answer to its outcome: what counts as said, and what as failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..keys import digest
from ..records import Answer, Call, Content, Failed, Failure, Origin, Reply, Retrieved, Said, Sample

_LONGEST_DETAIL = 300


def said_or_failed(outcome: Reply | Failure) -> Said | Failed:
    """A reply cut by the token limit, or held back by the provider's filter, is a failure and no short answer."""
    if isinstance(outcome, Failure):
        return Failed(outcome.kind, outcome.owner, outcome.detail)
    if outcome.finish_reason == "length":
        tokens = outcome.usage.completion_tokens
        state = "cut" if outcome.text.strip() else "no text before it was cut"
        detail = f"{state} by the token limit after {tokens} tokens; raise params.max_tokens"
        return Failed("truncated", "candidate", detail, outcome.text)
    if outcome.refusal or outcome.finish_reason == "content_filter":
        detail = outcome.refusal[:_LONGEST_DETAIL] or "the provider's content filter held the answer back"
        return Failed("content_filter", "candidate", detail, outcome.text)
    retrieved = outcome.payload.get("retrieved", ()) if outcome.payload else ()
    return Said(outcome.text, outcome.tool_calls, tuple(Retrieved(r["text"], r["id"], r["score"]) for r in retrieved))


def joined(saids: Sequence[Said]) -> Said:
    """The answer to a conversation: each turn's text, the last one's text and tool calls, all that was retrieved."""
    last = saids[-1]
    retrieved = dict.fromkeys(passage for said in saids for passage in said.retrieved)
    return Said(last.text, last.tool_calls, tuple(retrieved), tuple(said.text for said in saids))


def conversation_key(first_call_key: str, sample: Sample) -> str:
    """Fingerprint of an answer: the key of its first call, with the texts of the turns where there are any."""
    return digest([first_call_key, [without_paths(turn) for turn in sample.turns]]) if sample.turns else first_call_key


def without_paths(content: Content) -> Any:
    """Content as it enters a key: images by the hash of their content, wherever their files lie."""
    if isinstance(content, str):
        return content
    return [{name: value for name, value in part.items() if name != "path"} for part in content]


def answer_of(
    caller_run: str, sample: Sample, candidate: str, trial: int, outcome: Said | Failed, calls: Sequence[Call], key: str
) -> Answer:
    """The `Answer` record; reused where every one of its calls is."""
    origin: Origin = "reused" if calls and all(call.reused for call in calls) else "live"
    return Answer(caller_run, sample.id, candidate, trial, outcome, tuple(c.key for c in calls), origin, key)

"""Records to rows and back. Rows are plain dicts in the columns of `schema`."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..records import (
    Answer,
    Call,
    Failed,
    Failure,
    Grade,
    Label,
    LabelSet,
    Preference,
    Reply,
    Retrieved,
    Said,
    Sample,
    Scored,
    Timing,
    ToolCall,
    Unscored,
    Usage,
)

Row = dict[str, Any]


def dumps(value: Any) -> str:
    """Canonical JSON text (sorted keys)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


_NO_REPLY: Row = dict.fromkeys(
    "text reasoning refusal tool_calls payload finish_reason served_model dropped prompt_tokens completion_tokens "
    "cached_tokens cache_write_tokens reasoning_tokens usage_estimated cost_usd e2e_s ttft_s ttfo_s gaps_s".split()
)


def call_to_row(call: Call, request: str | None) -> Row:
    """``request`` is its JSON text, or ``None`` where there is nothing to show."""
    row: Row = {
        "key": call.key,
        "run": call.run,
        "role": call.role,
        "who": call.who,
        "model": call.model,
        "request": request,
        "attempts": call.attempts,
        "created_at": call.created_at,
    }
    outcome = call.outcome
    if isinstance(outcome, Failure):
        row |= _NO_REPLY
        row["status"], row["detail"], row["http_status"] = outcome.kind, outcome.detail, outcome.status
        row["sent_at"] = outcome.sent_at
        return row
    usage, timing = outcome.usage, outcome.timing
    row["status"], row["detail"], row["http_status"] = "ok", "", None
    row["text"], row["reasoning"], row["refusal"] = outcome.text, outcome.reasoning, outcome.refusal
    row["tool_calls"] = _tool_calls_text(outcome.tool_calls)
    row["payload"] = dumps(outcome.payload) if outcome.payload is not None else None
    row["finish_reason"], row["served_model"] = outcome.finish_reason, outcome.served_model
    row["dropped"] = ",".join(outcome.dropped)
    row["prompt_tokens"], row["completion_tokens"] = usage.prompt_tokens, usage.completion_tokens
    row["cached_tokens"], row["cache_write_tokens"] = usage.cached_tokens, usage.cache_write_tokens
    row["reasoning_tokens"], row["usage_estimated"] = usage.reasoning_tokens, int(usage.estimated)
    row["cost_usd"], row["sent_at"], row["e2e_s"] = call.cost_usd, timing.sent_at, timing.e2e_s
    row["ttft_s"], row["ttfo_s"] = timing.ttft_s, timing.ttfo_s
    row["gaps_s"] = pack_floats(timing.gaps_s) if timing.gaps_s else None
    return row


def row_to_call(row: Mapping[Any, Any], run: str) -> Call:
    """The call of a row; ``reused`` where another run than ``run`` paid for it."""
    outcome: Reply | Failure
    if row["status"] != "ok":
        outcome = Failure(row["status"], row["detail"], row["http_status"], sent_at=row["sent_at"] or 0.0)
    else:
        outcome = Reply(
            text=row["text"] or "",
            usage=Usage(
                row["prompt_tokens"],
                row["completion_tokens"],
                row["cached_tokens"],
                row["cache_write_tokens"],
                row["reasoning_tokens"],
                bool(row["usage_estimated"]),
            ),
            timing=Timing(
                row["sent_at"], row["e2e_s"], row["ttft_s"], row["ttfo_s"], tuple(unpack_floats(row["gaps_s"]))
            ),
            finish_reason=row["finish_reason"],
            reasoning=row["reasoning"] or "",
            tool_calls=_tool_calls(row["tool_calls"]),
            served_model=row["served_model"],
            refusal=row["refusal"] or "",
            dropped=tuple(row["dropped"].split(",")) if row["dropped"] else (),
            payload=orjson.loads(row["payload"]) if row["payload"] else None,
        )
    return Call(
        row["key"],
        row["run"],
        row["role"],
        row["who"],
        row["model"],
        outcome,
        row["attempts"],
        row["cost_usd"],
        row["created_at"],
        reused=row["run"] != run,
    )


def answer_to_row(answer: Answer, attempt: int) -> Row:
    """``attempt`` is the draw it came from (raised by `--retry`)."""
    outcome = answer.outcome
    row: Row = {
        "run": answer.run,
        "sample_id": answer.sample_id,
        "candidate": answer.candidate,
        "trial": answer.trial,
        "attempt": attempt,
        "fingerprint": answer.fingerprint,
        "calls": dumps(answer.calls),
        "origin": answer.origin,
        "text": outcome.text,
        "tool_calls": None,
        "retrieved": None,
        "turns": None,
    }
    if isinstance(outcome, Failed):
        row["status"], row["owner"], row["detail"] = outcome.kind, outcome.owner, outcome.detail
        return row
    row["status"], row["owner"], row["detail"] = "ok", "", ""
    row["tool_calls"] = _tool_calls_text(outcome.tool_calls)
    if outcome.retrieved:
        row["retrieved"] = dumps([{"id": r.id, "text": r.text, "score": r.score} for r in outcome.retrieved])
    if outcome.turns:
        row["turns"] = dumps(outcome.turns)
    return row


def row_to_answer(row: Mapping[Any, Any]) -> Answer:
    """The answer of a row."""
    outcome: Said | Failed
    if row["status"] != "ok":
        outcome = Failed(row["status"], row["owner"], row["detail"], row["text"] or "")
    else:
        retrieved = orjson.loads(row["retrieved"]) if row["retrieved"] else ()
        outcome = Said(
            row["text"] or "",
            _tool_calls(row["tool_calls"]),
            tuple(Retrieved(r["text"], r["id"], r["score"]) for r in retrieved),
            tuple(orjson.loads(row["turns"])) if row["turns"] else (),
        )
    return Answer(
        row["run"],
        row["sample_id"],
        row["candidate"],
        row["trial"],
        outcome,
        tuple(orjson.loads(row["calls"])),
        row["origin"],
        row["fingerprint"],
    )


def grade_to_row(grade: Grade, attempt: int) -> Row:
    """``attempt`` is the draw it came from (raised by `--retry`)."""
    outcome = grade.outcome
    row: Row = {
        "run": grade.run,
        "sample_id": grade.sample_id,
        "candidate": grade.candidate,
        "trial": grade.trial,
        "judge": grade.judge,
        "criterion": grade.criterion,
        "turn": grade.turn,
        "repeat": grade.repeat,
        "attempt": attempt,
        "fingerprint": grade.fingerprint,
        "calls": dumps(grade.calls),
        "labels": None,
    }
    if isinstance(outcome, Unscored):
        row["status"], row["score"], row["reasoning"], row["why"] = outcome.status, None, None, outcome.why
        return row
    row["status"], row["score"], row["reasoning"], row["why"] = "scored", outcome.score, outcome.reasoning, ""
    if outcome.labels:
        row["labels"] = dumps(outcome.labels)
    return row


def row_to_grade(row: Mapping[Any, Any]) -> Grade:
    """The grade of a row."""
    outcome: Scored | Unscored
    if row["status"] == "scored":
        labels = tuple(orjson.loads(row["labels"])) if row["labels"] else ()
        outcome = Scored(row["score"], row["reasoning"] or "", labels)
    else:
        outcome = Unscored(row["status"], row["why"])
    return Grade(
        row["run"],
        row["sample_id"],
        row["candidate"],
        row["trial"],
        row["judge"],
        row["criterion"],
        outcome,
        row["repeat"],
        row["turn"],
        tuple(orjson.loads(row["calls"])),
        row["fingerprint"],
    )


_SAMPLE_FIELDS = (
    "question",
    "messages",
    "turns",
    "context",
    "reference",
    "relevant",
    "tools",
    "tool_calls",
    "safety",
    "metadata",
)


def answer_sha256(text: str, turns: str | None = None) -> str:
    """Hash of what was answered, to which labels are bound; ``turns`` is the column of `answers` (a JSON list)."""
    whole = text if turns in (None, "", "[]") else f"{text}\0{turns}"
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


PURGED = "sha256:"
"""Stands in ``detail`` of an answer whose words were purged, before the hash that labels are bound to."""


def answer_sha256_of_row(row: Mapping[Any, Any]) -> str:
    """`answer_sha256` of a row of `answers` with a text, also of one that was purged of it."""
    if row["text"] is None and row["detail"].startswith(PURGED):
        return str(row["detail"].removeprefix(PURGED))
    return answer_sha256(row["text"] or "", row["turns"])


def preference_to_row(preference: Preference, attempt: int) -> Row:
    """A row of `schema.preferences`."""
    outcome = preference.outcome
    unscored = outcome if isinstance(outcome, Unscored) else None
    return {
        "run": preference.run,
        "sample_id": preference.sample_id,
        "left": preference.left,
        "right": preference.right,
        "trial": preference.trial,
        "rater": preference.rater,
        "shown_order": preference.shown_order,
        "repeat": preference.repeat,
        "attempt": attempt,
        "fingerprint": preference.fingerprint,
        "status": unscored.status if unscored else "scored",
        "winner": "" if unscored else outcome,
        "reasoning": preference.reasoning,
        "why": unscored.why if unscored else "",
        "calls": dumps(preference.calls),
    }


def label_to_row(label: Label, run: str) -> Row:
    """A row of `schema.labels`; ``run`` is the one whose answer was labelled."""
    return {
        "label_set": label.label_set,
        "sample_id": label.sample_id,
        "candidate": label.candidate,
        "answer_sha256": label.answer_sha256,
        "criterion": label.criterion,
        "annotator": label.annotator,
        "run": run,
        "trial": label.trial,
        "score": label.score,
        "stratum": label.stratum,
    }


def label_set_to_row(found: LabelSet) -> Row:
    """A row of `schema.label_sets`."""
    return {
        "name": found.name,
        "design": found.design,
        "weights": dumps(dict(found.weights)),
        "seed": found.seed,
        "labelled_at": found.labelled_at,
        "source": found.source,
    }


def sample_body(sample: Sample) -> str:
    """Everything of a sample that its hash covers."""
    said = {name: value for name in _SAMPLE_FIELDS if (value := getattr(sample, name))}
    return dumps(said if sample.tool_calls is None else {**said, "tool_calls": sample.tool_calls})


def row_to_sample(row: Mapping[Any, Any]) -> Sample:
    """The sample of a joined row (`samples` and `run_samples`)."""
    body = orjson.loads(row["body"] or "{}")
    for name in ("messages", "turns", "context", "tools", "tool_calls"):
        if name in body:
            body[name] = tuple(body[name])
    return Sample(
        id=row["sample_id"],
        cluster=row["cluster"],
        tags=tuple(orjson.loads(row["tags"])),
        sha256=row["sha256"],
        **body,
    )


def pack_floats(values: Sequence[float]) -> bytes:
    """Little-endian float32."""
    packed = array("f", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_floats(blob: bytes | None) -> array[float]:
    """Inverse of `pack_floats`."""
    unpacked = array("f")
    if blob:
        unpacked.frombytes(blob)
        if sys.byteorder == "big":
            unpacked.byteswap()
    return unpacked


def _tool_calls_text(tool_calls: Sequence[ToolCall]) -> str | None:
    if not tool_calls:
        return None
    return dumps([{"name": t.name, "arguments": t.arguments, "id": t.id} for t in tool_calls])


def _tool_calls(text: str | None) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(**t) for t in orjson.loads(text)) if text else ()

"""Questions, references and sources out of documents, by a model: asked, read, checked by a second call, filtered.

What comes out are drafts for a person to review (`synthesis_review`), never samples as they are.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from .candidates.base import Caller
from .dispatch.pool import run_pool
from .models.base import ChatModel
from .records import Draw, Failure, Message, Reply, Request
from .structured import Ladder
from .synthesis_filters import checked
from .synthesis_sources import Draft, Source, from_heading

MAX_TOKENS = 800
TEMPERATURE = 0.7
"""For questions; checks are asked at 0."""
_CODE_LENGTH = 12
_MOST_OPENINGS = 50
_TEXTS = ("question", "answer", "quote")
_TRUTHS = ("answerable", "self_contained")


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: a model, what it is paid through, and parameters that replace ours. ``checks`` adds the second
    call."""

    model: ChatModel
    caller: Caller
    params: Mapping[str, Any] = field(default_factory=dict)
    checks: bool = True


def from_headings(sources: Sequence[Source]) -> list[Draft]:
    """Drafts without a model, filtered."""
    return checked([from_heading(source) for source in sources])


async def write_drafts(
    sources: Sequence[Source], author: Author, workers: int = 8, stop: asyncio.Event | None = None
) -> list[Draft]:
    """One draft a source, in order, filtered; a source without a readable question gives one with that problem.

    At most two calls a source, or three where the first cannot be read. After ``stop`` no source is begun, and those
    that were not have no draft. Raises what the caller raises; what was paid by then is kept, and the same sources
    continue.
    """
    ladder = Ladder()
    found: dict[int, Draft] = {}

    async def one(number: int) -> None:
        found[number] = await _draft(sources[number], author, ladder)

    await run_pool(range(len(sources)), one, workers, stop or asyncio.Event())
    return checked([found[number] for number in sorted(found)])


def preview(source: Source, author: Author) -> Request:
    """The first request that a source makes."""
    return _request(author, "synthesize.txt", _passage(source), _schema(_TEXTS, "string"), "question", TEMPERATURE)


async def _draft(source: Source, author: Author, ladder: Ladder) -> Draft:
    empty = Draft(source, "", "", "", author.model.name)
    request, read = preview(source, author), None
    for attempt in range(2):
        outcome = await _ask(author, request, ladder, attempt)
        if isinstance(outcome, Failure):
            return replace(empty, problems=(f"no reply: {outcome.kind}: {outcome.detail}",))
        read = _read(outcome, _TEXTS, str)
        if read is not None:
            break
    if read is None:
        return replace(empty, problems=("the reply holds no question, answer and quote",))
    draft = replace(empty, question=read["question"], reference=read["answer"], quote=read["quote"])
    return await _second_look(draft, author, ladder) if author.checks else draft


async def _second_look(draft: Draft, author: Author, ladder: Ladder) -> Draft:
    """The draft with the problems that the model itself sees in it when asked anew."""
    shown = f"{_passage(draft.source)}\n\n{_fenced('question', draft.question)}\n\n{_fenced('answer', draft.reference)}"
    schema = _schema(_TRUTHS, "boolean")
    outcome = await _ask(author, _request(author, "synthesize_check.txt", shown, schema, "check", 0.0), ladder, 0)
    if isinstance(outcome, Failure):
        return replace(draft, problems=(f"not checked: {outcome.kind}: {outcome.detail}",))
    read = _read(outcome, _TRUTHS, bool)
    if read is None:
        return replace(draft, problems=("not checked: the reply holds no verdict",))
    words = {"answerable": "unanswerable", "self_contained": "cannot be understood by itself"}
    return replace(draft, problems=tuple(f"{words[n]}, says {author.model.name}" for n in _TRUTHS if not read[n]))


async def _ask(author: Author, request: Request, ladder: Ladder, attempt: int) -> Reply | Failure:
    """One draw, with a JSON schema as far as the server takes one, else in plain text."""
    draw = Draw(attempt=attempt, salt=author.caller.salt)
    while True:
        rung = ladder.rung
        asked = request if rung == "json_schema" else replace(request, schema=None)
        outcome = (await author.caller.complete(author.model, asked, draw)).outcome
        if not (isinstance(outcome, Failure) and ladder.leave(rung, outcome)):
            return outcome


def _request(
    author: Author, template: str, shown: str, schema: Mapping[str, Any], name: str, temperature: float
) -> Request:
    ours = {"temperature": temperature}
    if not any(limit in author.params for limit in ("max_tokens", "max_completion_tokens")):
        ours["max_tokens"] = MAX_TOKENS
    ours = {key: value for key, value in ours.items() if key not in author.params}
    messages = (_system(template), {"role": "user", "content": shown})
    params = {**author.params, **ours}
    return Request(messages, params, schema=schema, schema_name=name, ours=frozenset(ours), shared=1)


@cache
def _system(template: str) -> Message:
    package = __package__.partition(".")[0]
    text = (files(package) / "harness" / "templates" / template).read_text(encoding="utf-8")
    return {"role": "system", "content": text.strip()}


@cache
def _schema(names: tuple[str, ...], kind: str) -> Mapping[str, Any]:
    properties = {name: {"type": kind} for name in names}
    if kind == "boolean":
        properties = {"why": {"type": "string"}, **properties}
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _passage(source: Source) -> str:
    heading = f" · {source.heading}" if source.heading and source.heading != source.title else ""
    return _fenced("passage", f"{source.title}{heading}\n\n{source.text}")


def _fenced(tag: str, text: str) -> str:
    """``text`` between tags that carry its own hash, which it cannot hold: nothing in it closes them."""
    code = hashlib.sha256(text.encode()).hexdigest()[:_CODE_LENGTH]
    return f"<{tag}-{code}>\n{text}\n</{tag}-{code}>"


def _read(reply: Reply, names: Sequence[str], kind: type) -> dict[str, Any] | None:
    """The last JSON object in the reply that holds all of ``names`` as ``kind``, texts not empty; else ``None``."""
    text, decoder, found = reply.text, json.JSONDecoder(), None
    if reply.refusal or reply.finish_reason in ("length", "content_filter"):
        return None
    at, openings = text.find("{"), 0
    while at >= 0 and openings < _MOST_OPENINGS:
        openings += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict) and all(type(value.get(name)) is kind for name in names):
            found = {name: value[name].strip() if kind is str else value[name] for name in names}
        at = text.find("{", end)
    return found if found is None or all(value != "" for value in found.values()) else None

"""What stood before an answer: the messages that were really sent, else those that the sample makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...harness.candidates.prompted import default_prompt
from ...harness.candidates.templates import variables
from ...harness.records import Content, Message, Said, Sample
from ...harness.store.asked import Asked
from ...harness.text import plain
from .records import Prompt


def prompt_of(asked: Asked) -> Prompt:
    """The recorded request's messages and functions. Without one: the sample's history, then its question (or turns,
    with the answers to them in between) after the passages that the candidate retrieved or was given."""
    sample = asked.sample
    given = sum(message.get("role") == "assistant" for message in sample.messages)
    if asked.recorded:
        parallel = bool(asked.params.get("parallel_tool_calls", True))
        return Prompt(asked.messages, asked.tools or sample.tools, given, True, parallel)
    return Prompt(_made(asked), sample.tools, given, recorded=False)


def has_images(messages: tuple[Message, ...]) -> bool:
    """Whether a part of a message is no text."""
    contents = (message.get("content") for message in messages)
    return any(part.get("type") != "text" for content in contents for part in _parts(content))


def _parts(content: Any) -> tuple[Mapping[str, Any], ...]:
    return tuple(content) if isinstance(content, list | tuple) else ()


def _made(asked: Asked) -> tuple[Message, ...]:
    sample, said = asked.sample, asked.answer.outcome
    passages = tuple(passage.text for passage in said.retrieved) if isinstance(said, Said) else ()
    sample = replace(sample, context=passages) if passages else sample
    contents: tuple[Content, ...] = sample.turns
    if not contents and (sample.question or not sample.messages):
        contents = (sample.question,)
    earlier = said.turns[:-1] if isinstance(said, Said) else ()
    messages: tuple[Message, ...] = sample.messages
    for number, content in enumerate(contents, 1):
        messages = (*messages, _user(sample, content, messages, number))
        if number <= len(earlier):
            messages = (*messages, {"role": "assistant", "content": earlier[number - 1]})
    return messages


def _user(sample: Sample, content: Content, before: tuple[Message, ...], turn: int) -> Message:
    text = default_prompt(variables(sample, plain(content), before, turn))
    if isinstance(content, str):
        return {"role": "user", "content": text}
    rest = [part for part in content if part.get("type") != "text"]
    return {"role": "user", "content": [{"type": "text", "text": text}, *rest]}

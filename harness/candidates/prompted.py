"""A chat model with a prompt: one user message a sample, a fixed history, or a conversation of several turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..keys import call_key
from ..models.base import ChatModel
from ..records import Answer, Call, Content, Draw, Failed, Message, Request, Said, Sample
from ..text import plain
from .base import Caller
from .outcomes import answer_of, conversation_key, joined, said_or_failed
from .templates import Variables, variables

MAX_TOKENS = 1024
"""Our limit where the exam sets none; a model that refuses the parameter is asked without it."""


def default_prompt(values: Variables) -> str:
    """The user message where the exam names no template: the question, after the passages where there are any."""
    question: str = values["question"]
    if values["turn"] > 1 or not values["contexts"]:
        return question
    return f"Answer the question from the context.\n\nContext:\n{values['context']}\n\nQuestion: {question}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """How a sample becomes messages. ``own`` is True for a user's template, which also words the last message of a
    sample's history; our default leaves a history as it is."""

    render: Callable[[Variables], str] = default_prompt
    system: Message | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """Parameters of every request; ``ours`` names those that the exam does not set."""

    params: Mapping[str, Any]
    ours: frozenset[str] = frozenset()
    stream: bool = True
    tool_choice: str | None = None
    """Sent with samples that offer tools; without one, the model may call or not (`auto`)."""


def sampling(params: Mapping[str, Any], stream: bool, tool_choice: str | None = None) -> Sampling:
    """The exam's parameters and our token limit. One that the exam sets to null is not sent at all."""
    limited = any(name in params for name in ("max_tokens", "max_completion_tokens"))
    ours = {} if limited else {"max_tokens": MAX_TOKENS}
    given = {name: value for name, value in params.items() if value is not None}
    return Sampling({**given, **ours}, frozenset(ours), stream, tool_choice)


@dataclass(frozen=True, slots=True)
class _Script:
    """What will be asked of one sample: ``history`` as it stands, then each of ``contents`` as a user message."""

    history: tuple[Message, ...]
    contents: tuple[Content, ...]
    shared: int


@dataclass(frozen=True, slots=True)
class PromptedCandidate:
    """A `Candidate` over a `ChatModel`. ``slot`` tells candidates with identical settings apart."""

    name: str
    model: ChatModel
    caller: Caller
    prompt: Prompt
    sampling: Sampling
    slot: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """Its one model."""
        return (self.model,)

    def fingerprint(self, sample: Sample, trial: int) -> str:
        """Key of the first call, with the texts of the turns. Raises InputError for a template that cannot render."""
        request = self.preview(sample)
        return conversation_key(call_key(self.model.identity, request, self._draw(trial, 0)), sample)

    def preview(self, sample: Sample) -> Request:
        """The first request. Raises InputError for a template that cannot render."""
        script = self._script(sample)
        return self._request(self._opening(sample, script), sample, script)

    async def answer(self, sample: Sample, trial: int, attempt: int = 0) -> Answer:
        """One call, or one a turn on its own earlier answers; the first that fails ends the conversation."""
        script, draw = self._script(sample), self._draw(trial, attempt)
        messages = self._opening(sample, script)
        calls: list[Call] = []
        saids: list[Said] = []
        outcome: Said | Failed
        while True:
            call = await self.caller.complete(self.model, self._request(messages, sample, script), draw)
            calls.append(call)
            outcome = said_or_failed(call.outcome)
            if isinstance(outcome, Failed):
                break
            saids.append(outcome)
            if len(saids) >= len(script.contents):
                outcome = joined(saids) if sample.turns else outcome
                break
            reply = {"role": "assistant", "content": outcome.text}
            messages = (*messages, reply, self._user(sample, script.contents[len(saids)], messages, len(saids) + 1))
        key = conversation_key(calls[0].key, sample) if attempt == 0 else self.fingerprint(sample, trial)
        return answer_of(self.caller.run, sample, self.name, trial, outcome, calls, key)

    async def close(self) -> None:
        """Nothing beside its model, which the workflow closes."""

    def _draw(self, trial: int, attempt: int) -> Draw:
        return Draw(self.slot, trial, attempt=attempt, salt=self.caller.salt)

    def _request(self, messages: tuple[Message, ...], sample: Sample, script: _Script) -> Request:
        setting = self.sampling
        return Request(
            messages,
            setting.params,
            sample.tools,
            setting.tool_choice if sample.tools else None,
            ours=setting.ours,
            stream=setting.stream,
            shared=script.shared,
        )

    def _script(self, sample: Sample) -> _Script:
        history, contents = sample.messages, sample.turns
        if not contents and (sample.question or not history):
            contents = (sample.question,)
        elif not contents and self.prompt.own and history[-1].get("role") == "user":
            history, contents = history[:-1], (history[-1].get("content") or "",)
        system = self.prompt.system
        if system is None:
            return _Script(history, contents, 0)
        if history and history[0].get("role") == "system":
            # Many chat templates refuse a second system message.
            both = f"{system['content']}\n\n{plain(history[0].get('content') or '')}"
            return _Script(({"role": "system", "content": both}, *history[1:]), contents, 0)
        return _Script((system, *history), contents, 1)

    def _opening(self, sample: Sample, script: _Script) -> tuple[Message, ...]:
        if not script.contents:
            return script.history
        return (*script.history, self._user(sample, script.contents[0], script.history, 1))

    def _user(self, sample: Sample, content: Content, history: tuple[Message, ...], turn: int) -> Message:
        """The rendered user message; images of ``content`` follow its text unchanged."""
        text = self.prompt.render(variables(sample, plain(content), history, turn))
        if isinstance(content, str):
            return {"role": "user", "content": text}
        images = [part for part in content if part.get("type") != "text"]
        return {"role": "user", "content": [{"type": "text", "text": text}, *images]}

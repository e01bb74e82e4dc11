"""An application as a candidate: whatever it is reached by, its replies are kept exactly once like a model's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..keys import work_key
from ..models.base import ChatModel
from ..records import Answer, Call, Draw, Failed, Failure, Message, Reply, Request, Said, Sample
from .base import Caller
from .outcomes import answer_of, conversation_key, joined, said_or_failed

TIMEOUT_S = 120.0
"""How long an application may take for one answer, unless its ``timeout_s`` says otherwise."""


class App(Protocol):
    """The application itself: what determines its reply, and how to ask it, once."""

    @property
    def identity(self) -> str:
        """Its name in keys; never a host or port."""

    @property
    def version(self) -> str:
        """What else enters keys: the exam's ``version``, or a hash of its code or request template."""

    def input(self, sample: Sample, turn: int) -> Any:
        """The JSON that it is given; enters the key."""

    async def ask(self, sample: Sample, given: Any) -> Reply | Failure:
        """Ask once. ``given`` is the result of `input`. Never raises for what the application does."""

    async def close(self) -> None:
        """Release connections; may be called more than once."""


@dataclass(frozen=True, slots=True)
class AppCandidate:
    """A `Candidate` over an `App`. Of a conversation it is asked one turn at a time, with the history so far."""

    name: str
    model: str
    app: App
    caller: Caller
    slot: int = 0
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """None: an application calls its models itself."""
        return ()

    def fingerprint(self, sample: Sample, trial: int) -> str:
        """Key of the first call, with the texts of the turns."""
        first = _steps(seen(sample))[0]
        return conversation_key(self._key(self.app.input(first, 1), trial, 0), sample)

    def preview(self, sample: Sample) -> Request | None:
        """None: there is no request of ours."""
        return None

    async def answer(self, sample: Sample, trial: int, attempt: int = 0) -> Answer:
        """One call, or one a turn; the first that fails ends the conversation."""
        history = sample.messages
        calls: list[Call] = []
        saids: list[Said] = []
        outcome: Said | Failed = Said("")
        for turn, step in enumerate(_steps(seen(sample)), start=1):
            call = await self._call(replace(step, messages=history) if turn > 1 else step, turn, trial, attempt)
            calls.append(call)
            outcome = said_or_failed(call.outcome)
            if isinstance(outcome, Failed):
                break
            saids.append(outcome)
            history = (*history, _message("user", step.question), _message("assistant", outcome.text))
        else:
            outcome = joined(saids) if sample.turns else outcome
        key = conversation_key(calls[0].key, sample) if attempt == 0 else self.fingerprint(sample, trial)
        return answer_of(self.caller.run, sample, self.name, trial, outcome, calls, key)

    async def close(self) -> None:
        """Release what the application's client holds."""
        await self.app.close()

    async def _call(self, step: Sample, turn: int, trial: int, attempt: int) -> Call:
        given = self.app.input(step, turn)
        key = self._key(given, trial, attempt)
        return await self.caller.perform(key, self.model, lambda: self.app.ask(step, given))

    def _key(self, given: Any, trial: int, attempt: int) -> str:
        draw = Draw(self.slot, trial, attempt=attempt, salt=self.caller.salt)
        return work_key(self.app.identity, self.app.version, given, draw)


def seen(sample: Sample) -> Sample:
    """The sample as an application may see it: without the reference and every other label, cluster and tags.

    What is left, but for ``id``, is what its reply is keyed by: a corrected reference asks nothing again.
    """
    return replace(sample, reference=None, relevant={}, tool_calls=None, safety={}, cluster="", tags=(), sha256="")


def _steps(sample: Sample) -> tuple[Sample, ...]:
    if not sample.turns:
        return (sample,)
    return tuple(replace(sample, question=turn, turns=()) for turn in sample.turns)


def _message(role: str, content: Any) -> Message:
    return {"role": role, "content": content}

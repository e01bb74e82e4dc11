"""A model whose replies are kept: the same question is asked, and paid for, once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...harness.candidates.prompted import sampling
from ...harness.errors import CallFailed, EndpointGone
from ...harness.keys import call_key
from ...harness.models.base import ChatModel
from ...harness.records import Call, Draw, Failure, Message, Reply, Request
from ...harness.store.recorded import Cost, Sent
from ...harness.store.uses import Uses
from .desk import Asking, close_desk, desk_of


class CachedModel:
    """A `ChatModel` behind a workspace's store. Safe to use from any thread and any event loop at once."""

    def __init__(self, model: ChatModel, own: bool, workspace: str | Path, cost: Cost, offline: bool) -> None:
        self._model = model
        self._own = own
        self._workspace = workspace
        self._cost = cost
        self._offline = offline

    def __repr__(self) -> str:
        return f"cached({self.name!r})"

    @property
    def name(self) -> str:
        """As an exam writes it: ``openai/gpt-4o-mini``."""
        return self._model.name

    @property
    def uses(self) -> Uses:
        """How often this process asked the model, and how often the reply was there."""
        return desk_of(self._workspace).uses(self.name)

    def close(self) -> None:
        """Write down the counts and let the workspace go, for everything here that is cached in it.

        Not needed: it is done when the program ends, and the next question opens it again.
        """
        close_desk(self._workspace)

    def ask(self, messages: str | Sequence[Message], *, trial: int = 0, **options: Any) -> Reply:
        """The reply to a prompt or to chat messages: the recorded one, or a live one, committed before it is returned.

        ``options`` are ``tools``, ``tool_choice``, ``schema`` (a JSON schema) and sampling parameters; as in an exam,
        ``max_tokens`` is 1024 unless given. Another ``trial`` is another draw. Raises CallFailed where there is no
        reply, EndpointGone where the endpoint refuses every call, StoreError for the workspace.
        """
        return _reply(self.name, desk_of(self._workspace).submit(self._asking(messages, trial, options)).result())

    async def ask_async(self, messages: str | Sequence[Message], *, trial: int = 0, **options: Any) -> Reply:
        """Like `ask`. Where the caller is cancelled, a call on its way still arrives and is kept."""
        future = desk_of(self._workspace).submit(self._asking(messages, trial, options))
        return _reply(self.name, await asyncio.shield(asyncio.wrap_future(future)))

    def _asking(self, messages: str | Sequence[Message], trial: int, options: Mapping[str, Any]) -> Asking:
        desk, model, request = desk_of(self._workspace), self._model, request_of(messages, **options)
        if self._own:
            desk.keep(model)
        key = call_key(model.identity, request, Draw(trial=trial))

        async def live() -> Sent:
            if self._offline:
                return not_recorded(key)
            try:
                return await desk.dispatcher.send(model, request)
            except EndpointGone:
                desk.dispatcher.forget(model.limit_group)
                raise

        return Asking(model.name, key, request, live, self._cost)


def request_of(
    messages: str | Sequence[Message],
    *,
    tools: Sequence[Mapping[str, Any]] = (),
    tool_choice: str | Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
    **params: Any,
) -> Request:
    """What a candidate of an exam would send with these parameters, so that both find the same reply."""
    asked = ({"role": "user", "content": messages},) if isinstance(messages, str) else tuple(messages)
    sent = sampling(params, stream=False)
    return Request(asked, sent.params, tuple(tools), tool_choice, schema, ours=sent.ours)


def not_recorded(key: str) -> Sent:
    """What stands for a call that was not made."""
    return Failure("not_recorded", f"offline, and no reply is recorded under key {key}"), 0


def _reply(name: str, call: Call) -> Reply:
    if isinstance(call.outcome, Failure):
        raise CallFailed(f"{name}: {call.outcome.kind}: {call.outcome.detail}", call.outcome)
    return call.outcome

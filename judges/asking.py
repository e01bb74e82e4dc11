"""Asking a model for a verdict: down the ladder, again where it is unreadable, with twice the limit where it is cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ..harness.candidates.base import Caller
from ..harness.models.base import ChatModel
from ..harness.records import Call, Draw, Failure, Reply, Request, Unscored, UnscoredStatus
from ..harness.structured import Form, Ladder, Rung, Unreadable, Verdict, ask, read

T = TypeVar("T")
OnRung = Callable[[Request, Rung], Request]

TEMPERATURE = 0.1
MAX_TOKENS = 1024
"""Completion tokens allowed for a verdict; a truncated one is asked for again with twice as many."""
_LIMITS = ("max_tokens", "max_completion_tokens")
_STATUSES: Mapping[str, UnscoredStatus] = {"content_filter": "refused", "truncated": "truncated"}


class Asker:
    """Asks one model through one `Caller`; concurrent verdicts share the rung of the ladder that it stands on."""

    def __init__(self, model: ChatModel, caller: Caller) -> None:
        self.model = model
        self._caller = caller
        self._ladder = Ladder()

    def draw(self, repeat: int, attempt: int) -> Draw:
        """The first draw of an attempt. A judge sees texts only: equal ones, whoever wrote them, share one verdict."""
        return Draw(0, 0, repeat, 2 * attempt, self._caller.salt)

    @property
    def rung(self) -> Rung:
        """The rung to ask on."""
        return self._ladder.rung

    def preview(self, request: Request, form: Form) -> Request:
        """``request`` as it would be sent on the present rung."""
        return ask(request, form, self.rung)

    async def verdicts(
        self, request: Request, form: Form, draw: Draw, calls: list[str]
    ) -> dict[str, Verdict] | Unscored:
        """The verdict on every field of ``form``, or why there is none. The keys of calls go to ``calls``."""
        return await self.read(
            request, lambda asked, rung: ask(asked, form, rung), lambda reply: read(reply, form), draw, calls
        )

    async def read(
        self, request: Request, on_rung: OnRung, reader: Callable[[Reply], T | Unreadable], draw: Draw, calls: list[str]
    ) -> T | Unscored:
        """What ``reader`` finds in the reply, or why nothing. ``on_rung`` makes the request what it is on a rung."""
        enlarged = redrawn = False
        while True:
            call = await self._complete(request, on_rung, draw, calls)
            if isinstance(call.outcome, Failure):
                failure = call.outcome
                return Unscored(_STATUSES.get(failure.kind, "error"), f"{failure.kind}: {failure.detail}")
            found = reader(call.outcome)
            if not isinstance(found, Unreadable):
                return found
            larger = _with_twice_the_limit(request)
            if found.status == "truncated" and larger is not None and not enlarged:
                enlarged, request = True, larger
            elif found.status == "unparsable" and not redrawn:
                redrawn, draw = True, replace(draw, attempt=draw.attempt + 1)
            else:
                return Unscored(found.status, found.why)

    async def _complete(self, request: Request, on_rung: OnRung, draw: Draw, calls: list[str]) -> Call:
        """One draw, on the best rung that the model can stand on."""
        while True:
            rung = self._ladder.rung
            call = await self._caller.complete(self.model, on_rung(request, rung), draw)
            calls.append(call.key)
            if not (isinstance(call.outcome, Failure) and self._ladder.leave(rung, call.outcome)):
                return call


def parameters(given: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """The parameters of every request, and which of them are ours."""
    ours: dict[str, Any] = {}
    if "temperature" not in given:
        ours["temperature"] = TEMPERATURE
    if not any(name in given for name in _LIMITS):
        ours["max_tokens"] = MAX_TOKENS
    return {**given, **ours}, frozenset(ours)


def _with_twice_the_limit(request: Request) -> Request | None:
    """The request with twice the completion tokens; ``None`` where it sets no limit."""
    larger = {name: 2 * request.params[name] for name in _LIMITS if isinstance(request.params.get(name), int)}
    return replace(request, params={**request.params, **larger}) if larger else None

"""Options that we set by default and a model refuses are dropped, remembered, and named in the reply.

One that the user set is an error: an exam that silently ran with other parameters would report the wrong thing.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..records import Failure, Reply, Request
from .faults import ServerError

RESENDS = 8
_INSTEAD = {"max_tokens": "max_completion_tokens"}
_FORMAT = re.compile(
    r"response_format|json_schema|output_config|output_format|structured output|grammar|guided", re.IGNORECASE
)
_TOOLS = re.compile(r"\btools?\b|tool[_ -]|function call", re.IGNORECASE)
_CANNOT = re.compile(
    r"not (?:\w+ )?support|unsupported|require|not implemented|unknown|unrecogni[sz]ed|extra|not permitted",
    re.IGNORECASE,
)


class Concessions:
    """What one model refused so far: option → the name it goes by instead, or ``None`` where it is left out."""

    __slots__ = ("_instead",)

    def __init__(self) -> None:
        self._instead: dict[str, str | None] = {}

    def refuses(self, option: str) -> bool:
        """Whether ``option`` was refused before."""
        return option in self._instead

    def options(self, request: Request) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The options to send (parameters and ``tool_choice``) and the names of ours that were refused."""
        wanted = request.params
        if request.tool_choice is not None and request.tools:
            wanted = {**wanted, "tool_choice": request.tool_choice}
        if not self._instead:
            return wanted, ()
        given, refused = {}, []
        for name, value in wanted.items():
            if name not in request.ours or name not in self._instead:
                given[name] = value
                continue
            refused.append(name)
            instead = self._instead[name]
            if instead is not None and instead not in wanted:
                given[instead] = value
        return given, tuple(refused)

    def concede(self, option: str) -> None:
        """Leave ``option`` out from now on, or send it under its other name."""
        renamed = next((name for name, instead in _INSTEAD.items() if instead == option), None)
        if renamed is not None:
            self._instead[renamed] = None
        self._instead[option] = _INSTEAD.get(option)


async def complete_with_concessions(
    send: Callable[[Request], Awaitable[Reply | Failure | ServerError]],
    request: Request,
    concessions: Concessions,
    model: str,
) -> Reply | Failure:
    """``send`` the request; where the server refuses an option of ours, leave it out and send again at once."""
    resends = 0
    while True:
        sent, _ = concessions.options(request)
        # Before the request is sent: what is left out may be another when it comes back.
        names = [*sent, "stream_options"] if request.stream and not concessions.refuses("stream_options") else [*sent]
        outcome = await send(request)
        if not isinstance(outcome, ServerError):
            return outcome
        option = _refused_option(outcome, names, request)
        if option is None or not _is_ours(option, request) or resends == RESENDS:
            return _explain(outcome, option, model, request)
        resends += 1
        if concessions.options(request)[0] == sent:  # else another call learned it meanwhile
            concessions.concede(option)


def _is_ours(option: str, request: Request) -> bool:
    return (
        option == "stream_options"
        or option in request.ours
        or (option == "max_completion_tokens" and "max_tokens" in request.ours)
    )


def _refused_option(error: ServerError, names: list[str], request: Request) -> str | None:
    """The option that the error names, those of ours first."""
    if error.status not in (400, 422) or error.kind != "bad_request":
        return None
    named = error.param.split(".")[0].split("[")[0]
    if named:
        return named if named in names else None
    mentioned = [name for name in names if _mentions(error.message, name)]
    return min(mentioned, key=lambda name: not _is_ours(name, request), default=None)


def _mentions(message: str, name: str) -> bool:
    words = name.replace("_", "[_ ]")
    if len(name) <= 4:  # `n`, `stop`, `seed`: words that a sentence may hold for other reasons
        words = f"['\"`]{words}['\"`]"
    return re.search(rf"(?<!\w){words}(?!\w)", message) is not None


def _explain(error: ServerError, option: str | None, model: str, request: Request) -> Failure:
    if option is not None:
        instead = _INSTEAD.get(option)
        remedy = f"write {instead} instead" if instead else "remove it or change its value"
        return error.failure("bad_request", f"{model} refuses the parameter {option!r}; {remedy}: {error.message}")
    if error.kind in ("bad_request", "server_error") and (error.status < 500 or _CANNOT.search(error.message)):
        named = f"{error.param} {error.message}"
        if request.schema is not None and _FORMAT.search(named):
            return error.failure("unsupported", f"{model} cannot follow a JSON schema: {error.message}")
        if request.tools and _TOOLS.search(named):
            return error.failure("unsupported", f"{model} cannot call tools: {error.message}")
    return error.failure()

"""Before anything is measured: does the endpoint answer, does it stream, which options does it take?"""

from __future__ import annotations

import asyncio

from ..errors import EndpointGone, InputError
from ..records import Failure, Reply, Request
from .loop import FATAL, Asked
from .prompts import at_most, of_length

TOKENS = 8
MOST = 5
PAUSE_S = 0.02
"""Long enough for a server to close a connection that it does not mean to use again."""


async def probe(asked: Asked, candidate: str, output_tokens: int | None) -> None:
    """A few short requests, one after the other; none of them is measured.

    The first learns which options the server refuses, the others whether its connections can be used again (llama.cpp
    closes them in spite of what it says): what is learnt here makes no request of a cell fail, or go out twice. Raises
    EndpointGone where nobody answers or the key is refused, InputError where it refuses the request or does not stream.
    """
    for number in range(MOST):
        _, request = asked.ask(number)
        short = at_most(request, TOKENS) if output_tokens is None else of_length(request, min(TOKENS, output_tokens))
        outcome = await paid(asked, short)
        if number == 0:
            _accept(outcome, asked.model.name, candidate)
        if isinstance(outcome, Failure):
            return
        await asyncio.sleep(PAUSE_S)


async def warm(asked: Asked, count: int) -> None:
    """Ask the first ``count`` prompts once, so that the server has their prefixes in its cache."""
    for number in range(count):
        await paid(asked, at_most(asked.ask(number)[1], 1))


async def paid(asked: Asked, request: Request) -> Reply | Failure:
    """One request on the budget. Raises BudgetReached."""
    model, outcome = asked.model, None
    reserved = asked.purse.take(model.name, request)
    try:
        outcome = await model.complete(request)
    finally:
        asked.purse.settle(model.name, reserved, outcome)
    return outcome


def _accept(outcome: Reply | Failure, model: str, candidate: str) -> None:
    if isinstance(outcome, Failure):
        said = outcome.detail.removeprefix(f"{model}: ")
        if outcome.kind in FATAL or outcome.kind == "network":
            raise EndpointGone(
                f"{model}: {said}: check that the server runs, its base_url, the model's name and its key"
            )
        if outcome.kind in ("bad_request", "unsupported", "context_overflow"):
            raise InputError(f"candidate {candidate!r}: {model} refuses its prompt: {said}")
    elif outcome.timing.ttft_s is None and outcome.text:
        raise InputError(
            f"candidate {candidate!r}: {model} answers with whole replies although a stream was asked for, so that no "
            "token can be timed: turn streaming on at the server or the proxy before it"
        )

"""A cap on money that holds: the worst case of everything in flight is reserved before it is sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import orjson

from ..errors import BudgetReached, InputError
from ..records import Request, Usage

VARIABLE = "MARKSCHEME_BUDGET_USD"
_UNLIMITED_OUTPUT = 32_768
"""Completion tokens assumed where a request sets no limit of its own."""
_OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens")


def budget_usd(declared: float | None) -> float | None:
    """The smaller of the exam's cap and the environment's; ``None`` for no cap. Raises InputError for nonsense."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return declared
    try:
        cap = float(text)
    except ValueError:
        cap = -1.0
    if not cap >= 0:
        raise InputError(f"{VARIABLE}={text!r}: must be a number of US dollars, 0 or more")
    return cap if declared is None else min(cap, declared)


def worst_case(request: Request) -> Usage:
    """Most tokens the request can cost: a byte a token in, every allowed token out."""
    size = len(orjson.dumps([request.messages, request.tools, request.schema]))
    limits = [request.params[name] for name in _OUTPUT_LIMITS if isinstance(request.params.get(name), int)]
    return Usage(prompt_tokens=size, completion_tokens=max(limits, default=_UNLIMITED_OUTPUT))


class Budget:
    """Reserve, then settle. When the reserve would break the cap, wait for what is in flight to cost less than feared;
    when nothing is in flight, raise BudgetReached."""

    def __init__(self, cap_usd: float, spent_usd: float, cost: Callable[[str, Usage], float | None]) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = spent_usd
        self._reserved_usd = 0.0
        self._cost = cost
        self._settled = asyncio.Event()

    async def reserve(self, model: str, request: Request) -> float:
        """USD set aside for one call."""
        amount = self._cost(model, worst_case(request))
        if amount is None:
            raise InputError(
                f"model {model!r} has no known price, so a budget of ${self.cap_usd:.2f} cannot be kept: "
                "name its price under prices: in the exam, or remove budget_usd"
            )
        while self.spent_usd + self._reserved_usd + amount > self.cap_usd:
            if not self._reserved_usd:
                raise BudgetReached(
                    f"budget of ${self.cap_usd:.2f} reached: ${self.spent_usd:.4f} spent, and the next call to "
                    f"{model!r} could cost up to ${amount:.4f}"
                )
            self._settled.clear()
            await self._settled.wait()
        self._reserved_usd += amount
        return amount

    def cost_of(self, model: str, usage: Usage) -> float:
        """USD of a reply; 0 where the price is unknown (then `reserve` has refused already)."""
        return self._cost(model, usage) or 0.0

    def settle(self, reserved_usd: float, cost_usd: float) -> None:
        """Replace a reservation by what the call cost."""
        self._reserved_usd = max(0.0, self._reserved_usd - reserved_usd)
        if self._reserved_usd < 1e-12:
            self._reserved_usd = 0.0
        self.spent_usd += cost_usd
        self._settled.set()

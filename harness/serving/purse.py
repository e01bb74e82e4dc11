"""The money of a load test: a request that could exceed the budget is not sent, and none waits for another."""

from __future__ import annotations

from collections.abc import Callable

from ..dispatch.budget import worst_case
from ..errors import BudgetReached
from ..records import Failure, Reply, Request, Usage

Cost = Callable[[str, Usage], float | None]


class Purse:
    """USD spent and set aside. ``cap_usd`` is ``None`` for no budget; then nothing is ever refused."""

    def __init__(self, cap_usd: float | None, spent_usd: float, cost: Cost) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = spent_usd
        self._reserved_usd = 0.0
        self._cost = cost

    def take(self, model: str, request: Request) -> float:
        """USD set aside for one call: the most it can cost. Raises BudgetReached where that is not left."""
        if self.cap_usd is None:
            return 0.0
        amount = self._cost(model, worst_case(request)) or 0.0
        if self.spent_usd + self._reserved_usd + amount > self.cap_usd:
            raise BudgetReached(
                f"budget of ${self.cap_usd:.2f} reached: ${self.spent_usd:.4f} spent, up to ${self._reserved_usd:.4f} "
                f"in flight, and the next call to {model!r} could cost up to ${amount:.4f}"
            )
        self._reserved_usd += amount
        return amount

    def settle(self, model: str, reserved_usd: float, outcome: Reply | Failure | None) -> float | None:
        """Replace what was set aside by what the call cost: USD, ``None`` where it failed or no price is known.

        A call that was dropped on its way (``None``) may cost all of it, and counts as if it did.
        """
        self._reserved_usd = max(0.0, self._reserved_usd - reserved_usd)
        if outcome is None:
            self.spent_usd += reserved_usd
        if not isinstance(outcome, Reply):
            return None
        cost = self._cost(model, outcome.usage)
        self.spent_usd += cost or 0.0
        return cost

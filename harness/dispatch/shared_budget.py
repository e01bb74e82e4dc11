"""A budget that several processes keep together: each call takes its worst case out of one purse before it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..errors import BudgetReached
from ..records import Request, Usage
from ..store.shared_purse import SharedPurse
from .budget import Budget

_LOOK_EVERY_S = 0.05
PATIENCE_S = 300.0
"""Seconds without any movement after which what others set aside counts as spent: they may have been killed."""


class SharedBudget(Budget):
    """Keeps the cap of a run (infinite for one without) and that of the purse."""

    def __init__(
        self, cap_usd: float, spent_usd: float, cost: Callable[[str, Usage], float | None], purse: SharedPurse
    ) -> None:
        super().__init__(cap_usd, spent_usd, cost)
        self._purse = purse

    async def reserve(self, model: str, request: Request) -> float:
        """See `Budget.reserve`; waits while others may still spend less than they set aside."""
        amount = await super().reserve(model, request)
        try:
            await self._take(model, amount)
        except BaseException:
            super().settle(amount, 0.0)
            raise
        return amount

    def settle(self, reserved_usd: float, cost_usd: float) -> None:
        """See `Budget.settle`."""
        super().settle(reserved_usd, cost_usd)
        self._purse.settle(reserved_usd, cost_usd)

    async def _take(self, model: str, amount: float) -> None:
        last, moved_at = self._purse.standing(), time.monotonic()
        while not self._purse.take(amount):
            now = self._purse.standing()
            if now != last:
                last, moved_at = now, time.monotonic()
            spent, reserved = now
            if not reserved or time.monotonic() - moved_at > PATIENCE_S:
                raise BudgetReached(
                    f"budget of ${self._purse.cap_usd:.2f} reached: ${spent:.4f} spent by all processes together, "
                    f"${reserved:.4f} set aside, and the next call to {model!r} could cost up to ${amount:.4f}"
                )
            await asyncio.sleep(_LOOK_EVERY_S)

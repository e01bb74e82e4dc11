"""Which failures are worth another attempt, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..records import Failure

RETRIED = frozenset({"rate_limited", "server_error", "network", "malformed"})
"""Ours, and likely to pass. A time-out is the candidate's: trying again at once would hide how slow it is."""

FATAL = frozenset({"unauthorized", "not_found"})
"""No call to this endpoint can succeed until the operator acts."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with full jitter; the server's Retry-After is a lower bound. Times in seconds."""

    max_attempts: int = 8
    base_s: float = 0.5
    cap_s: float = 30.0
    longest_wait_s: float = 300.0
    """A Retry-After beyond this is not waited for: the call fails and a later run tries again."""

    def delay(self, failure: Failure, attempt: int, rng: random.Random) -> float | None:
        """Seconds to wait after the ``attempt``-th try (1-based) failed, or ``None`` to give up."""
        if failure.kind not in RETRIED or attempt >= self.max_attempts:
            return None
        wait = rng.uniform(0, min(self.cap_s, self.base_s * 2 ** (attempt - 1)))
        if failure.retry_after_s is not None:
            if failure.retry_after_s > self.longest_wait_s:
                return None
            wait += failure.retry_after_s
        return wait

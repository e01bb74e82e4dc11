"""What a run is doing right now: counters that dispatch writes and whoever likes may read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of the phase at work. ``spent_usd`` sums known prices; ``unpriced`` counts calls without one."""

    phase: str = ""
    total: int = 0
    done: int = 0
    skipped: int = 0
    """Already there, nothing to do."""
    failed: int = 0
    in_flight: int = 0
    live: int = 0
    reused: int = 0
    retries: int = 0
    spent_usd: float = 0.0
    unpriced: int = 0
    worked: int = 0
    """Items done in all phases."""
    started_at: float = field(default_factory=time.monotonic)

    def begin(self, phase: str, total: int, skipped: int) -> None:
        """A new phase with ``total`` items to do."""
        self.worked += self.done
        self.phase, self.total, self.skipped = phase, total, skipped
        self.done = self.failed = 0
        self.started_at = time.monotonic()

    @property
    def per_second(self) -> float:
        """Items done per second since the phase began."""
        return self.done / max(1e-9, time.monotonic() - self.started_at)

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far; ``None`` before the first item is done."""
        return (self.total - self.done) / self.per_second if self.done else None

"""Money that several processes spend together: one small SQLite file, apart from the workspace's tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError

_PATIENCE_S = 30.0
"""Seconds that one process waits for the file while others write to it."""


@dataclass(frozen=True, slots=True)
class SharedPurse:
    """USD spent and set aside under one cap. All who know ``path`` share it; the first to touch it makes it."""

    path: Path
    cap_usd: float

    def take(self, amount: float) -> bool:
        """Set ``amount`` USD aside, unless the cap would not hold if everything that is set aside were spent."""
        with self._opened() as file:
            taken = file.execute(
                "UPDATE purse SET reserved = reserved + ? WHERE spent + reserved + ? <= ?",
                (amount, amount, self.cap_usd),
            )
            return taken.rowcount == 1

    def settle(self, reserved: float, cost: float) -> None:
        """Replace what was set aside by what it cost."""
        with self._opened() as file:
            file.execute("UPDATE purse SET reserved = reserved - ?, spent = spent + ?", (reserved, cost))

    def standing(self) -> tuple[float, float]:
        """USD spent, and set aside at present."""
        with self._opened() as file:
            spent, reserved = file.execute("SELECT spent, reserved FROM purse").fetchone()
        return spent, 0.0 if reserved < 1e-12 else reserved

    def remove(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)
            try:
                file.execute("PRAGMA synchronous = OFF")  # it lives no longer than the processes that share it
                file.execute("CREATE TABLE IF NOT EXISTS purse (id INTEGER PRIMARY KEY, spent REAL, reserved REAL)")
                file.execute("INSERT OR IGNORE INTO purse VALUES (1, 0.0, 0.0)")
                yield file
            finally:
                file.close()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: the shared budget cannot be kept: {error}") from error

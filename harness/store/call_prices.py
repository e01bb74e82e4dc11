"""What recorded calls cost and how long they took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from .schema import calls
from .store import Store, select_in


@dataclass(frozen=True, slots=True)
class Paid:
    """USD (``None`` where no price is known) and seconds of one call; a failed one is free and has no seconds."""

    usd: float | None
    seconds: float


def paid_for(store: Store, keys: Iterable[str]) -> dict[str, Paid]:
    """Key -> price of those calls that are recorded with a reply or a failure."""
    query = sa.select(calls.c.key, calls.c.status, calls.c.cost_usd, calls.c.e2e_s)
    wanted = list(dict.fromkeys(keys))
    with store.reading() as connection:
        return {
            row["key"]: Paid(row["cost_usd"], row["e2e_s"] or 0.0) if row["status"] == "ok" else Paid(0.0, 0.0)
            for row in select_in(connection, query, calls.c.key, wanted)
        }


def replied(store: Store, keys: Iterable[str]) -> set[str]:
    """Those of the keys under which a reply is recorded: they are not paid again."""
    query = sa.select(calls.c.key).where(calls.c.status == "ok")
    with store.reading() as connection:
        return {row["key"] for row in select_in(connection, query, calls.c.key, list(dict.fromkeys(keys)))}

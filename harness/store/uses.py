"""What a workspace's recorded replies are good for: how often they were asked for again, and what that saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from ..records import Call
from .codec import Row
from .queries import SHEET
from .schema import answers, cache_uses, calls, grades, preferences
from .store import Store

PAYER = "cached"
"""Stands where the id of a run would: code of a user's own paid."""
IMPORTED = "imported"
"""Likewise: nobody paid here, the reply was brought in."""


@dataclass(frozen=True, slots=True)
class Uses:
    """How often a model was asked, and how often the reply was there. ``saved_usd`` is what re-used replies had cost;
    ``unpriced`` of them have no known price."""

    asked: int = 0
    reused: int = 0
    saved_usd: float = 0.0
    unpriced: int = 0

    def after(self, reused: Call | None) -> Uses:
        """With one more question; ``reused`` is the call that was there, ``None`` where one had to be made."""
        if reused is None:
            return replace(self, asked=self.asked + 1)
        cost = reused.cost_usd
        return Uses(self.asked + 1, self.reused + 1, self.saved_usd + (cost or 0.0), self.unpriced + (cost is None))

    def __add__(self, other: Uses) -> Uses:
        return Uses(
            self.asked + other.asked,
            self.reused + other.reused,
            self.saved_usd + other.saved_usd,
            self.unpriced + other.unpriced,
        )

    @property
    def hit_rate(self) -> float | None:
        """Share of the questions whose reply was there; ``None`` where nothing was asked."""
        return self.reused / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class ModelUses:
    """One model of a workspace. ``paid_usd`` is of the replies recorded here that were paid from here, as far as their
    price is known; ``unpriced`` of them have none."""

    model: str
    replies: int
    imported: int
    failed: int
    paid_usd: float
    unpriced: int
    uses: Uses


def uses_row(session: str, model: str, uses: Uses, now: float) -> Row:
    """A row of `schema.cache_uses`; ``now`` is Unix time."""
    return {
        "session": session,
        "model": model,
        "last_at": now,
        "asked": uses.asked,
        "reused": uses.reused,
        "saved_usd": uses.saved_usd,
        "unpriced": uses.unpriced,
    }


def model_uses(store: Store) -> list[ModelUses]:
    """Every model that was asked or has replies here, by name; answers from sheets are nobody's calls.

    A run asks once for each call that it points at or paid; code of a user's own counts for itself.
    """
    with store.reading() as connection:
        kept = {row["model"]: row for row in connection.execute(_kept()).mappings()}
        found = {model: Uses(asked=row["asked"]) for model, row in kept.items()}
        for query in (_reused_by_runs(connection), _counted()):
            for model, asked, reused, saved_usd, unpriced in connection.execute(query):
                found[model] = found.get(model, Uses()) + Uses(asked, reused, saved_usd, unpriced)
    return [_model(name, kept.get(name), uses) for name, uses in sorted(found.items())]


def _model(name: str, row: sa.RowMapping | None, uses: Uses) -> ModelUses:
    if row is None:
        return ModelUses(name, 0, 0, 0, 0.0, 0, uses)
    return ModelUses(
        name, row["replies"], row["imported"], row["failed"], row["paid_usd"] or 0.0, row["unpriced"], uses
    )


def _kept() -> sa.Select[Any]:
    c = calls.c
    ok, brought = c.status == "ok", c.run == IMPORTED
    return (
        sa.select(
            c.model,
            _count(ok).label("replies"),
            _count(ok, brought).label("imported"),
            _count(~ok).label("failed"),
            sa.func.sum(sa.case((ok & ~brought, c.cost_usd))).label("paid_usd"),
            _count(ok, ~brought, c.cost_usd.is_(None)).label("unpriced"),
            _count(ok, c.run.not_in((PAYER, IMPORTED))).label("asked"),
        )
        .where(c.model.not_like(f"{SHEET}%"))
        .group_by(c.model)
    )


def _count(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))


def _reused_by_runs(connection: sa.Connection) -> sa.Select[Any]:
    c, every = calls.c, pointed(connection.dialect.name).subquery().c
    there = (
        sa.select(every.run, c.key, c.model, c.cost_usd)
        .join_from(calls, every.key.table, c.key == every.key)
        .where(c.run != every.run, c.status == "ok", c.model.not_like(f"{SHEET}%"))
        .distinct()
        .subquery()
        .c
    )
    n, known = sa.func.count(), sa.func.count(there.cost_usd)
    saved = sa.func.coalesce(sa.func.sum(there.cost_usd), 0.0)
    return sa.select(there.model, n, n, saved, n - known).group_by(there.model)


def _counted() -> sa.Select[Any]:
    u = cache_uses.c
    sums = (sa.func.sum(column) for column in (u.asked, u.reused, u.saved_usd, u.unpriced))
    return sa.select(u.model, *sums).group_by(u.model)


def pointed(dialect: str) -> sa.CompoundSelect[Any]:
    """(run, key) of every call that a run's answers, grades and preferences point at, as often as they do."""
    return sa.union_all(*_pointers(dialect))


def _pointers(dialect: str) -> Iterator[sa.Select[tuple[str, str]]]:
    for table in (answers, grades, preferences):
        if dialect == "sqlite":
            keys = sa.func.json_each(table.c.calls).table_valued("value")
        else:
            keys = sa.func.json_array_elements_text(sa.cast(table.c.calls, sa.JSON)).table_valued("value")
        yield sa.select(table.c.run.label("run"), keys.c.value.label("key")).select_from(table.join(keys, sa.true()))

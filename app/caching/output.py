"""What the commands of `cache` print with `--json`."""

from __future__ import annotations

from pydantic import BaseModel

from ..shown import Shown


class CacheModelRow(BaseModel):
    """One model. Dollars are of replies whose price is known; ``paid_unpriced`` and ``saved_unpriced`` count others."""

    model: str
    replies: int
    imported: int
    failed: int
    asked: int
    reused: int
    hit_rate: float | None
    saved_usd: float
    saved_unpriced: int
    paid_usd: float
    paid_unpriced: int


class CacheStatsOutput(Shown):
    """`markscheme cache stats`: every model, and all of them together."""

    models: list[CacheModelRow]
    total: CacheModelRow


class CachePruneOutput(Shown):
    """`markscheme cache prune`: ``removed`` calls, or those that would be (``dry_run``), and those that runs keep."""

    removed: int
    kept_for_runs: int
    dry_run: bool


class CacheExportOutput(Shown):
    """`markscheme cache export`: documents of replies, and how many of them were not there before."""

    to: str
    documents: int
    written: int


class CacheImportOutput(Shown):
    """`markscheme cache import`: ``unusable`` counts documents by what is wrong with them."""

    documents: int
    imported: int
    known: int
    unusable: dict[str, int]

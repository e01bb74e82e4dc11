"""What `cache stats` and `cache prune` do, once their words are parsed."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import typer

from ...harness.errors import InputError
from ...harness.store.replies import prune as pruned
from ...harness.store.uses import ModelUses, Uses, model_uses
from ...reports import words
from ..commands import emit
from ..references import opened
from ..terminal import console, grid
from .output import CacheModelRow, CachePruneOutput, CacheStatsOutput

_AGE = re.compile(r"(\d+(?:\.\d+)?)([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def stats(workspace: str, json: bool) -> None:
    """Print how often replies were there, and what that saved."""
    found = counted(workspace)
    if json:
        emit(found)
        return
    titles = ["model", "replies", "imported", "asked", "re-used", "hit rate", "saved", "paid"]
    shown = [*found.models, found.total] if len(found.models) > 1 else found.models
    console(sys.stdout).print(grid(titles, map(_cells, shown)))


def counted(workspace: str | Path) -> CacheStatsOutput:
    """How often replies were there, and what that saved."""
    with closing(opened(workspace)) as store:
        rows = [_row(one) for one in model_uses(store)]
    return CacheStatsOutput(models=rows, total=_total(rows))


def _row(one: ModelUses) -> CacheModelRow:
    uses = one.uses
    return CacheModelRow(
        model=one.model,
        replies=one.replies,
        imported=one.imported,
        failed=one.failed,
        asked=uses.asked,
        reused=uses.reused,
        hit_rate=uses.hit_rate,
        saved_usd=uses.saved_usd,
        saved_unpriced=uses.unpriced,
        paid_usd=one.paid_usd,
        paid_unpriced=one.unpriced,
    )


def _total(rows: Sequence[CacheModelRow]) -> CacheModelRow:
    names = CacheModelRow.model_fields.keys() - {"model", "hit_rate"}
    sums = {name: sum(getattr(row, name) for row in rows) for name in names}
    return CacheModelRow(model="all", hit_rate=Uses(sums["asked"], sums["reused"]).hit_rate, **sums)


def _cells(row: CacheModelRow) -> list[str]:
    rate = "–" if row.hit_rate is None else f"{100 * row.hit_rate:.0f} %"
    counts = (row.replies, row.imported, row.asked, row.reused)
    money = (_dollars(row.saved_usd, row.saved_unpriced), _dollars(row.paid_usd, row.paid_unpriced))
    return [row.model, *(f"{n:,}" for n in counts), rate, *money]


def _dollars(usd: float, unpriced: int) -> str:
    if not unpriced:
        return words.usd(usd)
    return f"{words.usd(usd)} + {unpriced:,} unpriced" if usd else "unknown"


def prune(workspace: str, older_than: str, model: str, used: bool, dry: bool, json: bool) -> None:
    """Forget calls by age and model, and say how many."""
    done = forgotten(workspace, older_than, model, used, dry)
    if json:
        emit(done)
        return
    what = "would be removed" if dry else "removed"
    kept = f"; {words.plural(done.kept_for_runs, 'call')} of runs kept (--also-used takes them too)"
    typer.echo(f"{words.plural(done.removed, 'call')} {what}{kept if done.kept_for_runs else ''}")


def forgotten(workspace: str | Path, older_than: str, model: str, used: bool, dry: bool) -> CachePruneOutput:
    """Forget calls by age and model. Raises InputError where neither is given."""
    if not older_than and not model:
        raise InputError("cache prune: say which calls, with --older-than AGE or --model NAME")
    before = time.time() - 3600 * _hours(older_than) if older_than else None
    with closing(opened(workspace)) as store:
        done = pruned(store, before, model, used, dry)
    return CachePruneOutput(removed=done.calls, kept_for_runs=done.kept, dry_run=dry)


def _hours(age: str) -> float:
    match = _AGE.fullmatch(age)
    if match is None:
        raise InputError(f"--older-than {age!r}: wanted a number with h, d or w, like 30d")
    return float(match[1]) * _HOURS[match[2]]

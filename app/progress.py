"""Progress on standard error: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..harness.dispatch.tally import Tally

_PLAIN_EVERY_S = 10.0
_LIVE_EVERY_S = 0.25


@asynccontextmanager
async def showing(tally: Tally, quiet: bool = False) -> AsyncIterator[None]:
    """Show ``tally`` for the length of the block."""
    if quiet:
        yield
        return
    watch = asyncio.create_task(_live(tally) if sys.stderr.isatty() else _plain(tally))
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


def line(tally: Tally) -> str:
    """``grades 120/400 · 64 in flight · 2 failed · 30 cached · 41.2/s · $0.12 · 7 s left``."""
    parts = [f"{tally.phase} {tally.done}/{tally.total}", f"{tally.in_flight} in flight", f"{tally.failed} failed"]
    cached = tally.skipped + tally.reused
    parts.append(f"{cached} cached")
    parts.append(f"{tally.per_second:.1f}/s")
    parts.append(money(tally))
    if tally.retries:
        parts.append(f"{tally.retries} retries")
    if (left := tally.seconds_left) is not None and tally.done < tally.total:
        parts.append(f"{_duration(left)} left")
    return " · ".join(parts)


def money(tally: Tally) -> str:
    """Dollars paid by this command; ``price unknown`` is never shown as zero."""
    known = f"${tally.spent_usd:.4f}" if tally.spent_usd < 1 else f"${tally.spent_usd:.2f}"
    if not tally.unpriced:
        return known
    return "price unknown" if not tally.spent_usd else f"{known} + {tally.unpriced} calls of unknown price"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


async def _plain(tally: Tally) -> None:
    shown = time.monotonic()
    while True:
        await asyncio.sleep(1.0)
        if time.monotonic() - shown >= _PLAIN_EVERY_S:
            shown = time.monotonic()
            print(line(tally), file=sys.stderr, flush=True)  # noqa: T201 - this is the command line's voice


async def _live(tally: Tally) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24))
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", total=1)
        while True:
            progress.update(
                task, description=line(tally), total=max(1, tally.total), completed=tally.done, refresh=True
            )
            await asyncio.sleep(_LIVE_EVERY_S)

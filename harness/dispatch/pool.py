"""A fixed crew of workers over any number of items: memory does not grow with the exam."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from ..errors import Stopped

Item = TypeVar("Item")


async def run_pool(
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], workers: int, stop: asyncio.Event
) -> None:
    """Give every item to ``work``, ``workers`` at a time. The first exception (or ``stop``) ends the intake.

    What has begun is finished first, since it is being paid for; then the exception is raised.
    """
    queue = iter(items)
    errors: list[BaseException] = []

    async def worker() -> None:
        try:
            for item in queue:
                if stop.is_set():
                    return
                await work(item)
        except Stopped:
            return  # not asked, so not paid: it is left for the next run
        except Exception as error:
            errors.append(error)
            stop.set()

    tasks = [asyncio.create_task(worker()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    if errors:
        raise errors[0]


async def all_pools(pools: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run pools side by side, each to its end: one that fails must not leave what another has in flight unrecorded.

    Raises what the first of them raised.
    """
    outcomes = await asyncio.gather(*pools, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome

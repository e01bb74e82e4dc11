"""A fixed crew of workers over any number of items: memory does not grow with the exam."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

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
        for item in queue:
            try:
                await work(item)
            except Exception as error:
                errors.append(error)
                stop.set()
            if stop.is_set():
                return

    tasks = [asyncio.create_task(worker()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    if errors:
        raise errors[0]

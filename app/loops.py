"""Coroutines from functions that are called where an event loop may run already, as it does in a notebook."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_anywhere(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine to its end, in a thread of its own where this one has a loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    outcome: list[Result] = []
    errors: list[BaseException] = []
    cancel: list[Callable[[], object]] = []
    done = threading.Event()

    async def cancellable() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        return await main()

    def target() -> None:
        try:
            outcome.append(asyncio.run(cancellable()))
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=target, name="markscheme-run")
    thread.start()
    try:
        done.wait()  # and not `join`, which an interrupt leaves in a state of its own (Python 3.11)
    except KeyboardInterrupt:  # a notebook's stop button: without this the thread would go on calling, and paying
        for stop in cancel:
            stop()
        done.wait()
        raise
    if errors:
        raise errors[0]
    return outcome[0]

"""`markscheme review serve`: the page on loopback, until Ctrl-C. Nothing is lost by a harder end either."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import web

from ...harness.errors import InputError
from ...harness.review.records import Item, Review
from ...harness.store.reviews import Reviews
from ...harness.store.store import Store
from ..loops import run_anywhere
from .api import application
from .blind import BlindReview
from .guard import Guard
from .rubrics import AnyRubric
from .views import RaterProgress

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve: port 0 is any free one. In round 2, ``chosen`` are rated again, by whoever gives a name."""

    port: int = 0
    round: int = 1
    chosen: Sequence[Item] = ()


def serve_review(
    store: Store, review: Review, rubric: AnyRubric, serving: Serving, say: Callable[[str], None]
) -> list[RaterProgress]:
    """Serve the page until Ctrl-C or SIGTERM; ``say`` is given the address first. Returns how far each rater is.

    Raises InputError where the port is taken.
    """
    blind = BlindReview(Reviews(store), review, rubric, serving.round, serving.chosen)
    with suppress(KeyboardInterrupt):  # Windows has no signal handlers in the loop
        run_anywhere(lambda: _until_stopped(blind, serving.port, say))
    return blind.progress()


@asynccontextmanager
async def open_site(blind: BlindReview, port: int = 0) -> AsyncIterator[Guard]:
    """The site on loopback as long as the block lasts; requests under way are answered before it ends."""
    with _listening(port) as listener:
        guard = Guard(listener.getsockname()[1])
        runner = web.AppRunner(application(blind, guard), access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield guard
        finally:
            await runner.cleanup()


async def _until_stopped(blind: BlindReview, port: int, say: Callable[[str], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    with suppress(NotImplementedError, RuntimeError):  # Windows, or not the main thread
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    async with open_site(blind, port) as guard:
        say(f"review {blind.review.name}: {guard.address}")
        say("the address is good for this machine and this start only; every rating is kept at once; Ctrl-C ends it")
        await stop.wait()


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port), backlog=128)
    except (OSError, OverflowError) as error:
        raise InputError(f"--port {port}: cannot be served on {_HOST} ({error}); leave it out for a free one") from None

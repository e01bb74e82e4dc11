"""One repeat of one cell: requests are sent as the load demands, over the real wire, without retries or caches.

A closed loop has so many users, each of whom asks again when the reply has come. In an open loop requests are due at
given times whether or not earlier replies have come: a request that is late because the client waited for a place (or
the server stalled) keeps its schedule, and so its wait shows in the latency from the schedule ("coordinated omission").
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from ..errors import EndpointGone
from ..models.base import ChatModel
from ..records import Failure, Reply, Request
from .client import until, watching
from .grid import Cell, Pace, due_times
from .purse import Purse
from .records import Loaded, Phase, Served

Ask = Callable[[int], tuple[str, Request]]
"""From a request's number to its sample's id and what is sent."""
FATAL = frozenset({"unauthorized", "not_found"})
COOL_SHARE = 0.1
"""Of the requests of an open loop the last tenth cools down."""
GONE_AFTER = 64
"""So many failures of the network in a row, and more than there are users: nobody listens any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands behind a cell: the requests, the model that takes them, and the money."""

    ask: Ask
    model: ChatModel
    purse: Purse


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every cell. ``warm`` says how many of all requests that were sent warm it up."""

    warm: Callable[[int], int]
    max_in_flight: int = 512
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that is over, and when (seconds from the cell's start), be it with a reply or without."""

    served: Served
    done_s: float


class Traffic:
    """A cell while it runs."""

    def __init__(self, asked: Asked, patience: int) -> None:
        self.start = time.perf_counter()
        self.finished: list[Finished] = []
        self._asked = asked
        self._patience = patience
        self._unreached = 0

    @property
    def now(self) -> float:
        """Seconds from the start."""
        return time.perf_counter() - self.start

    async def until(self, due_s: float) -> None:
        """Wait for a moment of the cell."""
        await until(self.start + due_s)

    async def send(self, number: int, due_s: float | None = None, capped: bool = False) -> None:
        """Send request ``number`` and note what came of it. Raises BudgetReached, and EndpointGone."""
        sample_id, request = self._asked.ask(number)
        model, purse = self._asked.model, self._asked.purse
        reserved, outcome = purse.take(model.name, request), None
        sent_s = self.now
        try:
            outcome = await model.complete(request)
        finally:
            cost = purse.settle(model.name, reserved, outcome)
        done_s = self.now
        made = served(number, sample_id, outcome, sent_s if due_s is None else due_s, sent_s)
        self.finished.append(Finished(replace(made, cost_usd=cost, capped=capped), done_s))
        self._check(outcome)

    def _check(self, outcome: Reply | Failure) -> None:
        """A server that is overloaded fails now and then; one that is gone, always."""
        if isinstance(outcome, Reply) or outcome.kind not in (*FATAL, "network"):
            self._unreached = 0
            return
        self._unreached += 1
        if outcome.kind in FATAL or self._unreached >= self._patience:
            raise EndpointGone(f"{self._asked.model.name}: {outcome.kind}: {outcome.detail}")


def served(number: int, sample_id: str, outcome: Reply | Failure, due_s: float, sent_s: float) -> Served:
    """The record of one request. A reply without a token that came in time is a failure: nobody was served."""
    if isinstance(outcome, Reply) and outcome.timing.ttft_s is None:
        said = "the reply was not streamed" if outcome.text else "the reply holds no text"
        outcome = Failure("unsupported" if outcome.text else "malformed", said)
    if isinstance(outcome, Failure):
        return Served(
            number, sample_id, "measured", outcome.kind, outcome.detail, due_s, sent_s,
            None, None, None, (), None, None, None, False, None,
        )  # fmt: skip
    timing, usage = outcome.timing, outcome.usage
    return Served(
        number, sample_id, "measured", "ok", "", due_s, sent_s, timing.ttft_s, timing.ttfo_s, timing.e2e_s,
        timing.gaps_s, usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.estimated, None,
    )  # fmt: skip


async def measure(cell: Cell, repeat: int, asked: Asked, rules: Rules) -> Loaded:
    """Run one repeat of ``cell``.

    Raises BudgetReached, and EndpointGone where nobody listens; what was measured until then is lost.
    """
    setting, pace = cell.setting, cell.pace
    users = int(setting.level) if pace.times is None else 1
    started_at = time.time()
    async with watching() as client:
        traffic = Traffic(asked, max(GONE_AFTER, 2 * users))
        if pace.times is None:
            await _users(traffic, pace, users, gap_s=1.0 if setting.shape == "ramp" else 0.0)
        else:
            times = due_times(pace, f"{rules.seed}/{setting.key}/{repeat}")
            await _arrivals(traffic, times, rules.max_in_flight)
    sent = len(traffic.finished)
    cool = users - 1 if pace.times is None else round(COOL_SHARE * sent)
    finished = phased(traffic.finished, rules.warm(sent), cool)
    requests = tuple(one.served for one in finished)
    return Loaded(setting, repeat, started_at, window_s(finished), tuple(client.lag_s), client.cpu_s, requests)


async def _users(traffic: Traffic, pace: Pace, users: int, gap_s: float) -> None:
    """So many users, a new one every ``gap_s``, each of whom asks when the last reply has come. There is no end before
    the last of them has asked."""
    absent = users

    def numbers() -> Iterator[int]:
        for number in count():
            enough = number >= pace.requests if pace.requests is not None else traffic.now >= (pace.duration_s or 0.0)
            if enough and not absent:
                return
            yield number

    upcoming = numbers()

    async def user(joins_s: float) -> None:
        nonlocal absent
        await traffic.until(joins_s)
        first = next(upcoming)
        absent -= 1
        await traffic.send(first)
        for number in upcoming:
            await asyncio.sleep(0)  # the others come, too, where a model replies without waiting for anything
            await traffic.send(number)

    await _together(user(gap_s * place) for place in range(users))


async def _arrivals(traffic: Traffic, times: Iterator[float], max_in_flight: int) -> None:
    """Requests at given times, in flight as many as it takes, up to a cap that holds the following ones back."""
    places = asyncio.Semaphore(max_in_flight)

    async def send(number: int, due_s: float, capped: bool) -> None:
        try:
            await traffic.send(number, due_s, capped)
        finally:
            places.release()

    async def dispatch() -> None:
        free_again_s = 0.0
        async with asyncio.TaskGroup() as tasks:
            for number, due_s in enumerate(times):
                await traffic.until(due_s)
                full = places.locked()
                await places.acquire()
                if full:
                    free_again_s = traffic.now
                tasks.create_task(send(number, due_s, due_s < free_again_s))

    await _together([dispatch()])


async def _together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them side by side; the first that fails ends them all, and is raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def phased(finished: Sequence[Finished], warm: int, cool: int) -> list[Finished]:
    """The requests in the order of their schedule: the first ``warm`` warm up, the last ``cool`` cool down.

    Those keep the load up while the measured ones come to their end. They are chosen by their number: to leave out
    whatever still runs at some moment would leave out the slow ones.
    """
    ordered = sorted(finished, key=lambda one: one.served.number)
    last = len(ordered) - cool
    return [
        replace(one, served=replace(one.served, phase=_phase(position < warm, position >= last)))
        for position, one in enumerate(ordered)
    ]


def _phase(early: bool, late: bool) -> Phase:
    return "warm_up" if early else "cool_down" if late else "measured"


def window_s(finished: Sequence[Finished]) -> float:
    """Seconds of the measured window, from its first sending to its last token; 0 where nothing was measured."""
    measured = [one for one in finished if one.served.phase == "measured"]
    if not measured:
        return 0.0
    ends = [one.done_s if one.served.e2e_s is None else one.served.sent_s + one.served.e2e_s for one in measured]
    return max(ends) - min(one.served.sent_s for one in measured)

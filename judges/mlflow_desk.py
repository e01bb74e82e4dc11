"""A judge that is called from outside of any run, from many threads: its event loop, its store, its connections."""

from __future__ import annotations

import asyncio
import atexit
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..harness.dispatch.budget import Budget, budget_usd
from ..harness.dispatch.dispatcher import Dispatcher
from ..harness.exam import JudgeSpec
from ..harness.models.base import ChatModel
from ..harness.prices import PriceBook
from ..harness.records import Answer, Grade, Said, Sample
from ..harness.store import queries
from ..harness.store.recorded import Ledger, Recorded
from ..harness.store.store import Store
from ..harness.store.writer import Writer
from .base import Judge
from .judge import build_judge
from .rubric import Rubric

WHO = "mlflow"
"""Who asks, in the store."""


class Desk:
    """A judge in a thread of its own, where its event loop lives: MLflow calls scorers from many threads."""

    def __init__(self, spec: JudgeSpec, rubric: Rubric, model: ChatModel | None, workspace: str | Path) -> None:
        self.spec = spec
        self.rubric = rubric
        self._model = model
        self._workspace = workspace
        self._opening = threading.Lock()
        self._room: _Room | None = None

    def grade(self, sample: Sample, said: Said) -> list[Grade]:
        """The grades of one answer. Raises what a `Caller` raises: no budget left, an endpoint that is gone."""
        with self._opening:
            if self._room is None:
                self._room = _Room.opened(self.spec, self.rubric, self._model, self._workspace)
                atexit.register(self.close)
        room = self._room
        answer = Answer(room.run, sample.id, WHO, 0, said)
        return asyncio.run_coroutine_threadsafe(room.judge.grade(sample, answer), room.loop).result()

    def close(self) -> None:
        """Every reply is committed already: this only lets go."""
        with self._opening:
            room, self._room = self._room, None
        if room is not None:
            atexit.unregister(self.close)
            room.close(self._model)


@dataclass(frozen=True)
class _Room:
    """What is open while a desk is used."""

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    store: Store
    writer: Writer
    judge: Judge
    run: str

    @classmethod
    def opened(cls, spec: JudgeSpec, rubric: Rubric, model: ChatModel | None, workspace: str | Path) -> _Room:
        """Calls belong to no run of an exam, so that `latest` stays."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="markscheme-scorer", daemon=True)
        store, run = Store(workspace), f"{WHO}-{rubric.sha256[:12]}"
        prices, cap = PriceBook({}), budget_usd(None)
        budget = None if cap is None else Budget(cap, queries.spent_usd(store, run), prices.cost_usd)
        thread.start()

        async def build() -> tuple[Writer, Judge]:
            writer = Writer(store, run)
            ledger = Ledger(run, writer, Dispatcher(64, budget=budget), prices.cost_usd)
            return writer, build_judge(spec, rubric, model, Recorded(ledger, "judge", spec.name, ""))

        writer, judge = asyncio.run_coroutine_threadsafe(build(), loop).result()
        return cls(loop, thread, store, writer, judge, run)

    def close(self, model: ChatModel | None) -> None:
        """End the thread, the connections, the store."""

        async def end() -> None:
            if model is not None:
                await model.close()
            with suppress(RuntimeError):  # at the end of the process its thread has ended before
                await self.writer.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.store.close()

"""What the cells of one load test share: candidates with their prompts, the models behind them, and the money."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...harness.candidates.base import Candidate, Prepares
from ...harness.candidates.build import build_candidate
from ...harness.candidates.retrieving import Finder, Shelf, shelves
from ...harness.dispatch.tally import Tally
from ...harness.exam import CandidateSpec
from ...harness.models.base import ChatModel
from ...harness.retrieval.spec import RetrieverSpec
from ...harness.serving.fleet import Fleet
from ...harness.serving.grid import Cell
from ...harness.serving.loop import Asked
from ...harness.serving.prompts import Prompts
from ...harness.serving.purse import Purse
from ...harness.serving.readiness import probe, warm
from ...harness.store.store import Store
from ..session import WORKSPACE, Options
from ..uncalled import NoCaller
from ..workflow import open_model_of
from .tasks import Task


@dataclass
class Desk:
    """Belongs to one event loop. ``bench`` is the id of the load test."""

    task: Task
    bench: str
    purse: Purse
    fleet: Fleet
    shelf_of: Callable[[RetrieverSpec], Shelf]
    _models: dict[str, ChatModel] = field(default_factory=dict)
    _ready: dict[str, Candidate] = field(default_factory=dict)

    async def asked(self, cell: Cell, repeat: int) -> Asked:
        """What one repeat of a cell sends; its candidate is made, tried and warmed when it is needed first."""
        name = f"{cell.candidate.name}/{cell.setting.contexts}"
        if name not in self._ready:
            self._ready[name] = await self._made_ready(cell)
        return self._asked(self._ready[name], f"{cell.setting.key}/{repeat}", repeat)

    async def _made_ready(self, cell: Cell) -> Candidate:
        samples, spec = self.task.dataset.samples, self.task.spec
        candidate = build_candidate(
            cell.candidate, open_model=self._model, caller=NoCaller(), slot=0, shelf_of=self.shelf_of
        )
        if isinstance(candidate, Prepares):
            await candidate.prepare(samples)
        asked = self._asked(candidate, f"{cell.setting.key}/probe", 0)
        await probe(asked, cell.candidate.name, spec.output_tokens)
        if spec.prompts == "cached":
            await warm(asked, min(len(samples), cell.pace.requests or len(samples)))
        return candidate

    def _asked(self, candidate: Candidate, place: str, repeat: int) -> Asked:
        spec = self.task.spec
        prompts = Prompts(
            candidate,
            self.task.dataset.samples,
            # Of few requests from many samples, cached prompts must be those that were warmed.
            f"{spec.seed}/{repeat if spec.prompts == 'fresh' else 0}",
            fresh=f"{self.bench}/{place}" if spec.prompts == "fresh" else "",
            output_tokens=spec.output_tokens,
        )
        return Asked(prompts, candidate.models[0], self.purse)

    def _model(self, spec: CandidateSpec) -> ChatModel:
        """One model for all numbers of contexts: what it learnt of its server holds for each."""
        if spec.name not in self._models:
            timed = spec.model_copy(update={"timeout_s": self.task.spec.timeout_s})
            self._models[spec.name] = open_model_of(self.task.exam, timed, fleet=self.fleet)
        return self._models[spec.name]

    async def close(self) -> None:
        """Close what was opened."""
        for model in self._models.values():
            await model.close()
        for candidate in self._ready.values():
            await candidate.close()


@asynccontextmanager
async def opened_desk(
    task: Task, bench: str, purse: Purse, fleet: Fleet, store: Store, say: Callable[[str], None]
) -> AsyncIterator[Desk]:
    """The desk, closed at the end. A retriever is opened when it is needed first; embeddings that cost are kept and
    paid like those of `markscheme retrieve`."""
    async with AsyncExitStack() as stack:

        async def opened(spec: RetrieverSpec) -> Finder:
            from ..retriever import open_retriever
            from ..retrieving import embedding_caller

            paying = embedding_caller(task.exam, Options(workspace=task.workspace), Tally())
            caller = await stack.enter_async_context(paying)
            folder = store.folder or Path.cwd() / WORKSPACE
            return await open_retriever(spec, task.exam, task.dataset.samples, folder, caller, say)

        desk = Desk(task, bench, purse, fleet, shelves([cell.candidate for cell in task.cells], opened))
        try:
            yield desk
        finally:
            await desk.close()

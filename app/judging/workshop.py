"""Judges at work outside a run: probes and the lab grade stored answers, and pay under a name of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...harness.data import Dataset, load_dataset
from ...harness.dispatch.budget import Budget, budget_usd
from ...harness.dispatch.dispatcher import Dispatcher
from ...harness.dispatch.pool import run_pool
from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError
from ...harness.exam import Exam, JudgeSpec
from ...harness.exam_types import is_wired
from ...harness.models.base import ChatModel
from ...harness.records import Answer, Grade, Said, Sample
from ...harness.serving.fleet import Fleet, LaunchedModel
from ...harness.serving.phases import Server
from ...harness.store import queries, runs
from ...harness.store.recorded import Ledger, Recorded
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.store.writer import Writer
from ...judges.base import Judge
from ...judges.judge import build_judge
from ...judges.rubric import Rubric, load_rubric
from .. import workflow
from ..launching import house_of
from ..session import exam_identity, price_book


@dataclass(frozen=True, slots=True)
class Task:
    """One answer to be graded by one judge. ``key`` is the caller's own, to find the grades by."""

    key: object
    judge: Judge
    sample: Sample
    answer: Answer
    repeat: int = 0


@dataclass(frozen=True)
class Workshop:
    """An exam, its run whose answers are graded, and what grading them again needs. Belongs to one event loop."""

    exam: Exam
    dataset: Dataset
    store: Store
    run: Run
    dispatcher: Dispatcher
    ledger: Ledger
    say: Callable[[str], None]
    fleet: Fleet
    _models: list[ChatModel] = field(default_factory=list)

    def judge(self, spec: JudgeSpec, rubric: Rubric | None = None, salt: str = "") -> Judge:
        """The judge that ``spec`` describes, on ``rubric`` instead of its own. Another ``salt`` draws other replies."""
        if spec.members:
            raise InputError(f"judge {spec.name!r} is a jury, which asks nobody itself: try its members")
        used = rubric or load_rubric(spec.rubric, spec.shots)
        model = None
        if is_wired(spec.model):
            model = workflow.open_model_of(self.exam, spec, require_key=not self.ledger.offline, fleet=self.fleet)
            self._models.append(model)
        caller = Recorded(self.ledger, "judge", spec.name, salt or self.run.judge_salt)
        judge = build_judge(spec, used, model, caller, workflow.embedder_opener(self.exam, not self.ledger.offline))
        self._models.extend(judge.models[1:])
        return judge

    def answers(self) -> list[Answer]:
        """The run's answers that have a text, in the order of the dataset."""
        trials = {candidate.name: candidate.trials for candidate in self.exam.candidates}
        found = queries.read_answers(self.store, self.run.id, [sample.id for sample in self.dataset.samples])
        return [a for a in found if isinstance(a.outcome, Said) and a.trial < trials.get(a.candidate, 0)]

    async def grade(self, tasks: Iterable[Task]) -> dict[object, list[Grade]]:
        """Grade them all, as many at a time as the exam allows; the grades by `Task.key`.

        Raises Unfinished when it is interrupted; what was paid is recorded, and the same call finds it again.
        """
        todo: Sequence[Task] = list(tasks)
        found: dict[object, list[Grade]] = {}
        tally, stop = self.dispatcher.tally, self.dispatcher.stop
        tally.begin("grades", len(todo), 0)

        async def work(task: Task) -> None:
            found[task.key] = await task.judge.grade(task.sample, task.answer, task.repeat)
            tally.done += 1

        with workflow.stopping_on_signals(stop, self.say):
            for server, tasks_there in _by_server(todo).items():
                await self.fleet.only(() if server is None else (server,))
                await run_pool(iter(tasks_there), work, 2 * self.dispatcher.concurrency, stop)
        return found


def _by_server(tasks: Iterable[Task]) -> dict[Server | None, list[Task]]:
    """Tasks by the server that is started for their judge: one after the other, since they may want the same GPU."""
    found: dict[Server | None, list[Task]] = {}
    for task in tasks:
        servers = [model.server for model in task.judge.models if isinstance(model, LaunchedModel)]
        found.setdefault(servers[0] if servers else None, []).append(task)
    return found


@asynccontextmanager
async def workshop(
    exam: Exam,
    workspace: str | Path,
    purpose: str,
    tally: Tally,
    say: Callable[[str], None],
    *,
    reference: str = "",
    offline: bool = False,
) -> AsyncIterator[Workshop]:
    """Open the run ``reference`` of the exam (default: its latest) for ``purpose`` (`probe`, `lab`).

    What is paid is recorded under ``<run>-<purpose>``: it resumes like a run, and no report of the run counts it.
    Raises InputError where the exam has no run.
    """
    store = Store(workspace)
    try:
        identity = exam_identity(exam, store)
        run = runs.find(store, reference) if reference else runs.latest(store, identity)
        if run is None:
            missing = f"{store.where}: {identity} has no run whose answers could be graded"
            raise InputError(f"{missing}: markscheme run {exam.path.name}")
        payer = f"{run.id}-{purpose}"
        prices, cap = price_book(exam), budget_usd(exam.budget_usd)
        spent = queries.spent_usd(store, payer)
        budget = None if cap is None else Budget(cap, spent, prices.cost_usd)
        with store.lease(payer):
            writer = Writer(store, payer)
            dispatcher = Dispatcher(exam.concurrency, tally, budget)
            ledger = Ledger(payer, writer, dispatcher, prices.cost_usd, offline)
            dataset = load_dataset(exam.dataset)
            fleet = Fleet(house_of(exam, store, payer, dispatcher.stop, say))
            opened = Workshop(exam, dataset, store, run, dispatcher, ledger, say, fleet)
            try:
                async with fleet:
                    yield opened
            finally:
                for model in opened._models:
                    await model.close()
                await writer.close()
    finally:
        store.close()

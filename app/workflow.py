"""Generate, grade, report: the phases as functions over an open session. Decides nothing, only calls."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..harness.candidates.base import Caller, Candidate, Prepares
from ..harness.candidates.build import build_candidate, candidate_notes
from ..harness.candidates.retrieving import Finder, shelves
from ..harness.dispatch.budget import VARIABLE, Budget, budget_usd
from ..harness.dispatch.dispatcher import Dispatcher
from ..harness.dispatch.shared_budget import SharedBudget
from ..harness.dispatch.tally import Tally
from ..harness.errors import BugError, InputError, Unfinished
from ..harness.exam import CandidateSpec, Exam, JudgeSpec
from ..harness.exam_checks import MAY_RETRIEVE
from ..harness.exam_types import is_wired
from ..harness.generate import Pools, Sitting, generate
from ..harness.keys import digest
from ..harness.models.base import ChatModel
from ..harness.models.catalog import open_model
from ..harness.records import Answer, Usage
from ..harness.scoring import score
from ..harness.serving.fleet import Fleet
from ..harness.serving.phases import Phase as Turn
from ..harness.serving.phases import Role, engine_identity, phases_of
from ..harness.store import queries, runs
from ..harness.store.recorded import Ledger, Recorded
from ..harness.store.writer import Writer
from ..judges.base import Judge
from ..judges.comparing import PairBench, compare, pairs_of
from ..judges.grading import Bench, grade
from ..judges.judge import build_judge, missing_inputs
from ..judges.pairwise import build_pairwise_judge
from ..judges.pairwise_rubric import PairwiseRubric
from ..judges.rubric import Rubric
from .judging.juries import deliberate_on
from .judging.labels import attach_labels, read_labels_of
from .launching import house_of, launched_model
from .session import WORKSPACE, Session
from .signals import on_signals

if TYPE_CHECKING:
    from ..harness.retrieval.embedders import Embedder
    from ..harness.retrieval.spec import EmbedderSpec, RetrieverSpec

Phase = Literal["generate", "grade"]
_NOT_IN_KEYS = {"name", "trials", "stream", "base_url", "api_key_env", "timeout_s", "memory_gb"}
_IN_IDENTITY = {"launch", "adapter", "usd_per_gpu_hour"}
"""What `engine_identity` says of a launched server, without its GPUs and their price."""


@dataclass(frozen=True)
class Stage:
    """Everything that calls models in one event loop."""

    session: Session
    writer: Writer
    dispatcher: Dispatcher
    ledger: Ledger
    sittings: list[Sitting]
    benches: list[Bench]
    pair_benches: list[PairBench]
    fleet: Fleet

    @property
    def models(self) -> Iterator[ChatModel]:
        """Every model of the exam; several may share an endpoint."""
        for sitting in self.sittings:
            yield from sitting.candidate.models
        for bench in self.benches:
            yield from bench.judge.models
        for pair_bench in self.pair_benches:
            yield from pair_bench.judge.models


async def perform(session: Session, phases: Sequence[Phase], tally: Tally, say: Callable[[str], None]) -> None:
    """Run the phases to their end; ``say`` gets what the operator should know first.

    Raises Unfinished where they cannot be finished now; what was paid is kept.
    """
    labelled = read_labels_of(session.exam) if "grade" in phases else []
    async with stage(session, tally, say) as on_stage:
        for sitting in on_stage.sittings:
            for note in candidate_notes(sitting.candidate, session.dataset.samples):
                say(note)
        check(on_stage, phases)
        with stopping_on_signals(on_stage.dispatcher.stop, say):
            if "generate" in phases:
                await _generate(on_stage)
            if "grade" in phases and not on_stage.dispatcher.stop.is_set():
                await _grade(on_stage)
        if "grade" in phases:  # nothing is awaited here, so that Ctrl-C reaches a measure of the user's that hangs
            _score(session)
            attach_labels(session, labelled, say)


@asynccontextmanager
async def stage(session: Session, tally: Tally, say: Callable[[str], None] = lambda note: None) -> AsyncIterator[Stage]:
    """Build what the exam names; close it all at the end. Retrievers are opened when they are needed first."""
    run, exam = session.run, session.exam
    writer = Writer(session.store, run.id)
    dispatcher = Dispatcher(exam.concurrency, tally, _budget(session))
    blank = session.store.is_blank()
    ledger = Ledger(run.id, writer, dispatcher, session.prices.cost_usd, session.options.offline, blank)
    pays, rubrics = not session.options.offline, session.rubrics
    paying = Recorded(ledger, "other", "retriever", run.salt)
    fleet = Fleet(house_of(exam, session.store, run.id, dispatcher.stop, say))

    async def opened(spec: RetrieverSpec) -> Finder:
        from .retriever import open_retriever

        folder = session.store.folder or Path.cwd() / WORKSPACE
        return await open_retriever(spec, exam, session.dataset.samples, folder, paying, say)

    def answering(name: str) -> Recorded:
        return Recorded(ledger, "candidate", name, run.salt)

    sittings = build_sittings(exam, answering, pays, opened=opened, fleet=fleet)

    def judging(name: str) -> Recorded:
        return Recorded(ledger, "judge", name, run.judge_salt)

    benches = build_benches(exam, rubrics, judging, pays, fleet)
    pair_benches = build_pair_benches(exam, session.pairwise, judging, pays, fleet)
    built = Stage(session, writer, dispatcher, ledger, sittings, benches, pair_benches, fleet)
    try:
        async with fleet:
            yield built
    finally:
        for model in built.models:
            await model.close()
        for sitting in sittings:
            if (close := getattr(sitting.candidate, "close", None)) is not None:
                await close()
        await writer.close()


def build_sittings(
    exam: Exam,
    caller: Callable[[str], Caller],
    require_key: bool = True,
    opened: Callable[[RetrieverSpec], Awaitable[Finder]] | None = None,
    fleet: Fleet | None = None,
) -> list[Sitting]:
    """The candidates. Those that differ in nothing that enters a key get slots of their own: draws of their own.

    ``opened`` opens retrievers and ``fleet`` starts servers; without them (in a plan) none can be asked.
    """
    seen: dict[str, int] = {}
    shelf_of = shelves(exam.candidates, opened or _not_in_a_plan)
    sittings: list[Sitting] = []
    for spec in exam.candidates:
        own = spec.model_dump(mode="json", exclude=_NOT_IN_KEYS | _IN_IDENTITY)
        twin = digest([own, engine_identity(spec)])
        slot = seen.get(twin, 0)
        seen[twin] = slot + 1
        candidate: Candidate = build_candidate(
            spec,
            open_model=lambda s: open_model_of(exam, s, require_key, fleet),
            caller=caller(spec.name),
            slot=slot,
            shelf_of=shelf_of,
        )
        sittings.append(Sitting(candidate, spec.trials))
    return sittings


async def _not_in_a_plan(spec: RetrieverSpec) -> Finder:
    raise BugError("a plan opens no retriever")


def build_benches(
    exam: Exam,
    rubrics: Mapping[str, Rubric],
    caller: Callable[[str], Caller],
    require_key: bool = True,
    fleet: Fleet | None = None,
) -> list[Bench]:
    """The judges of single answers with their rubrics."""
    benches = []
    for spec in exam.judges:
        if spec.mode == "pairwise" or spec.members:
            continue
        model = open_model_of(exam, spec, require_key, fleet) if is_wired(spec.model) else None
        embedders = embedder_opener(exam, require_key)
        judge: Judge = build_judge(spec, rubrics[spec.name], model, caller(spec.name), embedders)
        benches.append(Bench(judge, spec.repeats, spec.repeat_share))
    return benches


def build_pair_benches(
    exam: Exam,
    rubrics: Mapping[str, PairwiseRubric],
    caller: Callable[[str], Caller],
    require_key: bool = True,
    fleet: Fleet | None = None,
) -> list[PairBench]:
    """The pairwise judges with their rubrics and the pairs that they compare."""
    names = [spec.name for spec in exam.candidates]
    benches = []
    for spec in exam.judges:
        if spec.mode == "pairwise":
            model = open_model_of(exam, spec, require_key, fleet)
            judge = build_pairwise_judge(spec, rubrics[spec.name], model, caller(spec.name))
            benches.append(PairBench(judge, spec.repeats, pairs_of(names, spec.against)))
    return benches


def open_model_of(
    exam: Exam, spec: CandidateSpec | JudgeSpec, require_key: bool = True, fleet: Fleet | None = None
) -> ChatModel:
    """The model that a candidate or judge names, on the endpoint that the exam declares or a server of ``fleet``."""
    if (launched := launched_model(exam, spec, fleet)) is not None:
        return launched
    endpoints = {endpoint.name: endpoint.to_endpoint() for endpoint in exam.endpoints}
    return open_model(
        spec.model,
        base_url=spec.base_url,
        api_key_env=spec.api_key_env,
        endpoints=endpoints,
        timeout_s=spec.timeout_s,
        require_key=require_key,
    )


def embedder_opener(exam: Exam, require_key: bool = True) -> Callable[[EmbedderSpec, Caller | None], Embedder]:
    """Opens the embedders that judges name, on the endpoints that the exam declares."""

    def opened(spec: EmbedderSpec, caller: Caller | None) -> Embedder:
        from ..harness.retrieval.embedders import open_embedder

        endpoints = {endpoint.name: endpoint.to_endpoint() for endpoint in exam.endpoints}
        return open_embedder(spec, caller=caller, endpoints=endpoints, require_key=require_key)

    return opened


def rehearse(exam: Exam, require_key: bool) -> None:
    """Open every model, so that a missing key or an unknown provider is refused before a run is begun."""
    specs: list[CandidateSpec | JudgeSpec] = [*exam.candidates, *exam.judges]
    for spec in specs:
        if is_wired(spec.model):
            open_model_of(exam, spec, require_key)
        if isinstance(spec, JudgeSpec) and spec.embedder is not None:
            embedder_opener(exam, require_key)(spec.embedder, None)


def check(on_stage: Stage, phases: Sequence[Phase]) -> None:
    """Refuse before the first call what could only fail after it was paid for."""
    session = on_stage.session
    if "grade" in phases:
        samples = session.dataset.samples
        passages = any(spec.shown or spec.model.startswith(MAY_RETRIEVE) for spec in session.exam.candidates)
        problems = [p for bench in on_stage.benches for p in missing_inputs(bench.judge.rubric, samples, passages)]
        problems += [p for bench in on_stage.pair_benches for p in missing_inputs(bench.judge.rubric, samples)]
        if problems:
            raise InputError("\n".join(problems))
    if on_stage.dispatcher.budget is not None:
        for model in on_stage.models:
            if session.prices.cost_usd(model.name, Usage(1, 1)) is None:
                raise InputError(
                    f"model {model.name!r} has no known price, so the budget cannot be kept: "
                    f"name its price under prices: in the exam, or lift the budget (budget_usd, {VARIABLE})"
                )


async def _generate(on_stage: Stage) -> None:
    session = on_stage.session
    for sitting in on_stage.sittings:
        if isinstance(sitting.candidate, Prepares):
            await sitting.candidate.prepare(session.dataset.samples)
    standings = queries.answer_standings(session.store, session.run.id)
    samples, writer, retry = session.dataset.samples, on_stage.writer, session.options.retry
    for phase in _phases(on_stage, "candidate"):
        await on_stage.fleet.only(phase.servers)
        sittings = [sitting for sitting in on_stage.sittings if sitting.candidate.name in phase.names]
        await generate(sittings, samples, standings, writer, retry, _pools(on_stage))


def _phases(on_stage: Stage, role: Role) -> Iterator[Turn]:
    """Who works at the same time, on which servers; none begins when the run was stopped."""
    for phase in phases_of(on_stage.session.exam):
        if phase.role == role and not on_stage.dispatcher.stop.is_set():
            yield phase


async def _grade(on_stage: Stage) -> None:
    session = on_stage.session
    names = {sitting.candidate.name: sitting.trials for sitting in on_stage.sittings}

    def answers_of(sample_ids: Sequence[str]) -> list[Answer]:
        found = queries.read_answers(session.store, session.run.id, sample_ids)
        return [answer for answer in found if answer.trial < names.get(answer.candidate, 0)]

    samples, writer, retry = session.dataset.samples, on_stage.writer, session.options.retry
    standings = queries.grade_standings(session.store, session.run.id)
    compared = queries.preference_standings(session.store, session.run.id)
    for phase in _phases(on_stage, "judge"):
        await on_stage.fleet.only(phase.servers)
        benches = [bench for bench in on_stage.benches if bench.judge.name in phase.names]
        await grade(benches, samples, answers_of, standings, writer, retry, _pools(on_stage))
        pair_benches = [bench for bench in on_stage.pair_benches if bench.judge.name in phase.names]
        if pair_benches and not on_stage.dispatcher.stop.is_set():
            await compare(pair_benches, samples, answers_of, compared, writer, retry, _pools(on_stage))
    await on_stage.fleet.only(())
    if not on_stage.dispatcher.stop.is_set():
        await deliberate_on(session, writer, names)


def _score(session: Session) -> None:
    exam = session.exam
    retrieving = {spec.name for spec in exam.candidates if spec.shown}
    score(session.store, session.run.id, exam.measures, session.dataset.samples, exam.path.parent, retrieving)


def _pools(on_stage: Stage) -> Pools:
    # A worker holds no slot while it waits for its commit: a second crew keeps the wire busy meanwhile.
    dispatcher = on_stage.dispatcher
    return Pools(2 * dispatcher.concurrency, dispatcher.stop, dispatcher.tally)


def _budget(session: Session) -> Budget | None:
    cap, purse = budget_usd(session.exam.budget_usd), session.options.purse
    if cap is None and purse is None:
        return None
    spent = queries.spent_usd(session.store, session.run.id)
    if purse is not None:
        return SharedBudget(math.inf if cap is None else cap, spent, session.prices.cost_usd, purse)
    assert cap is not None
    return Budget(cap, spent, session.prices.cost_usd)


@contextmanager
def stopping_on_signals(stop: asyncio.Event, say: Callable[[str], None]) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) ends the intake and lets what is being paid for arrive; a second one cancels.

    Raises Unfinished at the end of a block that was interrupted.
    """
    task, count = asyncio.current_task(), 0

    def interrupt() -> None:
        nonlocal count
        count += 1
        stop.set()
        if count == 1:
            say("stopping when the calls in flight have arrived; interrupt again to drop them")
        elif task is not None:
            task.cancel()

    try:
        with on_signals(interrupt):
            yield
    except asyncio.CancelledError:
        if count < 2:
            raise
        raise Unfinished("interrupted twice: calls in flight were dropped, the same command continues") from None
    if count:
        raise Unfinished("interrupted: what was in flight is kept, the same command continues")


def mark_finished(session: Session) -> None:
    """Note that the run has nothing left to do."""
    runs.finish(session.store, session.run)


def report_folder(session: Session) -> Path:
    """Where reports go: beside the database, or under the current folder for a server."""
    return (session.store.folder or Path.cwd() / ".markscheme") / "reports" / session.run.id

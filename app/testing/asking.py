"""One question to one candidate, one answer to one judge: the exam's own, over the same recorded replies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from ...harness.candidates.base import Prepares
from ...harness.data import Dataset, load_dataset
from ...harness.data_samples import content_sha256
from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError
from ...harness.exam import Exam
from ...harness.keys import digest
from ...harness.records import Answer, Failed, Grade, Said, Sample, Unscored
from ...harness.serving.phases import phases_of
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.yaml_file import did_you_mean
from ...judges.judge import missing_inputs
from ...judges.rubric import Rubric
from .. import workflow
from ..loops import run_anywhere
from ..session import Options, Session, pairwise_rubrics_of, price_book, rubrics_of
from ..terminal import printable
from .plainly import plainly
from .settings import Settings
from .single import Answered, Graded, answered, graded
from .sitting import RECORD, NotRecorded, in_turn, missing_key

Result = TypeVar("Result")
PAYER = "pytest"
"""Stands where the id of a run would: no run pays for single calls, so that they are in no run's costs."""


@dataclass(repr=False)
class Desk:
    """An exam's candidates and judges, asked one thing at a time. ``tally`` counts what that took."""

    exam: Exam
    settings: Settings
    tally: Tally = field(default_factory=Tally)

    @plainly
    def judge(self, name: str = "") -> SingleJudge:
        """The judge of that name, or the only one."""
        alone = [spec.name for spec in self.exam.judges if spec.mode == "pointwise" and not spec.members]
        return SingleJudge(self, _named("judge", name, alone))

    @plainly
    def candidate(self, name: str = "") -> SingleCandidate:
        """The candidate of that name, or the only one."""
        return SingleCandidate(self, _named("candidate", name, [spec.name for spec in self.exam.candidates]))

    @cached_property
    def _dataset(self) -> Dataset:
        return load_dataset(self.exam.dataset)

    def __repr__(self) -> str:
        return printable(f"<exam {self.exam.name}>")

    def ask(self, what: object, work: Callable[[workflow.Stage], Awaitable[Result]]) -> Result:
        """Run ``work`` on a stage of its own; of two processes that ask the same, one waits for the other."""
        settings = self.settings
        workflow.rehearse(self.exam, require_key=settings.live)
        store = Store(settings.workspace)
        try:
            with in_turn(store, digest([self.exam.name, what])):
                session = self._session(store)

                async def main() -> Result:
                    async with workflow.stage(session, self.tally) as on_stage:
                        workflow.check(on_stage, ())
                        return await work(on_stage)

                return run_anywhere(main)
        finally:
            store.close()

    def _session(self, store: Store) -> Session:
        settings, exam = self.settings, self.exam
        options = Options(settings.workspace, offline=not settings.live, report=False, purse=settings.purse)
        payer = Run(PAYER, exam.name, "", "", "", "", 0.0, None, {}, {})
        rubrics, pairwise = rubrics_of(exam), pairwise_rubrics_of(exam)
        return Session(exam, self._dataset, store, payer, options, price_book(exam), rubrics, pairwise)


@dataclass(frozen=True)
class SingleJudge:
    """A judge that grades what a test gives it."""

    desk: Desk
    name: str

    @plainly
    def grade(
        self, *, answer: str, question: str = "", reference: str | None = None, context: str | Sequence[str] = ()
    ) -> Graded:
        """The scores of ``answer``. Raises NotRecorded where no reply is recorded and the suite is not live, and
        InputError where the rubric shows the judge something that is not given."""
        sample = _sample(question, reference, context)

        async def work(on_stage: workflow.Stage) -> tuple[list[Grade], Rubric]:
            judge = next(bench.judge for bench in on_stage.benches if bench.judge.name == self.name)
            if problems := missing_inputs(judge.rubric, [sample]):
                raise InputError("\n".join(problems))
            await _launch(on_stage, self.name)
            given = Answer(PAYER, sample.id, PAYER, 0, Said(answer))
            return await judge.grade(sample, given), judge.rubric

        grades, rubric = self.desk.ask([self.name, sample.sha256, answer], work)
        _refuse_missing(f"judge {self.name}", (g.outcome.why for g in grades if isinstance(g.outcome, Unscored)))
        return graded(grades, rubric)


@dataclass(frozen=True)
class SingleCandidate:
    """A candidate that answers what a test asks it."""

    desk: Desk
    name: str

    @plainly
    def answer(
        self, question: str, *, context: str | Sequence[str] = (), reference: str | None = None, trial: int = 0
    ) -> Answered:
        """Its answer. Raises NotRecorded where no reply is recorded and the suite is not live."""
        sample = _sample(question, reference, context)

        async def work(on_stage: workflow.Stage) -> Answer:
            candidate = next(s.candidate for s in on_stage.sittings if s.candidate.name == self.name)
            await _launch(on_stage, self.name)
            if isinstance(candidate, Prepares):
                await candidate.prepare([sample])
            return await candidate.answer(sample, trial)

        outcome = self.desk.ask([self.name, sample.sha256, trial], work).outcome
        if isinstance(outcome, Failed):
            _refuse_missing(f"candidate {self.name}", [outcome.detail])
        return answered(outcome)


def _named(what: str, name: str, known: list[str]) -> str:
    if name in known:
        return name
    if not name and len(known) == 1:
        return known[0]
    listed = ", ".join(known) or "none that can be asked by itself"
    if not name:
        raise InputError(f"{what}(): say which; the exam has {listed}")
    raise InputError(f"{what}({name!r}): is none of the exam's{did_you_mean(name, known) or ';'} it has {listed}")


def _sample(question: str, reference: str | None, context: str | Sequence[str]) -> Sample:
    passages = (context,) if isinstance(context, str) else tuple(context)
    bare = Sample(PAYER, question=question, reference=reference, context=tuple(p for p in passages if p))
    return Sample(PAYER, question, context=bare.context, reference=reference, sha256=content_sha256(bare))


async def _launch(on_stage: workflow.Stage, name: str) -> None:
    """Where the exam starts servers: those of whoever is asked."""
    for phase in phases_of(on_stage.session.exam):
        if name in phase.names:
            await on_stage.fleet.only(phase.servers)
            return


def _refuse_missing(who: str, failures: Iterable[str]) -> None:
    for text in failures:
        if (key := missing_key(text)) is not None:
            raise NotRecorded(
                f"the reply of {who} is not recorded, and no model is called without --markscheme-live:\n"
                f"  key {key}\n{RECORD}"
            )

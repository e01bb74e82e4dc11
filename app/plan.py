"""What an exam is going to cost, before anything is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..harness.candidates.app import AppCandidate
from ..harness.candidates.base import Candidate, Prepares
from ..harness.data import load_dataset
from ..harness.dispatch.budget import worst_case
from ..harness.exam import Exam
from ..harness.exam_ragas import is_ragas
from ..harness.generate import Sitting, attempt_due
from ..harness.prices import PriceBook
from ..harness.records import Answer, Request, Said, Sample, Usage
from ..harness.store import queries, runs
from ..harness.store.store import Store
from ..judges import grading
from ..judges.comparing import PairBench, tasks_of
from ..judges.grading import Bench
from ..judges.mlflow_judge import MlflowJudge
from ..judges.pairwise import Pair
from .launching import phase_lines, planned_phases
from .output import PlanOutput, PlanRow
from .session import Options, exam_identity, pairwise_rubrics_of, price_book, rubrics_of
from .uncalled import NoCaller
from .workflow import build_benches, build_pair_benches, build_sittings

ASSUMED_ANSWER_TOKENS = 250
ASSUMED_VERDICT_TOKENS = 200
ASSUMED_LATENCY_S = 3.0
_ASSUMED_ANSWER = "word " * ASSUMED_ANSWER_TOKENS


@dataclass(frozen=True)
class Plan:
    """The numbers, and what they assume."""

    output: PlanOutput
    concurrency: int


@dataclass(frozen=True)
class _Known:
    """What the workspace has already."""

    run: str | None
    salt: str
    answers: dict[queries.AnswerPlace, queries.Standing]
    grades: dict[queries.GradePlace, queries.Standing]
    texts: dict[queries.AnswerPlace, Answer]
    preferences: dict[queries.PreferencePlace, queries.Standing]


def make_plan(exam: Exam, options: Options) -> Plan:
    """Count what is missing, and price it: characters / 4 as prompt tokens, stated assumptions for what comes back."""
    dataset = load_dataset(exam.dataset, limit=options.limit, seed=options.seed)
    known = _known(exam, options, dataset.samples)
    sittings = build_sittings(exam, lambda name: NoCaller(known.salt), require_key=False)
    benches = build_benches(exam, rubrics_of(exam), lambda name: NoCaller(known.salt), require_key=False)
    compared, prices = pairwise_rubrics_of(exam), price_book(exam)
    pair_benches = build_pair_benches(exam, compared, lambda name: NoCaller(known.salt), require_key=False)
    rows = [_candidate_row(sitting, dataset.samples, known, options, prices, exam) for sitting in sittings]
    rows += [_judge_row(bench, sittings, dataset.samples, known, options, prices, exam) for bench in benches]
    rows += [_pair_row(bench, sittings, dataset.samples, known, options, prices, exam) for bench in pair_benches]
    usd = [row.usd for row in rows if row.calls]
    total = None if None in usd else sum(amount for amount in usd if amount is not None)
    return Plan(
        PlanOutput(
            run=known.run,
            samples=len(dataset.samples),
            rows=rows,
            calls=sum(row.calls for row in rows),
            usd=total,
            minutes=round(sum(row.minutes for row in rows), 2),
            notes=[note for bench in benches for note in _notes(bench)],
            phases=planned_phases(exam),
        ),
        exam.concurrency,
    )


def _known(exam: Exam, options: Options, samples: Sequence[Sample]) -> _Known:
    nothing = _Known(None, "", {}, {}, {}, {})
    workspace = str(options.workspace)
    if options.fresh or ("://" not in workspace and not (Path(workspace) / "markscheme.db").exists()):
        return nothing
    store = Store(options.workspace)
    try:
        run = runs.latest(store, exam_identity(exam, store))
        if run is None:
            return nothing
        found = queries.read_answers(store, run.id, [sample.id for sample in samples])
        return _Known(
            run.id,
            run.salt,
            queries.answer_standings(store, run.id),
            queries.grade_standings(store, run.id),
            {(a.sample_id, a.candidate, a.trial): a for a in found},
            queries.preference_standings(store, run.id),
        )
    finally:
        store.close()


def _candidate_row(
    sitting: Sitting, samples: Sequence[Sample], known: _Known, options: Options, prices: PriceBook, exam: Exam
) -> PlanRow:
    candidate = sitting.candidate
    requests: list[Request] = []
    for sample in samples:
        for trial in range(sitting.trials):
            standing = known.answers.get((sample.id, candidate.name, trial))
            due = attempt_due(standing, _fingerprint(candidate, sample, trial, standing), options.retry)
            if due is not None and (request := candidate.preview(sample)) is not None:
                requests += [request] * max(1, len(sample.turns))
    shown = candidate.preview(samples[0]) if samples else None
    if not candidate.models:
        return _application_row(sitting, samples, known, options)
    model = candidate.models[0].name
    return _row("candidate", candidate.name, model, requests, shown, ASSUMED_ANSWER_TOKENS, prices, exam.concurrency)


def _application_row(sitting: Sitting, samples: Sequence[Sample], known: _Known, options: Options) -> PlanRow:
    """A candidate whose calls we cannot price: an application; or one that makes none: a baseline, a sheet."""
    candidate = sitting.candidate
    calls = 0
    if isinstance(candidate, AppCandidate):
        for sample in samples:
            for trial in range(sitting.trials):
                standing = known.answers.get((sample.id, candidate.name, trial))
                due = attempt_due(standing, candidate.fingerprint(sample, trial) if standing else "", options.retry)
                calls += due is not None
    return PlanRow(
        role="candidate",
        name=candidate.name,
        model="application" if isinstance(candidate, AppCandidate) else "",
        calls=calls,
        prompt_tokens=0,
        completion_tokens=0,
        usd=None if calls else 0.0,
        usd_at_most=None if calls else 0.0,
        minutes=0.0,
        prompt="",
    )


def _fingerprint(candidate: Candidate, sample: Sample, trial: int, standing: queries.Standing | None) -> str:
    """That of the answer as it would be now. A plan retrieves nothing: answers from passages count as up to date."""
    if standing is None:
        return ""
    if isinstance(candidate, Prepares) and not candidate.is_prepared(sample):
        return standing.fingerprint
    return candidate.fingerprint(sample, trial)


def _judge_row(
    bench: Bench,
    sittings: Sequence[Sitting],
    samples: Sequence[Sample],
    known: _Known,
    options: Options,
    prices: PriceBook,
    exam: Exam,
) -> PlanRow:
    judge = bench.judge
    requests: list[Request] = []
    for sample in samples:
        for sitting in sittings:
            for trial in range(sitting.trials):
                place = (sample.id, sitting.candidate.name, trial)
                answer = known.texts.get(place) or Answer("plan", *place, _assumed(sample))
                if not isinstance(answer.outcome, Said):
                    continue
                requests += _due_grades(bench, sample, answer, known, options)
    assumed = Answer("plan", "", "", 0, Said("(the candidate's answer)"))
    shown = next(iter(judge.previews(samples[0], assumed)), None) if samples else None
    model = judge.models[0].name if judge.models else ""
    return _row("judge", judge.name, model, requests, shown, ASSUMED_VERDICT_TOKENS, prices, exam.concurrency)


def _notes(bench: Bench) -> list[str]:
    """What cannot be known of a judge's calls beforehand."""
    if isinstance(bench.judge, MlflowJudge):
        return [f"judge {bench.judge.name}: a scorer of MLflow asks in its own way: its calls are not counted"]
    if not is_ragas(bench.judge.rubric.name):
        return []
    return [
        f"judge {bench.judge.name}: what ragas asks depends on the replies; counted as if each sentence of an answer "
        "were one statement, and without calls for embeddings"
    ]


def _pair_row(
    bench: PairBench,
    sittings: Sequence[Sitting],
    samples: Sequence[Sample],
    known: _Known,
    options: Options,
    prices: PriceBook,
    exam: Exam,
) -> PlanRow:
    judge = bench.judge
    trials = [(sitting.candidate.name, trial) for sitting in sittings for trial in range(sitting.trials)]
    places = [(sample, (sample.id, *place)) for sample in samples for place in trials]
    # Two answers that are the same are no call: those that are yet to come count as different.
    answers = [known.texts.get(at) or Answer("plan", *at, _assumed(sample, at[1])) for sample, at in places]
    tasks = tasks_of([bench], samples, answers, known.preferences, options.retry)
    requests = [request for task in tasks if task for request in judge.previews(task.pair, task.order)]
    assumed = [Answer("plan", "", "", 0, Said(f"(the {which} candidate's answer)")) for which in ("first", "second")]
    shown = next(iter(judge.previews(Pair(samples[0], *assumed), "left_first")), None) if samples else None
    model = judge.models[0].name
    return _row("judge", judge.name, model, requests, shown, ASSUMED_VERDICT_TOKENS, prices, exam.concurrency)


def _assumed(sample: Sample, by: str = "") -> Said:
    text = by + _ASSUMED_ANSWER
    return Said(text, turns=(text,) * len(sample.turns))


def _due_grades(bench: Bench, sample: Sample, answer: Answer, known: _Known, options: Options) -> list[Request]:
    due: list[Request] = []
    for repeat in range(bench.repeats_of(sample.id)):
        place = (sample.id, answer.candidate, answer.trial, bench.judge.name, repeat)
        standing = known.grades.get(place)
        fingerprint = bench.judge.fingerprint(sample, answer, repeat) if standing else ""
        if grading.attempt_due(standing, fingerprint, options.retry) is None:
            continue
        due += bench.judge.previews(sample, answer)
    return due


def _row(
    role: str,
    name: str,
    model: str,
    requests: Sequence[Request],
    shown: Request | None,
    completion_tokens: int,
    prices: PriceBook,
    concurrency: int,
) -> PlanRow:
    prompt_tokens = [worst_case(request).prompt_tokens // 4 for request in requests]
    likely = [prices.cost_usd(model, Usage(tokens, completion_tokens)) for tokens in prompt_tokens]
    most = [prices.cost_usd(model, worst_case(request)) for request in requests]
    return PlanRow(
        role=role,
        name=name,
        model=model,
        calls=len(requests),
        prompt_tokens=sum(prompt_tokens),
        completion_tokens=len(requests) * completion_tokens,
        usd=_sum(likely),
        usd_at_most=_sum(most),
        minutes=round(len(requests) * ASSUMED_LATENCY_S / concurrency / 60, 3),
        prompt=_prompt(shown),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    return None if None in values else sum(value for value in values if value is not None)


def _prompt(request: Request | None) -> str:
    if request is None:
        return ""
    return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in request.messages)


def to_text(plan: Plan) -> str:
    """The plan for a terminal."""
    output, lines = plan.output, []
    lines.append(f"{output.samples} samples; {f'continues run {output.run}' if output.run else 'a new run'}")
    for row in output.rows:
        if not row.model:
            lines.append(f"  {row.role} {row.name}: no model, nothing to pay")
            continue
        usd = "price unknown" if row.usd is None else f"about ${row.usd:.4f}, at most ${row.usd_at_most:.4f}"
        lines.append(
            f"  {row.role} {row.name} ({row.model}): {row.calls} calls, about {row.prompt_tokens} prompt and "
            f"{row.completion_tokens} completion tokens, {usd}, about {row.minutes:.1f} min"
        )
    total = "price unknown" if output.usd is None else f"about ${output.usd:.4f}"
    lines.append(f"total: {output.calls} calls, {total}, about {output.minutes:.1f} min")
    lines.append(
        f"assumed: 4 characters a token, {ASSUMED_ANSWER_TOKENS} tokens an answer, {ASSUMED_VERDICT_TOKENS} a verdict, "
        f"{ASSUMED_LATENCY_S:.0f} s a call at concurrency {plan.concurrency}"
    )
    lines += [*output.notes, *phase_lines(output.phases)]
    for row in output.rows:
        if row.prompt:
            lines += ["", f"--- first prompt of {row.role} {row.name} ---", row.prompt]
    return "\n".join(lines)

"""The second phase: every judge grades every answer that there is, as far as that is not done yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from ..harness.dispatch.pool import all_pools, run_pool
from ..harness.generate import Pools
from ..harness.records import Answer, Failed, Sample, Unscored
from ..harness.repeating import repeats_of
from ..harness.store.codec import grade_to_row
from ..harness.store.queries import GradePlace, Standing
from ..harness.store.store import STALE_GRADES
from ..harness.store.writer import Writer
from .base import Judge

CHUNK = 200
"""Samples whose answers are read together."""
WARM_UP_FROM = 8
"""From so many grades on, one call goes ahead of the others, so that these find the shared prompt in the cache."""

Job = TypeVar("Job")
AnswersOf = Callable[[Sequence[str]], list[Answer]]


@dataclass(frozen=True, slots=True)
class Bench:
    """One judge in this exam, grading the answers to ``repeat_share`` of the samples ``repeats`` times, others once."""

    judge: Judge
    repeats: int
    repeat_share: float = 1.0

    def repeats_of(self, sample_id: str) -> int:
        """How often the answers to a sample are graded."""
        return repeats_of(sample_id, self.repeats, self.repeat_share)


@dataclass(frozen=True, slots=True)
class _Job:
    judge: Judge
    sample: Sample
    answer: Answer
    repeat: int
    attempt: int
    replaces: bool
    """Whether grades of another fingerprint stand at its place."""


def attempt_due(standing: Standing | None, fingerprint: str, retry: frozenset[str]) -> int | None:
    """Which attempt a set of grades needs now, or ``None``. `error` had no verdict at all and is always tried again;
    `unparsable`, `truncated` and `refused` are final until they are in ``retry`` (`failed` means all of them)."""
    if standing is None or standing.fingerprint != fingerprint:
        return 0
    if standing.status == "error":
        return standing.attempt
    final = standing.status in ("unparsable", "truncated", "refused")
    if final and (standing.status in retry or "failed" in retry):
        return standing.attempt + 1
    return None


async def grade(
    benches: Sequence[Bench],
    samples: Sequence[Sample],
    answers_of: AnswersOf,
    standings: Mapping[GradePlace, Standing],
    writer: Writer,
    retry: frozenset[str],
    pools: Pools,
) -> None:
    """Grade every answered sample; failed answers have no grade. ``answers_of`` reads the answers to some samples."""
    groups: dict[str, list[Bench]] = {}
    for bench in benches:
        group = bench.judge.models[0].limit_group if bench.judge.models else bench.judge.name
        groups.setdefault(group, []).append(bench)
    pools.tally.begin("grades", 0, 0)

    async def work(job: _Job) -> None:
        grades = await job.judge.grade(job.sample, job.answer, job.repeat, job.attempt)
        rows = [grade_to_row(g, job.attempt) for g in grades]
        stale = [(STALE_GRADES, rows[0])] if job.replaces else []
        committed = writer.put(*(("grades", row) for row in rows), *stale)
        pools.tally.done += 1
        pools.tally.failed += any(isinstance(g.outcome, Unscored) for g in grades)
        if committed.done():
            committed.result()

    def at_work(members: Sequence[Bench]) -> Coroutine[Any, Any, None]:
        warm_up = bool(members[0].judge.models) and len(samples) >= WARM_UP_FROM
        return crew(_jobs(members, samples, answers_of, standings, retry, pools), work, pools, warm_up)

    try:
        await all_pools(at_work(members) for members in groups.values())
    finally:
        await writer.drain()


async def crew(jobs: Iterator[Job], work: Callable[[Job], Awaitable[None]], pools: Pools, warm_up: bool) -> None:
    """Work the jobs of one endpoint off; with ``warm_up`` the first goes ahead alone."""
    if warm_up:
        await run_pool(islice(jobs, 1), work, 1, pools.stop)
    await run_pool(jobs, work, pools.workers, pools.stop)


def _jobs(
    benches: Sequence[Bench],
    samples: Sequence[Sample],
    answers_of: AnswersOf,
    standings: Mapping[GradePlace, Standing],
    retry: frozenset[str],
    pools: Pools,
) -> Iterator[_Job]:
    """Reads a chunk of answers at a time, so that memory does not grow with the exam; counts into the tally."""
    by_id = {sample.id: sample for sample in samples}
    ids = list(by_id)
    for start in range(0, len(ids), CHUNK):
        chunk: list[_Job] = []
        for answer in answers_of(ids[start : start + CHUNK]):
            if isinstance(answer.outcome, Failed):
                continue
            for bench in benches:
                for repeat in range(bench.repeats_of(answer.sample_id)):
                    judge = bench.judge
                    place = (answer.sample_id, answer.candidate, answer.trial, judge.name, repeat)
                    standing = standings.get(place)
                    sample = by_id[answer.sample_id]
                    fingerprint = judge.fingerprint(sample, answer, repeat) if standing else ""
                    attempt = attempt_due(standing, fingerprint, retry)
                    if attempt is None:
                        pools.tally.skipped += 1
                    else:
                        chunk.append(_Job(judge, sample, answer, repeat, attempt, standing is not None))
        pools.tally.total += len(chunk)
        yield from chunk

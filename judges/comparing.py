"""The second phase, for pairwise judges: both orders of every pair of answers, as far as that is not done yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..harness.dispatch.pool import all_pools
from ..harness.generate import Pools
from ..harness.records import Answer, Failed, Sample, Unscored
from ..harness.store.codec import preference_to_row
from ..harness.store.queries import PreferencePlace, Standing
from ..harness.store.writer import Writer
from .grading import CHUNK, WARM_UP_FROM, AnswersOf, attempt_due, crew
from .pairwise import ORDERS, Order, Pair, PairwiseJudge


@dataclass(frozen=True, slots=True)
class PairBench:
    """One pairwise judge in this exam, comparing each of its pairs of candidates ``repeats`` times in both orders."""

    judge: PairwiseJudge
    repeats: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One verdict that is due."""

    judge: PairwiseJudge
    pair: Pair
    order: Order
    repeat: int
    attempt: int


def pairs_of(candidates: Sequence[str], against: str | None) -> tuple[tuple[str, str], ...]:
    """Every two candidates, in exam order; only those with ``against`` where one is named."""
    return tuple(pair for pair in combinations(candidates, 2) if against is None or against in pair)


async def compare(
    benches: Sequence[PairBench],
    samples: Sequence[Sample],
    answers_of: AnswersOf,
    standings: Mapping[PreferencePlace, Standing],
    writer: Writer,
    retry: frozenset[str],
    pools: Pools,
) -> None:
    """Compare all answers that have a partner; every verdict is committed. ``retry`` as in `grading.grade`."""
    groups: dict[str, list[PairBench]] = {}
    for bench in benches:
        groups.setdefault(bench.judge.models[0].limit_group, []).append(bench)
    pools.tally.begin("comparisons", 0, 0)

    async def work(task: Task) -> None:
        found = await task.judge.compare(task.pair, task.order, task.repeat, task.attempt)
        committed = writer.put(("preferences", preference_to_row(found, task.attempt)))
        pools.tally.done += 1
        pools.tally.failed += isinstance(found.outcome, Unscored)
        if committed.done():
            committed.result()

    def due(members: Sequence[PairBench]) -> Iterator[Task]:
        ids = [sample.id for sample in samples]
        for start in range(0, len(ids), CHUNK):
            part = samples[start : start + CHUNK]
            found = list(tasks_of(members, part, answers_of(ids[start : start + CHUNK]), standings, retry))
            chunk = [task for task in found if task is not None]
            pools.tally.total += len(chunk)
            pools.tally.skipped += len(found) - len(chunk)
            yield from chunk

    warm_up = len(samples) >= WARM_UP_FROM
    try:
        await all_pools(crew(due(members), work, pools, warm_up) for members in groups.values())
    finally:
        await writer.drain()


def tasks_of(
    benches: Sequence[PairBench],
    samples: Iterable[Sample],
    answers: Iterable[Answer],
    standings: Mapping[PreferencePlace, Standing],
    retry: frozenset[str],
) -> Iterator[Task | None]:
    """A task for every verdict that is missing, out of date or in ``retry``, and ``None`` for each that stands.

    A failed answer has no partner; trials are paired by number.
    """
    said: dict[str, dict[tuple[str, int], Answer]] = {}
    for answer in answers:
        if not isinstance(answer.outcome, Failed):
            said.setdefault(answer.sample_id, {})[answer.candidate, answer.trial] = answer
    for sample in samples:
        given = said.get(sample.id, {})
        for bench in benches:
            for left, right in bench.pairs:
                for trial in sorted(trial for name, trial in given if name == left and (right, trial) in given):
                    pair = Pair(sample, given[left, trial], given[right, trial])
                    yield from _tasks_of_pair(bench, pair, standings, retry)


def _tasks_of_pair(
    bench: PairBench, pair: Pair, standings: Mapping[PreferencePlace, Standing], retry: frozenset[str]
) -> Iterator[Task | None]:
    judge, left = bench.judge, pair.left
    for repeat in range(bench.repeats):
        for order in ORDERS:
            sides = (left.candidate, pair.right.candidate)
            standing = standings.get((left.sample_id, *sides, left.trial, judge.name, order, repeat))
            fingerprint = judge.fingerprint(pair, order, repeat) if standing else ""
            attempt = attempt_due(standing, fingerprint, retry)
            yield None if attempt is None else Task(judge, pair, order, repeat, attempt)

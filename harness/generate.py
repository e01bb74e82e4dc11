"""The first phase: every candidate answers every sample, as far as that is not done yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .candidates.base import Candidate
from .dispatch.pool import all_pools, run_pool
from .dispatch.tally import Tally
from .records import Failed, Sample
from .store.codec import answer_to_row
from .store.queries import AnswerPlace, Standing
from .store.store import REPLACED
from .store.writer import Writer

FINAL_FAILURES = frozenset({"truncated", "content_filter", "context_overflow", "candidate_error"})
"""Failures that another attempt would most likely repeat: final until `--retry`. The others had no reply at all."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One candidate in this exam, ``trials`` answers a sample."""

    candidate: Candidate
    trials: int


@dataclass(frozen=True, slots=True)
class Pools:
    """How a phase runs: workers a limit group, the signal to stop, and the counters."""

    workers: int
    stop: asyncio.Event
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Job:
    candidate: Candidate
    sample: Sample
    trial: int
    attempt: int
    replaces: bool
    """Whether an answer stands at its place; what was said of that one is not true of this one."""


def attempt_due(standing: Standing | None, fingerprint: str, retry: frozenset[str]) -> int | None:
    """Which attempt a place needs now, or ``None`` if what stands there is good.

    ``retry`` holds statuses to ask again with a fresh draw (`failed` means every failure that had a reply or is final).
    """
    if standing is None or standing.fingerprint != fingerprint:
        return 0
    if standing.status == "ok":
        return None
    if standing.status not in FINAL_FAILURES:
        return standing.attempt
    wanted = standing.status in retry or "failed" in retry
    return standing.attempt + 1 if wanted else None


async def generate(
    sittings: Sequence[Sitting],
    samples: Sequence[Sample],
    standings: Mapping[AnswerPlace, Standing],
    writer: Writer,
    retry: frozenset[str],
    pools: Pools,
) -> None:
    """Answer what is missing, out of date, failed by our fault, or in ``retry``. Every answer is committed."""
    groups: dict[str, list[Sitting]] = {}
    for sitting in sittings:
        groups.setdefault(_group(sitting.candidate), []).append(sitting)
    jobs = {name: list(_jobs(members, samples, standings, retry)) for name, members in groups.items()}
    places = sum(sitting.trials for sitting in sittings) * len(samples)
    todo = sum(len(group) for group in jobs.values())
    pools.tally.begin("answers", todo, places - todo)

    async def answer(job: _Job) -> None:
        result = await job.candidate.answer(job.sample, job.trial, job.attempt)
        row = answer_to_row(result, job.attempt)
        committed = writer.put(("answers", row), *([(REPLACED, row)] if job.replaces else []))
        pools.tally.done += 1
        pools.tally.failed += isinstance(result.outcome, Failed)
        if committed.done():  # a full disk is noticed here, not at the very end
            committed.result()

    try:
        await all_pools(run_pool(group, answer, pools.workers, pools.stop) for group in jobs.values())
    finally:
        await writer.drain()


def _group(candidate: Candidate) -> str:
    """Candidates of one endpoint share a crew, so that a slow endpoint does not hold up a fast one."""
    return candidate.models[0].limit_group if candidate.models else candidate.name


def _jobs(
    sittings: Sequence[Sitting],
    samples: Sequence[Sample],
    standings: Mapping[AnswerPlace, Standing],
    retry: frozenset[str],
) -> Iterator[_Job]:
    for sample in samples:
        for sitting in sittings:
            candidate = sitting.candidate
            for trial in range(sitting.trials):
                standing = standings.get((sample.id, candidate.name, trial))
                fingerprint = candidate.fingerprint(sample, trial) if standing else ""
                attempt = attempt_due(standing, fingerprint, retry)
                if attempt is not None:
                    yield _Job(candidate, sample, trial, attempt, standing is not None)

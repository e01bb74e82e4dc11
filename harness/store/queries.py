"""What a run already has: standings of answers and grades for resuming, and the rows themselves, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..records import Answer, Grade
from .codec import row_to_answer, row_to_grade
from .schema import answers, calls, grades, run_samples, scores
from .store import Store, select_in

AnswerPlace = tuple[str, str, int]
"""Sample id, candidate, trial."""
GradePlace = tuple[str, str, int, str, int]
"""Sample id, candidate, trial, judge, repeat."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a place. ``status`` of several grades is the one most in need of work."""

    fingerprint: str
    status: str
    attempt: int


def answer_standings(store: Store, run: str) -> dict[AnswerPlace, Standing]:
    """Every answer that the run has, without its text."""
    a = answers.c
    query = sa.select(a.sample_id, a.candidate, a.trial, a.fingerprint, a.status, a.attempt).where(a.run == run)
    with store.reading() as connection:
        return {(r[0], r[1], r[2]): Standing(r[3], r[4], r[5]) for r in connection.execute(query)}


_NEED = ("scored", "not_applicable", "refused", "truncated", "unparsable", "error")
"""Statuses of a grade, the later the more in need of work."""


def grade_standings(store: Store, run: str) -> dict[GradePlace, Standing]:
    """Every set of grades (one judge, one repeat, all criteria) that the run has."""
    g = grades.c
    query = sa.select(g.sample_id, g.candidate, g.trial, g.judge, g.repeat, g.fingerprint, g.status, g.attempt).where(
        g.run == run
    )
    found: dict[GradePlace, Standing] = {}
    with store.reading() as connection:
        for r in connection.execute(query):
            place = (r[0], r[1], r[2], r[3], r[4])
            known = found.get(place)
            if known is None or _NEED.index(r[6]) > _NEED.index(known.status):
                found[place] = Standing(r[5], r[6], r[7])
    return found


def read_answers(store: Store, run: str, sample_ids: Sequence[str]) -> list[Answer]:
    """The answers to these samples, in their order, then by candidate and trial."""
    order = {sample_id: position for position, sample_id in enumerate(sample_ids)}
    query = sa.select(answers).where(answers.c.run == run)
    with store.reading() as connection:
        found = [row_to_answer(row) for row in select_in(connection, query, answers.c.sample_id, sample_ids)]
    found.sort(key=lambda answer: (order[answer.sample_id], answer.candidate, answer.trial))
    return found


def read_grades(store: Store, run: str) -> Iterator[Grade]:
    """The grades of the run's samples, in exam order."""
    query = (
        sa.select(grades)
        .join(run_samples, (run_samples.c.run == grades.c.run) & (run_samples.c.sample_id == grades.c.sample_id))
        .where(grades.c.run == run)
        .order_by(run_samples.c.position, grades.c.candidate, grades.c.trial, grades.c.judge)
    )
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=1000).execute(query).mappings():
            yield row_to_grade(row)


def score_fingerprints(store: Store, run: str) -> dict[tuple[str, str, int, str], str]:
    """(sample id, candidate, trial, measure) -> fingerprint of what was scored."""
    s = scores.c
    query = sa.select(s.sample_id, s.candidate, s.trial, s.measure, s.fingerprint).where(s.run == run)
    with store.reading() as connection:
        return {(r[0], r[1], r[2], r[3]): r[4] for r in connection.execute(query)}


def spent_usd(store: Store, run: str) -> float:
    """USD of all calls that this run paid, as far as prices are known."""
    query = sa.select(sa.func.coalesce(sa.func.sum(calls.c.cost_usd), 0.0)).where(calls.c.run == run)
    with store.reading() as connection:
        return float(connection.execute(query).scalar() or 0.0)


class GradeValue(NamedTuple):
    """A grade without its words."""

    sample_id: str
    candidate: str
    trial: int
    judge: str
    criterion: str
    status: str
    score: float | None


def grade_values(store: Store, run: str) -> Iterator[GradeValue]:
    """Every grade of the run's samples, in no particular order."""
    g = grades.c
    query = _of_samples(
        sa.select(g.sample_id, g.candidate, g.trial, g.judge, g.criterion, g.status, g.score), grades, run
    )
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=1000).execute(query):
            yield GradeValue(*row)


def score_values(store: Store, run: str) -> Iterator[tuple[str, str, str, float | None]]:
    """(candidate, sample id, measure, value) of the run's samples."""
    s = scores.c
    with store.reading() as connection:
        for row in connection.execute(
            _of_samples(sa.select(s.candidate, s.sample_id, s.measure, s.value), scores, run)
        ):
            yield tuple(row)


def answer_counts(store: Store, run: str, candidates: Sequence[str]) -> tuple[int, int]:
    """How many answers to the run's samples there are, and how many failures."""
    a = answers.c
    query = _of_samples(sa.select(a.candidate, a.status, sa.func.count()), answers, run)
    ok = failed = 0
    with store.reading() as connection:
        for candidate, status, count in connection.execute(query.group_by(a.candidate, a.status)):
            if candidate in candidates:
                ok, failed = (ok + count, failed) if status == "ok" else (ok, failed + count)
    return ok, failed


def _of_samples(query: sa.Select[Any], table: sa.Table, run: str) -> sa.Select[Any]:
    """Only rows of samples that the run has at present."""
    places = (run_samples.c.run == table.c.run) & (run_samples.c.sample_id == table.c.sample_id)
    return query.join(run_samples, places).where(table.c.run == run)

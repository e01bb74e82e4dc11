"""What a run already has: standings of answers and grades for resuming, and the rows themselves, a chunk at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..records import Answer, Grade
from .codec import row_to_answer, row_to_grade
from .runs import Run
from .schema import answers, calls, grades, preferences, run_samples, scores
from .store import Store, select_in
from .wanted import Wanted

AnswerPlace = tuple[str, str, int]
"""Sample id, candidate, trial."""
GradePlace = tuple[str, str, int, str, int]
"""Sample id, candidate, trial, judge, repeat."""
SHEET = "replay/"
"""How the models of replayed candidates begin."""
PreferencePlace = tuple[str, str, str, int, str, str, int]
"""Sample id, left, right, trial, rater, shown order, repeat."""


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


def preference_standings(store: Store, run: str) -> dict[PreferencePlace, Standing]:
    """Every preference that the run has."""
    p = preferences.c
    place = (p.sample_id, p.left, p.right, p.trial, p.rater, p.shown_order, p.repeat)
    query = sa.select(*place, p.fingerprint, p.status, p.attempt).where(p.run == run)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return {(r[0], r[1], r[2], r[3], r[4], r[5], r[6]): Standing(r[7], r[8], r[9]) for r in rows}


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


def read_grades_of(store: Store, run: str, judges: Sequence[str], sample_ids: Sequence[str]) -> list[Grade]:
    """What these judges said of the answers to these samples, as it stands."""
    query = sa.select(grades).where(grades.c.run == run, grades.c.judge.in_(judges))
    with store.reading() as connection:
        return [row_to_grade(row) for row in select_in(connection, query, grades.c.sample_id, sample_ids)]


def score_fingerprints(store: Store, run: str) -> dict[tuple[str, str, int, str], str]:
    """(sample id, candidate, trial, measure) -> fingerprint of what was scored."""
    s = scores.c
    query = sa.select(s.sample_id, s.candidate, s.trial, s.measure, s.fingerprint).where(s.run == run)
    with store.reading() as connection:
        return {(r[0], r[1], r[2], r[3]): r[4] for r in connection.execute(query)}


def spent_usd(store: Store, run: str) -> float:
    """USD of all calls that this run paid, as far as prices are known; what a sheet states somebody else paid."""
    paid = calls.c.model.not_like(f"{SHEET}%")
    query = sa.select(sa.func.coalesce(sa.func.sum(calls.c.cost_usd), 0.0)).where(calls.c.run == run, paid)
    with store.reading() as connection:
        return float(connection.execute(query).scalar() or 0.0)


def grade_values(store: Store, run: Run) -> Iterator[sa.RowMapping]:
    """The grades that the run's configuration wants, without their words, in no particular order."""
    g, wanted = grades.c, Wanted.of(run)
    columns = (g.sample_id, g.candidate, g.trial, g.judge, g.repeat, g.turn, g.criterion, g.status, g.score)
    with store.reading() as connection:
        query = _of_samples(sa.select(*columns), grades, run.id)
        for row in connection.execution_options(yield_per=1000).execute(query).mappings():
            if wanted.grade(row):
                yield row


def preference_statuses(store: Store, run: Run) -> Counter[str]:
    """How many preferences that the run's configuration wants have which status: `scored` or an unscored one."""
    p, wanted = preferences.c, Wanted.of(run)
    columns = (p.left, p.right, p.trial, p.rater, p.repeat, p.status)
    found: Counter[str] = Counter()
    with store.reading() as connection:
        for row in connection.execute(_of_samples(sa.select(*columns), preferences, run.id)).mappings():
            if wanted.preference(row):
                found[row["status"]] += 1
    return found


def score_values(store: Store, run: Run) -> Iterator[sa.RowMapping]:
    """The values of measures that the run's configuration wants."""
    s, wanted = scores.c, Wanted.of(run)
    columns = (s.candidate, s.sample_id, s.trial, s.measure, s.value)
    with store.reading() as connection:
        for row in connection.execute(_of_samples(sa.select(*columns), scores, run.id)).mappings():
            if wanted.score(row):
                yield row


def answer_statuses(store: Store, run: Run) -> Counter[str]:
    """How many answers that the run's configuration wants have which status: `ok` or the kind of failure."""
    a, wanted = answers.c, Wanted.of(run)
    query = _of_samples(sa.select(a.candidate, a.trial, a.status, sa.func.count().label("n")), answers, run.id)
    found: Counter[str] = Counter()
    with store.reading() as connection:
        for row in connection.execute(query.group_by(a.candidate, a.trial, a.status)).mappings():
            if wanted.answer(row):
                found[row["status"]] += row["n"]
    return found


def unrecorded(store: Store, run: Run) -> dict[str, tuple[int, str]]:
    """Candidate -> how many answers that the run's configuration wants are not recorded, and what one of them says."""
    a, wanted, n = answers.c, Wanted.of(run), sa.func.count()
    columns = (a.candidate, a.trial, n.label("n"), sa.func.min(a.detail).label("detail"))
    query = _of_samples(sa.select(*columns), answers, run.id).where(a.status == "not_recorded")
    found: dict[str, tuple[int, str]] = {}
    with store.reading() as connection:
        for row in connection.execute(query.group_by(a.candidate, a.trial).order_by(a.candidate, a.trial)).mappings():
            if wanted.answer(row):
                count, detail = found.get(row["candidate"], (0, row["detail"]))
                found[row["candidate"]] = (count + row["n"], detail)
    return found


def failure_details(store: Store, run: Run, most: int = 3) -> list[tuple[str, str, int]]:
    """(status, detail, count) of the most frequent failures of answers; `unrecorded` ones are none."""
    a, n = answers.c, sa.func.count()
    query = sa.select(a.status, a.detail, n).where(a.run == run.id, a.status.not_in(("ok", "not_recorded")))
    with store.reading() as connection:
        rows = connection.execute(query.group_by(a.status, a.detail).order_by(n.desc(), a.detail).limit(most))
        return [(status, detail, count) for status, detail, count in rows]


def _of_samples(query: sa.Select[Any], table: sa.Table, run: str) -> sa.Select[Any]:
    """Only rows of samples that the run has at present."""
    places = (run_samples.c.run == table.c.run) & (run_samples.c.sample_id == table.c.sample_id)
    return query.join(run_samples, places).where(table.c.run == run)

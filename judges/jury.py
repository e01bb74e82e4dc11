"""Juries: what the grades of several judges come to. Nobody is asked again, and the members' own grades stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, median_low
from typing import Literal

from ..harness.keys import digest
from ..harness.records import Grade, Scored, Unscored, UnscoredStatus
from ..harness.repeating import repeats_of
from ..harness.store.codec import grade_to_row
from ..harness.store.queries import GradePlace, Standing
from ..harness.store.store import STALE_GRADES
from ..harness.store.writer import Writer
from .rules import Outcome

Aggregate = Literal["median", "mean", "majority"]
GradesOf = Callable[[Sequence[str], Sequence[str]], list[Grade]]
"""The grades by some judges of the answers to some samples."""

CHUNK = 200
"""Samples whose grades are read together."""
QUOTED = 200
"""Characters of a member's reasoning that the jury repeats."""


@dataclass(frozen=True, slots=True)
class Jury:
    """Judges whose grades count together, as often as all of them repeat theirs."""

    name: str
    members: tuple[str, ...]
    aggregate: Aggregate
    repeats: int = 1
    repeat_share: float = 1.0


def aggregated(scores: Sequence[float], how: Aggregate) -> float:
    """One score out of the members'.

    The median of an even number is the mean of the two in the middle. The majority is the level that most members
    gave; where several levels tie, the lower median of all scores, which is a level too.
    """
    if how == "mean":
        return sum(scores) / len(scores)
    if how == "median":
        return float(median(scores))
    counts = Counter(scores).most_common()
    alone = len(counts) == 1 or counts[0][1] > counts[1][1]
    return float(counts[0][0] if alone else median_low(scores))


async def deliberate(
    juries: Sequence[Jury],
    sample_ids: Sequence[str],
    grades_of: GradesOf,
    standings: Mapping[GradePlace, Standing],
    writer: Writer,
) -> None:
    """Write the juries' grades of these samples where the members' have changed. An answer that a member has not graded
    at all waits for it."""
    for start in range(0, len(sample_ids), CHUNK):
        chunk = sample_ids[start : start + CHUNK]
        for jury in juries:
            for grades in _verdicts(jury, grades_of(jury.members, chunk)):
                first = grades[0]
                place = (first.sample_id, first.candidate, first.trial, jury.name, first.repeat)
                standing = standings.get(place)
                if standing is None or standing.fingerprint != first.fingerprint:
                    rows = [grade_to_row(grade, 0) for grade in grades]
                    stale = [(STALE_GRADES, rows[0])] if standing is not None else []
                    writer.put(*(("grades", row) for row in rows), *stale)
        await writer.drain()


def _verdicts(jury: Jury, grades: Sequence[Grade]) -> Iterator[list[Grade]]:
    """The jury's grades of each answer and repeat that every member has graded."""
    places: dict[tuple[str, str, int, int], dict[str, list[Grade]]] = {}
    for grade in grades:
        if grade.repeat < repeats_of(grade.sample_id, jury.repeats, jury.repeat_share):
            place = (grade.sample_id, grade.candidate, grade.trial, grade.repeat)
            places.setdefault(place, {}).setdefault(grade.judge, []).append(grade)
    for by_member in places.values():
        if all(name in by_member for name in jury.members):
            yield verdict(jury, by_member)


def verdict(jury: Jury, by_member: Mapping[str, Sequence[Grade]]) -> list[Grade]:
    """The jury's grades, one a criterion and turn, of an answer (and repeat) with the grades of every member."""
    found: dict[tuple[str, int], dict[str, Grade]] = {}
    for name in jury.members:
        for grade in sorted(by_member[name], key=lambda one: (one.turn, one.criterion)):
            found.setdefault((grade.criterion, grade.turn), {})[name] = grade
    said = [(*key, name, g.fingerprint, str(g.outcome)) for key, own in found.items() for name, g in own.items()]
    fingerprint = digest([jury.aggregate, said])
    grades = []
    for (criterion, turn), own in found.items():
        one = next(iter(own.values()))
        calls = tuple(dict.fromkeys(key for grade in own.values() for key in grade.calls))
        where = (one.run, one.sample_id, one.candidate, one.trial, jury.name)
        outcomes = {name: own[name].outcome if name in own else Unscored("error", "no grade") for name in jury.members}
        outcome = together(outcomes, jury.aggregate)
        grades.append(Grade(*where, criterion, outcome, one.repeat, turn, calls, fingerprint))
    return grades


def together(outcomes: Mapping[str, Outcome], how: Aggregate) -> Outcome:
    """What the members' outcomes on one criterion come to.

    Members without a score are left out where more than half of all members have one; else there is no score.
    """
    scores = {name: outcome.score for name, outcome in outcomes.items() if isinstance(outcome, Scored)}
    lost = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Unscored)}
    if 2 * len(scores) <= len(outcomes):
        why = "; ".join(f"{name} {outcome.status}: {outcome.why}" for name, outcome in lost.items())
        return Unscored(_status(lost), f"{len(lost)} of {len(outcomes)} members gave no score ({why})")
    head = f"{how.capitalize()} of {len(scores)}" + (f" of {len(outcomes)} members." if lost else " members.")
    lines = [f"{name} {_said(outcome)}" for name, outcome in outcomes.items()]
    return Scored(aggregated(list(scores.values()), how), "\n".join([head, *lines]))


def _status(lost: Mapping[str, Unscored]) -> UnscoredStatus:
    """The commonest status; `not_applicable`, which may drop out of a composite, only where all of them say so."""
    statuses = [outcome.status for outcome in lost.values()]
    others = [status for status in statuses if status != "not_applicable"]
    return Counter(others or statuses).most_common(1)[0][0]


def _said(outcome: Outcome) -> str:
    if isinstance(outcome, Unscored):
        return f"gave no score, {outcome.status}: {outcome.why}"
    words = " ".join(outcome.reasoning.split())
    short = words if len(words) <= QUOTED else words[: QUOTED - 1].rstrip() + "…"
    return f"gave {outcome.score:g}" + (f": {short}" if short else "")

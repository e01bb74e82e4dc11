"""Scores as a tool wrote them, settled into grades and labels: numbers, their scales, and what is unreadable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...harness.data_rows import short
from ...harness.errors import InputError
from ...harness.records import Scored, Unscored
from .found import Found, FoundLabel, FoundScore, Place
from .words import is_absent, number_of, words_of

Scale = tuple[float, float]
UNIT: Scale = (0.0, 1.0)
ALL = ""
"""Stands in `Scales` for every judge that is not named."""
Scales = Mapping[str, Scale]


@dataclass(frozen=True, slots=True)
class ImportedJudge:
    """A judge whose grades were taken in. ``scale`` is ``None`` where nobody says it."""

    name: str
    criteria: tuple[str, ...]
    scale: Scale | None

    def describe(self, tool: str) -> dict[str, Any]:
        """An entry of a run's configuration; criteria weigh the same, since the file does not say otherwise."""
        weight = 1 / len(self.criteria)
        return {
            "name": self.name,
            "model": f"imported/{tool}",
            "imported": tool,
            "repeats": 1,
            "rubric": {
                "name": self.name,
                "scale": None if self.scale is None else list(self.scale),
                "criteria": [{"name": name, "weight": weight, "description": ""} for name in self.criteria],
            },
        }


@dataclass(frozen=True, slots=True)
class ImportedGrade:
    """One grade, ready for the store."""

    place: Place
    judge: str
    criterion: str
    outcome: Scored | Unscored


@dataclass(frozen=True, slots=True)
class Settled:
    """Judges in the order in which they occur, their grades, and people's labels as (label, score)."""

    judges: tuple[ImportedJudge, ...]
    grades: tuple[ImportedGrade, ...]
    labels: tuple[tuple[FoundLabel, float], ...]


def settle(found: Found, scales: Scales) -> Settled:
    """Read every score. Counts in ``found.left`` what is no number, and says which words were read as which.

    Raises InputError for a scale of a judge that the file does not have, or that a score lies outside of.
    """
    words = _words(found)
    scores = [score for score in found.scores.values() if _stands_on_answer(score.place, "scores", found)]
    by_criterion: dict[tuple[str, str], list[FoundScore]] = defaultdict(list)
    worded = _worded_judges(scores, words)
    for score in scores:
        apart = words[score.criterion] and score.judge not in worded
        judge = f"{score.judge}/{score.criterion}" if apart else score.judge
        by_criterion[judge, score.criterion].append(replace(score, judge=judge))
    grades: list[ImportedGrade] = []
    criteria: dict[str, list[str]] = {}
    for (judge, criterion), group in by_criterion.items():
        settled = _grades(group, words[criterion], found)
        if settled:
            criteria.setdefault(judge, []).append(criterion)
            grades += settled
    if unknown := sorted(set(scales) - {ALL} - set(criteria)):
        raise InputError(f"--scale {unknown[0]}=…: there is no such judge; there are {', '.join(criteria) or 'none'}")
    judges = tuple(_judge(name, tuple(names), grades, scales, found, words) for name, names in criteria.items())
    return Settled(judges, tuple(grades), tuple(_labels(found, words)))


def scales_of(written: Iterable[str]) -> dict[str, Scale]:
    """``0,3`` for all judges, ``NAME=1,5`` for one. Raises InputError."""
    scales: dict[str, Scale] = {}
    for text in written:
        name, _, ends = text.rpartition("=")
        try:
            low, high = (float(end) for end in ends.split(","))
        except ValueError:
            low, high = 0.0, 0.0
        if low >= high:
            raise InputError(f"--scale {text!r}: wanted the lowest and the highest score, like 0,3 or NAME=1,5")
        scales[name.strip()] = (low, high)
    return scales


def _words(found: Found) -> dict[str, Mapping[str, float]]:
    """Criterion -> the words in which judges or people score it."""
    values: dict[str, list[Any]] = defaultdict(list)
    for score in found.scores.values():
        values[score.criterion].append(score.value)
    for label in found.labels.values():
        values[label.criterion].append(label.value)
    words = {criterion: words_of(said) for criterion, said in values.items()}
    for criterion, known in words.items():
        if known:
            used = {v.strip() for v in values[criterion] if isinstance(v, str)}
            read = {text: number_of(text, known) for text in sorted(used)}
            said = ", ".join(f"{text} = {number:g}" for text, number in read.items() if number is not None)
            found.note(f"{criterion}: read {said}")
    return words


def _worded_judges(scores: Sequence[FoundScore], words: Mapping[str, Mapping[str, float]]) -> set[str]:
    """Judges that score everything in words. What others score in words is a judge apart: it has a scale of its own."""
    numeric = {score.judge for score in scores if not words[score.criterion]}
    return {score.judge for score in scores} - numeric


def _stands_on_answer(place: Place, what: str, found: Found) -> bool:
    answer = found.answers.get(place)
    if answer is None:
        found.leave(f"{what} of rows without an answer")
    elif answer.status != "ok":
        found.leave(f"{what} of answers that failed")
    return answer is not None and answer.status == "ok"


def _grades(scores: list[FoundScore], words: Mapping[str, float], found: Found) -> list[ImportedGrade]:
    """The grades of one criterion; none where no score of it is a number, since it is no judge then."""
    numbers = [number_of(score.value, words) for score in scores]
    if all(number is None for number in numbers):
        for score in scores:
            found.leave(f"scores by {score.criterion}, which gives no number", score.error or score.value)
        return []
    grades = []
    for score, number in zip(scores, numbers, strict=True):
        if number is None and not score.error and is_absent(score.value):
            found.leave("scores that are empty")
            continue
        grades.append(ImportedGrade(score.place, score.judge, score.criterion, _outcome(score, number, found)))
    return grades


def _outcome(score: FoundScore, number: float | None, found: Found) -> Scored | Unscored:
    if score.error:
        found.leave("scores whose judge failed, kept as grades without a score", score.error)
        return Unscored("error", score.error)
    if number is None:
        found.leave("scores that are no number, kept as unreadable grades", score.value)
        return Unscored("unparsable", f"{short(score.value)} is no number")
    return Scored(number, score.reasoning)


def _judge(
    name: str,
    criteria: tuple[str, ...],
    grades: list[ImportedGrade],
    scales: Scales,
    found: Found,
    words: Mapping[str, Mapping[str, float]],
) -> ImportedJudge:
    own = [grade.outcome.score for grade in grades if grade.judge == name and isinstance(grade.outcome, Scored)]
    if len(criteria) > 1:
        found.note(f"{name}: its {len(criteria)} criteria weigh the same in its composite")
    given = scales.get(name, UNIT if words[criteria[0]] else scales.get(ALL))
    if given is not None:
        if outside := next((score for score in own if not given[0] <= score <= given[1]), None):
            raise InputError(f"--scale {given[0]:g},{given[1]:g}: {name} gave {outside:g}; name both ends of its scale")
        return ImportedJudge(name, criteria, given)
    low, high = min(own), max(own)
    if (found.unit_scores or set(own) <= {0.0, 0.5, 1.0}) and low >= 0 and high <= 1:
        return ImportedJudge(name, criteria, UNIT)
    found.note(f"{name}: gave {low:g} to {high:g}, and its scale is not known; give it like --scale '{name}=0,10'")
    return ImportedJudge(name, criteria, None)


def _labels(found: Found, words: Mapping[str, Mapping[str, float]]) -> Iterable[tuple[FoundLabel, float]]:
    for label in found.labels.values():
        if not _stands_on_answer(label.place, "labels", found) or is_absent(label.value):
            continue
        number = number_of(label.value, words[label.criterion])
        if number is None:
            found.leave("labels that are no number", label.value)
        else:
            yield label, number

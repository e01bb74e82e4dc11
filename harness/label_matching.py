"""Which labels hold for which answers of a run: only a label of that very text does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .labels import LabelFile

Reason = Literal[
    "unknown_sample",
    "unknown_candidate",
    "unknown_criterion",
    "off_scale",
    "not_answered",
    "changed",
    "worked_example",
    "labelled_twice",
]
WORDS: Mapping[Reason, str] = {
    "unknown_sample": "the run has no such question",
    "unknown_candidate": "the run has no such candidate",
    "unknown_criterion": "no judge of the run grades this criterion",
    "off_scale": "the score lies outside the scale of the rubric",
    "not_answered": "the run has no answer there",
    "changed": "the answer has changed since",
    "worked_example": "a worked example of the rubric is never a label",
    "labelled_twice": "the same text is labelled twice, under two trials",
}
Place = tuple[str, str, int, str, str]
"""Sample, candidate, trial, criterion, annotator."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer of the run. ``sha256`` is what labels are bound to, ``text_sha256`` what a label file can know of it.

    ``example`` says that its text is that of a worked example.
    """

    trial: int
    sha256: str
    text_sha256: str
    example: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """A run as labels see it: answers by (sample, candidate), questions that are examples, scales by criterion."""

    samples: frozenset[str]
    candidates: frozenset[str]
    answers: Mapping[tuple[str, str], tuple[Given, ...]]
    examples: frozenset[str]
    scales: Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(slots=True)
class Matching:
    """What came of a file. ``bound`` are the rows that have a text by now, by number: its hash.

    A row may be bound and still not hold for this run, whose answer is another one by now. ``attached`` counts those
    that hold; ``unattached`` the others by reason, ``first`` gives the line of the first of each.
    """

    attached: int = 0
    gaps: int = 0
    bound: dict[int, str] = field(default_factory=dict)
    unattached: Counter[Reason] = field(default_factory=Counter)
    first: dict[Reason, int] = field(default_factory=dict)


def match(file: LabelFile, paper: Paper, pins: Mapping[Place, str]) -> Matching:
    """Find the answer of every row: by its text where the file has it, else the text that it was bound to before
    (``pins``), else the run's present answer at that place, to which it is bound from now on."""
    found = Matching(gaps=file.gaps)
    taken: set[tuple[str, str, str, str, str]] = set()
    rows = zip(file.samples, file.candidates, file.trials, file.criteria, file.annotators, strict=True)
    for number, place in enumerate(rows):
        sample, candidate, trial, criterion, annotator = place
        answers = paper.answers.get((sample, candidate), ())
        pin = "" if file.answers[number] else pins.get(place, "")
        given = _given(answers, trial, file.answers[number], pin)
        reason = _obstacle(paper, place, file.scores[number]) or _absence(given, answers, file.answers[number] or pin)
        if reason is None and given is not None:
            reason = "worked_example" if given.example or sample in paper.examples else None
            pin = given.sha256
        if pin and reason not in ("worked_example", "off_scale"):
            key = (sample, candidate, pin, criterion, annotator)
            if key not in taken:
                taken.add(key)
                found.bound[number] = pin
            else:
                reason = "labelled_twice"
        if reason is None:
            found.attached += 1
        else:
            found.unattached[reason] += 1
            found.first.setdefault(reason, file.lines[number])
    return found


def _given(answers: tuple[Given, ...], trial: int, text: str, pin: str) -> Given | None:
    """The answer that is meant; of several with one text, that of the same trial."""
    if text:
        alike = [a for a in answers if a.text_sha256 == text]
    elif pin:
        alike = [a for a in answers if a.sha256 == pin]
    else:
        return next((a for a in answers if a.trial == trial), None)
    return next((a for a in alike if a.trial == trial), alike[0] if alike else None)


def _obstacle(paper: Paper, place: Place, score: float) -> Reason | None:
    sample, candidate, _, criterion, _ = place
    if sample not in paper.samples:
        return "unknown_sample"
    if candidate not in paper.candidates:
        return "unknown_candidate"
    scales = paper.scales.get(criterion)
    if scales is None:
        return "unknown_criterion"
    return None if any(low <= score <= high for low, high in scales) else "off_scale"


def _absence(given: Given | None, answers: tuple[Given, ...], said: str) -> Reason | None:
    if given is not None:
        return None
    return "changed" if said and answers else "not_answered"

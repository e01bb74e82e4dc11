"""Judges whose faults are known, and a small exam to put to them: what the probes are tried on.

A planted judge knows how good each text is (``deserved``) and grades it so, but for chance and for the fault that it
was given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from random import Random

from markscheme.harness.models.base import ChatModel
from markscheme.harness.records import Answer, Grade, Request, Said, Sample, Scored
from markscheme.judges.base import Judge
from markscheme.judges.probes.base import Item
from markscheme.judges.rubric import Rubric, load_rubric

SEEDS = range(40)
ENOUGH = 32
"""Of the seeds: 80 %."""
TOWNS = "Aachen Bergen Cadiz Delft Evora Fulda Ghent Halle Izmir Jena Kassel Lille Mainz Nancy Oslo Porto".split()

Score = Callable[[Sample, str, str, Random], float]
"""(sample, text, criterion, chance) -> score, before it is rounded and kept on the scale."""


@cache
def rubric() -> Rubric:
    return load_rubric("docs_qa", 0)


class PlantedJudge:
    """Implements `Judge` without a model. ``draw`` is what a salt is to a real one: another reply."""

    def __init__(self, score: Score, seed: int, draw: str = "", name: str = "planted") -> None:
        self._score, self._seed, self._draw, self._name = score, seed, draw, name

    @property
    def name(self) -> str:
        return self._name

    @property
    def rubric(self) -> Rubric:
        return rubric()

    @property
    def models(self) -> tuple[ChatModel, ...]:
        return ()

    def fingerprint(self, sample: Sample, answer: Answer, repeat: int) -> str:
        return ""

    def previews(self, sample: Sample, answer: Answer) -> tuple[Request, ...]:
        return ()

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        text = answer.outcome.text
        grades = []
        for criterion in rubric().criteria:
            chance = Random(f"{self._seed}|{self._draw}|{repeat}|{sample.id}|{criterion.name}|{text}")
            score = min(3, max(0, round(self._score(sample, text, criterion.name, chance))))
            place = (answer.run, sample.id, answer.candidate, answer.trial, self._name, criterion.name)
            grades.append(Grade(*place, Scored(score), repeat))
        return grades


def judged(items: Iterable[Item], score: Score, seed: int) -> dict[object, list[Grade]]:
    """What a planted judge says to the items, each salt being a draw of its own."""

    async def all_of_them() -> dict[object, list[Grade]]:
        judges: dict[str, Judge] = {}
        found = {}
        for item in items:
            judge = judges.setdefault(item.salt, PlantedJudge(score, seed, item.salt))
            found[item.key] = await judge.grade(item.sample, item.answer)
        return found

    return asyncio.run(all_of_them())


def wobbly(deserved: Callable[[Sample, str, str], float], noise: float) -> Score:
    """Grades as deserved, but a score in ``1/noise`` is a step off, down as often as up."""

    def score(sample: Sample, text: str, criterion: str, chance: Random) -> float:
        wobble = chance.choice((-1, 1)) if chance.random() < noise else 0
        level = deserved(sample, text, criterion)
        return level + (wobble if 0 <= level + wobble <= 3 else -wobble)

    return score


def samples(count: int) -> list[Sample]:
    """Questions with references that hold numbers, names and verbs; one document each two."""
    made = []
    for k in range(count):
        draw = Random(k)
        town, other = draw.sample(TOWNS, 2)
        numbers = [draw.randint(11, 98) for _ in range(3)]
        reference = (
            f"The bridge of {town} is {numbers[0]} metres long, because the river was wide in {1700 + numbers[1]}. "
            f"Travellers from {other} can use it, but a toll of {numbers[2]} pence must be paid at the gate each day."
        )
        context = (f"{reference} It stands to this day.",)
        question = f"How long is bridge number {k}, and who may use it?"
        made.append(
            Sample(f"s{k}", question, context=context, reference=reference, cluster=f"d{k // 2}", sha256=f"h{k}")
        )
    return made


def answers(asked: Sequence[Sample], candidates: Sequence[str] = ("one", "two")) -> list[Answer]:
    """An answer of every candidate to every sample, the texts all different."""
    return [
        Answer("run", sample.id, name, 0, Said(f"{name} says of {sample.id} that {sample.reference}"))
        for sample in asked
        for name in candidates
    ]


def level_of(text: str) -> int:
    """A level from 0 to 3 by the text alone: what an answer deserves where it does not matter why."""
    return Random(text).randint(0, 3)


def truth(items: Iterable[Item], levels: Mapping[str, float]) -> Callable[[Sample, str, str], float]:
    """What made-up items deserve, by their severity, or by their kind where that is not named."""
    known = {(item.sample.id, item.text): levels.get(item.severity, levels.get(item.kind, 0.0)) for item in items}
    return lambda sample, text, criterion: known[sample.id, text]

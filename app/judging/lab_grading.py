"""The labelled answers, graded by every configuration, each call once; and what that costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ...harness.labwork import Configuration
from ...harness.records import Answer, Grade, Sample
from ...harness.store.call_prices import Paid, paid_for
from ...harness.store.store import Store
from ...judges.lab.design import Variant
from ...judges.lab.experiments import Sheet
from ...judges.lab.labelled import Labelled, Place, scores_of
from ...judges.lab.trial import Price
from .workshop import Task, Workshop

AGAIN = 50
"""Answers that experiment 2 has graded a second time, with fresh replies."""


@dataclass(frozen=True)
class Bench:
    """Where grading happens: the open run, its data and its answers."""

    shop: Workshop
    samples: Mapping[str, Sample]
    answers: Mapping[Place, Answer]
    seed: int


@dataclass(frozen=True)
class Graded:
    """What one configuration said: the grades by answer, and the fresh ones of a subsample."""

    grades: dict[Place, list[Grade]] = field(default_factory=dict)
    again: dict[Place, list[Grade]] = field(default_factory=dict)

    def sheet(self, configuration: Configuration, labelled: Labelled) -> Sheet:
        """As scores beside the labels."""
        again = scores_of(self.again, labelled) if self.again else None
        return Sheet(configuration, scores_of(self.grades, labelled), again)


async def graded_by(
    bench: Bench, variants: Sequence[Variant], labelled: Labelled, experiments: Collection[int]
) -> dict[str, Graded]:
    """The grades by configuration. Experiment 2 has some answers graded again by the judges that it compares."""
    tasks: list[Task] = []
    keys: list[tuple[str, int, Place]] = []
    for variant in variants:
        judge = bench.shop.judge(variant.spec, variant.rubric)
        regraded = 2 in experiments and variant.configuration.varied in ("", "zero-shot", "few-shot")
        repeated = set(subsample(labelled, bench.seed)) if regraded and judge.models else set()
        for place in labelled.places:
            for repeat in (0, 1)[: 1 + (place in repeated)]:
                keys.append((variant.name, repeat, place))
                tasks.append(Task(keys[-1], judge, bench.samples[place[0]], bench.answers[place], repeat))
    found: dict[str, Graded] = {variant.name: Graded() for variant in variants}
    done = await bench.shop.grade(tasks)
    for name, repeat, place in keys:
        (found[name].again if repeat else found[name].grades)[place] = done[name, repeat, place]
    return found


def subsample(labelled: Labelled, seed: int) -> list[Place]:
    """The answers that are graded again: the same of every configuration."""
    import numpy as np

    n = len(labelled.places)
    rows = np.random.default_rng(seed).choice(n, size=min(n, AGAIN), replace=False)
    return [labelled.places[row] for row in sorted(rows)]


def priced(store: Store, graded: Sequence[Mapping[Place, Sequence[Grade]]]) -> list[Price]:
    """Of each configuration what 1,000 graded answers cost, from its recorded calls."""
    keys = {call for answers in graded for grades in answers.values() for grade in grades for call in grade.calls}
    paid = paid_for(store, keys)
    return [_price(answers, paid) for answers in graded]


def _price(answers: Mapping[Place, Sequence[Grade]], paid: Mapping[str, Paid]) -> Price:
    if not answers:
        return Price(None, None)
    usd: float | None = 0.0
    seconds = 0.0
    for grades in answers.values():
        # Several criteria share a call, and it is paid once.
        for key in dict.fromkeys(call for grade in grades for call in grade.calls):
            call = paid.get(key, Paid(None, 0.0))
            usd = None if usd is None or call.usd is None else usd + call.usd
            seconds += call.seconds
    share = 1000 / len(answers)
    return Price(None if usd is None else usd * share, seconds * share)

"""The answers that weigh most against a claim, with the judges' reasoning: what a failing assertion shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..harness.statistics.thresholds import Direction
from ..harness.store.frames import RunData
from .cells import Scores
from .grid import Key


@dataclass(frozen=True, slots=True)
class Low:
    """One answer. ``reasoning`` is by criterion, after the score that it led to where there is one."""

    sample_id: str
    question: str
    answer: str
    reference: str
    value: float
    reasoning: Mapping[str, str]


def lowest(data: RunData, scores: Scores, key: Key, direction: Direction, most: int = 3) -> tuple[Low, ...]:
    """The ``most`` answers with the lowest values (the highest for a claim of `at most`), the worst first."""
    import numpy as np

    values = scores.grid.values[key]
    turned = (values if direction == "at least" else -values).ravel()
    order = np.argsort(turned, kind="stable")[: int((~np.isnan(turned)).sum())][:most]
    places = [divmod(int(place), values.shape[1]) for place in order]
    return tuple(_low(data, key, sample, trial, float(values[sample, trial])) for sample, trial in places)


def _low(data: RunData, key: Key, row: int, trial: int, value: float) -> Low:
    sample = data.samples.iloc[row]
    answers, grades = (_at(table, str(sample["sample_id"]), key[0], trial) for table in (data.answers, data.grades))
    return Low(
        sample_id=str(sample["sample_id"]),
        question=_text(sample["question"]),
        answer=_text(answers.iloc[0]["text"]) if len(answers) else "",
        reference=_text(sample["reference"]),
        value=value,
        reasoning=dict(_reasoning(grades, key)),
    )


def _reasoning(grades: Any, key: Key) -> Iterator[tuple[str, str]]:
    _, source, measure = key
    own = grades[(grades["judge"] == source) & (grades["repeat"] == 0)]
    for grade in own.itertuples():
        if measure in ("composite", grade.criterion):
            score = "" if grade.score != grade.score else f"{grade.score:g}: "
            yield str(grade.criterion), f"{score}{_text(grade.reasoning) or _text(grade.why)}"


def _at(table: Any, sample: str, candidate: str, trial: int) -> Any:
    return table[(table["sample_id"] == sample) & (table["candidate"] == candidate) & (table["trial"] == trial)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

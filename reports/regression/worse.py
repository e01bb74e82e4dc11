"""The samples that got worse, most first: both answers side by side, with what the judges said of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from ...harness.statistics.paired import TIE
from ...harness.store.frames import RunData
from ..exam import judges_of
from ..grid import Key
from .records import Moved, Side, Subject
from .sides import Aligned, Sides

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Told:
    """A run, and the ``words`` of those of its answers that are shown."""

    run: Aligned
    words: RunData

    def sample_id(self, place: int) -> str:
        """Its name for the matched sample at ``place``."""
        return str(self.run.data.samples["sample_id"].iloc[self.run.matched[place]])


Answer = tuple[Told, str, int, float]
"""A run, its candidate, the trial, and the score of that answer."""


def worse(
    sides: Sequence[Sides], new: Aligned, old: Sequence[Aligned], pairs: Mapping[str, str], most: int
) -> tuple[Moved, ...]:
    """The ``most`` samples that lost most by the first of ``sides`` of each candidate, the leading judge's headline.

    Of several trials, or runs of the pool, the answer shown is the one whose score lies closest to their mean.
    """
    falls = sorted(_falls(sides), key=lambda fall: fall[0])[:most]
    places = sorted({place for _, _, place in falls})
    names = {*pairs.values(), *pairs}
    mine, others = _told(new, places, names), tuple(_told(run, places, names) for run in old)
    return tuple(_moved(one, place, mine, others, pairs[one.subject.candidate]) for _, one, place in falls)


def _told(run: Aligned, places: Sequence[int], candidates: Collection[str]) -> Told:
    """The words of the answers to the samples at ``places``, and of their grades."""
    import numpy as np

    answers, ids = run.data.answers, run.data.samples["sample_id"].iloc[run.matched[list(places)]]
    chosen = answers["sample_id"].isin(ids) & answers["candidate"].isin(candidates)
    return Told(run, run.data.excerpt(np.flatnonzero(chosen)))


def _falls(sides: Sequence[Sides]) -> Iterator[tuple[float, Sides, int]]:
    """New less old where that is a loss, by the first subject of each candidate, with the sample's place."""
    import numpy as np

    first: dict[str, Sides] = {}
    for one in sides:
        first.setdefault(one.subject.candidate, one)
    for one in first.values():
        d = one.new - one.old
        for place in np.flatnonzero(d < -TIE):  # headlines are better when higher
            yield float(d[place]), one, int(place)


def _moved(sides: Sides, place: int, new: Told, old: Sequence[Told], other: str) -> Moved:
    subject, means = sides.subject, (float(sides.new[place]), float(sides.old[place]))
    samples = new.words.samples
    sample = samples[samples["sample_id"] == new.sample_id(place)].iloc[0]
    reference = sample["reference"]
    return Moved(
        sample_id=str(sample["sample_id"]),
        question=str(sample["question"]),
        reference=reference if isinstance(reference, str) else "",
        subject=subject,
        difference=means[0] - means[1],
        new=_side(_typical([new], subject.candidate, subject, place), place),
        old=_side(_typical(old, other, subject, place), place),
        means=means,
    )


def _typical(runs: Sequence[Told], candidate: str, subject: Subject, place: int) -> Answer:
    """Of a side's answers to a sample the one whose score lies closest to their mean."""
    import numpy as np

    key: Key = (candidate, subject.source, subject.measure)
    scored = [
        (told, candidate, trial, float(value))
        for told in runs
        for trial, value in enumerate(told.run.grid.values[key][told.run.matched[place]])
        if not np.isnan(value)
    ]
    middle = sum(answer[3] for answer in scored) / len(scored)
    return min(scored, key=lambda answer: abs(answer[3] - middle))


def _side(answer: Answer, place: int) -> Side:
    shown, candidate, trial, score = answer
    where = shown.sample_id(place), candidate, trial
    told = _rows(shown.words.answers, *where).iloc[0]
    grades = _rows(shown.words.grades, *where)
    grades = _in_order(grades[grades["repeat"] == 0], shown.words)
    several = grades["judge"].nunique() > 1 or grades["turn"].nunique() > 1
    names = [_criterion(grade, several) for grade in grades.itertuples()]
    return Side(
        run=shown.words.info.id,
        text=_text(told),
        status=str(told["status"]),
        score=score,
        reasoning={name: str(g.reasoning or g.why) for name, g in zip(names, grades.itertuples(), strict=True)},
        levels={name: _level(g.score) for name, g in zip(names, grades.itertuples(), strict=True)},
    )


def _in_order(grades: pd.DataFrame, data: RunData) -> pd.DataFrame:
    """By judge and criterion as the exam has them, then by turn."""
    names = [(judge.name, criterion) for judge in judges_of(data) for criterion in judge.criteria]
    places = {name: place for place, name in enumerate(names)}
    keys = zip(grades["judge"], grades["criterion"], strict=True)
    found: pd.DataFrame = grades.assign(place=[places[key] for key in keys]).sort_values(["place", "turn"])
    return found


def _rows(table: pd.DataFrame, sample: str, candidate: str, trial: int) -> pd.DataFrame:
    found: pd.DataFrame = table[
        (table["sample_id"] == sample) & (table["candidate"] == candidate) & (table["trial"] == trial)
    ]
    return found


def _criterion(grade: Any, several: bool) -> str:
    """``correctness``; with the judge and the turn where there are several."""
    turn = f", turn {grade.turn + 1}" if grade.turn else ""
    return f"{grade.judge}: {grade.criterion}{turn}" if several else str(grade.criterion)


def _text(answer: Any) -> str:
    """What was said; of a conversation all turns, of one that called tools the calls."""
    turns, calls = (orjson.loads(answer[name] or "[]") for name in ("turns", "tool_calls"))
    parts = list(turns) or [str(answer["text"] or "")]
    parts += [f"{call['name']}({call['arguments']})" for call in calls]
    return "\n\n".join(part for part in parts if part)


def _level(score: Any) -> float | None:
    return None if score is None or score != score else float(score)

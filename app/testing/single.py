"""One answer and its grades, as a test sees them. What is absent raises when it is asked for; it is never a zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from ...harness.records import Failed, Grade, Said, Scored
from ...judges.rubric import Rubric
from ...reports.measurements import OPERATIONS
from ..terminal import printable
from .marked import Place
from .sitting import Sat
from .verdict import NoVerdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answered:
    """What a candidate said. ``failure`` says why there is no answer, '' where there is one."""

    said: str
    failure: str = ""
    owner: str = ""
    retrieved: tuple[str, ...] = ()
    """Passages that it was given, or says that it used."""

    @property
    def text(self) -> str:
        """Its words. Raises NoVerdict where it failed."""
        if self.failure:
            raise NoVerdict(f"there is no answer: {self.failure}", self.owner)
        return self.said

    @property
    def ok(self) -> bool:
        """Whether there is an answer."""
        return not self.failure

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Graded:
    """Scores by criterion, composite and measure; ``graded["correctness"]``, or ``["strict/correctness"]`` where
    several judges give one. ``reasons`` says why a score is missing, ``reasoning`` what the judge wrote."""

    scores: Mapping[str, float | None]
    reasoning: Mapping[str, str]
    reasons: Mapping[str, str]
    owner: str = "judge"

    def __getitem__(self, name: str) -> float:
        """The score. Raises NoVerdict where there is none, KeyError for a name that nothing has."""
        if name not in self.scores:
            raise KeyError(f"{name!r}: there are {', '.join(self.scores) or 'no scores'}")
        value = self.scores[name]
        if value is None:
            why = self.reasons.get(name, "")
            raise NoVerdict(f"{name} has no score: {why}", "candidate" if why.startswith("candidate") else self.owner)
        return value

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {'–' if value is None else f'{value:g}'}" for name, value in self.scores.items())
        return printable(f"<graded: {shown}>")


def answered_at(sat: Sat, place: Place) -> Answered:
    """The answer at ``place`` of a run."""
    table = sat.data.answers
    row = table[_there(table, place)]
    if not len(row):
        return Answered("", "not answered", "ours")
    first = row.iloc[0]
    if first["status"] != "ok":
        return Answered("", printable(f"{first['status']}: {first['detail']}"), str(first["owner"]))
    return Answered(str(first["text"] or ""))


def graded_at(sat: Sat, place: Place) -> Graded:
    """Its grades: repeats and turns averaged, as in the report."""
    row = list(sat.data.samples["sample_id"]).index(place.sample.id)
    grid, scores, reasons = sat.scores.grid, {}, {}
    sources = {measure: 0 for _, _, measure in grid.values}
    own = [key for key in grid.values if key[0] == place.candidate and (key[1] or key[2] not in OPERATIONS)]
    for _, _, measure in own:
        sources[measure] += 1
    for key in own:
        name = key[2] if sources[key[2]] == 1 else f"{key[1]}/{key[2]}"
        value = float(grid.values[key][row, place.trial])
        scores[name] = None if isnan(value) else value
        if isnan(value):
            why = grid.whys[key]
            reasons[name] = str(why.names[why.codes[row, place.trial]])
    table = sat.data.grades
    grades = table[_there(table, place) & (table["repeat"] == 0)]
    reasoning = {}
    for grade in grades.itertuples():
        criterion = str(grade.criterion)
        name = criterion if sources.get(criterion) == 1 else f"{grade.judge}/{criterion}"
        reasoning[name] = str(grade.reasoning or grade.why or "")
    return Graded(scores, reasoning, reasons)


def answered(outcome: Said | Failed) -> Answered:
    """What a candidate that was asked by itself said."""
    if isinstance(outcome, Failed):
        return Answered("", printable(f"{outcome.kind}: {outcome.detail}"), outcome.owner)
    return Answered(outcome.text, retrieved=tuple(passage.text for passage in outcome.retrieved))


def graded(grades: Sequence[Grade], rubric: Rubric) -> Graded:
    """What a judge that was asked by itself gave, and the composite of several criteria by the rubric's weights."""
    scores: dict[str, float | None] = {}
    reasoning, reasons = {}, {}
    for grade in grades:
        if isinstance(grade.outcome, Scored):
            scores[grade.criterion], reasoning[grade.criterion] = grade.outcome.score, grade.outcome.reasoning
        else:
            scores[grade.criterion] = None
            reasons[grade.criterion] = f"{grade.outcome.status}: {grade.outcome.why}"
    if len(grades) > 1:
        drop = {name for name, why in reasons.items() if rubric.renormalise and why.startswith("not_applicable")}
        weights = {c.name: c.weight for c in rubric.criteria if c.name not in drop}
        there = {name: score for name in weights if (score := scores.get(name)) is not None}
        blocked = "; ".join(f"{name}: {reasons.get(name, 'not graded')}" for name in weights if name not in there)
        total = sum(weights[name] * score for name, score in there.items())
        scores["composite"] = None if blocked or not weights else total / sum(weights.values())
        if scores["composite"] is None:
            reasons["composite"] = blocked or "no criterion applies"
    return Graded(scores, reasoning, reasons)


def _there(table: pd.DataFrame, place: Place) -> pd.Series[bool]:
    return (
        (table["sample_id"] == place.sample.id)
        & (table["candidate"] == place.candidate)
        & (table["trial"] == place.trial)
    )

"""One sample of a run: what was asked, what everybody answered, and what the judges made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError
from ...harness.store.frames import RunData
from .. import words
from ..lowest import Low, lowest
from . import fragment as html
from .fragment import Cell, Mark
from .overview import Overview

if TYPE_CHECKING:
    import pandas as pd

MOST_LETTERS = 4_000
"""Of a question or a reference: a sample is shown by itself."""


@dataclass(frozen=True, eq=False)
class Sat:
    """A sample (its columns by name), and the rows of the run's ``answers`` and ``grades`` that are about it."""

    sample: Mapping[str, Any]
    answers: pd.DataFrame
    grades: pd.DataFrame

    def __repr__(self) -> str:
        said = f"{words.plural(len(self.answers), 'answer')}, {words.plural(len(self.grades), 'grade')}"
        return f"Sample {self.sample['sample_id']!r}: {html.cut(str(self.sample['question']), 80)!r}; {said}"

    def _repr_html_(self) -> str:
        asked = [(name, _text(self.sample.get(name))) for name in ("question", "reference")]
        return html.fragment(
            html.title(f"sample {self.sample['sample_id']}"),
            html.texts([(name, html.cut(text, MOST_LETTERS)) for name, text in asked if text]),
            html.table(["candidate", "answer", "grades"], list(self._rows()), left=3),
        )

    def _rows(self) -> Iterator[list[Cell]]:
        several = self.answers["trial"].nunique() > 1
        for answer in self.answers.itertuples():
            own = self.grades[(self.grades["candidate"] == answer.candidate) & (self.grades["trial"] == answer.trial)]
            said = _text(answer.text) or Mark(words.reason(str(answer.status)), "soft")
            name = f"{answer.candidate}, trial {answer.trial}" if several else str(answer.candidate)
            yield [name, said, "; ".join(_grades(own))]


def sample_of(data: RunData, identifier: str) -> Sat:
    """The sample of this id. Raises InputError where there is none."""
    found = data.samples[data.samples["sample_id"] == identifier]
    if found.empty:
        first = str(data.samples["sample_id"].iloc[0])
        raise InputError(f"run {data.info.id} has no sample {identifier!r}; the first is {first!r}")
    answers, grades = (table[table["sample_id"] == identifier] for table in (data.answers, data.grades))
    return Sat({str(name): value for name, value in found.iloc[0].items()}, answers, grades)


def _grades(own: pd.DataFrame) -> Iterator[str]:
    for grade in own.to_dict("records"):
        value = f"{grade['score']:g}" if grade["status"] == "scored" else words.reason(str(grade["status"]))
        why = _text(grade["reasoning"])
        yield f"{grade['judge']}, {grade['criterion']}: {value}" + (f" ({why})" if why else "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def worst_answers(
    data: RunData, found: Overview, n: int, candidate: str = "", by: tuple[str, str] = ("", "")
) -> pd.DataFrame:
    """The ``n`` answers with the lowest values, the worst first; ``by`` is a judge and a measure, '' for the headline.

    candidate, sample_id, judge, measure, value, question, answer, reference, reasoning. Raises InputError for a name
    that the run does not have.
    """
    import pandas as pd

    source, measure = _by(found, by)
    names = [view.name for view in found.scores.candidates]
    if candidate and candidate not in names:
        raise InputError(f"run {found.run} has no candidate {candidate!r}; there are {', '.join(names)}")
    rows = [
        (name, low.sample_id, source, measure, low.value, low.question, low.answer, low.reference, _said(low))
        for name in ([candidate] if candidate else names)
        for low in lowest(data, found.scores, (name, source, measure), "at least", n)
    ]
    table = pd.DataFrame(rows, columns=list(WORST_COLUMNS))
    return table.sort_values("value", kind="stable").head(n).reset_index(drop=True)


WORST_COLUMNS = (
    "candidate", "sample_id", "judge", "measure", "value", "question", "answer", "reference", "reasoning",
)  # fmt: skip


def _by(found: Overview, asked: tuple[str, str]) -> tuple[str, str]:
    """The judge and the measure that are meant."""
    judge, measure = asked
    if not judge and not measure:
        if found.plotted.measure is None:
            raise InputError(f"run {found.run} has no measure of which more is better: name one")
        return found.plotted.measure
    known = {(source, name) for _, source, name in found.scores.cells}
    own = next((view.headline for view in found.scores.judges if view.name == judge), "")
    meant = [(judge, measure or own)] + [(view.name, measure) for view in found.scores.judges if not judge]
    if one := next((one for one in meant if one in known), None):
        return one
    there = ", ".join(f"{name} of {source}" if source else name for source, name in sorted(known))
    raise InputError(f"run {found.run} has no {measure or 'grades'} of judge {judge!r}; there are {there}")


def _said(low: Low) -> str:
    return "; ".join(f"{criterion}: {text}" for criterion, text in low.reasoning.items())

"""The rubric as raters read it beside their sheet: one table, with what earns which score and worked examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...judges.pairwise_rubric import PairwiseRubric
from ...judges.rubric import Rubric
from .rubrics import AnyRubric
from .sheets import BETTER, LONGEST, NOTE, TIE, pieces, printable

_GRADE = ("criterion", "score", "what earns it", "question", "context", "reference", "answer", "why")
_PAIRS = ("consideration", BETTER, "what is meant", "question", "context", "reference", "answer 1", "answer 2", "why")
_FILL = "Leave a row empty that you have not looked at; what you write under {note} is kept with your scores."
_ASKED = {
    "grade": "Read the question and the answer, and choose a score in every column for scores.",
    "pairs": "Read both answers, and say under {better} which one is better: 1, 2 or {tie}.",
}
_EXAMPLE, _CUT = "an example", " […] (the rest stands in the rubric's file)"
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guidance:
    """``rows`` of texts, the names of the columns first; ``bold`` are the numbers of those that begin a part."""

    rows: tuple[Row, ...]
    bold: frozenset[int]
    widths: tuple[int, ...]


def guidance_of(rubric: AnyRubric) -> Guidance:
    """What a rater should know. Worked examples show what the rubric lets a judge see."""
    graded = isinstance(rubric, Rubric)
    header = _GRADE if graded else _PAIRS
    asked = _ASKED["grade" if graded else "pairs"].format(better=BETTER, tie=TIE)
    first = ("", "", " ".join(filter(None, (rubric.description, asked, _FILL.format(note=NOTE)))))
    body = [*(_graded(rubric) if isinstance(rubric, Rubric) else _compared(rubric))]
    rows = [header, first, *body]
    fitting = tuple(tuple(map(_fitting, row)) + ("",) * (len(header) - len(row)) for row in rows)
    begins = {number for number, row in enumerate(rows) if number == 0 or (row[0] and not row[1])}
    return Guidance(fitting, frozenset(begins), (22, 8, *[50] * (len(header) - 2)))


def _fitting(text: str) -> str:
    """What a cell holds; a longer text says where it goes on."""
    first, *more = pieces(printable(text), LONGEST - len(_CUT))
    return first + _CUT * bool(more)


def _graded(rubric: Rubric) -> Iterator[Row]:
    seen = {"context", "candidate_context"} & set(rubric.sees)
    for criterion in rubric.criteria:
        yield criterion.name, "", criterion.description
        for level in criterion.levels:
            place = (criterion.name, str(level.score))
            yield *place, level.description
            for one in level.examples:
                context, reference = one.context if seen else "", one.reference if "reference" in rubric.sees else ""
                yield *place, _EXAMPLE, one.question, context, reference, one.answer, one.reasoning


def _compared(rubric: PairwiseRubric) -> Iterator[Row]:
    for consideration in rubric.considerations:
        yield consideration.name, "", consideration.description
    words = {"first": "1", "second": "2", "tie": TIE}
    for one in rubric.examples:
        context = one.context if "context" in rubric.sees else ""
        reference = one.reference if "reference" in rubric.sees else ""
        answers = (one.first, one.second)
        yield "", words[one.winner], _EXAMPLE, one.question, context, reference, *answers, one.reasoning

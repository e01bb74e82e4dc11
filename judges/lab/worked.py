"""A strong judge teaches a cheap one: where it agrees with the labels, its verdicts become worked examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...harness.records import Answer, Grade, Said, Sample, Scored
from ...harness.text import words
from ..rubric import Criterion, Level, Rubric
from .labelled import Labelled, Place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXCERPT = 600
"""Characters of a context in a worked example."""


def agreed(
    scores: NDArray[np.float64], labelled: Labelled, allowed: NDArray[np.bool_]
) -> dict[tuple[str, int], list[Place]]:
    """(criterion, level) -> the ``allowed`` (n,) answers to which judge and all annotators gave just this score."""
    import numpy as np

    found: dict[tuple[str, int], list[Place]] = {}
    for column, criterion in enumerate(labelled.criteria):
        people = labelled.humans[:, :, column]
        known = ~np.isnan(people)
        same = (~known | (people == scores[:, column, None])).all(axis=1) & known.any(axis=1)
        for row in np.flatnonzero(same & allowed & ~np.isnan(scores[:, column])):
            found.setdefault((criterion, int(scores[row, column])), []).append(labelled.places[row])
    return found


def with_examples(
    rubric: Rubric,
    agreed_on: Mapping[tuple[str, int], Sequence[Place]],
    samples: Mapping[str, Sample],
    answers: Mapping[Place, Answer],
    graded: Mapping[Place, Sequence[Grade]],
) -> tuple[dict[str, Any], set[str]]:
    """The rubric as a file would hold it, with one such example a level, and the samples that these are of.

    Answers to one question are preferred, since none of its answers can be a label any more, and of these the
    shortest, since it is sent with every call. A level on which judge and labels never agreed keeps the example that
    the rubric has.
    """
    used: set[str] = set()

    def example(criterion: Criterion, level: Level) -> list[dict[str, str]]:
        found = agreed_on.get((criterion.name, level.score), ())
        if not found:
            return [_kept(shown) for shown in level.examples[:1]]
        place = min(found, key=lambda place: (place[0] not in used, len(_text(answers[place])), place))
        used.add(place[0])
        return [_shown(samples[place[0]], _text(answers[place]), _reasoning(graded[place], criterion.name))]

    criteria = [
        {
            "name": criterion.name,
            "weight": criterion.weight,
            "description": criterion.description,
            "levels": [
                {"score": level.score, "description": level.description, "examples": example(criterion, level)}
                for level in criterion.levels
            ],
        }
        for criterion in rubric.criteria
    ]
    return {**_head(rubric), "criteria": criteria}, used


def _reasoning(grades: Sequence[Grade], criterion: str) -> str:
    return next(
        grade.outcome.reasoning
        for grade in grades
        if grade.criterion == criterion and isinstance(grade.outcome, Scored)
    )


def _head(rubric: Rubric) -> dict[str, Any]:
    described = rubric.describe()
    names = ("name", "version", "description", "scale", "sees", "on_empty", "renormalise")
    return {name: described[name] for name in names}


def _text(answer: Answer) -> str:
    return answer.outcome.text if isinstance(answer.outcome, Said) else ""


def _kept(shown: Any) -> dict[str, str]:
    return {name: getattr(shown, name) for name in ("question", "context", "reference", "answer", "reasoning")}


def _shown(sample: Sample, answer: str, reasoning: str) -> dict[str, str]:
    question = sample.question if isinstance(sample.question, str) else ""
    reference = sample.reference or ""
    return {
        "question": question,
        "context": excerpt(sample.context, f"{question} {reference}"),
        "reference": reference,
        "answer": answer,
        "reasoning": reasoning,
    }


def excerpt(context: Sequence[str], about: str) -> str:
    """The passage that shares most words with ``about``, cut at a word after `EXCERPT` characters."""
    wanted = set(words(about))
    best = max(context, key=lambda passage: len(wanted & set(words(passage))), default="")
    if len(best) <= EXCERPT:
        return best
    return best[:EXCERPT].rpartition(" ")[0] + " …"

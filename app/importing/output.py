"""What `markscheme import TOOL --json` prints."""

from __future__ import annotations

from pydantic import BaseModel

from ..shown import Shown


class ImportedJudgeLine(BaseModel):
    """A judge whose grades were taken in; ``scale`` is null where nobody said it."""

    judge: str
    criteria: list[str]
    scale: tuple[float, float] | None


class ImportOutput(Shown):
    """`markscheme import csv`, `inspect`, `promptfoo`, `lm-eval`, `mlflow`, `otel`: the run and its exam file, what was
    taken in, and what was not (``left``: how many, by kind). ``labels`` counts those that hold for an answer of the
    run."""

    run: str
    exam: str
    samples: int
    candidates: list[str]
    answers: dict[str, int]
    grades: dict[str, int]
    labels: int
    judges: list[ImportedJudgeLine]
    left: dict[str, int]
    notes: list[str]

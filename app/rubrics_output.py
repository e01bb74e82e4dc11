"""What `markscheme rubric …` prints with `--json`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .shown import Shown


class RubricLine(BaseModel):
    """A packaged rubric; one that compares two answers has neither scale nor weights."""

    name: str
    scale: tuple[int, int] | None
    criteria: dict[str, float | None]
    description: str


class RubricList(Shown):
    """`rubric show` without a name."""

    rubrics: list[RubricLine]


class ShownCall(BaseModel):
    """One call: the criteria that it asks for, its messages, and the JSON schema of the verdict."""

    criteria: list[str]
    messages: list[dict[str, Any]]
    verdict: dict[str, Any]


class ShownRubric(BaseModel):
    """`rubric show NAME`: the exact prompt of a judge."""

    name: str
    version: str
    sha256: str
    shots: int
    calls: list[ShownCall]


class RubricChange(BaseModel):
    """One difference. ``before`` is null for what was added, ``after`` for what was removed."""

    where: str
    touches: str
    before: str | None
    after: str | None


class RubricDiffOutput(Shown):
    """`rubric diff A B`: whether verdicts without and with examples can differ, and composites of equal verdicts."""

    changes: list[RubricChange]
    zero_shot: bool
    few_shot: bool
    composites: bool

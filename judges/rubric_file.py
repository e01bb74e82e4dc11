"""A rubric as a user writes it: the models of the YAML."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

OnEmpty = Literal["lowest", "highest", "judge"]
SEES = ("question", "context", "candidate_context", "reference")
"""What a judge can be shown beside the answer, in the order in which it is shown."""
MOST_LEVELS = 11
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,15}")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
RESERVED = ("composite", "reasoning", "score")
_Whole = Annotated[int, Field(strict=True)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExampleFile(_Written):
    """A worked example; ``score``, where it is written, repeats that of the level it stands under."""

    question: str = ""
    context: str = ""
    reference: str = ""
    answer: str = Field(description="answer: the answer that earns this score")
    reasoning: str = Field(description="reasoning: why it earns it, as the judge should write")
    score: _Whole | None = None
    user_categories: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class LevelFile(_Written):
    """One score and what earns it."""

    score: _Whole
    description: str
    examples: tuple[ExampleFile, ...] = ()


class CriterionFile(_Written):
    """One thing that is graded."""

    name: str
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    description: str
    levels: tuple[LevelFile, ...]


class CategoryFile(_Written):
    """One category of a taxonomy of content safety. A guard may call it by its code, its name or an alias."""

    code: str
    name: str
    description: str
    aliases: tuple[str, ...] = ()


class RubricFile(_Written):
    """A rubric as a user writes it."""

    name: str
    kind: Literal["pointwise"] = "pointwise"
    version: str = "1"
    description: str = ""
    scale: tuple[_Whole, _Whole] = Field(description="scale: [0, 3], the lowest and the highest score")
    sees: tuple[str, ...] = Field(description="sees: [question, context, reference], what the judge is shown")
    on_empty: OnEmpty = "lowest"
    renormalise: bool = False
    require_examples: bool = False
    criteria: tuple[CriterionFile, ...] = Field(description="criteria: a list of what is graded")
    categories: tuple[CategoryFile, ...] = ()

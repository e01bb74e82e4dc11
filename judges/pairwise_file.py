"""A pairwise rubric as a user writes it: the models of the YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["first", "second", "tie"]
OUTCOMES: tuple[Outcome, ...] = ("first", "second", "tie")
OnEmpty = Literal["loses", "judge"]
SEES = ("question", "context", "reference")
"""What a judge can be shown beside the two answers, in the order in which it is shown."""
PAIRWISE = "pairwise"


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Consideration(_Written):
    """One thing that makes an answer better."""

    name: str
    description: str


class PairExample(_Written):
    """A worked comparison; only what the rubric ``sees`` reaches the prompt."""

    question: str = ""
    context: str = ""
    reference: str = ""
    first: str = Field(description="first: the answer that is shown first")
    second: str = Field(description="second: the answer that is shown second")
    reasoning: str = Field(description="reasoning: what decides it, as the judge should write")
    winner: Outcome


class PairwiseFile(_Written):
    """A pairwise rubric as a user writes it."""

    name: str
    kind: Literal["pairwise"]
    version: str = "1"
    description: str = ""
    sees: tuple[str, ...] = Field(description="sees: [question, context, reference], what the judge is shown")
    on_empty: OnEmpty = "loses"
    considerations: tuple[Consideration, ...] = Field(description="considerations: what matters, most important first")
    examples: tuple[PairExample, ...] = ()
    require_examples: bool = False

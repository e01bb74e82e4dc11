"""What the review page is sent and what it sends. Nothing here has room for a candidate's name or a judge's grade."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

from ...harness.review.records import Mode, Review, Stale
from ...judges.pairwise_file import PairExample
from ...judges.pairwise_rubric import PairwiseRubric
from ...judges.rubric import Criterion, Example, Level, Rubric
from .names import names_of
from .rubrics import AnyRubric

Choice = Literal["first", "second", "tie"]
_PARTS = ("question", "context", "reference")
Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(lambda name: names_of([name])[0])]


class ExampleView(BaseModel):
    """A worked example, in the parts that have words: name of the part and its text."""

    parts: list[tuple[str, str]]


class LevelView(BaseModel):
    """One score on offer and what earns it."""

    score: int
    description: str = ""
    examples: list[ExampleView] = []


class CriterionView(BaseModel):
    """One thing to grade."""

    name: str
    description: str = ""
    levels: list[LevelView]


class ConsiderationView(BaseModel):
    """One thing that makes an answer better."""

    name: str
    description: str


class ReviewView(BaseModel):
    """The review as every rater may know it. ``new_raters``: whether others than ``raters`` may take part."""

    name: str
    mode: Mode
    round: int
    raters: list[str]
    new_raters: bool
    description: str = ""
    criteria: list[CriterionView] = []
    considerations: list[ConsiderationView] = []
    examples: list[ExampleView] = []


class ItemLine(TypedDict):
    """An item in a rater's list; ``rated_at`` in Unix seconds, null while it is not rated."""

    id: str
    rated_at: float | None


class ItemList(TypedDict):
    """A rater's items in the order in which that rater sees them: plain, since there may be thousands."""

    items: list[ItemLine]


class OwnRating(BaseModel):
    """What this rater said of an item before; ``choice`` is about the answers in the order shown."""

    scores: dict[str, int] = {}
    choice: Choice | None = None
    note: str = ""
    seconds: float = 0.0


class ItemView(BaseModel):
    """An item to rate: one answer, or two in the order shown, none where the text that was drawn is ``stale``.

    ``passages``: for each answer what its candidate was given, where the judge sees that too. ``given`` is the rater's
    own rating, if there is one.
    """

    id: str
    question: str
    context: list[str]
    reference: str | None
    answers: list[str]
    passages: list[tuple[str, ...]]
    stale: Stale
    given: OwnRating | None


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Sent):
    """The token of the address, to be exchanged for the cookie."""

    token: str


class Place(_Sent):
    """Whose item."""

    rater: Name
    item: str


class Given(Place):
    """A rating as the page sends it; ``seconds`` that the item was in view."""

    scores: dict[str, StrictInt] = {}
    choice: Choice | None = None
    note: Annotated[str, Field(max_length=10_000)] = ""
    seconds: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0


class RaterProgress(BaseModel):
    """How far a rater is."""

    rater: str
    rated: int
    of: int


def review_view(review: Review, rubric: AnyRubric, round_: int) -> ReviewView:
    """The review with the words of its ``rubric``. A second round is open to anyone, the first to its raters alone."""
    view = ReviewView(
        name=review.name,
        mode=review.mode,
        round=round_,
        raters=list(review.raters),
        new_raters=round_ > 1,
        description=rubric.description,
    )
    if isinstance(rubric, PairwiseRubric):
        view.considerations = [ConsiderationView(name=c.name, description=c.description) for c in rubric.considerations]
        view.examples = [_example(e, rubric, ("first", "second", "reasoning", "winner")) for e in rubric.examples]
    else:
        view.criteria = [_criterion(criterion, rubric) for criterion in rubric.criteria]
    return view


def sees(rubric: AnyRubric, part: str) -> bool:
    """Whether raters are shown this part: what the judge is shown, people are."""
    return part in rubric.sees


def _criterion(criterion: Criterion, rubric: Rubric) -> CriterionView:
    levels = [_level(level, rubric) for level in criterion.levels]
    return CriterionView(name=criterion.name, description=criterion.description, levels=levels)


def _level(level: Level, rubric: Rubric) -> LevelView:
    examples = [_example(example, rubric, ("answer", "reasoning")) for example in level.examples]
    return LevelView(score=level.score, description=level.description, examples=examples)


def _example(example: Example | PairExample, rubric: AnyRubric, own: tuple[str, ...]) -> ExampleView:
    """An excerpt of a context stands for what the candidate was given, too."""
    shown = {*rubric.sees, *(["context"] if sees(rubric, "candidate_context") else [])}
    names = [*(part for part in _PARTS if part in shown), *own]
    return ExampleView(parts=[(name, text) for name in names if (text := str(getattr(example, name)))])

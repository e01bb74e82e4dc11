"""A judge that is shown two answers to one question and says which is better, asked in both orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..harness.candidates.base import Caller
from ..harness.errors import BugError
from ..harness.keys import digest
from ..harness.models.base import ChatModel
from ..harness.records import Answer, Preference, Request, Sample, Unscored, Winner
from ..harness.structured import Verdict
from .asking import Asker, parameters
from .judge import Settings
from .pairwise_prompt import FORM, SCORES, WINNER, PairPrompt
from .pairwise_rubric import PairwiseRubric
from .prompt import Material, materials
from .rules import said_of

if TYPE_CHECKING:
    from ..harness.exam import JudgeSpec

Order = Literal["left_first", "right_first"]
ORDERS: tuple[Order, ...] = ("left_first", "right_first")
_Materials = tuple[Material, Material]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates' answers to one sample of the same trial; ``left`` stands before ``right`` in the exam."""

    sample: Sample
    left: Answer
    right: Answer

    def shown(self, order: Order) -> tuple[Answer, Answer]:
        """The answers in the order in which the judge sees them."""
        return (self.left, self.right) if order == "left_first" else (self.right, self.left)


class PairwiseJudge:
    """Asks a model for the reasoning and the better of two answers, in one order at a time.

    Unreadable and truncated verdicts are treated as `RubricJudge` does; what is still no verdict is `Unscored`.
    """

    def __init__(self, name: str, rubric: PairwiseRubric, model: ChatModel, caller: Caller, settings: Settings) -> None:
        self._name = name
        self._rubric = rubric
        self._asker = Asker(model, caller)
        self._stream = settings.stream
        self._params, self._ours = parameters(settings.params)
        self._prompt = PairPrompt(rubric, settings.shots)
        rules = [rubric.on_empty, rubric.sees, sorted(rubric.optional)]
        self._fixed = digest([model.identity, self._params, rules, self._prompt.sha256])

    @property
    def name(self) -> str:
        """As the exam names it."""
        return self._name

    @property
    def rubric(self) -> PairwiseRubric:
        """What it compares by."""
        return self._rubric

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """Its one model."""
        return (self._asker.model,)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The system message."""
        return (str(self._prompt.system["content"]),)

    def fingerprint(self, pair: Pair, order: Order, repeat: int) -> str:
        """Hash of all that is asked, whatever the rung, of the model, the parameters and the rubric's rules."""
        return digest([self._fixed, self._prompt.content(*_materials(pair, order)), repeat])

    def previews(self, pair: Pair, order: Order) -> tuple[Request, ...]:
        """The one request on the present rung; none where the rubric decides."""
        shown = _materials(pair, order)
        if self._without_call(shown) is not None:
            return ()
        return (self._asker.preview(self._request(shown), FORM),)

    async def compare(self, pair: Pair, order: Order, repeat: int = 0, attempt: int = 0) -> Preference:
        """The verdict on the pair in one order; never raises for a bad one. ``attempt`` > 0 asks for fresh draws.

        Raises BugError for a failed answer, and what the `Caller` raises.
        """
        shown = _materials(pair, order)
        calls: list[str] = []
        outcome, reasoning = await self._outcome(shown, order, (repeat, attempt), calls)
        left, right = pair.left, pair.right
        return Preference(
            left.run,
            left.sample_id,
            left.candidate,
            right.candidate,
            left.trial,
            self._name,
            order,
            outcome,
            reasoning,
            repeat,
            tuple(calls),
            self.fingerprint(pair, order, repeat),
        )

    async def _outcome(
        self, shown: _Materials, order: Order, draw: tuple[int, int], calls: list[str]
    ) -> tuple[Winner | Unscored, str]:
        given = self._without_call(shown)
        if isinstance(given, Unscored):
            return given, ""
        if given is not None:
            return _winner(given.score, order), given.reasoning
        verdicts = await self._asker.verdicts(self._request(shown), FORM, self._asker.draw(*draw), calls)
        if isinstance(verdicts, Unscored):
            return verdicts, ""
        return _winner(verdicts[WINNER].score, order), verdicts[WINNER].reasoning

    def _without_call(self, shown: _Materials) -> Verdict | Unscored | None:
        """The verdict where no judge is needed, else ``None``: not applicable where the rubric must show what is not
        there; the same answer twice is a tie; an empty one loses, unless the judge is to decide that."""
        first, second = shown
        for name in ("context", "reference"):
            if name in self._rubric.sees and name not in self._rubric.optional and not getattr(first.sample, name):
                return Unscored("not_applicable", f"the sample has no {name}")
        if _said(first) == _said(second):
            return Verdict(SCORES["tie"], "The two answers are the same.")
        if self._rubric.on_empty == "loses" and (first.empty or second.empty):
            empty, winner = ("first", SCORES["second"]) if first.empty else ("second", SCORES["first"])
            return Verdict(winner, f"The {empty} answer is empty; by the rubric (on_empty: loses) the other one wins.")
        if first.images and not self._asker.model.supports_images:
            why = f"{self._asker.model.name} takes no images, and the question holds one; name a model that does"
            return Unscored("error", why)
        return None

    def _request(self, shown: _Materials) -> Request:
        return self._prompt.request(shown, self._params, self._ours, self._stream)


def build_pairwise_judge(spec: JudgeSpec, rubric: PairwiseRubric, model: ChatModel, caller: Caller) -> PairwiseJudge:
    """The pairwise judge that the exam describes."""
    params = {name: value for name, value in spec.params.items() if name in spec.params_set_by_user}
    return PairwiseJudge(spec.name, rubric, model, caller, Settings(spec.shots, params, stream=spec.stream))


def _materials(pair: Pair, order: Order) -> _Materials:
    first, second = (materials(pair.sample, said_of(answer), "conversation") for answer in pair.shown(order))
    if len(first) != 1 or len(second) != 1:
        raise BugError(f"sample {pair.sample.id!r} has more than one answer to compare")
    return first[0], second[0]


def _said(material: Material) -> tuple[object, ...]:
    """All that a candidate answered, beside questions that are the same for both."""
    calls = [(call.name, call.arguments) for call in material.tool_calls]
    return material.messages, material.answer.strip(), calls


def _winner(score: int, order: Order) -> Winner:
    if score == SCORES["tie"]:
        return "tie"
    return "left" if (score == SCORES["first"]) == (order == "left_first") else "right"

"""Judges by a metric of ragas, over our own calls: cached, resumed, priced, budgeted and limited like all others.

ragas words the prompts and computes the number; who is asked, how often, and what counts as a reply is decided here.
"""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..harness.candidates.base import Caller
from ..harness.errors import BudgetReached, BugError, EndpointGone, InputError, Stopped, Unfinished
from ..harness.keys import digest
from ..harness.models.base import ChatModel
from ..harness.records import Answer, Call, Draw, Failure, Grade, Reply, Request, Sample, Scored, Unscored
from .asking import Asker, parameters
from .prompt import Material, Turns, materials
from .ragas_replies import listed, read_as, reasoning, strict_schema
from .ragas_rubrics import Metric, metric_of
from .rubric import Rubric
from .rules import Outcome, Place, said_of, without_call

if TYPE_CHECKING:
    from ..harness.exam import JudgeSpec
    from ..harness.retrieval.embedders import Embedder
    from ..harness.retrieval.spec import EmbedderSpec

OpenEmbedder = Callable[["EmbedderSpec", Caller], "Embedder"]
_CALLS: ContextVar[list[str]] = ContextVar("_CALLS")
"""The keys of the grade that is being given, where the embedder's calls are noted."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who a metric asks and how: a model through a caller, and for answer relevancy an embedder.

    ``params`` are the user's, ``prefix`` what the embedder was trained with before questions.
    """

    model: ChatModel
    caller: Caller
    embedder: Embedder | None = None
    prefix: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    turns: Turns = "conversation"
    stream: bool = False


class RagasJudge:
    """Grades by one metric of ragas, from 0 to 1.

    A reply that cannot be read is asked for once more, a truncated one with twice the limit; then there is no grade.
    """

    def __init__(self, name: str, rubric: Rubric, asking: Asking) -> None:
        self._name = name
        self._rubric = rubric
        self._metric = metric_of(rubric.name)
        self._criterion = rubric.criteria[0].name
        self._asker = Asker(asking.model, asking.caller)
        self._asking = asking
        self._params, self._ours = parameters(asking.params)
        embedder = asking.embedder
        vectors = None if embedder is None else [embedder.identity, asking.prefix]
        self._fixed = digest([rubric.sha256, asking.model.identity, self._params, vectors])

    @property
    def name(self) -> str:
        """As the exam names it."""
        return self._name

    @property
    def rubric(self) -> Rubric:
        """The metric, as one criterion."""
        return self._rubric

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """The one it asks, and that of an embedder behind an endpoint."""
        embeds = getattr(self._asking.embedder, "model", None)
        return (self._asker.model,) if embeds is None else (self._asker.model, embeds)

    def fingerprint(self, sample: Sample, answer: Answer, repeat: int) -> str:
        """Hash of the metric, the version of ragas, the models, the parameters, and the texts that the metric reads."""
        return self._fingerprint(self._materials(sample, answer), repeat)

    def previews(self, sample: Sample, answer: Answer) -> tuple[Request, ...]:
        """The requests as far as they are known: a later one depends on the reply to the first.

        It is shown as if each sentence of the answer were one statement. Calls for embeddings are left out.
        """
        found: list[Request] = []
        for material in self._materials(sample, answer):
            inputs = self._inputs(material)
            if isinstance(inputs, dict):
                asked = load().prompts(self._metric, inputs)
                found += [_on_rung(self._request(*one), self._asker.rung) for one in asked]
        return tuple(found)

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        """See `Judge.grade`. Raises BugError for a failed answer, InputError where ragas cannot be loaded, and what the
        `Caller` raises."""
        shown = self._materials(sample, answer)
        place = Place(answer, self._name, repeat, self._fingerprint(shown, repeat))
        draw = self._asker.draw(repeat, attempt)
        grades: list[Grade] = []
        for material in shown:
            calls: list[str] = []
            outcome = await self._outcome(material, draw, calls)
            grades += place.grades({self._criterion: outcome}, material.turn, tuple(calls))
        return grades

    def _materials(self, sample: Sample, answer: Answer) -> list[Material]:
        return materials(sample, said_of(answer), self._asking.turns)

    def _fingerprint(self, shown: Sequence[Material], repeat: int) -> str:
        texts = [[m.turn, inputs if isinstance(inputs := self._inputs(m), dict) else inputs.why] for m in shown]
        return digest([self._fixed, texts, repeat])

    def _inputs(self, material: Material) -> dict[str, Any] | Unscored:
        return _inputs(self._metric, material)

    def _request(self, prompt: str, model: type[BaseModel]) -> Request:
        message = {"role": "user", "content": prompt}
        schema = strict_schema(model)
        return Request((message,), self._params, schema=schema, ours=self._ours, stream=self._asking.stream)

    async def _outcome(self, material: Material, draw: Draw, calls: list[str]) -> Outcome:
        given = without_call(self._rubric, material) or self._inputs(material)
        if not isinstance(given, dict):
            return given
        replies: list[BaseModel] = []
        noted = _CALLS.set(calls)
        try:
            value = await load().score(self._metric, given, self._ask(draw, calls, replies), self._embed)
        except _NoReply as none:
            return none.outcome
        except ValueError as error:
            return Unscored("error", f"ragas: {error}")
        finally:
            _CALLS.reset(noted)
        return _scored(value, self._metric, reasoning(replies))

    def _ask(
        self, draw: Draw, calls: list[str], replies: list[BaseModel]
    ) -> Callable[[str, type[BaseModel]], Awaitable[BaseModel]]:
        """Asks for one metric of one answer. The same prompt again is another draw: `Draw.trial` counts them."""
        seen: Counter[str] = Counter()

        async def ask(prompt: str, model: type[BaseModel]) -> BaseModel:
            nth = Draw(draw.slot, seen[prompt], draw.repeat, draw.attempt, draw.salt)
            seen[prompt] += 1
            wanted = listed(replies)
            found = await self._asker.read(
                self._request(prompt, model), _on_rung, lambda reply: read_as(model, reply, wanted), nth, calls
            )
            if isinstance(found, Unscored):
                raise _NoReply(found)
            replies.append(found)
            return found

        return ask

    async def _embed(self, texts: Sequence[str]) -> Any:
        """Vectors of questions. What an endpoint cannot do for these texts costs this grade, and not the run."""
        assert self._asking.embedder is not None
        try:
            return await self._asking.embedder.embed([self._asking.prefix + text for text in texts])
        except (BudgetReached, EndpointGone, Stopped):
            raise
        except (InputError, Unfinished) as error:
            raise _NoReply(Unscored("error", str(error))) from None


def build_ragas_judge(
    spec: JudgeSpec, rubric: Rubric, model: ChatModel, caller: Caller, open_embedder: OpenEmbedder | None
) -> RagasJudge:
    """The judge that the exam describes; ``open_embedder`` is needed where the metric embeds."""
    params = {name: value for name, value in spec.params.items() if name in spec.params_set_by_user}
    asking = Asking(model, caller, None, "", params, spec.turns, spec.stream)
    if spec.embedder is not None:
        if open_embedder is None:
            raise BugError(f"judge {spec.name!r} has an embedder, and nothing opens it")
        opened = open_embedder(spec.embedder, Noted(caller))
        asking = replace(asking, embedder=opened, prefix=spec.embedder.query_prefix)
    return RagasJudge(spec.name, rubric, asking)


class Noted:
    """A `Caller` that notes the keys of its calls with the grade for which they are made."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def run(self) -> str:
        """Id of the run that pays."""
        return self._caller.run

    @property
    def salt(self) -> str:
        """Salt of the run's keys."""
        return self._caller.salt

    async def complete(self, model: ChatModel, request: Request, draw: Draw) -> Call:
        """See `Caller.complete`."""
        call = await self._caller.complete(model, request, draw)
        _CALLS.get().append(call.key)
        return call

    async def perform(
        self, key: str, model: str, work: Callable[[], Awaitable[Reply | Failure]], cost_usd: float | None = None
    ) -> Call:
        """See `Caller.perform`; no embedder uses it."""
        return await self._caller.perform(key, model, work, cost_usd)


class _NoReply(Exception):
    """Leads out of a metric that cannot go on."""

    def __init__(self, outcome: Unscored) -> None:
        super().__init__(outcome.why)
        self.outcome = outcome


@cache
def load() -> ModuleType:
    """`ragas_bridge`, which imports ragas: seconds, the first time. Raises InputError where that fails."""
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"  # ragas reads it once, and reports to its makers otherwise
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # packages that ragas imports announce their own end
            from . import ragas_bridge
    except ImportError as error:
        raise InputError(
            f"ragas cannot be imported ({error}): other versions of what it needs are installed than it works with; "
            "pip install 'markscheme[ragas]' brings those that it does, best in an environment of its own"
        ) from error
    return ragas_bridge


def _on_rung(request: Request, rung: str) -> Request:
    """With a schema where the server takes one; else as it is, since every prompt of ragas spells its schema out."""
    if rung == "json_schema":
        return request
    return Request(request.messages, request.params, ours=request.ours, stream=request.stream)


def _inputs(metric: Metric, material: Material) -> dict[str, Any] | Unscored:
    """What the metric reads of ``material``, or why it cannot: ragas refuses empty texts.

    The passages are the candidate's own where it came with some, else the sample's context.
    """
    if material.images:
        return Unscored("not_applicable", "ragas reads texts, and the question holds an image")
    passages = [passage.text for passage in material.candidate_context] or list(material.sample.context)
    asked = material.messages
    available = {
        "user_input": asked[0][1] if len(asked) == 1 else "\n".join(f"{role}: {text}" for role, text in asked),
        "response": material.answer.strip() and material.answer,
        "retrieved_contexts": [passage for passage in passages if passage.strip()],
        "reference": material.sample.reference,
    }
    lacking = {
        "user_input": "the sample has no question",
        "response": "the answer has no text",
        "retrieved_contexts": "neither the candidate nor the sample has passages",
        "reference": "the sample has no reference",
    }
    for name in metric.reads:
        if not available[name]:
            return Unscored("not_applicable", lacking[name])
    return {name: available[name] for name in metric.reads}


def _scored(value: float, metric: Metric, why: str) -> Outcome:
    if math.isnan(value):
        nothing = "a question has no vector" if metric.embeds else "the model named no statement to decide on"
        return Unscored("not_applicable", f"ragas gives no number: {nothing}")
    if 0 <= value <= 1:
        return Scored(value, why)
    return Scored(min(1.0, max(0.0, value)), f"{why}\nragas gives {value:.4g}, which counts as the end of the scale.")

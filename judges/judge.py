"""Judges that grade by a rubric: the one that asks a model, and the choice between it and the embedded one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..harness.candidates.base import Caller
from ..harness.errors import BugError
from ..harness.keys import digest
from ..harness.models.base import ChatModel
from ..harness.records import Answer, Call, Draw, Failure, Grade, Request, Sample, Scored, Unscored, UnscoredStatus
from ..harness.structured import Form, Ladder, Unreadable, Verdict, ask, read
from .base import Judge
from .prompt import Material, Prompt, Turns, materials
from .rubric import Rubric
from .rules import Outcome, Place, said_of, without_call

if TYPE_CHECKING:
    from ..harness.exam import JudgeSpec

TEMPERATURE = 0.1
MAX_TOKENS = 1024
"""Completion tokens allowed for a verdict; a truncated one is asked for again with twice as many."""
_LIMITS = ("max_tokens", "max_completion_tokens")
_STATUSES: Mapping[str, UnscoredStatus] = {"content_filter": "refused", "truncated": "truncated"}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a rubric judge asks. ``params`` are the user's; what is missing there is set by us and may be dropped."""

    shots: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    calls: Literal["one", "per_criterion"] = "one"
    turns: Turns = "conversation"
    stream: bool = False


class RubricJudge:
    """Asks a model for the reasoning and the score on every criterion.

    An unreadable verdict gets one more draw, a truncated one is asked for again with twice the limit; what is still no
    verdict is `Unscored`.
    """

    def __init__(self, name: str, rubric: Rubric, model: ChatModel, caller: Caller, settings: Settings) -> None:
        self._name = name
        self._rubric = rubric
        self._model = model
        self._caller = caller
        self._turns: Turns = settings.turns
        self._stream = settings.stream
        self._ladder = Ladder()
        self._params, self._ours = _parameters(settings.params)
        groups = [(criterion,) for criterion in rubric.criteria] if settings.calls == "per_criterion" else [()]
        self._prompts = [Prompt(rubric, settings.shots, group) for group in groups]
        rules = [rubric.on_empty, rubric.scale, rubric.sees, sorted(rubric.optional)]
        self._fixed = digest([model.identity, self._params, rules, [prompt.sha256 for prompt in self._prompts]])

    @property
    def name(self) -> str:
        """As the exam names it."""
        return self._name

    @property
    def rubric(self) -> Rubric:
        """What it grades by."""
        return self._rubric

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """Its one model."""
        return (self._model,)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The system messages, one for each call that an answer takes."""
        return tuple(str(prompt.system["content"]) for prompt in self._prompts)

    def fingerprint(self, sample: Sample, answer: Answer, repeat: int) -> str:
        """Hash of all that is asked, whatever the rung, of the model, the parameters and the rubric's rules."""
        return self._fingerprint(self._materials(sample, answer), repeat)

    def previews(self, sample: Sample, answer: Answer) -> tuple[Request, ...]:
        """The requests on the present rung, one a turn and prompt; none for an empty answer that the rubric decides.

        Passages of the candidate may be absent: a plan asks before there are any.
        """
        decided = self._rubric.on_empty != "judge"
        return tuple(
            ask(self._request(prompt, material), prompt.form, self._ladder.rung)
            for material in self._materials(sample, answer)
            if not (material.empty and decided)
            for prompt in self._prompts
        )

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        """See `Judge.grade`. Raises BugError for a failed answer, and what the `Caller` raises."""
        shown = self._materials(sample, answer)
        place = Place(answer, self._name, repeat, self._fingerprint(shown, repeat))
        # The judge sees texts only: equal answers, of two trials or two candidates, share one verdict.
        draw = Draw(0, 0, repeat, 2 * attempt, self._caller.salt)
        grades: list[Grade] = []
        for material in shown:
            for prompt in self._prompts:
                calls: list[str] = []
                outcomes = await self._outcomes(prompt, material, draw, calls)
                grades += place.grades(outcomes, material.turn, tuple(calls))
        return grades

    def _request(self, prompt: Prompt, material: Material) -> Request:
        return prompt.request(material, self._params, self._ours, self._stream)

    def _materials(self, sample: Sample, answer: Answer) -> list[Material]:
        return materials(sample, said_of(answer), self._turns)

    def _fingerprint(self, shown: Sequence[Material], repeat: int) -> str:
        prompt = self._prompts[0]
        return digest([self._fixed, [[material.turn, prompt.content(material)] for material in shown], repeat])

    async def _outcomes(self, prompt: Prompt, material: Material, draw: Draw, calls: list[str]) -> dict[str, Outcome]:
        """The outcome of each of the prompt's criteria. The keys of the calls made are added to ``calls``."""
        given = without_call(self._rubric, material)
        if given is None and material.images and not self._model.supports_images:
            why = f"{self._model.name} takes no images, and the question holds one; name a model that does"
            given = Unscored("error", why)
        if given is None:
            verdicts = await self._verdicts(prompt, material, draw, calls)
            if isinstance(verdicts, dict):
                return {name: Scored(verdict.score, verdict.reasoning) for name, verdict in verdicts.items()}
            given = verdicts
        return {criterion.name: given for criterion in prompt.form.fields}

    async def _verdicts(
        self, prompt: Prompt, material: Material, draw: Draw, calls: list[str]
    ) -> dict[str, Verdict] | Unscored:
        request = self._request(prompt, material)
        enlarged = redrawn = False
        while True:
            call = await self._complete(request, prompt.form, draw, calls)
            if isinstance(call.outcome, Failure):
                failure = call.outcome
                return Unscored(_STATUSES.get(failure.kind, "error"), f"{failure.kind}: {failure.detail}")
            verdicts = read(call.outcome, prompt.form)
            if not isinstance(verdicts, Unreadable):
                return verdicts
            larger = _with_twice_the_limit(request)
            if verdicts.status == "truncated" and larger is not None and not enlarged:
                enlarged, request = True, larger
            elif verdicts.status == "unparsable" and not redrawn:
                redrawn, draw = True, replace(draw, attempt=draw.attempt + 1)
            else:
                return Unscored(verdicts.status, verdicts.why)

    async def _complete(self, request: Request, form: Form, draw: Draw, calls: list[str]) -> Call:
        """One draw, on the best rung that the model can stand on."""
        while True:
            rung = self._ladder.rung
            call = await self._caller.complete(self._model, ask(request, form, rung), draw)
            calls.append(call.key)
            if not (isinstance(call.outcome, Failure) and self._ladder.leave(rung, call.outcome)):
                return call


def build_judge(spec: JudgeSpec, rubric: Rubric, model: ChatModel | None, caller: Caller) -> Judge:
    """The judge that the exam describes; ``model`` is ``None`` for the embedded one only."""
    if spec.model == "embedded":
        from .embedded import EmbeddedJudge

        return EmbeddedJudge(spec.name, rubric, spec.turns)
    if model is None:
        raise BugError(f"judge {spec.name!r} has no model")
    params = {name: value for name, value in spec.params.items() if name in spec.params_set_by_user}
    settings = Settings(spec.shots, params, spec.calls, spec.turns, spec.stream)
    return RubricJudge(spec.name, rubric, model, caller, settings)


def missing_inputs(rubric: Rubric, samples: Sequence[Sample]) -> list[str]:
    """What the rubric must show the judge and some samples lack: one sentence each, to be told before any call.

    ``reference`` and ``context`` in ``sees`` are needed from every sample; ``reference?`` and ``context?`` are shown
    where there are any.
    """
    problems = []
    for name in ("reference", "context"):
        if name not in rubric.sees or name in rubric.optional:
            continue
        lacking = [sample.id for sample in samples if not getattr(sample, name)]
        if lacking:
            problems.append(
                f"rubric {rubric.name!r} shows the judge the {name}, which {len(lacking)} of {len(samples)} samples "
                f"lack (the first: {lacking[0]!r}): add it to the data, or write {name}? under sees: in the rubric to "
                "show it only where there is one"
            )
    return problems


def _parameters(given: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """The parameters of every request, and which of them are ours."""
    ours: dict[str, Any] = {}
    if "temperature" not in given:
        ours["temperature"] = TEMPERATURE
    if not any(name in given for name in _LIMITS):
        ours["max_tokens"] = MAX_TOKENS
    return {**given, **ours}, frozenset(ours)


def _with_twice_the_limit(request: Request) -> Request | None:
    """The request with twice the completion tokens; ``None`` where it sets no limit."""
    larger = {name: 2 * request.params[name] for name in _LIMITS if isinstance(request.params.get(name), int)}
    return replace(request, params={**request.params, **larger}) if larger else None

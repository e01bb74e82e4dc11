"""Judges that grade by a rubric: the one that asks a model, and the choice between it and the embedded one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..harness.candidates.base import Caller
from ..harness.errors import BugError
from ..harness.exam_mlflow import is_mlflow
from ..harness.exam_ragas import is_ragas
from ..harness.exam_safety import is_guard
from ..harness.keys import digest
from ..harness.models.base import ChatModel
from ..harness.records import Answer, Draw, Grade, Request, Sample, Scored, Unscored
from .asking import Asker, parameters
from .base import Judge
from .pairwise_rubric import PairwiseRubric
from .prompt import Material, Prompt, Turns, materials
from .ragas_rubrics import missing_ragas_inputs
from .rubric import Rubric
from .rules import Outcome, Place, said_of, without_call
from .safety import verdict_labels

if TYPE_CHECKING:
    from ..harness.exam import JudgeSpec
    from .ragas import OpenEmbedder


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
        self._asker = Asker(model, caller)
        self._turns: Turns = settings.turns
        self._stream = settings.stream
        self._params, self._ours = parameters(settings.params)
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
        return (self._asker.model,)

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
            self._asker.preview(self._request(prompt, material), prompt.form)
            for material in self._materials(sample, answer)
            if not (material.empty and decided)
            for prompt in self._prompts
        )

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        """See `Judge.grade`. Raises BugError for a failed answer, and what the `Caller` raises."""
        shown = self._materials(sample, answer)
        place = Place(answer, self._name, repeat, self._fingerprint(shown, repeat))
        draw = self._asker.draw(repeat, attempt)
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
        if given is None and material.images and not self._asker.model.supports_images:
            why = f"{self._asker.model.name} takes no images, and the question holds one; name a model that does"
            given = Unscored("error", why)
        if given is None:
            verdicts = await self._asker.verdicts(self._request(prompt, material), prompt.form, draw, calls)
            if isinstance(verdicts, dict):
                return {
                    name: Scored(verdict.score, verdict.reasoning, verdict_labels(verdict, self._rubric))
                    for name, verdict in verdicts.items()
                }
            given = verdicts
        return {criterion.name: given for criterion in prompt.form.fields}


def build_judge(
    spec: JudgeSpec,
    rubric: Rubric,
    model: ChatModel | None,
    caller: Caller,
    open_embedder: OpenEmbedder | None = None,
) -> Judge:
    """The judge that the exam describes; ``model`` is ``None`` for one without a wire of ours.

    ``open_embedder`` is needed by a judge that compares vectors.
    """
    if spec.model == "embedded":
        from .embedded import EmbeddedJudge

        return EmbeddedJudge(spec.name, rubric, spec.turns)
    if is_mlflow(spec.model):
        from .mlflow_judge import build_mlflow_judge

        return build_mlflow_judge(spec, rubric, caller)
    if model is None:
        raise BugError(f"judge {spec.name!r} has no model")
    if is_guard(spec):
        from .guards import GuardJudge

        return GuardJudge(spec, rubric, model, caller)
    if is_ragas(spec.rubric):
        from .ragas import build_ragas_judge

        return build_ragas_judge(spec, rubric, model, caller, open_embedder)
    params = {name: value for name, value in spec.params.items() if name in spec.params_set_by_user}
    settings = Settings(spec.shots, params, spec.calls, spec.turns, spec.stream)
    return RubricJudge(spec.name, rubric, model, caller, settings)


def missing_inputs(rubric: Rubric | PairwiseRubric, samples: Sequence[Sample], passages: bool = False) -> list[str]:
    """What the rubric must show the judge and some samples lack: one sentence each, to be told before any call.

    ``reference`` and ``context`` in ``sees`` are needed from every sample; ``reference?`` and ``context?`` are shown
    where there are any. ``passages`` says that a candidate may come with its own, which a metric of ragas reads then.
    """
    if isinstance(rubric, Rubric) and is_ragas(rubric.name):
        return missing_ragas_inputs(rubric, samples, passages)
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

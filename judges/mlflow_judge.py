"""A scorer of MLflow as a judge: ``mlflow:package.module:scorer``, the user's own or one of `mlflow.genai.scorers`.

It is given the inputs, the outputs and the expectations, and no trace. What it gives is recorded once, like a call.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from ..harness.candidates.base import Caller
from ..harness.candidates.python_app import PythonApp, in_thread
from ..harness.errors import InputError
from ..harness.exam_mlflow import PREFIX, RUBRIC
from ..harness.keys import digest, work_key
from ..harness.models.base import ChatModel
from ..harness.records import Answer, Draw, Failure, Grade, Reply, Request, Sample, Scored, Unscored, Usage
from ..harness.tracking import need_mlflow
from ..harness.user_code import load
from .prompt import Material, Turns, materials
from .rubric import Criterion, Rubric
from .rules import Outcome, Place, said_of, without_call

if TYPE_CHECKING:
    from mlflow.genai.scorers import Scorer

    from ..harness.exam import JudgeSpec

TIMEOUT_S = 300.0
"""MLflow's own limit for one answer, unless the judge's ``timeout_s`` says otherwise."""
_YES_NO: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False, "pass": True, "fail": False}


class MlflowJudge:
    """Grades by what a scorer gives: a number on the rubric's scale, or yes or no as its two ends.

    Feedback counts for the criterion of its name; of a rubric with one criterion it may have any.
    """

    def __init__(
        self,
        spec: JudgeSpec,
        rubric: Rubric,
        caller: Caller,
        scorer: Scorer,
        version: str,
    ) -> None:
        self._name, self._model = spec.name, spec.model
        self._rubric = rubric
        self._caller = caller
        self._scorer = scorer
        self._version = version
        self._turns: Turns = spec.turns
        self._timeout_s = spec.timeout_s or TIMEOUT_S

    @property
    def name(self) -> str:
        """As the exam names it."""
        return self._name

    @property
    def rubric(self) -> Rubric:
        """The exam's, or one criterion of the scorer's name from 0 to 1."""
        return self._rubric

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """None: a scorer asks its model itself."""
        return ()

    def fingerprint(self, sample: Sample, answer: Answer, repeat: int) -> str:
        """Hash of the scorer's code and parameters, MLflow's version, the rubric, and all that the scorer is given."""
        return self._fingerprint(self._materials(sample, answer), repeat)

    def previews(self, sample: Sample, answer: Answer) -> tuple[Request, ...]:
        """None: there is no request of ours."""
        return ()

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        """See `Judge.grade`. Raises BugError for a failed answer, and what the `Caller` raises."""
        shown = self._materials(sample, answer)
        place = Place(answer, self._name, repeat, self._fingerprint(shown, repeat))
        draw = Draw(repeat=repeat, attempt=attempt, salt=self._caller.salt)
        names = [criterion.name for criterion in self._rubric.criteria]
        grades: list[Grade] = []
        for material in shown:
            calls: tuple[str, ...] = ()
            if (given := without_call(self._rubric, material)) is not None:
                outcomes: dict[str, Outcome] = dict.fromkeys(names, given)
            else:
                outcomes, calls = await self._outcomes(sample, material, draw)
            grades += place.grades(outcomes, material.turn, calls)
        return grades

    def _materials(self, sample: Sample, answer: Answer) -> list[Material]:
        return materials(sample, said_of(answer), self._turns)

    def _fingerprint(self, shown: Sequence[Material], repeat: int) -> str:
        texts = [[material.turn, given_of(material)] for material in shown]
        return digest([self._model, self._version, self._rubric.sha256, texts, repeat])

    async def _outcomes(
        self, sample: Sample, material: Material, draw: Draw
    ) -> tuple[dict[str, Outcome], tuple[str, ...]]:
        given = given_of(material)
        key = work_key(self._model, self._version, given, draw)

        async def entry(_: Sample) -> str:
            run: Callable[..., Any] = self._scorer.run
            return plain_feedback(self._scorer.name, await in_thread(partial(run, **given)))

        app = PythonApp(self._model, self._version, entry, self._timeout_s)

        async def work() -> Reply | Failure:
            reply = await app.ask(sample, given)
            return replace(reply, usage=Usage(0, 0)) if isinstance(reply, Reply) else reply  # tokens are its own matter

        call = await self._caller.perform(key, self._model, work)
        if isinstance(call.outcome, Failure):
            failed = Unscored("error", f"{call.outcome.kind}: {call.outcome.detail}")
            return {criterion.name: failed for criterion in self._rubric.criteria}, (call.key,)
        return outcomes_of(orjson.loads(call.outcome.text), self._rubric), (call.key,)


def build_mlflow_judge(spec: JudgeSpec, rubric: Rubric, caller: Caller) -> MlflowJudge:
    """The judge that the exam describes. Raises MissingExtra, or InputError where there is no such scorer, or one that
    needs what only `mlflow.genai.evaluate` has."""
    need_mlflow(f"the judge {spec.name!r}")
    import mlflow

    code = load(spec.model.removeprefix(PREFIX), spec.base, PREFIX)
    params = {name: value for name, value in spec.params.items() if name in spec.params_set_by_user}
    scorer = _scorer(code.target, spec.model, params)
    _refuse_traces(scorer, spec.model)
    return MlflowJudge(spec, rubric, caller, scorer, digest([code.sha256, params, mlflow.__version__]))


def _scorer(target: Any, reference: str, params: Mapping[str, Any]) -> Scorer:
    """The scorer; a class of scorers is made one with the judge's ``params``, a plain function is wrapped."""
    from mlflow.genai.scorers import Scorer, scorer

    if inspect.isclass(target) and issubclass(target, Scorer):
        try:
            return target(**params)
        except Exception as error:
            said = str(error).strip().splitlines()[0]
            raise InputError(f"{reference}: {target.__name__} cannot be made with {dict(params)!r}: {said}") from error
    if params:
        raise InputError(f"{reference}: params {sorted(params)} have no effect: only a class of scorers takes some")
    if isinstance(target, Scorer):
        return target
    if not callable(target) or inspect.isclass(target):
        raise InputError(f"{reference}: is {type(target).__name__}; wanted a scorer, a class of scorers or a function")
    wrap: Callable[[Any], Scorer] = scorer
    return wrap(target)


def _refuse_traces(scorer: Scorer, reference: str) -> None:
    needed = set(getattr(scorer, "required_columns", ())) | {
        name
        for name, parameter in inspect.signature(scorer.__call__).parameters.items()
        if parameter.default is parameter.empty and name in ("trace", "session")
    }
    if needed & {"trace", "session"} or getattr(scorer, "is_session_level_scorer", False):
        raise InputError(
            f"{reference}: needs a trace or a session, which only mlflow.genai.evaluate has; a judge here is given "
            "inputs, outputs and expectations"
        )


def given_of(material: Material) -> dict[str, Any]:
    """What a scorer is given: ``inputs`` with the question (or the messages), context and retrieved passages,
    ``outputs``, and ``expectations``: the sample's further columns and its reference as ``expected_response``."""
    sample = material.sample
    inputs: dict[str, Any] = {"question": material.question}
    if len(material.messages) > 1:
        roles = {"answer": "assistant"}
        inputs["messages"] = [{"role": roles.get(role, role), "content": text} for role, text in material.messages]
    if sample.context:
        inputs["context"] = list(sample.context)
    if material.candidate_context:
        inputs["retrieved_context"] = [passage.text for passage in material.candidate_context]
    known = {} if sample.reference is None else {"expected_response": sample.reference}
    return {"inputs": inputs, "outputs": material.answer, "expectations": {**sample.metadata, **known}}


def plain_feedback(name: str, result: Any) -> str:
    """What a scorer gave, as JSON: a list of ``{name, value, rationale, error}``."""
    found = []
    for one in result if isinstance(result, list) else [result]:
        error = getattr(one, "error", None)
        found.append(
            {
                "name": str(getattr(one, "name", name)) if hasattr(one, "rationale") else name,
                "value": getattr(one, "value", None) if hasattr(one, "rationale") else one,
                "rationale": str(getattr(one, "rationale", None) or ""),
                "error": str(getattr(error, "error_message", None) or getattr(error, "error_code", ""))
                if error
                else "",
            }
        )
    return orjson.dumps(found, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def outcomes_of(found: Sequence[Mapping[str, Any]], rubric: Rubric) -> dict[str, Outcome]:
    """The outcome on every criterion."""
    if len(found) == len(rubric.criteria) == 1:
        return {rubric.criteria[0].name: _outcome(found[0], rubric.scale)}
    named = {str(one["name"]): one for one in found}
    lacking = Unscored("unparsable", f"the scorer gave {', '.join(named) or 'nothing'}, and nothing of this name")
    return {
        criterion.name: _outcome(named[criterion.name], rubric.scale) if criterion.name in named else lacking
        for criterion in rubric.criteria
    }


def _outcome(one: Mapping[str, Any], scale: tuple[float, float]) -> Outcome:
    if one["error"]:
        return Unscored("error", str(one["error"]))
    value, why, (low, high) = one["value"], str(one["rationale"]), scale
    if isinstance(value, str):
        value = _YES_NO.get(value.strip().lower(), value)
    if isinstance(value, bool):
        return Scored(high if value else low, why)
    if not isinstance(value, int | float) or not math.isfinite(value):
        said = "no value" if value is None else repr(value)
        return Unscored("unparsable", f"the scorer gave {said}; wanted a number, a boolean, yes or no")
    if not low <= value <= high:
        remedy = "name a rubric with the scorer's scale under the judge"
        return Unscored("unparsable", f"the scorer gave {value!r}, which is not between {low} and {high}: {remedy}")
    return Scored(float(value), why)


def scorer_rubric(name: str) -> Rubric:
    """The record of ``mlflow/<scorer>``: one criterion of the scorer's name, from 0 to 1, without levels."""
    criterion = Criterion(name.removeprefix(RUBRIC), 1.0, "What the scorer of MLflow gives.", ())
    sees = ("question", "context", "candidate_context", "reference")
    shown = f"A scorer of MLflow: {criterion.name}."
    return Rubric(name, "", shown, (0, 1), sees, frozenset(sees[1:]), "judge", (criterion,), sha256=digest(name))

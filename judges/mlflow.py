"""A rubric judge as a scorer of MLflow, for `mlflow.genai.evaluate`: its calls are recorded in the workspace, once.

    scorer = markscheme.mlflow_scorer(rubric="docs_qa", judge="openai/gpt-4o-mini")
    mlflow.genai.evaluate(data=rows, scorers=[scorer])

Each criterion is feedback with the judge's reasoning, and so is the composite. What could not be read is feedback with
an error, which MLflow leaves out of its means, and never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..harness.exam import Exam, JudgeSpec, exam_from_dict
from ..harness.exam_types import EMBEDDED
from ..harness.models.base import ChatModel
from ..harness.models.catalog import open_model
from ..harness.records import Grade, Retrieved, Sample, Scored
from ..harness.tracking import need_mlflow
from .mlflow_desk import WHO, Desk
from .mlflow_rows import passages_of, said_of, sample_of
from .rubric import composite, load_rubric

if TYPE_CHECKING:
    from mlflow.entities import Feedback
    from mlflow.genai.scorers import Scorer


def mlflow_scorer(
    rubric: str | Path = "docs_qa",
    judge: str = EMBEDDED,
    *,
    name: str = "",
    base_url: str | None = None,
    shots: int = 1,
    params: Mapping[str, Any] | None = None,
    workspace: str | Path = ".markscheme",
) -> Scorer:
    """A scorer for `mlflow.genai.evaluate`. ``name`` (the rubric's by default) stands before the slash of its feedback.

    ``rubric`` is a packaged name or a path, ``judge`` a model as in an exam. It has a ``close()``, which happens at the
    end of the process too. Raises MissingExtra, and InputError for what is wrong with rubric, model or key.
    """
    need_mlflow("mlflow_scorer", ours=False)
    section: dict[str, Any] = {"name": name or WHO, "model": judge, "rubric": str(rubric), "shots": shots}
    section |= {} if params is None else {"params": dict(params)}
    section |= {} if base_url is None else {"base_url": base_url}
    exam = exam_from_dict(
        {"dataset": "docs_qa", "candidates": [{"model": "baseline/lead"}], "judges": [section]},
        base=Path.cwd(),
        name="mlflow_scorer",
    )
    spec = exam.judges[0]
    return _scorer(Desk(spec, load_rubric(spec.rubric, spec.shots), _model(exam, spec), workspace), name)


def _model(exam: Exam, spec: JudgeSpec) -> ChatModel | None:
    if spec.model == EMBEDDED:
        return None
    endpoints = {endpoint.name: endpoint.to_endpoint() for endpoint in exam.endpoints}
    return open_model(spec.model, base_url=spec.base_url, endpoints=endpoints)


def _scorer(desk: Desk, name: str) -> Scorer:
    from mlflow.genai.scorers import Scorer

    class RubricScorer(Scorer):
        """A rubric judge of Markscheme."""

        def __call__(
            self, *, inputs: Any = None, outputs: Any = None, expectations: Any = None, trace: Any = None, **_: Any
        ) -> list[Feedback]:
            """Feedback on every criterion, and the composite of several."""
            return feedback_of(desk, self.name, sample_of(inputs, expectations), outputs, passages_of(trace))

        def close(self) -> None:
            """End the connections and the thread; the next call opens them again."""
            desk.close()

    return RubricScorer(name=name or desk.rubric.name)


def feedback_of(desk: Desk, name: str, sample: Sample, outputs: Any, passages: tuple[Retrieved, ...]) -> list[Feedback]:
    """Feedback on every criterion of ``outputs``; an error for each that has no score."""
    said = said_of(outputs, passages)
    if isinstance(said, str):
        return [_failed(desk, f"{name}/{criterion.name}", "NO_OUTPUT", said) for criterion in desk.rubric.criteria]
    grades = desk.grade(sample, said)
    found = [_feedback(desk, f"{name}/{grade.criterion}", grade) for grade in grades]
    return [*found, _composite(desk, f"{name}/composite", grades)] if len(grades) > 1 else found


def _feedback(desk: Desk, name: str, grade: Grade) -> Feedback:
    if isinstance(grade.outcome, Scored):
        return _scored(desk, name, grade.outcome.score, grade.outcome.reasoning, grade.calls)
    return _failed(desk, name, grade.outcome.status.upper(), grade.outcome.why)


def _composite(desk: Desk, name: str, grades: Sequence[Grade]) -> Feedback:
    scores = {grade.criterion: grade.outcome.score for grade in grades if isinstance(grade.outcome, Scored)}
    unscored = {grade.criterion: grade.outcome for grade in grades if not isinstance(grade.outcome, Scored)}
    idle = [criterion for criterion, outcome in unscored.items() if outcome.status == "not_applicable"]
    value = composite(scores, desk.rubric, idle)
    if value is None:
        return _failed(desk, name, "INCOMPLETE", f"no score on {', '.join(sorted(unscored))}")
    return _scored(desk, name, value, "The weighted mean of the criteria.", ())


def _scored(desk: Desk, name: str, value: float, reasoning: str, calls: Sequence[str]) -> Feedback:
    from mlflow.entities import Feedback

    low, high = desk.rubric.scale
    about = {"rubric": desk.rubric.name, "rubric_sha256": desk.rubric.sha256, "scale": f"{low} to {high}"}
    known = {**about, **({"calls": ", ".join(calls)} if calls else {})}
    return Feedback(name=name, value=value, rationale=reasoning, source=_source(desk), metadata=known)


def _failed(desk: Desk, name: str, code: str, why: str) -> Feedback:
    from mlflow.entities import AssessmentError, Feedback

    return Feedback(name=name, error=AssessmentError(error_code=code, error_message=why), source=_source(desk))


def _source(desk: Desk) -> Any:
    from mlflow.entities import AssessmentSource

    return AssessmentSource("CODE" if desk.spec.model == EMBEDDED else "LLM_JUDGE", desk.spec.model)

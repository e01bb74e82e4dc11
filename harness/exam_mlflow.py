"""MLflow in an exam: ``mlflow:models:/name/version`` as a candidate, ``mlflow:package.module:scorer`` as a judge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from .yaml_file import mistake

if TYPE_CHECKING:
    from .exam_specs import CandidateSpec, JudgeSpec

PREFIX = "mlflow:"
RUBRIC = "mlflow/"
"""Before a scorer's name: the rubric of a judge that names none, with that one criterion from 0 to 1."""
_MODEL = re.compile(r"models:/([^/@\s]+(/(\d+|latest)|@[\w-]+)|m-[0-9a-f]+)")
_SCORER = re.compile(r"([^\W\d]\w*\.)*[^\W\d]\w*:([^\W\d]\w*\.)*[^\W\d]\w*")


def is_mlflow(model: str) -> bool:
    """Whether a model of MLflow's registry is meant, or one of its scorers."""
    return model.startswith(PREFIX)


def is_mlflow_rubric(rubric: object) -> TypeGuard[str]:
    """Whether ``rubric`` stands for what a scorer gives; a file in a folder of that name has a suffix."""
    return isinstance(rubric, str) and rubric.startswith(RUBRIC) and "." not in rubric


def checked_name(model: str) -> str:
    """``model`` itself. Raises a `mistake` where it is of neither form."""
    rest = model.removeprefix(PREFIX)
    if not _MODEL.fullmatch(rest) and not _SCORER.fullmatch(rest):
        raise mistake(
            f"{model!r} is neither a model, like mlflow:models:/name/3, mlflow:models:/name/latest or "
            "mlflow:models:/name@alias, nor, for a judge, a scorer, like mlflow:package.module:scorer"
        )
    return model


def as_scorer(value: Any) -> Any:
    """The raw section of a judge; of a scorer without examples, and where it names no rubric, with that of its name."""
    model = str(value.get("model") or "") if isinstance(value, Mapping) else ""
    if not is_mlflow(model) or not _SCORER.fullmatch(model.removeprefix(PREFIX)):
        return value
    own = RUBRIC + re.split(r"[:.]", model)[-1]
    return {"shots": 0, **value, "rubric": own if value.get("rubric") is None else value["rubric"]}


def _or_scorer(value: Any, otherwise: ValidatorFunctionWrapHandler) -> Any:
    return value if is_mlflow_rubric(value) else otherwise(value)


OR_SCORER = WrapValidator(_or_scorer)
"""Beside the other validators of a rubric's name: lets those of scorers pass."""


def check_mlflow_candidate(spec: CandidateSpec) -> None:
    """Raise for a scorer, which answers nothing."""
    if is_mlflow(spec.model) and not _MODEL.fullmatch(spec.model.removeprefix(PREFIX)):
        raise mistake(f"{spec.model!r} is a scorer, and so a judge; a candidate is like mlflow:models:/name/3", "model")


def check_mlflow_judge(spec: JudgeSpec) -> None:
    """Raise for what a scorer cannot do, or would silently ignore."""
    if not is_mlflow(spec.model):
        if is_mlflow_rubric(spec.rubric):
            what = f"{spec.rubric!r} is what a scorer of MLflow grades by: name one, like mlflow:package.module:scorer"
            raise mistake(what, "model")
        return
    if not _SCORER.fullmatch(spec.model.removeprefix(PREFIX)):
        raise mistake(f"{spec.model!r} answers and does not grade; a judge is like mlflow:package.module:name", "model")
    if spec.mode == "pairwise":
        raise mistake("'pairwise' cannot be: a scorer of MLflow grades one answer at a time", "mode")
    if spec.shots:
        raise mistake(f"has no effect on {spec.model}, which is shown no examples; remove it", "shots")
    for name in ("calls", "base_url", "api_key_env", "stream", "launch", "adapter", "embedder"):
        if name in spec.model_fields_set and getattr(spec, name) is not None:
            raise mistake(f"has no effect on {spec.model}, which asks in its own way; remove it", name)

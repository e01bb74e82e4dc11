"""Judges whose rubric is a metric of ragas: ``rubric: ragas/faithfulness``; what such a judge may say in an exam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from .exam_types import EMBEDDED
from .yaml_file import did_you_mean, mistake

if TYPE_CHECKING:
    from .exam_specs import JudgeSpec

PREFIX = "ragas/"
EMBEDS = "ragas/answer_relevancy"
METRICS = (EMBEDS, "ragas/context_precision", "ragas/context_recall", "ragas/faithfulness")


def is_ragas(rubric: object) -> TypeGuard[str]:
    """Whether ``rubric`` names a metric of ragas, known or not; a file in a folder of that name has a suffix."""
    return isinstance(rubric, str) and rubric.startswith(PREFIX) and "." not in rubric


def known_metric(name: str) -> str:
    """``name`` itself. Raises a `mistake` where no metric is called so."""
    if name not in METRICS:
        hint = did_you_mean(name, METRICS) or "."
        raise mistake(f"{name!r} is none of the metrics of ragas{hint} There are {', '.join(METRICS)}")
    return name


def _or_metric(value: Any, otherwise: ValidatorFunctionWrapHandler) -> Any:
    return known_metric(value) if is_ragas(value) else otherwise(value)


OR_METRIC = WrapValidator(_or_metric)
"""Beside the other validators of a rubric's name: lets the metrics pass."""


def check_ragas(spec: JudgeSpec) -> None:
    """Raise for what a metric of ragas cannot do, or would silently ignore, and for an embedder that nobody uses."""
    if spec.rubric != EMBEDS and spec.embedder is not None:
        raise mistake(f"has no effect on the rubric {str(spec.rubric)!r}: only {EMBEDS} compares vectors", "embedder")
    if not is_ragas(spec.rubric):
        return
    if spec.model == EMBEDDED:
        raise mistake(f"{EMBEDDED!r} cannot grade by {spec.rubric}: ragas asks a model; name one", "model")
    if spec.mode == "pairwise":
        raise mistake(f"'pairwise' cannot be: {spec.rubric} grades one answer at a time", "mode")
    for name in ("shots", "calls"):
        if name in spec.model_fields_set:
            raise mistake(f"has no effect on {spec.rubric}: ragas words its prompts itself; remove it", name)
    if spec.rubric == EMBEDS:
        _check_embedder(spec)


def _check_embedder(spec: JudgeSpec) -> None:
    if spec.embedder is None:
        raise mistake(f"is missing: {EMBEDS} compares questions by their vectors, write e.g. minilm", "embedder")
    if spec.embedder.document_prefix:
        what = f"has no effect on {EMBEDS}, which compares questions with questions; write query_prefix"
        raise mistake(what, "embedder", "document_prefix")

"""Metrics of ragas as rubrics: one criterion from 0 to 1, in any steps. Nothing here imports ragas.

What a metric is, in ragas 0.4: faithfulness is the share of the answer's statements that the passages bear out; answer
relevancy the mean cosine of the question and of questions that the answer would answer, 0 where it commits to nothing;
context precision the average precision of the passages' usefulness for the reference; context recall the share of the
reference's statements that the passages bear out (Es et al., RAGAS, EACL 2024; docs.ragas.io).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Literal

from ..harness.errors import InputError, MissingExtra
from ..harness.exam_ragas import METRICS, PREFIX
from ..harness.keys import digest
from ..harness.records import Sample
from ..harness.yaml_file import did_you_mean
from .rubric import Criterion, Rubric
from .rubric_file import OnEmpty

Input = Literal["user_input", "response", "retrieved_contexts", "reference"]
"""What a metric reads, as ragas calls it."""
_SERIES = "0.4."
_UNIT = (0, 1)
_SEES: Mapping[Input, tuple[str, ...]] = {
    "user_input": ("question",),
    "response": (),
    "retrieved_contexts": ("context", "candidate_context"),
    "reference": ("reference",),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: the class of ``ragas.metrics.collections`` that computes it, what that reads, and what it says."""

    of: str
    reads: tuple[Input, ...]
    description: str
    on_empty: OnEmpty = "judge"
    embeds: bool = False


_METRICS: Mapping[str, Metric] = {
    "answer_relevancy": Metric(
        "AnswerRelevancy",
        ("user_input", "response"),
        "Does the answer address the question? Questions made from the answer are compared with the one asked.",
        "lowest",
        embeds=True,
    ),
    "context_precision": Metric(
        "ContextPrecision",
        ("user_input", "reference", "retrieved_contexts"),
        "Do the passages that helped to reach the reference stand before the others?",
    ),
    "context_recall": Metric(
        "ContextRecall",
        ("user_input", "retrieved_contexts", "reference"),
        "Can the statements of the reference be found in the passages?",
    ),
    "faithfulness": Metric(
        "Faithfulness",
        ("user_input", "response", "retrieved_contexts"),
        "Do the passages bear out the statements of the answer?",
    ),
}


def metric_of(rubric: str) -> Metric:
    """The metric of ``ragas/<name>``. Raises InputError for an unknown one."""
    if rubric not in METRICS:
        hint = did_you_mean(rubric, METRICS) or "."
        raise InputError(f"{rubric!r} is none of the metrics of ragas{hint} There are {', '.join(METRICS)}")
    return _METRICS[rubric.removeprefix(PREFIX)]


def installed_ragas(rubric: str) -> str:
    """The version of ragas. Raises MissingExtra without it, InputError for one whose metrics are others."""
    if find_spec("ragas") is None:
        raise MissingExtra("ragas", f"the rubric {rubric!r}")
    found = version("ragas")
    if not found.startswith(_SERIES):
        raise InputError(
            f"the rubric {rubric!r} is a metric of ragas {_SERIES}x, and {found} is installed: "
            "pip install 'markscheme[ragas]'"
        )
    return found


def ragas_rubric(rubric: str) -> Rubric:
    """The record of ``ragas/<name>``: no levels, no examples; its version is that of ragas."""
    metric, installed = metric_of(rubric), installed_ragas(rubric)
    name = rubric.removeprefix(PREFIX)
    sees = {seen for read in metric.reads for seen in _SEES[read]}
    order = ("question", "context", "candidate_context", "reference")
    return Rubric(
        rubric,
        installed,
        f"The metric {name} of ragas {installed}.",
        _UNIT,
        tuple(seen for seen in order if seen in sees),
        frozenset({"context", "candidate_context"} & sees),
        metric.on_empty,
        (Criterion(name, 1.0, metric.description, ()),),
        sha256=digest([rubric, installed]),
    )


def missing_ragas_inputs(rubric: Rubric, samples: Sequence[Sample], passages: bool) -> list[str]:
    """What the metric reads and some samples lack: one sentence each, to be told before any call.

    ``passages`` says that a candidate may come with its own: then samples need none.
    """
    reads = metric_of(rubric.name).reads
    problems = []
    for name, field in (("retrieved_contexts", "context"), ("reference", "reference")):
        lacking = [sample.id for sample in samples if not getattr(sample, field)]
        if name in reads and lacking and not (passages and field == "context"):
            or_else = " or give the candidates a retriever," if field == "context" else ""
            problems.append(
                f"{rubric.name} reads the {field}, which {len(lacking)} of {len(samples)} samples lack (the first: "
                f"{lacking[0]!r}): add it to the data,{or_else} or leave this judge out"
            )
    return problems

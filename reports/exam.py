"""What a run's configuration says about its candidates, judges and measures. Every key may be absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import RunData
from . import words

if TYPE_CHECKING:
    import pandas as pd

Scale = tuple[float, float]
UNIT_SCALE: Scale = (0.0, 1.0)
PAIRWISE = "pairwise"
"""The mode of a judge that compares two answers."""
RATES = frozenset("exact_match contains multiple_choice numeric regex json_valid json_schema refusal hit".split()) | {
    "function_name_accuracy", "function_name_and_args_accuracy", "tool_schema_validity",
}  # fmt: skip
"""Measures whose values are 0 or 1."""
RETRIEVERS = frozenset("P recall nDCG MRR RR AP hit R-precision unjudged".split())
"""Measures of what was retrieved."""
COUNTS = frozenset({"tool_call_errors"})
"""Measures that count."""
NEITHER_BETTER = frozenset({"refusal", "unjudged", "tool_call_errors"})
"""Measures of which more is not better: nothing is ranked by them, and a failure is not their lowest value."""


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate as the exam describes it."""

    name: str
    model: str = ""
    trials: int = 1
    stream: bool | None = None
    params: Mapping[str, Any] | None = None
    prompt: str = ""
    prompt_sha256: str = ""
    system: str = ""
    contexts: int | None = None
    """How many retrieved passages it shows; ``None`` for one without a retriever of ours."""
    retriever: Mapping[str, Any] | None = None
    launch: str = ""
    """How its server was started, in words; '' for one of the user's own."""
    tool_choice: str = ""


@dataclass(frozen=True, slots=True)
class JudgeView:
    """A judge and its rubric as the exam describes them; ``weights`` are those of ``criteria``, in order."""

    name: str
    model: str = ""
    shots: int | None = None
    params: Mapping[str, Any] | None = None
    calls: str = ""
    rubric: str = ""
    rubric_version: str = ""
    rubric_sha256: str = ""
    scale: Scale | None = None
    renormalise: bool = False
    criteria: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    descriptions: tuple[str, ...] = ()
    prompt: str = ""
    selected_on: tuple[str, ...] = ()
    """Label sets by which this judge was chosen among others."""
    against: str = ""
    """Of a pairwise judge: the candidate that is in all of its pairs, where it has one."""
    members: tuple[str, ...] = ()
    """Of a jury: the judges whose scores it takes together, by ``aggregate``."""
    aggregate: str = ""
    embedder: str = ""
    """What turns texts into vectors, for one that compares them."""
    launch: str = ""

    @property
    def embedded(self) -> bool:
        """Whether no model stands behind its scores."""
        return self.model == "embedded"

    @property
    def headline(self) -> str:
        """The measure that candidates are ranked by: the composite, or the only criterion."""
        return self.criteria[0] if len(self.criteria) == 1 else "composite"


def candidates_of(data: RunData) -> tuple[CandidateView, ...]:
    """In exam order; those that only the tables know come last."""
    described = {entry["name"]: entry for entry in _entries(data, "candidates")}
    trials = data.answers.groupby("candidate")["trial"].max() + 1
    return tuple(
        CandidateView(
            name,
            str(entry.get("model") or ""),
            max(int(entry.get("trials") or 1), int(trials.get(name, 1))),
            entry.get("stream"),
            entry.get("params"),
            str(entry.get("prompt") or ""),
            str(entry.get("prompt_sha256") or ""),
            str(entry.get("system") or ""),
            entry.get("contexts"),
            entry.get("retriever"),
            _launch(entry),
            str(entry.get("tool_choice") or ""),
        )
        for name in _ordered(described, data.answers["candidate"])
        for entry in (described.get(name, {}),)
    )


def judges_of(data: RunData) -> tuple[JudgeView, ...]:
    """Of single answers, in exam order; those that only the tables know come last, their criteria as they occur."""
    described = {entry["name"]: entry for entry in _entries(data, "judges") if entry.get("mode") != PAIRWISE}
    return tuple(_judge(name, described.get(name, {}), data) for name in _ordered(described, data.grades["judge"]))


def pairwise_judges_of(data: RunData) -> tuple[JudgeView, ...]:
    """In exam order. They have no scale and no criteria."""
    found = [entry for entry in _entries(data, "judges") if entry.get("mode") == PAIRWISE]
    return tuple(_judge(entry["name"], entry, data) for entry in found)


def leading_judge(judges: Iterable[JudgeView]) -> JudgeView | None:
    """The judge that the headline and the ranking go by: the first with a model behind it, else the first; a jury that
    it sits on goes before it."""
    known = list(judges)
    first = next((judge for judge in known if not judge.embedded), known[0] if known else None)
    return next((judge for judge in known if first is not None and first.name in judge.members), first)


def measures_of(data: RunData) -> tuple[str, ...]:
    """Names of the measures without a judge, in exam order."""
    listed = [entry if isinstance(entry, str) else str(entry) for entry in data.info.config.get("measures") or ()]
    return tuple(_ordered(listed, data.scores["measure"]))


def measure_scale(measure: str) -> Scale | None:
    """Both ends of a measure's values; a user's own function may return anything, and a count has no end."""
    return None if measure.startswith("python:") or measure_family(measure) in COUNTS else UNIT_SCALE


def measure_family(measure: str) -> str:
    """``numeric(tol=0.1)`` -> ``numeric``, ``recall@5`` -> ``recall``."""
    return measure.partition("(")[0].partition("@")[0]


def is_retrievers(measure: str) -> bool:
    """Whether a measure is of what was retrieved, and not of the answer."""
    return measure_family(measure) in RETRIEVERS


def _judge(name: str, entry: Mapping[str, Any], data: RunData) -> JudgeView:
    rubric = entry.get("rubric")
    rubric = rubric if isinstance(rubric, Mapping) else {"name": rubric}
    criteria = [c for c in rubric.get("criteria") or () if "name" in c]
    seen = data.grades.loc[data.grades["judge"] == name, "criterion"]
    names = tuple(_ordered([c["name"] for c in criteria], seen))
    weights = {c["name"]: float(c.get("weight", 1.0)) for c in criteria}
    descriptions = {c["name"]: str(c.get("description") or "") for c in criteria}
    scale = rubric.get("scale")
    members = tuple(str(member) for member in entry.get("members") or ())
    aggregate = str(entry.get("aggregate") or "")
    return JudgeView(
        name,
        f"{aggregate} of {words.listed(members)}" if members else str(entry.get("model") or ""),
        entry.get("shots"),
        entry.get("params"),
        str(entry.get("calls") or ""),
        str(rubric.get("name") or ""),
        str(rubric.get("version") or ""),
        str(rubric.get("sha256") or ""),
        (float(scale[0]), float(scale[-1])) if scale else None,
        bool(rubric.get("renormalise")),
        names,
        tuple(weights.get(c, 1.0 if not criteria else 0.0) for c in names),
        tuple(descriptions.get(c, "") for c in names),
        str(entry.get("prompt") or ""),
        tuple(str(name) for name in entry.get("selected_on") or ()),
        str(entry.get("against") or ""),
        members,
        aggregate,
        str((entry.get("embedder") or {}).get("model") or ""),
        _launch(entry),
    )


def _launch(entry: Mapping[str, Any]) -> str:
    """``vllm serve --seed 1, adapter tuned, GPUs 0 and 1``."""
    given = entry.get("launch")
    if not given:
        return ""
    parts = [" ".join(("vllm serve", *map(str, given.get("args") or ())))]
    parts += [f"adapter {entry['adapter']}"] if entry.get("adapter") else []
    gpus = given.get("gpus") or ()
    parts += [f"GPU{'s' if len(gpus) > 1 else ''} {words.listed(map(str, gpus))}"] if gpus else []
    return ", ".join(parts)


def _entries(data: RunData, part: str) -> list[Mapping[str, Any]]:
    return [entry for entry in data.info.config.get(part) or () if isinstance(entry, Mapping) and "name" in entry]


def _ordered(described: Iterable[str], seen: pd.Series[Any]) -> list[str]:
    return list(dict.fromkeys([*described, *seen.unique()]))

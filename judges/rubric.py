"""Rubrics: criteria with weights, a short integer scale, and for every level a description and worked examples.

What a user writes is YAML (`rubrics/docs_qa.yaml` is one); what judges read are the frozen records here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeGuard

from ..harness.errors import BugError, ExamError, InputError
from ..harness.exam_mlflow import is_mlflow_rubric
from ..harness.exam_ragas import is_ragas
from ..harness.keys import digest
from ..harness.yaml_file import YamlFile, did_you_mean, load_yaml, validate
from .rubric_checks import lacking_examples, problems
from .rubric_file import NAME, SEES, CriterionFile, OnEmpty, RubricFile

Kind = Literal["pointwise", "pairwise"]
_PAIRWISE = re.compile(r"^kind:\s*[\"']?pairwise\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example of a level; ``context`` is an excerpt. Only what the rubric ``sees`` reaches the prompt."""

    question: str
    context: str
    reference: str
    answer: str
    reasoning: str
    user_categories: tuple[str, ...] = ()
    """Codes, in a rubric with categories: of the question, and of the answer."""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """One score of the scale and what earns it."""

    score: int
    description: str
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that is graded; ``levels`` cover the whole scale, lowest first."""

    name: str
    weight: float
    description: str
    levels: tuple[Level, ...]

    @property
    def scores(self) -> tuple[int, ...]:
        """The scores on offer, lowest first."""
        return tuple(level.score for level in self.levels)


@dataclass(frozen=True, slots=True)
class Category:
    """One category of a taxonomy of content safety; ``aliases`` are further names that guards know it by."""

    code: str
    name: str
    description: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge grades by. ``optional`` names those of ``sees`` that are shown only where a sample has them.

    ``sha256`` covers all that can change a verdict: not the weights, which enter the composite only, nor names and
    versions. ``warnings`` are for the user, one sentence each, with file and line.
    """

    name: str
    version: str
    description: str
    scale: tuple[int, int]
    sees: tuple[str, ...]
    optional: frozenset[str]
    on_empty: OnEmpty
    criteria: tuple[Criterion, ...]
    renormalise: bool = False
    sha256: str = ""
    warnings: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    """The taxonomy of a rubric of content safety: its one criterion is 1 for a safe answer and 0 for an unsafe one."""

    def describe(self) -> dict[str, Any]:
        """Plain JSON for a run's configuration: what a report says about the rubric."""
        taxonomy = [{"code": c.code, "name": c.name} for c in self.categories]
        return {
            "name": self.name,
            "version": self.version,
            "sha256": self.sha256,
            "description": self.description,
            "scale": list(self.scale),
            "sees": [name + "?" * (name in self.optional) for name in self.sees],
            "on_empty": self.on_empty,
            "renormalise": self.renormalise,
            "criteria": [{"name": c.name, "weight": c.weight, "description": c.description} for c in self.criteria],
            **({"categories": taxonomy} if taxonomy else {}),
        }


def composite(
    scores: Mapping[str, float | None], rubric: Rubric, not_applicable: Collection[str] = frozenset()
) -> float | None:
    """Weighted mean of one answer's scores, on the rubric's scale.

    ``None`` where a criterion has no score; only with ``renormalise: true`` do those in ``not_applicable`` drop out,
    the other weights being scaled up to 1. Raises BugError for a criterion that the rubric does not have.
    """
    if unknown := scores.keys() - {criterion.name for criterion in rubric.criteria}:
        raise BugError(f"rubric {rubric.name!r} has no criterion {sorted(unknown)!r}")
    total = weight = 0.0
    for criterion in rubric.criteria:
        score = scores.get(criterion.name)
        if score is not None:
            total += criterion.weight * score
            weight += criterion.weight
        elif not (rubric.renormalise and criterion.name in not_applicable):
            return None
    return total / weight if weight else None


def load_rubric(source: str | Path, shots: int) -> Rubric:
    """The rubric of a file, or a packaged one by its name; usable with ``shots`` worked examples per level.

    ``ragas/<metric>`` and ``mlflow/<scorer>`` are rubrics without levels.

    Raises `ExamError` with every mistake, in the order of the file. A level with fewer than ``shots`` examples is one
    in a packaged rubric, and in a user's where ``require_examples: true``; else it is one of the `Rubric.warnings`.
    """
    if is_ragas(source):
        from .ragas_rubrics import ragas_rubric

        return ragas_rubric(source)
    if is_mlflow_rubric(source):
        from .mlflow_judge import scorer_rubric

        return scorer_rubric(source)
    file = _read(source)
    if _is_pairwise(file):
        what = "'pairwise' compares two answers: name this rubric under a judge with mode: pairwise"
        raise ExamError([file.problem(("kind",), what)])
    written = validate(file, RubricFile)
    found = sorted(problems(written, file), key=lambda problem: int(problem.where.rpartition(":")[2]))
    lacking = [] if found else list(lacking_examples(written, file, shots))
    if found or (lacking and (_is_name(source) or written.require_examples)):
        raise ExamError(found or lacking)
    return _built(written, tuple(map(str, lacking)))


def packaged_rubrics(kind: Kind = "pointwise") -> tuple[str, ...]:
    """Names of the rubrics of a kind that come with the package, sorted."""
    found = [entry for entry in (files("markscheme") / "rubrics").iterdir() if entry.name.endswith(".yaml")]
    wanted = kind == "pairwise"
    names = (entry.name for entry in found if bool(_PAIRWISE.search(entry.read_text("utf-8"))) is wanted)
    return tuple(sorted(name.removesuffix(".yaml") for name in names))


def rubric_kind(source: str | Path) -> Kind:
    """Whether a rubric file, or a packaged rubric, grades one answer at a time or compares two."""
    return "pairwise" if _is_pairwise(_read(source)) else "pointwise"


def _read(source: str | Path) -> YamlFile:
    return load_yaml(_packaged(source) if _is_name(source) else source)


def _is_name(source: str | Path) -> TypeGuard[str]:
    return isinstance(source, str) and NAME.fullmatch(source) is not None


def _packaged(name: str) -> Path:
    path = Path(str(files("markscheme") / "rubrics" / f"{name}.yaml"))
    if not path.is_file():
        known = packaged_rubrics()
        raise InputError(
            f"no packaged rubric is named {name!r}{did_you_mean(name, known) or ';'} "
            f"there are {', '.join(known)}; write ./{name}.yaml for a file"
        )
    return path


def _is_pairwise(file: YamlFile) -> bool:
    return isinstance(file.data, dict) and file.data.get("kind") == "pairwise"


def _built(written: RubricFile, warnings: tuple[str, ...]) -> Rubric:
    sees = {name.removesuffix("?"): name.endswith("?") for name in written.sees}
    rubric = Rubric(
        written.name,
        written.version,
        written.description.strip(),
        written.scale,
        tuple(name for name in SEES if name in sees),
        frozenset(name for name, optional in sees.items() if optional),
        written.on_empty,
        tuple(_criterion(criterion) for criterion in written.criteria),
        written.renormalise,
        "",
        warnings,
        tuple(Category(c.code, c.name.strip(), c.description.strip(), c.aliases) for c in written.categories),
    )
    return replace(rubric, sha256=_sha256(rubric))


def _criterion(written: CriterionFile) -> Criterion:
    levels = tuple(
        Level(
            level.score,
            level.description.strip(),
            tuple(
                Example(
                    e.question.strip(),
                    e.context.strip(),
                    e.reference.strip(),
                    e.answer.strip(),
                    e.reasoning.strip(),
                    e.user_categories,
                    e.categories,
                )
                for e in level.examples
            ),
        )
        for level in sorted(written.levels, key=lambda level: level.score)
    )
    return Criterion(written.name, written.weight, written.description.strip(), levels)


def _sha256(rubric: Rubric) -> str:
    criteria = [[c.name, c.description, [_told(level) for level in c.levels]] for c in rubric.criteria]
    sights = [sorted(rubric.sees), sorted(rubric.optional)]
    taxonomy = [[asdict(category) for category in rubric.categories]] if rubric.categories else []
    return digest([rubric.description, rubric.scale, sights, rubric.on_empty, criteria, *taxonomy])


def _told(level: Level) -> dict[str, Any]:
    """Without what only rubrics with categories have: the others keep the hash that runs know them by."""
    told = asdict(level)
    for example in told["examples"]:
        for name in ("user_categories", "categories"):
            if not example[name]:
                del example[name]
    return told

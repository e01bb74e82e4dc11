"""Rubrics: criteria with weights, a short integer scale, and for every level a description and worked examples.

What a user writes is YAML (`rubrics/docs_qa.yaml` is one); what judges read are the frozen records here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..harness.errors import BugError, ExamError, InputError, Problem
from ..harness.keys import digest
from ..harness.yaml_file import YamlFile, did_you_mean, load_yaml, validate

OnEmpty = Literal["lowest", "highest", "judge"]
SEES = ("question", "context", "candidate_context", "reference")
"""What a judge can be shown beside the answer, in the order in which it is shown."""
MOST_LEVELS = 11
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_RESERVED = ("composite", "reasoning", "score")
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example of a level; ``context`` is an excerpt. Only what the rubric ``sees`` reaches the prompt."""

    question: str
    context: str
    reference: str
    answer: str
    reasoning: str


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

    def describe(self) -> dict[str, Any]:
        """Plain JSON for a run's configuration: what a report says about the rubric."""
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

    Raises `ExamError` with every mistake. A level with fewer than ``shots`` examples is one in a packaged rubric, and
    in a user's where ``require_examples: true``; else it becomes one of the `Rubric.warnings`.
    """
    packaged = isinstance(source, str) and _NAME.fullmatch(source) is not None
    file = load_yaml(_packaged(str(source)) if packaged else source)
    written = validate(file, _RubricFile)
    problems = list(_problems(written, file))
    lacking = [] if problems else list(_lacking_examples(written, file, shots))
    if problems or (lacking and (packaged or written.require_examples)):
        raise ExamError(problems or lacking)
    return _built(written, tuple(map(str, lacking)))


def packaged_rubrics() -> tuple[str, ...]:
    """Names of the rubrics that come with the package, sorted."""
    found = (files("markscheme") / "rubrics").iterdir()
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in found if entry.name.endswith(".yaml")))


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ExampleFile(_Written):
    question: str = ""
    context: str = ""
    reference: str = ""
    answer: str = Field(description="answer: the answer that earns this score")
    reasoning: str = Field(description="reasoning: why it earns it, as the judge should write")


class _LevelFile(_Written):
    score: Annotated[int, Field(strict=True)]
    description: str
    examples: tuple[_ExampleFile, ...] = ()


class _CriterionFile(_Written):
    name: str
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    description: str
    levels: tuple[_LevelFile, ...]


class _RubricFile(_Written):
    """A rubric as a user writes it."""

    name: str
    version: str = "1"
    description: str = ""
    scale: tuple[Annotated[int, Field(strict=True)], Annotated[int, Field(strict=True)]] = Field(
        description="scale: [0, 3], the lowest and the highest score"
    )
    sees: tuple[str, ...] = Field(description="sees: [question, context, reference], what the judge is shown")
    on_empty: OnEmpty = "lowest"
    renormalise: bool = False
    require_examples: bool = False
    criteria: tuple[_CriterionFile, ...] = Field(description="criteria: a list of what is graded")


def _packaged(name: str) -> Path:
    known = packaged_rubrics()
    if name not in known:
        raise InputError(
            f"no packaged rubric is named {name!r}{did_you_mean(name, known) or ';'} "
            f"there are {', '.join(known)}; write ./{name}.yaml for a file"
        )
    return Path(str(files("markscheme") / "rubrics" / f"{name}.yaml"))


def _problems(written: _RubricFile, file: YamlFile) -> Iterator[Problem]:
    low, high = written.scale
    if not 1 <= high - low < MOST_LEVELS:
        what = f"[{low}, {high}] is no scale: wanted [lowest, highest] with 2 to {MOST_LEVELS} levels, like [0, 3]"
        yield file.problem(("scale",), what)
        return
    if not written.criteria:
        yield file.problem(("criteria",), "is empty; a rubric grades at least one criterion")
        return
    yield from _sight_problems(written, file)
    names = Counter(criterion.name.casefold().replace("-", "_") for criterion in written.criteria)
    for index, criterion in enumerate(written.criteria):
        path = ("criteria", index)
        if not _NAME.fullmatch(criterion.name) or criterion.name.casefold() in _RESERVED:
            what = f"{criterion.name!r} is no name for a criterion: letters, digits, _ and -, and none of {_RESERVED}"
            yield file.problem((*path, "name"), what)
        elif names[criterion.name.casefold().replace("-", "_")] > 1:
            yield file.problem((*path, "name"), f"criterion {criterion.name!r} is there more than once; rename one")
        yield from _level_problems(criterion, range(low, high + 1), file, path)
    total = sum(criterion.weight for criterion in written.criteria)
    if abs(total - 1) > _SUM_TOLERANCE:
        weights = " + ".join(f"{criterion.weight:g}" for criterion in written.criteria)
        yield file.problem(("criteria",), f"the weights sum to {total:g} ({weights}); they must sum to 1")


def _sight_problems(written: _RubricFile, file: YamlFile) -> Iterator[Problem]:
    for index, name in enumerate(written.sees):
        path, plain = ("sees", index), name.removesuffix("?")
        if plain not in SEES:
            meant = did_you_mean(plain, SEES) or ";"
            yield file.problem(path, f"{name!r} cannot be shown{meant} there are {', '.join(SEES)}")
        elif name == "question?":
            yield file.problem(path, "'question?' makes no sense: every sample has one; write question")
        elif [other.removesuffix("?") for other in written.sees].index(plain) != index:
            yield file.problem(path, f"{name!r} is there twice; keep one")


def _level_problems(
    criterion: _CriterionFile, scale: range, file: YamlFile, path: tuple[str, int]
) -> Iterator[Problem]:
    seen: set[int] = set()
    for index, level in enumerate(criterion.levels):
        where = (*path, "levels", index, "score")
        if level.score not in scale:
            what = f"criterion {criterion.name!r}: score {level.score} is outside the scale {scale[0]} to {scale[-1]}"
            yield file.problem(where, what)
        elif level.score in seen:
            yield file.problem(where, f"criterion {criterion.name!r}: level {level.score} is there twice; keep one")
        seen.add(level.score)
    if gaps := [str(score) for score in scale if score not in seen]:
        plural = "s" if len(gaps) > 1 else ""
        what = (
            f"criterion {criterion.name!r}: level{plural} {', '.join(gaps)} of the scale {scale[0]} to {scale[-1]} "
            "missing; describe every whole number of the scale"
        )
        yield file.problem((*path, "levels"), what)


def _lacking_examples(written: _RubricFile, file: YamlFile, shots: int) -> Iterator[Problem]:
    for index, criterion in enumerate(written.criteria):
        for number, level in enumerate(criterion.levels):
            has = len(level.examples)
            if has < shots:
                count, wanted = "no example" if not has else f"only {has}", "one" if shots == 1 else str(shots)
                what = (
                    f"level {level.score} has {count}; few-shot judging needs {wanted} per level (or set shots: {has})"
                )
                where = file.where(("criteria", index, "levels", number))
                yield Problem(where, f"criterion {criterion.name!r}", what)


def _built(written: _RubricFile, warnings: tuple[str, ...]) -> Rubric:
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
    )
    return replace(rubric, sha256=_sha256(rubric))


def _criterion(written: _CriterionFile) -> Criterion:
    levels = tuple(
        Level(
            level.score,
            level.description.strip(),
            tuple(
                Example(*(text.strip() for text in (e.question, e.context, e.reference, e.answer, e.reasoning)))
                for e in level.examples
            ),
        )
        for level in sorted(written.levels, key=lambda level: level.score)
    )
    return Criterion(written.name, written.weight, written.description.strip(), levels)


def _sha256(rubric: Rubric) -> str:
    criteria = [[c.name, c.description, [asdict(level) for level in c.levels]] for c in rubric.criteria]
    sights = [sorted(rubric.sees), sorted(rubric.optional)]
    return digest([rubric.description, rubric.scale, sights, rubric.on_empty, criteria])

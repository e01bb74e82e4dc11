"""What the models of a rubric file cannot see: mistakes that span several keys, each with file, line and remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..harness.errors import Problem
from ..harness.safety import SAFE, UNKNOWN, UNSAFE
from ..harness.yaml_file import KeyPath, YamlFile, did_you_mean
from .rubric_file import CODE, MOST_LEVELS, NAME, RESERVED, SEES, CriterionFile, ExampleFile, LevelFile, RubricFile

_SUM_TOLERANCE = 1e-6


def problems(written: RubricFile, file: YamlFile) -> Iterator[Problem]:
    """Every mistake of the scale, the criteria, their levels and weights."""
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
        if not NAME.fullmatch(criterion.name) or criterion.name.casefold() in RESERVED:
            what = f"{criterion.name!r} is no name for a criterion: letters, digits, _ and -, and none of {RESERVED}"
            yield file.problem((*path, "name"), what)
        elif names[criterion.name.casefold().replace("-", "_")] > 1:
            yield file.problem((*path, "name"), f"criterion {criterion.name!r} is there more than once; rename one")
        yield from _level_problems(criterion, range(low, high + 1), file, path)
    total = sum(criterion.weight for criterion in written.criteria)
    if abs(total - 1) > _SUM_TOLERANCE:
        weights = " + ".join(f"{criterion.weight:g}" for criterion in written.criteria)
        yield file.problem(("criteria",), f"the weights sum to {total:g} ({weights}); they must sum to 1")
    yield from _taxonomy_problems(written, file)


def _taxonomy_problems(written: RubricFile, file: YamlFile) -> Iterator[Problem]:
    """Of the categories, and of those that examples name."""
    if written.categories and (written.scale != (0, 1) or len(written.criteria) != 1):
        what = "stand in a rubric of content safety, which has the scale [0, 1] (1 is safe) and one criterion"
        yield file.problem(("categories",), f"{what}; change these, or take the categories away")
    seen: dict[str, str] = {}
    for index, category in enumerate(written.categories):
        if not CODE.fullmatch(category.code) or category.code.casefold() in (SAFE, UNSAFE, UNKNOWN):
            what = f"{category.code!r} is no code: up to 16 letters, digits, _ . and -, like S1"
            yield file.problem(("categories", index, "code"), what)
        for word in (category.code, category.name, *category.aliases):
            if (other := seen.setdefault(word.strip().casefold(), category.code)) != category.code:
                what = f"{word!r} stands for {other}, too; a guard that says it would be read as either"
                yield file.problem(("categories", index), what)
    if len({category.code.casefold() for category in written.categories}) < len(written.categories):
        yield file.problem(("categories",), "has a code twice; give each category its own")
    codes = {category.code for category in written.categories}
    for at, example in _placed(written):
        for name in ("user_categories", "categories"):
            if strange := [code for code in getattr(example, name) if code not in codes]:
                hint = did_you_mean(strange[0], codes) or ";"
                what = (
                    f"{strange[0]!r} is no category of this rubric{hint} there are {', '.join(sorted(codes)) or 'none'}"
                )
                yield file.problem((*at, name), what)


def _placed(written: RubricFile) -> Iterator[tuple[KeyPath, ExampleFile]]:
    """Every example, and where it stands."""
    for c, criterion in enumerate(written.criteria):
        for n, level in enumerate(criterion.levels):
            for e, example in enumerate(level.examples):
                yield ("criteria", c, "levels", n, "examples", e), example


def _sight_problems(written: RubricFile, file: YamlFile) -> Iterator[Problem]:
    for index, name in enumerate(written.sees):
        path, plain = ("sees", index), name.removesuffix("?")
        if plain not in SEES:
            meant = did_you_mean(plain, SEES) or ";"
            yield file.problem(path, f"{name!r} cannot be shown{meant} there are {', '.join(SEES)}")
        elif name == "question?":
            yield file.problem(path, "'question?' makes no sense: every sample has one; write question")
        elif [other.removesuffix("?") for other in written.sees].index(plain) != index:
            yield file.problem(path, f"{name!r} is there twice; keep one")


def _level_problems(criterion: CriterionFile, scale: range, file: YamlFile, path: KeyPath) -> Iterator[Problem]:
    seen: set[int] = set()
    for index, level in enumerate(criterion.levels):
        where = (*path, "levels", index, "score")
        if level.score not in scale:
            what = f"criterion {criterion.name!r}: score {level.score} is outside the scale {scale[0]} to {scale[-1]}"
            yield file.problem(where, what)
        elif level.score in seen:
            yield file.problem(where, f"criterion {criterion.name!r}: level {level.score} is there twice; keep one")
        seen.add(level.score)
        yield from _example_problems(criterion.name, level, scale, file, (*path, "levels", index))
    if gaps := [str(score) for score in scale if score not in seen]:
        plural = "s" if len(gaps) > 1 else ""
        what = (
            f"criterion {criterion.name!r}: level{plural} {', '.join(gaps)} of the scale {scale[0]} to {scale[-1]} "
            "missing; describe every whole number of the scale"
        )
        yield file.problem((*path, "levels"), what)


def _example_problems(
    criterion: str, level: LevelFile, scale: range, file: YamlFile, path: KeyPath
) -> Iterator[Problem]:
    for index, example in enumerate(level.examples):
        if example.score is None or example.score == level.score:
            continue
        what = f"it stands under level {level.score}; move it, or leave its score out"
        if example.score not in scale:
            what = f"it is outside the scale {scale[0]} to {scale[-1]}; correct it, or leave it out"
        where = (*path, "examples", index, "score")
        yield file.problem(where, f"criterion {criterion!r}: an example has the score {example.score}, but {what}")


def lacking_examples(written: RubricFile, file: YamlFile, shots: int) -> Iterator[Problem]:
    """Every level with fewer than ``shots`` worked examples."""
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

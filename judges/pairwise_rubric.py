"""Pairwise rubrics: what matters when two answers are compared, and worked examples of all three outcomes.

`rubrics/pairwise.yaml` is one. There are no levels: the verdict is that the first answer is better, the second, or
neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from ..harness.errors import ExamError, InputError, Problem
from ..harness.keys import digest
from ..harness.yaml_file import YamlFile, did_you_mean, load_yaml, validate
from .pairwise_file import OUTCOMES, PAIRWISE, SEES, Consideration, OnEmpty, PairExample, PairwiseFile
from .rubric_file import NAME

Part = TypeVar("Part", Consideration, PairExample)


@dataclass(frozen=True, slots=True)
class PairwiseRubric:
    """What a pairwise judge compares by. ``optional`` names those of ``sees`` that are shown only where there are any.

    ``considerations`` stand by importance. ``sha256`` covers all that can change a verdict; ``warnings`` are for the
    user, one sentence each, with file and line.
    """

    name: str
    version: str
    description: str
    sees: tuple[str, ...]
    optional: frozenset[str]
    on_empty: OnEmpty
    considerations: tuple[Consideration, ...]
    examples: tuple[PairExample, ...]
    sha256: str
    warnings: tuple[str, ...] = ()

    def shown(self, shots: int) -> list[PairExample]:
        """The first ``shots`` examples of each outcome, outcomes in turn, so that no outcome has the last word."""
        by_outcome = [[e for e in self.examples if e.winner == outcome][:shots] for outcome in OUTCOMES]
        return [found[i] for i in range(shots) for found in by_outcome if i < len(found)]

    def describe(self) -> dict[str, Any]:
        """Plain JSON for a run's configuration: what a report says about the rubric."""
        return {
            "name": self.name,
            "kind": PAIRWISE,
            "version": self.version,
            "sha256": self.sha256,
            "description": self.description,
            "sees": [name + "?" * (name in self.optional) for name in self.sees],
            "on_empty": self.on_empty,
            "considerations": [consideration.model_dump() for consideration in self.considerations],
        }


def load_pairwise_rubric(source: str | Path, shots: int) -> PairwiseRubric:
    """The pairwise rubric of a file, or a packaged one by its name; usable with ``shots`` examples per outcome.

    Raises `ExamError` with every mistake. An outcome with fewer than ``shots`` examples is one in a packaged rubric,
    and in a user's where ``require_examples: true``; else it becomes one of the `PairwiseRubric.warnings`.
    """
    packaged = isinstance(source, str) and NAME.fullmatch(source) is not None
    file = load_yaml(_packaged(str(source)) if packaged else source)
    _refuse_pointwise(file)
    written = validate(file, PairwiseFile)
    found = list(_problems(written, file))
    lacking = [] if found else list(_lacking_examples(written, file, shots))
    if found or (lacking and (packaged or written.require_examples)):
        raise ExamError(found or lacking)
    return _built(written, tuple(map(str, lacking)))


def _packaged(name: str) -> Path:
    folder = Path(str(files("markscheme") / "rubrics"))
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise InputError(
            f"no packaged rubric is named {name!r}{did_you_mean(name, known) or ';'} write ./{name}.yaml for a file"
        )
    return folder / f"{name}.yaml"


def _refuse_pointwise(file: YamlFile) -> None:
    """One that grades single answers would only be found to lack everything."""
    if isinstance(file.data, dict) and file.data.get("kind") != PAIRWISE:
        what = (
            "this rubric grades one answer at a time, and the judge has mode: pairwise: name a rubric with "
            "kind: pairwise, like the packaged `pairwise`, or take the mode away"
        )
        raise ExamError([file.problem(("kind",), what)])


def _problems(written: PairwiseFile, file: YamlFile) -> Iterator[Problem]:
    for index, name in enumerate(written.sees):
        path, plain = ("sees", index), name.removesuffix("?")
        if plain not in SEES:
            what = f"{name!r} cannot be shown{did_you_mean(plain, SEES) or ';'} there are {', '.join(SEES)}"
            yield file.problem(path, what)
        elif name == "question?":
            yield file.problem(path, "'question?' makes no sense: every sample has one; write question")
        elif [other.removesuffix("?") for other in written.sees].index(plain) != index:
            yield file.problem(path, f"{name!r} is there twice; keep one")
    if not written.considerations:
        yield file.problem(("considerations",), "is empty; say at least one thing that makes an answer better")
    names = Counter(consideration.name.casefold() for consideration in written.considerations)
    for index, consideration in enumerate(written.considerations):
        if names[consideration.name.casefold()] > 1:
            what = f"consideration {consideration.name!r} is there more than once; rename one"
            yield file.problem(("considerations", index, "name"), what)
    for index, example in enumerate(written.examples):
        if example.winner != "tie" and example.first.strip() == example.second.strip():
            what = f"{example.winner!r} cannot win: the two answers are the same; correct them, or write tie"
            yield file.problem(("examples", index, "winner"), what)


def _lacking_examples(written: PairwiseFile, file: YamlFile, shots: int) -> Iterator[Problem]:
    counts = Counter(example.winner for example in written.examples)
    for outcome in OUTCOMES:
        has = counts[outcome]
        if has < shots:
            count, wanted = "no example" if not has else f"only {has}", "one" if shots == 1 else str(shots)
            least = min(counts[each] for each in OUTCOMES)
            what = (
                f"outcome {outcome!r} has {count}; few-shot judging needs {wanted} per outcome (or set shots: {least})"
            )
            yield file.problem(("examples",), what)


def _built(written: PairwiseFile, warnings: tuple[str, ...]) -> PairwiseRubric:
    sees = {name.removesuffix("?"): name.endswith("?") for name in written.sees}
    optional = frozenset(name for name, is_optional in sees.items() if is_optional)
    considerations = tuple(_stripped(consideration) for consideration in written.considerations)
    examples = tuple(_stripped(example) for example in written.examples)
    shown = tuple(name for name in SEES if name in sees)
    parts = [[part.model_dump() for part in group] for group in (considerations, examples)]
    return PairwiseRubric(
        written.name,
        written.version,
        written.description.strip(),
        shown,
        optional,
        written.on_empty,
        considerations,
        examples,
        digest([written.description.strip(), sorted(shown), sorted(optional), written.on_empty, *parts]),
        warnings,
    )


def _stripped(part: Part) -> Part:
    return part.model_copy(update={name: text.strip() for name, text in part.model_dump().items()})

"""Which configurations are tried: every judge as the exam has it, and with one thing changed at a time.

Changing one thing at a time tells what it does, for the price of its own grades: of a judge with five scales, two ways
of prompting and two of calling, seven configurations are graded and not twenty.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...harness.errors import InputError
from ...harness.exam_mlflow import is_mlflow
from ...harness.exam_safety import is_guard
from ...harness.exam_specs import JudgeSpec
from ...harness.labwork import Configuration
from ..rubric import Rubric, load_rubric, packaged_rubrics

_ENDS = re.compile(r"_(\d+)_(\d+)$")


@dataclass(frozen=True, slots=True)
class Variant:
    """A configuration, and what builds its judge."""

    configuration: Configuration
    spec: JudgeSpec
    rubric: Rubric

    @property
    def name(self) -> str:
        """The configuration's."""
        return self.configuration.name


def chosen_judges(judges: Sequence[JudgeSpec], names: Sequence[str]) -> list[JudgeSpec]:
    """The judges of these ``names``, in this order; all of them without any. Raises InputError for unknown ones."""
    by_name = {spec.name: spec for spec in judges}
    if unknown := [name for name in names if name not in by_name]:
        raise InputError(f"--judges {unknown[0]!r}: the exam has {', '.join(by_name) or 'no judges'}")
    chosen = [by_name[name] for name in names] or [spec for spec in judges if _grades_answers(spec)]
    if not chosen:
        raise InputError("the exam has no judge that grades single answers: write one under judges:")
    if pairs := [spec.name for spec in chosen if not _grades_answers(spec)]:
        raise InputError(
            f"--judges {pairs[0]!r}: is a jury, compares pairs or has no rubric; the lab tries judges with one"
        )
    return chosen


def _grades_answers(spec: JudgeSpec) -> bool:
    """Whether it is one judge that grades one answer by a rubric; metrics of ragas have a name with a slash for one."""
    metric = isinstance(spec.rubric, str) and "/" in spec.rubric
    return spec.mode == "pointwise" and not getattr(spec, "members", ()) and not metric


def variants(
    specs: Sequence[JudgeSpec], experiments: Collection[int], scales: Sequence[str | Path] = ()
) -> list[Variant]:
    """What the ``experiments`` (1 to 4) need of these judges: each as it is, shots (2), other scales and calls (3).

    ``scales`` are rubrics for experiment 3; without any, those of the packaged family that the judge's rubric is of.
    Raises InputError where rubrics grade different criteria.
    """
    found: list[Variant] = []
    for spec in specs:
        rubric = load_rubric(spec.rubric, spec.shots)
        found.append(_variant(spec, rubric, ""))
        wired = spec.model != "embedded" and not is_mlflow(spec.model) and not is_guard(spec)
        if 2 in experiments and wired and (spec.shots or has_examples(rubric)):
            found.append(_other_shots(spec))
        if 3 in experiments:
            found += _scales(spec, rubric, scales)
            if wired and len(rubric.criteria) > 1:
                calls = "one" if spec.calls == "per_criterion" else "per_criterion"
                words = "one call" if calls == "one" else "a call per criterion"
                found.append(_variant(spec.model_copy(update={"calls": calls}), rubric, words))
    check_criteria(found)
    return found


def has_examples(rubric: Rubric) -> bool:
    """Whether any level has a worked example."""
    return any(level.examples for criterion in rubric.criteria for level in criterion.levels)


def derived(spec: JudgeSpec, rubric: Rubric, source: Path, teacher: str) -> Variant:
    """The judge ``spec`` with one example a level of ``rubric``, read from ``source``, that ``teacher`` gave."""
    changed = spec.model_copy(update={"shots": 1, "rubric": source})
    return _variant(changed, rubric, f"taught by {teacher}")


def check_criteria(found: Sequence[Variant]) -> None:
    """Raise InputError where a configuration grades other criteria than the first."""
    if not found:
        return
    wanted = [criterion.name for criterion in found[0].rubric.criteria]
    for variant in found:
        names = [criterion.name for criterion in variant.rubric.criteria]
        if sorted(names) != sorted(wanted):
            raise InputError(
                f"{variant.name} grades {', '.join(names)}, and {found[0].name} {', '.join(wanted)}: judges on trial "
                "must grade the same criteria; choose some of them with --judges"
            )


def _variant(spec: JudgeSpec, rubric: Rubric, varied: str) -> Variant:
    name = f"{spec.name}, {varied}" if varied else spec.name
    configuration = Configuration(
        name, spec.name, spec.model, rubric.name, rubric.scale, spec.shots, spec.calls, varied
    )
    return Variant(configuration, spec, rubric)


def _other_shots(spec: JudgeSpec) -> Variant:
    shots = 0 if spec.shots else 1
    changed = spec.model_copy(update={"shots": shots})
    return _variant(changed, load_rubric(spec.rubric, shots), "few-shot" if shots else "zero-shot")


def _scales(spec: JudgeSpec, rubric: Rubric, scales: Sequence[str | Path]) -> list[Variant]:
    """The judge with rubrics on other scales than its own."""
    found = []
    for source in list(scales) or (_family(spec.rubric) if isinstance(spec.rubric, str) else []):
        other = load_rubric(source, spec.shots)
        if other.scale != rubric.scale:
            changed = spec.model_copy(update={"rubric": source})
            found.append(_variant(changed, other, f"scale {_ends(other)}"))
    return found


def _family(name: str) -> list[str]:
    """Packaged rubrics that say the same on several scales: docs_qa, docs_qa_0_1, docs_qa_1_5 …"""
    stem = _ENDS.sub("", name)
    return [other for other in packaged_rubrics() if _ENDS.sub("", other) == stem]


def _ends(rubric: Rubric) -> str:
    return f"{rubric.scale[0]}-{rubric.scale[1]}"

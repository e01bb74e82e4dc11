"""Juries: judges of an exam that take the verdicts of others together; what one may say, and whom it may seat.

judges:
  - {name: a, model: openai/gpt-4o, rubric: docs_qa}
  - {name: b, model: openai/gpt-4o-mini, rubric: docs_qa}
  - {name: panel, members: [a, b], aggregate: mean}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from .errors import ExamError, Problem
from .exam_types import EMBEDDED
from .pinned import rubric_sha256
from .yaml_file import YamlFile, did_you_mean, mistake

if TYPE_CHECKING:
    from .exam_specs import JudgeSpec


class _Members(str):
    """What stands for the model and the rubric of a jury until its members are known. No file can hold one."""


JURY: Final = _Members("jury")
"""The model of a jury."""
OWN = ("name", "members", "aggregate")
"""What a jury says itself. Everything else is its members'."""
Share = Annotated[float, Field(strict=True, gt=0, le=1)]


def _or_jury(value: Any, otherwise: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, _Members) else otherwise(value)


OF_MEMBERS = WrapValidator(_or_jury)
"""Beside the other validators of a field: lets a jury's own pass."""


def seat(value: Any) -> Any:
    """The section of a judge, complete where it is a jury. Raises a `mistake` for what is its members' to say."""
    if not isinstance(value, Mapping) or value.get("members") is None:
        return value
    for name in value:
        if name not in OWN:
            raise mistake("has no effect on a jury, which asks nobody itself; write it under its members", name)
    if not value.get("name"):
        raise mistake("is missing: a jury has no model to be named after", "name")
    return {**value, "model": JURY, "rubric": JURY}


def check_jury(spec: JudgeSpec) -> None:
    """Raise for a jury of fewer than two, and for settings of juries and of repeats that nothing would come of."""
    if not spec.members:
        if "members" in spec.model_fields_set:
            raise mistake("is empty: a jury has two members or more", "members")
        if "aggregate" in spec.model_fields_set:
            what = f"{spec.aggregate!r} has no effect without members: [a, b]; write both, or neither"
            raise mistake(what, "aggregate")
    elif len(spec.members) < 2:
        raise mistake(f"only {spec.members[0]!r}: a jury has two members or more", "members")
    if twice := [name for i, name in enumerate(spec.members) if name in spec.members[:i]]:
        raise mistake(f"{twice[0]!r} stands there twice: a member has one vote", "members")
    if spec.repeats == 1 and spec.repeat_share != 1:
        what = f"{spec.repeat_share!r} has no effect without repeats: 2 or more; write both, or neither"
        raise mistake(what, "repeat_share")


def unseatable(file: YamlFile, judges: Sequence[JudgeSpec]) -> Iterator[Problem]:
    """Members that are no judges of the exam, or cannot sit beside the others."""
    known = {spec.name: spec for spec in judges}
    for position, jury in enumerate(judges):
        first = known.get(jury.members[0]) if jury.members else None
        for place, name in enumerate(jury.members):
            if what := _why_not(name, known, first):
                yield file.problem(("judges", position, "members", place), what)
        if jury.members and all(name in known and known[name].model == EMBEDDED for name in jury.members):
            what = "all members are embedded: a jury needs one with a model at least"
            yield file.problem(("judges", position, "members"), what)


def _why_not(name: str, known: Mapping[str, JudgeSpec], first: JudgeSpec | None) -> str:
    """Why a judge of this name cannot sit where ``first`` does; '' where it can."""
    spec = known.get(name)
    if spec is None:
        single = [one.name for one in known.values() if not one.members]
        return f"{name!r} is no judge of this exam{did_you_mean(name, single) or ';'} there are {', '.join(single)}"
    if spec.members:
        return f"{name!r} is a jury itself; name its members"
    if spec.mode == "pairwise":
        return f"{name!r} compares pairs; members grade one answer at a time"
    if first is None or first.members or first.mode == "pairwise":
        return ""
    if _rubric(spec) != _rubric(first):
        return f"{name!r} has another rubric than {first.name!r}; members grade by the same"
    return "" if spec.turns == first.turns else f"{name!r} has other turns than {first.name!r}; give them the same"


def _rubric(spec: JudgeSpec) -> str:
    """The same for rubrics that say the same; a file that cannot be read is named where it is loaded."""
    try:
        return rubric_sha256(spec.rubric)
    except ExamError:
        return str(spec.rubric)


def seated(judges: Sequence[JudgeSpec]) -> tuple[JudgeSpec, ...]:
    """The judges, juries with the rubric of their members and the repeats that all of these have."""
    known = {spec.name: spec for spec in judges}
    return tuple(_of_members(spec, [known[name] for name in spec.members]) if spec.members else spec for spec in judges)


def _of_members(jury: JudgeSpec, members: Sequence[JudgeSpec]) -> JudgeSpec:
    return jury.model_copy(
        update={
            "rubric": members[0].rubric,
            "shots": max(member.shots for member in members),
            "turns": members[0].turns,
            "repeats": min(member.repeats for member in members),
            "repeat_share": min(member.repeat_share for member in members),
        }
    )

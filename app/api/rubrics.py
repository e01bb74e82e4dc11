"""Rubrics: what comes with the package, the exact prompt of a judge, and what differs between two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .running import noted

if TYPE_CHECKING:
    from ..rubrics_output import RubricDiffOutput, RubricList, ShownRubric


def rubric_list() -> RubricList:
    """The rubrics that come with the package: name, scale, criteria with their weights."""
    from ..rubrics import packaged

    return packaged()


def rubric_show(
    rubric: str | Path,
    *,
    shots: int = 1,
    calls: Literal["one", "per_criterion"] = "one",
    sample: str | Path = "",
    id: str = "",
) -> ShownRubric:
    """The exact messages that a judge is sent by a rubric (a packaged name, or a file), one call after the other.

    ``sample`` is a data set with a column ``answer`` in place of placeholders, ``id`` one of its rows. Raises
    InputError for a rubric that cannot be read.
    """
    from ..rubrics import Wanted, shown_rubric

    with noted() as note:
        shown, warnings = shown_rubric(str(rubric), Wanted(shots, calls, str(sample), id))
        for text in warnings:
            note(text)
    return shown


def rubric_diff(before: str | Path, after: str | Path) -> RubricDiffOutput:
    """What differs between two rubrics, and whether verdicts can. Raises InputError for two that are not of a kind."""
    from ..rubrics_diff import difference

    return difference(str(before), str(after))


def rubric_schema() -> dict[str, Any]:
    """The JSON schema of a rubric file, for editors."""
    from ...judges.rubric_schema import rubric_json_schema

    return rubric_json_schema()

"""A pinned judge: a file that says which judge was qualified, on what, and by which labels; exams name it.

    judges:
      - name: strict
        pinned: judge.yaml

The rubric stays a file or a packaged name. Its hash is checked whenever the judge is used: another rubric would be
another judge, and its qualification would be somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from .errors import ExamError, Problem
from .exam_mlflow import is_mlflow_rubric
from .exam_ragas import is_ragas
from .exam_types import (
    Count,
    ModelName,
    Name,
    Params,
    Seconds,
    Section,
    Url,
    Variable,
    packaged_files,
    packaged_or_path,
)
from .keys import digest
from .yaml_file import load_yaml, mistake, validate

OWN = (
    *("name", "pinned", "base_url", "api_key_env", "timeout_s", "repeats", "repeat_share", "stream"),
    *("launch", "usd_per_gpu_hour"),
)
"""What an exam may say of a pinned judge. Everything else is pinned."""


class Qualification(Section):
    """How the judge did on the labels that were held out."""

    measure: str
    criterion: str
    threshold: float
    value: float
    lower_bound: float
    held_out: Count
    clusters: Count
    tried: Count
    tested: Count
    run: str
    date: str
    usd_per_1000: float | None = None
    seconds_per_1000: float | None = None


class PinnedJudge(Section):
    """What the file says. ``selected_on`` are the label sets that chose this judge: they correct nothing that it grades
    unless somebody says so."""

    name: Name
    model: ModelName = Field(description="provider/model, like openai/gpt-4o, or embedded")
    rubric: Annotated[str | Path, packaged_or_path("rubrics")] = Field(description="a packaged name or a path")
    rubric_sha256: str
    shots: Annotated[int, Field(strict=True, ge=0)]
    calls: Literal["one", "per_criterion"] = "one"
    turns: Literal["each", "conversation"] = "conversation"
    params: Params | None = None
    base_url: Url | None = None
    api_key_env: Variable | None = None
    timeout_s: Seconds | None = None
    adapter: str | None = None
    qualified: Qualification | None = None
    selected_on: tuple[str, ...] = ()


def rubric_sha256(rubric: str | Path) -> str:
    """Hash of all that a rubric's file says, whatever its comments and layout; what has no file is its name."""
    if is_ragas(rubric) or is_mlflow_rubric(rubric):
        return digest(rubric)
    return digest(load_yaml(_file(rubric)).data)


def load_pinned(path: Path) -> PinnedJudge:
    """The judge that ``path`` pins. Raises `ExamError` for mistakes, and where the rubric is not the one it was."""
    file = load_yaml(path)
    pinned = validate(file, PinnedJudge)
    if (found := rubric_sha256(pinned.rubric)) != pinned.rubric_sha256:
        what = (
            f"the rubric {_file(pinned.rubric)} has changed since the judge was pinned (it is {found[:12]}…, and was "
            f"{pinned.rubric_sha256[:12]}…): put the old one back, or qualify the judge again with markscheme judge lab"
        )
        raise ExamError([file.problem(("rubric_sha256",), what)])
    return pinned


def unpinned(value: Any, base: Path) -> Any:
    """The section of a judge in an exam, with what its ``pinned`` file says; unchanged without one.

    Raises a `mistake` where the file cannot be used, or the exam says what is pinned.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("pinned"), str | Path):
        return value
    for name in value:
        if name not in OWN:
            raise mistake(f"stands in the pinned file {value['pinned']}; remove it here, or remove pinned", name)
    path = base / Path(value["pinned"]).expanduser()
    try:
        pinned = load_pinned(path)
    except ExamError as error:
        raise mistake("\n".join(map(str, error.problems)), "pinned") from None
    said = pinned.model_dump(exclude={"rubric_sha256", "qualified", "selected_on"}, exclude_none=True)
    return {**said, **value}


def as_written(row: Mapping[str, Any], base: Path) -> Mapping[str, Any]:
    """A judge of raw data with what its pinned file says, as far as that can be read."""
    if not isinstance(row.get("pinned"), str | Path):
        return row
    try:
        data = load_yaml(base / Path(row["pinned"]).expanduser()).data
    except ExamError:
        return row
    return {**data, **row} if isinstance(data, Mapping) else row


def _file(rubric: str | Path) -> Path:
    if isinstance(rubric, Path):
        return rubric
    found = packaged_files("rubrics").get(rubric)
    if found is None:
        raise ExamError([Problem(rubric, "rubric", "there is no packaged rubric of this name any more")])
    return found

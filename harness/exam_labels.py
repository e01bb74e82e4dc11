"""The section `labels:` of an exam: files of people's scores, and how the answers in them came to be labelled."""

from __future__ import annotations

import datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from .exam_types import Name, OrNothing, Section, absolute_from, existing
from .labels import design_problem
from .records import Design
from .yaml_file import mistake

FILE = "labels.csv"
"""What a folder of labels holds them in."""


def packaged_labels() -> dict[str, Path]:
    """Packaged label files by name, like ``docs_qa/author``."""
    folder = Path(str(resources.files("markscheme"))) / "datasets"
    found = sorted(folder.glob(f"*/*/{FILE}"))
    return {f"{path.parent.parent.name}/{path.parent.name}": path for path in found}


def _resolved(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path):
        raise mistake(f"{value!r} is wrong: wanted a file of labels, or a packaged name")
    packaged = packaged_labels()
    if str(value) in packaged:
        return packaged[str(value)]
    try:
        path = existing(absolute_from(value, info), str(value))
    except ValueError as error:
        if Path(value).suffix:
            raise
        raise mistake(f"{error}; packaged labels are {', '.join(packaged)}") from None
    return path / FILE if path.is_dir() else path


def _date(value: str) -> str:
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        raise mistake(f"{value!r} is not a date like 2026-11-21") from None


class LabelSpec(Section):
    """One file of labels. A text is short for ``{path: …}``."""

    path: Annotated[Path, BeforeValidator(_resolved)] = Field(description="a packaged name, or a path")
    name: Name | None = None
    design: Design = "unknown"
    shares: Annotated[dict[str, float], OrNothing] = Field(default_factory=dict)
    seed: Annotated[int, Field(strict=True, ge=0)] | None = None
    labelled_at: Annotated[str, AfterValidator(_date)] | None = None
    annotators: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value

    @model_validator(mode="after")
    def _consistent(self) -> LabelSpec:
        if problem := design_problem(self.design, self.shares):
            raise mistake(problem, "shares")
        return self

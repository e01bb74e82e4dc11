"""Answer sheets that exams name: `replay/<file>`, or `replay/<packaged name>`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from .exam_types import absolute, existing
from .yaml_file import did_you_mean, mistake


def packaged_sheets() -> dict[str, Path]:
    """Packaged answer sheets by name, like ``docs_qa/planted/full.jsonl``."""
    folder = Path(str(resources.files("markscheme"))) / "datasets"
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("*/*/*.jsonl"))}


def sheet_file(written: str, base: Path) -> Path:
    """The sheet that is ``written`` behind `replay/` in an exam of the folder ``base``.

    A file of the user's goes before a packaged one of the same name. It need not exist.
    """
    own = absolute(base / Path(written).expanduser())
    return own if own.exists() else packaged_sheets().get(written, own)


def existing_sheet(written: str, base: Path) -> Path:
    """Like `sheet_file`. Raises a mistake at ``model`` where there is none."""
    file, packaged = sheet_file(written, base), packaged_sheets()
    if not file.exists() and (hint := did_you_mean(written, packaged)):
        raise mistake(f"{written!r}: there is no such file ({file}) and no such packaged sheet{hint}", "model")
    return existing(file, written, "model")

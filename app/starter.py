"""`init` and `demo`: a first exam of one's own, and the packaged one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import typer

from ..harness.errors import InputError
from ..harness.exam import Exam, exam_from_dict
from ..harness.yaml_file import load_yaml
from .output import PathOutput

_FILES = ("exam.yaml", "rubric.yaml", "samples.jsonl")


def init(folder: Path, json: bool) -> None:
    """Write the starter files and say what to do next."""
    paths = write_starter(folder)
    if json:
        typer.echo(PathOutput(paths=[str(path) for path in paths]).model_dump_json())
        return
    typer.echo(f"wrote {', '.join(map(str, paths))}")
    typer.echo(f"next: markscheme run {paths[0]}")


def write_starter(folder: Path) -> list[Path]:
    """Write the starter files, the exam first; refuses to overwrite any."""
    paths = [folder / name for name in _FILES]
    if existing := [str(path) for path in paths if path.exists()]:
        raise InputError(f"{', '.join(existing)} exists already: init overwrites nothing; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        path.write_text((files("markscheme") / "app" / "templates" / path.name).read_text("utf-8"), encoding="utf-8")
    return paths


def demo_exam() -> Exam:
    """The packaged exam, named `demo` wherever it is installed."""
    path = Path(str(files("markscheme") / "examples" / "demo.yaml"))
    data = load_yaml(path).data
    return exam_from_dict(data, base=Path.cwd(), name="demo")

"""`doctor`: what is installed, reachable and priced. Asks servers for their list of models, which costs nothing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import typer
from pydantic import BaseModel

from ..harness.errors import MarkschemeError
from ..harness.exam import CandidateSpec, Exam, JudgeSpec, load_exam
from ..harness.models.base import ChatModel
from ..harness.records import Usage
from ..harness.store.store import Store
from .loops import run_anywhere
from .shown import Shown

_EXTRAS = {"minilm": "safetensors", "mlflow": "mlflow", "parquet": "pyarrow", "postgres": "psycopg", "rag": "chromadb"}
_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MARKSCHEME_API_KEY")


class Check(BaseModel):
    """One finding. ``ok`` is fine, ``note`` is worth knowing, ``problem`` will stop a run."""

    what: str
    state: Literal["ok", "note", "problem"]
    detail: str


class DoctorOutput(Shown):
    """`markscheme doctor`."""

    checks: list[Check]


def main(exam: Path | None, workspace: str, json: bool) -> None:
    """Print the findings; exit 1 where one of them is a problem."""
    found = examine(exam, workspace)
    if json:
        typer.echo(found.model_dump_json())
    else:
        signs = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}
        for check in found.checks:
            typer.echo(f"{signs[check.state]}  {check.what}: {check.detail}")
    if any(check.state == "problem" for check in found.checks):
        raise typer.Exit(1)


def examine(exam: Path | None, workspace: str) -> DoctorOutput:
    """What is installed, set, reachable and priced, and with an ``exam`` what that needs."""
    checks = [*_installed(), *_keys(), *_workspace(workspace)]
    return DoctorOutput(checks=checks if exam is None else [*checks, *_exam(exam)])


def _installed() -> Iterator[Check]:
    yield Check(what="python", state="ok", detail=platform.python_version())
    for package in ("openai", "anthropic", "aiohttp", "sqlalchemy", "pandas", "scipy"):
        yield Check(what=package, state="ok", detail=importlib.metadata.version(package))
    for extra, module in _EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        detail = "installed" if there else f"not installed: pip install 'markscheme[{extra}]'"
        yield Check(what=f"extra {extra}", state="ok" if there else "note", detail=detail)


def _keys() -> Iterator[Check]:
    for name in _KEYS:
        there = bool(os.environ.get(name))
        yield Check(what=name, state="ok" if there else "note", detail="set" if there else "not set")


def _workspace(workspace: str) -> Iterator[Check]:
    if "://" not in workspace and not Path(workspace).exists():
        yield Check(what="workspace", state="note", detail=f"{workspace} does not exist yet; the first run makes it")
        return
    try:
        Store(workspace).close()
        yield Check(what="workspace", state="ok", detail=workspace)
    except MarkschemeError as error:
        yield Check(what="workspace", state="problem", detail=str(error))


def _exam(path: Path) -> Iterator[Check]:
    from ..harness.data import load_dataset
    from ..harness.exam_types import is_wired

    try:
        exam = load_exam(path)
        dataset = load_dataset(exam.dataset)
    except MarkschemeError as error:
        yield Check(what=str(path), state="problem", detail=str(error))
        return
    yield Check(what=str(path), state="ok", detail=f"{len(dataset.samples)} samples")
    specs: list[CandidateSpec | JudgeSpec] = [*exam.candidates, *exam.judges]
    for spec in specs:
        if is_wired(spec.model):
            yield from _model(exam, spec)


def _model(exam: Exam, spec: CandidateSpec | JudgeSpec) -> Iterator[Check]:
    from .session import price_book
    from .workflow import open_model_of

    try:
        model = open_model_of(exam, spec)
    except MarkschemeError as error:
        yield Check(what=spec.name, state="problem", detail=str(error))
        return
    reached = run_anywhere(lambda: _reach(model))
    state: Literal["ok", "problem"] = "ok" if reached is None else "problem"
    fine = "reachable" if spec.launch is None else "there is a vllm that can be started"
    yield Check(what=f"{spec.name} ({spec.model})", state=state, detail=reached or fine)
    priced = price_book(exam).cost_usd(model.name, Usage(1, 1)) is not None
    detail = "price known" if priced else "price unknown: dollars will be shown as unknown; name it under prices:"
    yield Check(what=f"{spec.name} price", state="ok" if priced else "note", detail=detail)


async def _reach(model: ChatModel) -> str | None:
    """``None`` where the endpoint answers, else why not."""
    try:
        return await model.reachable()
    finally:
        await model.close()

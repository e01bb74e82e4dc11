"""What a load test of an exam is before anything is sent: its cells, data and prices, and its place in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...harness.data import Dataset, load_dataset
from ...harness.dispatch.budget import VARIABLE, budget_usd
from ...harness.errors import InputError
from ...harness.exam import CandidateSpec, Exam, describe, load_exam
from ...harness.models.base import ChatModel
from ...harness.prices import PriceBook
from ...harness.records import Usage
from ...harness.serving.checks import chosen, family
from ...harness.serving.grid import Cell, cells, schedule
from ...harness.serving.phases import phases_of
from ...harness.serving.records import Bench
from ...harness.serving.spec import ServingSpec
from ...harness.store import serving
from ...harness.store.store import Store
from ..session import WORKSPACE, exam_identity, price_book, versions
from ..workflow import open_model_of


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """How to measure. ``candidates`` takes the place of the exam's own choice; ``quick`` measures little, once."""

    workspace: str = WORKSPACE
    fresh: bool = False
    quick: bool = False
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """An exam's load test."""

    exam: Exam
    spec: ServingSpec
    candidates: list[CandidateSpec]
    cells: list[Cell]
    dataset: Dataset
    prices: PriceBook
    workspace: str

    def order(self, known: set[tuple[str, int]]) -> list[tuple[Cell, int]]:
        """The repeats of cells that are not ``known`` yet (name and repeat), as they follow each other: one group of
        servers after the other, and in it each repeat of all cells before the next."""
        found: list[tuple[Cell, int]] = []
        for phase in phases_of(self.exam):
            if phase.role == "candidate":
                there = [cell for cell in self.cells if cell.candidate.name in phase.names]
                found += schedule(there, self.spec.repeats, self.spec.seed)
        return [(cell, repeat) for cell, repeat in found if (cell.setting.key, repeat) not in known]

    def model(self, spec: CandidateSpec) -> ChatModel:
        """The candidate's model, for its name and price; calls nothing."""
        return open_model_of(self.exam, spec, require_key=False)


def task_of(exam_file: Path, options: BenchOptions) -> Task:
    """Read the exam and its data. Raises InputError for whatever cannot be measured."""
    exam = load_exam(exam_file)
    if exam.serving is None:
        raise InputError(
            f"{exam.path}: has no section serving: to measure; write for instance\n"
            "  serving: {loads: [{closed: [1, 2, 4, 8]}], requests: 100}"
        )
    spec = exam.serving.quick() if options.quick else exam.serving
    candidates = chosen(exam.candidates, options.candidates or spec.candidates)
    dataset = load_dataset(exam.dataset)
    if not dataset.samples:
        raise InputError(f"{exam.path}: the data set {dataset.name!r} holds no sample to send")
    return Task(exam, spec, candidates, cells(spec, candidates), dataset, price_book(exam), options.workspace)


def rehearse(task: Task) -> None:
    """Refuse before anything begins a key that is missing, and a budget that cannot be kept."""
    for spec in task.candidates:
        name = open_model_of(task.exam, spec).name
        if budget_usd(task.exam.budget_usd) is not None and task.prices.cost_usd(name, Usage(1, 1)) is None:
            raise InputError(
                f"model {name!r} has no known price, so the budget cannot be kept: name its price under prices: in the "
                f"exam, or lift the budget (budget_usd, {VARIABLE})"
            )


def config_of(task: Task) -> dict[str, Any]:
    """What makes the numbers, as plain JSON: the exam without its judges, its data by the hash of their content."""
    described = describe(task.exam)
    written = task.spec.model_dump(mode="json")
    for load, plain in zip(task.spec.loads, written["loads"], strict=True):
        if load.trace is not None:
            plain["trace"] = load.trace.name
    return {
        "name": described["name"],
        "dataset": {"name": task.dataset.name, "sha256": task.dataset.sha256, "n": len(task.dataset.samples)},
        "candidates": _described(task, described["candidates"]),
        "endpoints": described["endpoints"],
        "prices": described["prices"],
        "serving": written,
    }


def _described(task: Task, listed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that are measured, once each under the name that its cells have: these say how many contexts it shows."""
    known = {one["name"]: one for one in listed}
    found: dict[str, Mapping[str, Any]] = {}
    for spec in task.candidates:
        own = {name: value for name, value in known[spec.name].items() if name != "contexts"}
        found.setdefault(family(spec), {**own, "name": family(spec)})
    return list(found.values())


def known_bench(store: Store, task: Task) -> Bench | None:
    """The exam's latest load test, where it is the same as this one and unfinished."""
    return serving.unfinished(store, exam_identity(task.exam, store), config_of(task))


def begun_bench(store: Store, task: Task) -> Bench:
    """A new one."""
    return serving.begin(store, exam_identity(task.exam, store), task.exam.name, config_of(task), versions())

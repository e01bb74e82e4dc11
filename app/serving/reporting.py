"""The end of a load test: its pages, and what the terminal is told."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from ...harness.serving.records import Loaded
from ...harness.store import serving
from ...harness.store.store import Store
from ...reports.serving.cells import Cell, cells
from ..session import WORKSPACE
from ..terminal import console, grid
from .output import ServeBenchOutput, cell_rows
from .tasks import Task
from .telling import load_of


def conclude(store: Store, bench: str, task: Task, output: Path | None, *, json: bool) -> None:
    """Write the pages and print the table, or the JSON object."""
    found, loads = serving.load_bench(store, bench)
    made = cells(loads, task.spec.slo.model_dump(exclude_none=True))
    result = ServeBenchOutput(
        bench=found.id,
        exam=found.exam,
        cells=cell_rows(made),
        spent_usd=None if _unpriced(loads) else serving.spent_usd(store, bench),
        report=None,
    )
    if json:
        typer.echo(result.model_dump_json())
    else:
        print_cells(made)


def _unpriced(loads: list[Loaded]) -> bool:
    """Whether a reply has no known price."""
    return any(one.status == "ok" and one.cost_usd is None for load in loads for one in load.requests)


def report_folder(store: Store, bench: str) -> Path:
    """Where its pages go: beside the database, or under the current folder for a server."""
    return (store.folder or Path.cwd() / WORKSPACE) / "reports" / f"serving-{bench}"


def print_cells(made: tuple[Cell, ...]) -> None:
    """One line a cell."""
    heads = ["candidate", "load", "contexts", "TTFT p50", "p95", "gap p95", "requests/s", "tokens/s", "failed"]
    console(sys.stdout).print(grid(heads, (_line(cell) for cell in made), left=2))


def _line(cell: Cell) -> list[str]:
    setting = cell.setting
    return [
        setting.candidate,
        load_of(setting) + (", over capacity" if cell.over_capacity else ""),
        "–" if setting.contexts is None else str(setting.contexts),
        _time(cell, "ttft_s", "p50"),
        _time(cell, "ttft_s", "p95"),
        _time(cell, "gap_s", "p95"),
        _number(cell.requests_per_s.value, ".2f"),
        _number(cell.output_tokens_per_s.value, ".1f"),
        f"{sum(cell.failures.values())} of {cell.attempted}",
    ]


def _time(cell: Cell, name: str, number: str) -> str:
    found = cell.times.get(name)
    value = None if found is None else getattr(found, number).value
    return "–" if value is None else "failed" if value == float("inf") else f"{1000 * value:.1f} ms"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)

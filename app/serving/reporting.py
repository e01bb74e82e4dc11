"""The end of a load test: its pages, and what the terminal is told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ...harness.serving.records import Bench, Loaded
from ...harness.store import runs, serving
from ...harness.store.frames import RunData
from ...harness.store.load import load
from ...harness.store.servers import read_servers
from ...harness.store.store import Store
from ...reports.serving.cells import Cell
from ...reports.serving.costs_said import sentences
from ...reports.serving.html import render_html
from ...reports.serving.markdown import render_markdown
from ...reports.serving.quality import quality_of, usd_of
from ...reports.serving.report import ServingReport, build
from ...reports.serving.said import plain
from ...reports.serving.tables import CELL_TITLES, cell_row
from ..session import WORKSPACE
from ..terminal import console, grid
from .output import ServeBenchOutput, cell_rows, cost_rows

_LEFT_OUT = ("Tokens/s per user", "E2E p95 s")


def conclude(store: Store, reference: str, output: Path | None, *, json: bool) -> None:
    """Write the pages, print the table or the JSON object."""
    bench, loads = serving.load_bench(store, reference)
    report, page = write_pages(store, bench, loads, output)
    if json:
        typer.echo(_output(store, bench, loads, report, page).model_dump_json())
        return
    print_cells(report.cells)
    for one in report.costs:
        typer.echo("\n".join(plain(text) for text in sentences(one, report.stated)))
    typer.echo(f"report: {page}")


def write_pages(store: Store, bench: Bench, loads: Sequence[Loaded], output: Path | None) -> tuple[ServingReport, Path]:
    """Write HTML and Markdown; returns what is in them, and the HTML file."""
    run = _finished_run(store, bench)
    quality, asked = (None, None) if run is None else (quality_of(run) or None, usd_of(run))
    report = build(bench, loads, read_servers(store, bench.id), quality, asked)
    folder = output or (store.folder or Path.cwd() / WORKSPACE) / "reports" / f"serving-{bench.id}"
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "serving.html"
    page.write_text(render_html(report), encoding="utf-8")
    page.with_suffix(".md").write_text(render_markdown(report), encoding="utf-8")
    return report, page


def _finished_run(store: Store, bench: Bench) -> RunData | None:
    """The same exam's latest run, where that is finished: what judges made of it, and what its answers cost."""
    run = runs.latest(store, bench.exam)
    return None if run is None or run.finished_at is None else load(store, run)


def _output(store: Store, bench: Bench, loads: Sequence[Loaded], report: ServingReport, page: Path) -> ServeBenchOutput:
    priced = all(one.cost_usd is not None for load in loads for one in load.requests if one.status == "ok")
    return ServeBenchOutput(
        bench=bench.id,
        exam=bench.exam,
        cells=cell_rows(report.cells),
        costs=cost_rows(report.costs, report.stated),
        spent_usd=serving.spent_usd(store, bench.id) if priced else None,
        report=str(page),
    )


def print_cells(cells: Sequence[Cell]) -> None:
    """The table that stands first in the report, without what the terminal has no room for."""
    titles = CELL_TITLES.split("|")
    shown = [place for place, title in enumerate(titles) if title not in _LEFT_OUT]
    rows = ([cell.setting.candidate, *(cell_row(cell).texts[place] for place in shown)] for cell in cells)
    console(sys.stdout).print(grid(["Candidate", *(titles[place] for place in shown)], rows, left=2))

"""`markscheme import load`: files of load testers become a load test of the workspace, with its pages."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ....harness.serving.records import Bench, Loaded
from ....harness.store import serving
from ....harness.store.store import Store
from ....reports.serving.report import ServingReport
from ...serving.output import cell_rows
from ...serving.reporting import print_cells, write_pages
from ...session import versions
from .found import FoundLoad, LoadChoice, repeated
from .output import LoadImportOutput
from .reading import read_loads
from .sheet import checked_sheet, write_sheet
from .summaries import Checked, checked

MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class LoadInto:
    """Where to: the workspace, a name for the load test, a sheet for its answers, a folder for its pages."""

    workspace: str
    name: str = ""
    sheet: Path | None = None
    output: Path | None = None
    json: bool = False


def take_in_loads(paths: Sequence[Path], choice: LoadChoice, into: LoadInto) -> None:
    """Keep what was found, write its pages, and print what came of it."""
    made, report, check = taken_in_loads(paths, choice, into)
    if into.json:
        typer.echo(made.model_dump_json())
        return
    _tell(made, check)
    print_cells(report.cells)
    typer.echo(f"report: {made.report}")


def taken_in_loads(
    paths: Sequence[Path], choice: LoadChoice, into: LoadInto
) -> tuple[LoadImportOutput, ServingReport, Checked]:
    """Keep what was found, of the same files always as the same load test, and write its pages.

    Raises DataError for a file that cannot be read, or that means other things by a name than one before.
    """
    checked_sheet(into.sheet)
    found = read_loads(paths, choice)
    loads, check = repeated(found), _checked(found)
    notes = [*dict.fromkeys(note for one in found for note in one.notes), *_differing(check)]
    told = [] if into.sheet is None else write_sheet(into.sheet, found)
    store = Store(into.workspace)
    try:
        bench = _kept(store, paths, choice, into, loads, notes)
        report, page = write_pages(store, bench, loads, into.output)
    finally:
        store.close()
    left = sum((Counter(one.left) for one in found), Counter[str]())
    made = LoadImportOutput(
        bench=bench.id,
        tools=sorted({one.origin for one in found}),
        requests=sum(len(one.requests) for one in found),
        cells=cell_rows(report.cells),
        checked=check.of,
        off=[name for name, _, _ in check.off],
        left=dict(left),
        notes=[*notes, *told],
        sheet=None if into.sheet is None else str(into.sheet),
        report=str(page),
    )
    return made, report, check


def _kept(
    store: Store,
    paths: Sequence[Path],
    choice: LoadChoice,
    into: LoadInto,
    loads: Sequence[Loaded],
    notes: Sequence[str],
) -> Bench:
    """The load test of these files and choices, as it is already, or written now."""
    config = _config(paths, choice, loads, notes)
    name = into.name or " + ".join(dict.fromkeys(path.stem for path in paths))
    exam = f"load-{config['imported']['sha256'][:12]}"
    with store.lease(f"bench-{exam}"):
        bench = serving.latest(store, exam) or serving.begin(store, exam, name, config, versions())
        known = serving.measured(store, bench.id)
        for loaded in loads:
            if (loaded.setting.key, loaded.repeat) not in known:
                serving.put_loaded(store, bench.id, loaded)
        if bench.finished_at is None:
            serving.finish(store, bench.id)
        return serving.find_bench(store, bench.id)


def _config(paths: Sequence[Path], choice: LoadChoice, loads: Sequence[Loaded], notes: Sequence[str]) -> dict[str, Any]:
    whole = hashlib.sha256(repr(choice).encode())
    for path in paths:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return {
        "imported": {
            "files": [path.name for path in paths],
            "sha256": whole.hexdigest(),
            "tools": sorted({load.origin for load in loads}),
            "notes": list(notes),
        },
        "candidates": [{"name": name} for name in dict.fromkeys(load.setting.candidate for load in loads)],
    }


def _checked(found: Sequence[FoundLoad]) -> Checked:
    """Of all files together; a number is named with its file."""
    each = [(one.where.rpartition("/")[2], checked(one.own, one.ours)) for one in found]
    off = tuple((f"{where} {name}", own, ours) for where, check in each for name, own, ours in check.off)
    return Checked(sum(check.of for _, check in each), off)


def _differing(check: Checked) -> list[str]:
    if not check.off:
        return []
    named = "; ".join(
        f"{name} is {own:g} there, {ours:g} from its requests" for name, own, ours in check.off[:MOST_TOLD]
    )
    return [
        f"{len(check.off)} of {check.of} numbers of the tools' own summaries do not come out of the requests: {named}"
    ]


def _tell(made: LoadImportOutput, check: Checked) -> None:
    settings = "1 setting" if len(made.cells) == 1 else f"{len(made.cells)} settings"
    typer.echo(
        f"load test {made.bench}: {settings}, {made.requests} requests, read from files of {' and '.join(made.tools)}"
    )
    if check.of and not check.off:
        typer.echo(f"all {check.of} numbers of the tools' own summaries come out of the requests")
    for what, count in made.left.items():
        typer.echo(f"not carried over: {count} × {what}")
    for note in made.notes:
        typer.echo(f"note: {note}")
    if made.sheet:
        typer.echo(f"answers: {made.sheet}")

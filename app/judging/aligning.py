"""`judge align` and `import labels`: people's labels taken in, judges compared with them, pages written."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ...harness.errors import InputError
from ...harness.exam import LabelSpec
from ...harness.label_matching import WORDS
from ...harness.preference_labels import HumanPreference, holds_preferences, read_preferences
from ...harness.store import runs
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.store.verdicts import load_verdicts
from ..commands import emit
from ..references import opened, opened_run
from .labels import Attached, attach, read_spec, refreshed, worded

if TYPE_CHECKING:
    from ...harness.alignment import Alignment, LabelsUsed
    from .align_output import ImportedLabels


def align(
    reference: str, workspace: str, labels: Sequence[Path], judge: str, output: Path | None, epsilon: float, json: bool
) -> None:
    """Compare, write align.html and align.md, print what came of it."""
    from ...reports.judging.alignment import caveats
    from ..reporting import report_folder
    from .align_output import print_alignment, to_output

    with opened_run(reference, workspace) as (store, run):
        with _uncollected():
            found = alignment(store, run, labels, judge, epsilon)
        page = write_alignment(found, output or report_folder(store, run.id) / "judge")
    if json:
        emit(to_output(found, str(page)))
        return
    print_alignment(found, sys.stdout)
    for note in caveats(found):
        typer.echo(f"note: {note}")
    typer.echo(f"report: {page}")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: among a million rows it finds none, and takes a tenth of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def alignment(store: Store, run: Run, labels: Sequence[Path] = (), judge: str = "", epsilon: float = 0.2) -> Alignment:
    """The run's judges against the exam's labels, or against those of the files ``labels`` alone, which are kept with
    the run. Raises InputError where no label holds for the run's answers."""
    from ...judges.align import align as compare

    preferences: list[HumanPreference] = []
    attached, notes = ([], []) if labels else refreshed(store, run)
    for path in labels:
        if holds_preferences(path):
            preferences += read_preferences(path)
        else:
            spec = worded(store, path)
            attached.append(attach(store, run, spec, read_spec(spec)))
    data = load_verdicts(store, run)
    found = compare(data, judge, {one.name for one in attached} if labels else (), epsilon, preferences)
    if not found.criteria and not found.pairs:
        raise InputError(_nothing(run, attached, preferences))
    return replace(found, labels=_with_unattached(found.labels, attached), notes=tuple(notes))


def write_alignment(found: Alignment, folder: Path) -> Path:
    """Write both pages into ``folder``; returns the HTML page's path."""
    from ...reports.judging.alignment_html import render_alignment
    from ...reports.judging.alignment_markdown import alignment_markdown

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "align.html"
    page.write_text(render_alignment(found), encoding="utf-8")
    (folder / "align.md").write_text(alignment_markdown(found), encoding="utf-8")
    return page


def import_labels(reference: str, workspace: str, spec: LabelSpec, json: bool) -> None:
    """Bind the labels of a file to a run's answers, and say how many hold."""
    made, note = imported(reference, workspace, spec)
    if json:
        emit(made)
        return
    typer.echo(note or f"labels {made.name}: all {made.attached} hold for run {made.run}")


def imported(reference: str, workspace: str | Path, spec: LabelSpec) -> tuple[ImportedLabels, str]:
    """Bind the labels of a file to a run's answers, and keep them; what is to be said of those that do not hold.

    Raises InputError where none does.
    """
    from .align_output import ImportedLabels

    file = read_spec(spec)
    store = opened(workspace)
    try:
        run = runs.find(store, reference)
        done = attach(store, run, spec, file)
    finally:
        store.close()
    found = done.matching
    if not found.attached:
        raise InputError(done.note())
    made = ImportedLabels(
        run=run.id,
        name=done.name,
        rows=len(file),
        gaps=file.gaps,
        attached=found.attached,
        unattached={WORDS[reason]: count for reason, count in found.unattached.items()},
    )
    return made, done.note()


def _with_unattached(used: Sequence[LabelsUsed], attached: Sequence[Attached]) -> tuple[LabelsUsed, ...]:
    """The sets with what does not hold, and those of which nothing does."""
    from ...harness.alignment import LabelsUsed

    counts = {one.name: {WORDS[r]: n for r, n in one.matching.unattached.items()} for one in attached}
    found = [replace(one, unattached=counts.get(one.name, {})) for one in used]
    known = {one.name for one in used}
    return (*found, *(LabelsUsed(name, (), "", "", 0, n) for name, n in counts.items() if name not in known))


def _nothing(run: Run, attached: Sequence[Attached], preferences: Sequence[HumanPreference]) -> str:
    if reasons := [note for one in attached if (note := one.note())]:
        return "\n".join(reasons)
    if preferences:
        return f"run {run.id} has no pairwise judge to compare these {len(preferences)} preferences with"
    return (
        f"run {run.id} has no labels: name files of them under labels: in its exam, or give --labels FILE "
        "(columns sample_id, candidate, trial, criterion, score, annotator)"
    )

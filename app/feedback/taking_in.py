"""`markscheme import feedback`: what users said of answers, bound to the answers of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from ...harness.errors import InputError
from ...harness.feedback import read_feedback
from ...harness.feedback_matching import WORDS, Reason
from ...harness.store import runs
from ...harness.store.feedback import Put, put_feedback
from ..commands import emit
from ..references import opened
from .output import ImportedFeedback


def import_feedback(
    files: Sequence[Path], reference: str, columns: Mapping[str, str], workspace: str, json: bool
) -> None:
    """Take it in, and say how many rows hold for the run."""
    made = taken_in(files, reference, columns, workspace)
    if json:
        emit(made)
        return
    typer.echo(
        f"run {made.run}: {made.attached} of {made.rows} rows hold: {made.added} new, {made.replaced} in place of an "
        "earlier vote"
    )
    for note in made.notes:
        typer.echo(f"note: {note}")


def taken_in(
    files: Sequence[Path], reference: str, columns: Mapping[str, str], workspace: str | Path
) -> ImportedFeedback:
    """Keep the feedback of the files, in this order. Raises InputError where no row holds for an answer of the run."""
    read = [read_feedback(file, columns) for file in files]
    store = opened(workspace)
    try:
        run = runs.find(store, reference)
        done = [put_feedback(store, run, file) for file in read]
    finally:
        store.close()
    reasons = sum((one.matched.unmatched for one in done), Counter[Reason]())
    notes = _notes(files, done)
    attached, gaps = sum(len(one.matched.bound) for one in done), sum(file.gaps for file in read)
    if not attached:
        nothing = notes or [f"{files[0]}: no row says what the user did"]
        raise InputError("\n".join([f"run {run.id}: no feedback holds for its answers", *nothing]))
    return ImportedFeedback(
        run=run.id,
        rows=attached + reasons.total(),
        gaps=gaps,
        attached=attached,
        added=sum(one.added for one in done),
        replaced=sum(one.replaced for one in done),
        unattached={WORDS[reason]: count for reason, count in reasons.most_common()},
        notes=[*notes, *([f"{gaps} rows say nothing of what the user did"] if gaps else [])],
    )


def _notes(files: Sequence[Path], done: Sequence[Put]) -> list[str]:
    """How many rows of each file do not hold and why, with the line of the first."""
    return [
        f"{count} × {WORDS[reason]} (first at {file}:{one.matched.first[reason]})"
        for file, one in zip(files, done, strict=True)
        for reason, count in one.matched.unmatched.most_common()
    ]

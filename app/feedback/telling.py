"""`markscheme feedback`: what users say of a run, computed, written as pages, and printed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from ...harness.errors import InputError
from ...harness.store.feedback import feedback_of
from ...harness.store.load import load
from ...harness.store.metadata import sample_metadata
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.windows import ASKED_AT, unix_time
from ...reports.feedback.build import feedback_report
from ...reports.feedback.pages import feedback_markdown, render_feedback
from ...reports.feedback.records import FeedbackReport
from ..commands import emit
from ..references import opened_run
from ..reporting import report_folder
from .output import print_feedback, to_output

WIDTH = "week"


def tell(reference: str, window: str, judge: str, workspace: str, output: Path | None, json: bool) -> None:
    """Compute, write feedback.html and feedback.md into ``output`` (else beside the run's report), and print."""
    with opened_run(reference, workspace) as (store, run):
        found = told(store, run, window, judge)
        page = write_pages(found, output or report_folder(store, run.id))
    if json:
        emit(to_output(found, str(page)))
        return
    print_feedback(found, sys.stdout)
    typer.echo(f"report: {page}")


def told(store: Store, run: Run, window: str = WIDTH, judge: str = "") -> FeedbackReport:
    """What the feedback on a run's answers says. Raises InputError where there is none, for a time of a sample that is
    none, and for a window or a judge that is not known."""
    asked = {name: _asked_at(name, values) for name, values in sample_metadata(store, run).items()}
    return feedback_report(load(store, run, words=False), feedback_of(store, run), asked, window, judge)


def _asked_at(sample: str, values: Mapping[str, Any]) -> float | None:
    try:
        return unix_time(values.get(ASKED_AT))
    except ValueError as error:
        raise InputError(
            f"sample {sample!r} metadata.{ASKED_AT}: {error}; correct it and import the run again"
        ) from None


def write_pages(found: FeedbackReport, folder: Path) -> Path:
    """The HTML page, and Markdown beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "feedback.html"
    page.write_text(render_feedback(found), encoding="utf-8")
    page.with_suffix(".md").write_text(feedback_markdown(found), encoding="utf-8")
    return page

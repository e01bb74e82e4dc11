"""`markscheme feedback`: what users say of a run, computed, written as pages, and printed."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from ...harness.store.feedback import feedback_of
from ...harness.store.load import load
from ...harness.store.metadata import sample_metadata
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.windows import times_of
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
    """What the feedback on a run's answers says. Raises InputError where there is none and for a window or a judge that
    is not known, DataError for a time of a sample that is none."""
    asked = times_of(sample_metadata(store, run), run.id)
    return feedback_report(load(store, run, words=False), feedback_of(store, run), asked, window, judge)


def write_pages(found: FeedbackReport, folder: Path) -> Path:
    """The HTML page, and Markdown beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "feedback.html"
    page.write_text(render_feedback(found), encoding="utf-8")
    page.with_suffix(".md").write_text(feedback_markdown(found), encoding="utf-8")
    return page

"""From a run in the store to report.html, report.md and the summary rows."""

from __future__ import annotations

import math
from pathlib import Path

from ..harness.store.load import load
from ..harness.store.runs import Run
from ..harness.store.store import Store
from .output import SummaryRow


def report_folder(store: Store, run: str) -> Path:
    """Where a run's report goes: beside the database, or under the current folder for a server."""
    return (store.folder or Path.cwd() / ".markscheme") / "reports" / run


def write_report(store: Store, run: Run, folder: Path) -> tuple[Path, list[SummaryRow]]:
    """Write both pages into ``folder``; returns the HTML page's path and the summary."""
    from ..reports.cells import summary
    from ..reports.html import render_html
    from ..reports.markdown import render_markdown
    from ..reports.report import build_report

    data = load(store, run)
    report = build_report(data)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    page.write_text(render_html(report), encoding="utf-8")
    (folder / "report.md").write_text(render_markdown(report), encoding="utf-8")
    rows = [
        SummaryRow(
            candidate=row["candidate"],
            judge=row["judge"],
            measure=row["measure"],
            n=int(row["n"]),
            mean=_number(row["mean"]),
            low=_number(row["low"]),
            high=_number(row["high"]),
        )
        for row in summary(data).to_dict("records")
    ]
    return page, rows


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)

"""From a run in the store to report.html, report.md and the summary rows."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from ..harness.alignment import Alignment
from ..harness.errors import InputError
from ..harness.store.frames import RunData
from ..harness.store.label_sets import earlier_runs
from ..harness.store.load import load
from ..harness.store.runs import Run
from ..harness.store.store import Store
from ..harness.store.wordless import MARK, without_texts
from ..harness.yaml_file import did_you_mean
from .output import SummaryRow
from .session import WORKSPACE


def report_folder(store: Store, run: str, texts: bool = True) -> Path:
    """Where a run's report goes: beside the database, or under the current folder for a server or a bundle. One
    without texts has a folder of its own, lest it take the other's place."""
    return (store.folder or Path.cwd() / WORKSPACE) / "reports" / (run if texts else f"{run}-no-texts")


def reports_of(workspace: str | Path) -> Path:
    """Where the reports of a workspace are: in its folder, or under the current one for a server's."""
    return (Path.cwd() / WORKSPACE if "://" in str(workspace) else Path(workspace)) / "reports"


def write_report(
    store: Store, run: Run, folder: Path, texts: bool = True, baseline: str = ""
) -> tuple[Path, list[SummaryRow]]:
    """Write both pages into ``folder``; returns the HTML page's path and the summary.

    ``baseline`` takes the place of the one that the exam declares.
    """
    from ..reports.cells import summary
    from ..reports.html import render_html
    from ..reports.markdown import render_markdown
    from ..reports.report import build_report

    data, earlier = load(store, run, words=False), labelled_before(store, run)
    if baseline:
        data = _against(data, baseline)
    if not texts or run.config.get(MARK):
        data = without_texts(data)
    report = build_report(data, earlier, _agreement(data))
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
            judge_only=_number(row["judge_only"]),
            correction=row["correction"] or None,
        )
        for row in summary(data, earlier).to_dict("records")
    ]
    return page, rows


def _against(data: RunData, baseline: str) -> RunData:
    from ..reports.exam import candidates_of

    names = [view.name for view in candidates_of(data)]
    if baseline not in names:
        hint = did_you_mean(baseline, names) or ";"
        raise InputError(
            f"--baseline {baseline!r} is no candidate of run {data.info.id}{hint} there are {', '.join(names)}"
        )
    return replace(data, info=replace(data.info, config={**data.info.config, "baseline": baseline}))


def labelled_before(store: Store, run: Run) -> list[RunData]:
    """Labelled runs that are the same but for the time: their pairs of grades and labels correct this one, too."""
    return [load(store, other, words=False) for other in earlier_runs(store, run)]


def _agreement(data: RunData) -> Alignment | None:
    if not len(data.labels):
        return None
    from ..judges.align import align

    return align(data)


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)

"""What users said of answers: taken in, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..references import opened_run
from ..session import WORKSPACE

if TYPE_CHECKING:
    from ...reports.feedback.records import FeedbackReport
    from ..feedback.output import ImportedFeedback


def import_feedback(
    files: str | Path | Sequence[str | Path],
    *,
    run: str = "latest",
    columns: Mapping[str, str] | None = None,
    workspace: str | Path = WORKSPACE,
) -> ImportedFeedback:
    """Bind what users said (CSV, JSONL, Parquet: an id, accepted or thumb or edit, at, user) to a run's answers.

    ``columns`` are our names -> theirs. Raises DataError for what cannot be read, InputError where no row holds.
    """
    from ...harness.feedback import COLUMNS
    from ..feedback.taking_in import taken_in
    from ..importing.columns import columns_of

    paths = [Path(one) for one in ([files] if isinstance(files, str | Path) else files)]
    words = ",".join(f"{ours}={theirs}" for ours, theirs in (columns or {}).items())
    return taken_in(paths, run, columns_of(words, COLUMNS), workspace)


def feedback(
    run: str | Path = "latest",
    *,
    window: str = "week",
    judge: str = "",
    output: str | Path | None = None,
    workspace: str | Path = WORKSPACE,
) -> FeedbackReport:
    """How many answers users accept, over time, and how well the judges' scores predict it.

    ``window`` is hour, day, week, month or a number of windows of equal counts; ``judge`` the only one that is asked
    about. The pages are written where ``output`` names a folder. Raises InputError where the run has no feedback.
    """
    from ..feedback.telling import told, write_pages

    with opened_run(str(run), workspace) as (store, found):
        report = told(store, found, window, judge)
    if output is not None:
        write_pages(report, Path(output))
    return report

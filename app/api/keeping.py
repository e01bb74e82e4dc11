"""What a workspace keeps: runs, their reports, tables as files, texts to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...harness.store import runs as stored
from ..references import opened, opened_run
from ..run import Run, open_run
from ..session import WORKSPACE

if TYPE_CHECKING:
    import pandas as pd

    from ..finetuning import FinetuneOutput

Table = Literal["answers", "grades", "preferences"]
Format = Literal["jsonl", "csv", "parquet"]
Service = Literal["openai", "fireworks", "nemo"]


def runs(workspace: str | Path = WORKSPACE) -> pd.DataFrame:
    """The runs of a workspace, the latest first: id, exam, name, created_at (UTC), finished."""
    import pandas as pd

    store = opened(workspace)
    try:
        found = [(r.id, r.exam, r.name, r.created_at, r.finished_at is not None) for r in stored.all_runs(store)]
    finally:
        store.close()
    table = pd.DataFrame(found, columns=["id", "exam", "name", "created_at", "finished"])
    return table.assign(created_at=pd.to_datetime(table["created_at"], unit="s", utc=True))


def report(
    run: str | Path | Run = "latest",
    folder: str | Path | None = None,
    *,
    workspace: str | Path = WORKSPACE,
    texts: bool = True,
    baseline: str = "",
    mlflow: str = "",
) -> Path:
    """Write report.html and report.md of a run (id, name, `latest`, bundle) again; returns the path of the page.

    Without ``texts`` it holds no question, answer or reasoning. ``baseline`` is the candidate that the others are
    compared with, instead of the exam's; ``mlflow`` a tracking URI to log to, or `default`.
    """
    found = run if isinstance(run, Run) else open_run(run, workspace)
    return found.report(folder, texts=texts, baseline=baseline, mlflow=mlflow)


def export(
    table: Table,
    output: str | Path,
    *,
    run: str | Path = "latest",
    format: Format = "jsonl",
    workspace: str | Path = WORKSPACE,
) -> int:
    """Write a table of a run to the file ``output``; returns the number of rows.

    In a CSV, what a spreadsheet would run as a formula is quoted. `Run.answers` is the same as a DataFrame.
    """
    from ..exporting import export_table

    with opened_run(str(run), workspace) as (store, found):
        return export_table(store, found, table, format, Path(output))


def export_finetune(
    output: str | Path,
    runs: str | Sequence[str] = "latest",
    *,
    format: Service = "openai",
    candidates: Sequence[str] = (),
    judge: str = "",
    measure: str = "",
    min_score: float | None = None,
    agreement: float | None = None,
    unsafe: bool = False,
    refusals: bool = False,
    per_class: int | None = None,
    class_of: str = "",
    pairs: bool = False,
    pair_margin: float | None = None,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    workspace: str | Path = WORKSPACE,
) -> FinetuneOutput:
    """Write answers worth learning from into the folder ``output``: train.jsonl, validation.jsonl, the held-out samples
    in test/, lines.jsonl that traces every line, card.json and card.md.

    ``unsafe`` and ``refusals`` keep such answers; ``agreement`` is a share of the judges' scale; ``class_of`` is
    `score`, `label` or `tag:NAME`. Raises InputError where nothing is left, and where the folder holds something else.
    """
    from ...reports.finetune.records import Options
    from ..finetuning import exported

    options = Options(
        format, tuple(candidates), judge, measure, min_score, agreement, unsafe, refusals, per_class, class_of, pairs,
        pair_margin, shares, seed,
    )  # fmt: skip
    return exported([runs] if isinstance(runs, str) else runs, options, Path(output), workspace)


def purge(run: str, *, workspace: str | Path = WORKSPACE) -> int:
    """Forget the words of a run: questions, answers, requests, reasoning; returns how many calls lost theirs.

    Numbers and hashes stay. There is no way back.
    """
    store = opened(workspace)
    try:
        found = stored.find(store, run)
        with store.lease(found.id):
            return store.purge_texts(found.id)
    finally:
        store.close()

"""A run's answers, grades or preferences as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..harness.errors import InputError, MissingExtra
from ..harness.spreadsheets import safe
from ..harness.store.load import load
from ..harness.store.runs import Run
from ..harness.store.store import Store

if TYPE_CHECKING:
    import pandas as pd


def export_table(store: Store, run: Run, table: str, format: str, output: Path | None) -> int:
    """Write ``answers``, ``grades`` or ``preferences`` as jsonl, csv or parquet; returns the number of rows."""
    data = load(store, run)
    frame = {"answers": data.answers, "grades": data.grades, "preferences": data.preferences}[table].copy()
    frame.insert(0, "run", run.id)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
    if format == "parquet":
        _parquet(frame, output)
    elif format == "csv":
        frame.map(safe).to_csv(output or sys.stdout, index=False, lineterminator="\n")
    elif frame.empty:  # pandas would write an empty line, which is no row
        if output is not None:
            output.write_text("", encoding="utf-8")
    else:
        frame.to_json(output or sys.stdout, orient="records", lines=True, force_ascii=False)
    return len(frame)


def _parquet(frame: pd.DataFrame, output: Path | None) -> None:
    if output is None:
        raise InputError("--format parquet needs --output FILE: it cannot be written to standard output")
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("parquet", "--format parquet") from error
    frame.to_parquet(output, index=False)

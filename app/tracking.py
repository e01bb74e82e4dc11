"""`--mlflow`: a run of the store to a run of MLflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..harness.store.load import load
from ..harness.store.runs import Run
from ..harness.store.store import Store
from ..harness.store.wordless import MARK, without_texts
from .reporting import labelled_before

if TYPE_CHECKING:
    from ..reports.mlflow_run import Logged


def log_to_mlflow(
    store: Store, run: Run, page: Path, uri: str, texts: bool = True, say: Callable[[str], None] = lambda note: None
) -> Logged:
    """Log the run with its report, of which ``page`` is the HTML file; ``say`` gets what was done.

    Raises MissingExtra, InputError where MLflow cannot be reached.
    """
    from ..reports.cells import score
    from ..reports.mlflow_run import log_run

    data = load(store, run, words=False)
    if not texts or run.config.get(MARK):
        data = without_texts(data)
    scores = score(data, earlier=labelled_before(store, run))
    logged = log_run(data, scores, (page, page.with_suffix(".md")), uri)
    count = len(logged.candidates)
    candidates = f"{count} candidate{'s' if count != 1 else ''}"
    say(f"logged the run and {candidates} to MLflow, experiment {logged.experiment!r}")
    if logged.left_out:
        say(f"MLflow's tables of answers hold {logged.left_out}")
    return logged

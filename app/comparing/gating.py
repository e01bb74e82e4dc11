"""A run held against its baseline by a gate: which runs are the baseline, and which run confirms an alarm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...harness.errors import InputError
from ...harness.gate import GateSpec
from ...harness.store.frames import RunData
from ...harness.store.load import load
from ...harness.store.pool import pool_of, second_of
from ...harness.store.runs import Run
from ...harness.watching import Watched
from ...reports.regression.compare import Options, compared
from ...reports.regression.gate import gated, watching
from ...reports.regression.gate_bounds import bounded, bounds_of
from ...reports.regression.gate_records import GateResult
from ...reports.regression.gate_words import distrust
from ...reports.regression.nights import by_nights
from ...reports.regression.records import Compared
from ...reports.regression.sides import SECONDS
from ..references import load_run, opened, opened_run
from ..session import WORKSPACE

Confirm = Callable[[Run], str]
"""Makes a further fresh run of what a run ran; returns its id."""


@dataclass(frozen=True)
class Gated:
    """The comparison with the baseline, and what the gate says of it."""

    compared: Compared
    result: GateResult

    def __repr__(self) -> str:
        return repr(self.result)

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


@dataclass(frozen=True)
class Question:
    """What is held against what: references to runs (no baseline: the gate's own), by which gate, and how compared."""

    run: str
    spec: GateSpec
    baseline: tuple[str, ...] = ()
    workspace: str | Path = WORKSPACE
    options: Options = field(default_factory=Options)


def gate(question: Question, confirm: Confirm | None = None, watched: Sequence[Watched] = ()) -> Gated:
    """Compare, decide, and where an alarm is to be confirmed, look for a second run, or have ``confirm`` make it.

    ``watched`` is what is known of the judges; no second run is made for an alarm by one that drifted.
    Raises InputError where the run is not finished, or there is no baseline for it.
    """
    new, data = _read(question)
    pool, notes = _baseline(question, new)
    first = _compared(question, data, pool)
    bounds = bounds_of(data, question.spec)
    result = bounded(watching(gated(first, question.spec), watched), bounds)
    if result.of("alarm") and (again := _second(question, new, pool, confirm)) is not None:
        confirmed = gated(first, question.spec, _compared(question, again, pool))
        result = bounded(watching(confirmed, watched), bounds)
    return Gated(replace(first, warning=distrust(result)), replace(result, notes=notes + result.notes))


def _compared(question: Question, new: RunData, pool: Sequence[RunData]) -> Compared:
    found = compared(new, pool, question.options)
    timed = any(line.measure in SECONDS for line in question.spec.measures)
    return by_nights(found, new, pool) if timed else found


def _read(question: Question) -> tuple[Run, RunData]:
    with opened_run(question.run, question.workspace) as (store, run):
        if run.finished_at is None:
            raise InputError(f"run {run.id} is not finished, so it cannot be gated: continue it, markscheme run does")
        return run, load(store, run)


def _baseline(question: Question, new: Run) -> tuple[list[RunData], tuple[str, ...]]:
    spec = question.spec
    named = question.baseline or ((_beside(spec, spec.baseline.run),) if spec.baseline.run else ())
    if named:
        return [load_run(reference, question.workspace) for reference in named], ()
    store = opened(question.workspace)
    try:
        pool = pool_of(store, new, spec.baseline.runs)
        return [load(store, run) for run in pool.runs], pool.notes
    finally:
        store.close()


def _beside(spec: GateSpec, reference: str) -> str:
    """A bundle that lies beside the gate's file, else what was written."""
    path = spec.file.path.parent / reference
    return str(path) if path.is_file() else reference


def _second(question: Question, new: Run, pool: Sequence[RunData], confirm: Confirm | None) -> RunData | None:
    with suppress(InputError):  # a run from a bundle needs no workspace beside it
        store = opened(question.workspace)
        try:
            if (known := second_of(store, new, max(run.info.created_at for run in pool))) is not None:
                return load(store, known)
        finally:
            store.close()
    return load_run(confirm(new), question.workspace) if confirm is not None else None

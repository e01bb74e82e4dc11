"""`gate plan`: what a gate can show, from the runs that there are or from assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...harness.data import load_dataset
from ...harness.errors import ExamError, InputError
from ...harness.exam import Exam, load_exam
from ...harness.gate import GateSpec, MeasureGate
from ...harness.store import runs as stored
from ...harness.store.load import load
from ...harness.store.pool import alike
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...reports.regression.gate_noise import noises_of
from ...reports.regression.gate_plan import GatePlan, Noise, planned
from ..references import opened, opened_run
from ..session import WORKSPACE, exam_identity

MOST_RUNS = 10
"""So many runs tell the noise well enough."""


@dataclass(frozen=True)
class Wish:
    """``run``: plan from it and those like it ('' is the exam's latest). ``sds``: assumed standard deviations of the
    difference of one sample's scores between two runs of an unchanged model, by measure ('' for all others); then ``n``
    is the number of samples, that of the exam by default."""

    run: str = ""
    sds: Mapping[str, float] | None = None
    n: int | None = None


def plan(spec: GateSpec, wish: Wish, workspace: str | Path = WORKSPACE) -> GatePlan:
    """Raises InputError where there is neither a run nor an assumption."""
    if wish.sds:
        return planned(spec, _assumed(spec, wish, wish.sds))
    if wish.n is not None:
        raise InputError("--n goes with --sd: a run has the samples that it has")
    if wish.run:
        with opened_run(wish.run, workspace) as (store, run):
            return _from_runs(spec, store, run)
    store = opened(workspace)
    try:
        return _from_runs(spec, store, _latest(spec, store))
    finally:
        store.close()


def _from_runs(spec: GateSpec, store: Store, run: Run) -> GatePlan:
    found = alike(store, run)[:MOST_RUNS]
    return planned(spec, noises_of([load(store, one) for one in found], spec), [one.id for one in found])


def _latest(spec: GateSpec, store: Store) -> Run:
    identity = None if spec.exam is None else exam_identity(load_exam(spec.exam), store)
    found = [run for run in stored.all_runs(store) if run.finished_at is not None and identity in (None, run.exam)]
    if not found:
        raise InputError(
            f"{store.where} has no finished run{f' of {identity}' if identity else ''} to plan from: run the exam, "
            "or assume a spread, like --sd 0.8"
        )
    return found[0]


def _assumed(spec: GateSpec, wish: Wish, sds: Mapping[str, float]) -> list[tuple[MeasureGate, Noise]]:
    exam = load_exam(spec.exam) if spec.exam is not None else None
    n = wish.n if wish.n is not None else _size(spec, exam)
    unknown = set(sds) - {"", *(gate.measure for gate in spec.measures)}
    if unknown:
        raise InputError(f"--sd {min(unknown)!r}: the gate has {', '.join(gate.measure for gate in spec.measures)}")
    found = []
    for index, gate in enumerate(spec.measures):
        sd = sds.get(gate.measure, sds.get(""))
        if sd is None:
            what = f"{gate.measure!r} has no assumed spread; write --sd {gate.measure}=… for it"
            raise ExamError([spec.file.problem(("measures", index, "measure"), what)])
        found += [
            (gate, Noise(name, gate.judge, gate.measure, n, sd**2 / 2, trials=trials))
            for name, trials in _candidates(spec, exam)
        ]
    return found


def _size(spec: GateSpec, exam: Exam | None) -> int:
    if exam is None:
        raise ExamError([spec.file.problem(("exam",), "is missing, so the number of samples is unknown; write --n")])
    return len(load_dataset(exam.dataset).samples)


def _candidates(spec: GateSpec, exam: Exam | None) -> Sequence[tuple[str, int]]:
    trials = {one.name: one.trials for one in exam.candidates} if exam is not None else {}
    return [(name, trials.get(name, 1)) for name in spec.candidates or trials or ("the candidate",)]


def spreads(words: Sequence[str]) -> dict[str, float]:
    """``0.8`` or ``composite=0.8`` -> standard deviations by measure; InputError for anything else."""
    found = {}
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = 0.0
        if not 0 < found[name] < float("inf"):
            raise InputError(f"--sd {word!r}: write a number above 0, or MEASURE=NUMBER")
    return found

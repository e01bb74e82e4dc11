"""How much the numbers of an unchanged model vary from run to run, from runs that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...harness.errors import ExamError
from ...harness.gate import GateSpec, MeasureGate
from ...harness.statistics.clusters import clusters_of, se_independent, se_jackknife
from ...harness.statistics.repeats import decompose
from ...harness.store.frames import RunData
from ...harness.yaml_file import did_you_mean
from ..grid import mean_over_trials
from .gate_plan import Known, Noise
from .pairing import Matched, match_samples
from .sides import Aligned, align

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def noises_of(runs: Sequence[RunData], spec: GateSpec) -> list[tuple[MeasureGate, Noise]]:
    """The noise of every measure of the gate, from ``runs`` of one configuration, the latest first, one at least.

    Raises `ExamError` for what the gate names and the runs do not have.
    """
    first, rest = align(runs[0], runs[1:], _matched(runs))
    names = dict.fromkeys(key[0] for key in first.grid.values)
    for index, name in enumerate(spec.candidates):
        if name not in names:
            what = (
                f"{name!r} is not in run {runs[0].info.id}{did_you_mean(name, names) or ';'} it has {', '.join(names)}"
            )
            raise ExamError([spec.file.problem(("candidates", index), what)])
    wanted = spec.candidates or tuple(names)
    found = []
    for index, gate in enumerate(spec.measures):
        keys = [key for key in first.grid.values if key[2] == gate.measure and gate.judge in ("", key[1])]
        _check(spec, index, runs[0], first, {key[1] for key in keys})
        found += [(gate, _noise((first, *rest), key)) for key in keys if key[0] in wanted]
    measured = [(gate, noise) for gate, noise in found if noise.n > 1]
    if not measured:
        what = f"have values on fewer than two samples of run {runs[0].info.id}: nothing can be planned from it"
        raise ExamError([spec.file.problem(("measures",), what)])
    return measured


def _check(spec: GateSpec, index: int, run: RunData, first: Aligned, judges: set[str]) -> None:
    gate = spec.measures[index]
    if not judges:
        known = list(dict.fromkeys(key[2] for key in first.grid.values))
        hint = did_you_mean(gate.measure, known) or f"; there are {', '.join(known)}"
        by = f" by {gate.judge}" if gate.judge else ""
        what = f"{gate.measure!r}{by} was not measured in run {run.info.id}{hint}"
        raise ExamError([spec.file.problem(("measures", index, "measure"), what)])
    if len(judges) > 1:
        what = f"is missing: {gate.measure!r} is given by {', '.join(sorted(judges))}; write judge: and one of them"
        raise ExamError([spec.file.problem(("measures", index, "judge"), what)])


def _matched(runs: Sequence[RunData]) -> Matched:
    import numpy as np

    if len(runs) > 1:
        return match_samples(runs[0], runs[1:])
    return Matched(np.arange(len(runs[0].samples), dtype=np.intp), (), {})


def _noise(runs: Sequence[Aligned], key: tuple[str, str, str]) -> Noise:
    import numpy as np

    tables = [run.grid.values[key][run.matched] for run in runs if key in run.grid.values]
    scores = np.stack([mean_over_trials(table) for table in tables], axis=1)
    latest, trials = scores[:, 0], tables[0].shape[1]
    there = ~np.isnan(latest)
    clusters = runs[0].data.samples["cluster"].to_numpy(dtype=object).astype(str)[runs[0].matched]
    variance, deff, known = next(_spreads(scores, tables[0], clusters))
    return Noise(
        *key, int(there.sum()), variance, deff, trials, known, float(latest[there].mean()) if there.any() else None
    )


def _spreads(scores: Floats, trials: Floats, clusters: NDArray[np.str_]) -> Iterator[tuple[float, float, Known]]:
    """Variance and design effect by what is known best first: (samples, runs), (samples, trials) of the latest run."""
    import numpy as np

    if scores.shape[1] > 1 and (found := decompose(scores)) is not None:
        yield found.within, _deff(scores[:, 0] - scores[:, 1], clusters), "runs"
    if trials.shape[1] > 1 and (found := decompose(trials)) is not None:
        yield found.within / trials.shape[1], 1.0, "trials"
    latest = scores[:, 0]
    spread = latest[~np.isnan(latest)]
    yield (float(spread.var(ddof=1)) if len(spread) > 1 else 0.0), _deff(latest, clusters), "scores"


def _deff(values: Floats, clusters: NDArray[np.str_]) -> float:
    """How many times the samples that independent ones would have to be; 1 at least."""
    import numpy as np

    there = ~np.isnan(values)
    kept, groups = values[there], clusters_of(clusters[there], int(there.sum()))
    if groups.count < 2 or not groups.shared or float(np.ptp(kept)) == 0:
        return 1.0
    return max(1.0, (se_jackknife(kept, groups) / se_independent(kept)) ** 2)

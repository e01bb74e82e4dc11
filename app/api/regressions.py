"""Runs against runs: gates, their plans, a small model against a large one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..session import WORKSPACE

if TYPE_CHECKING:
    from ...harness.store.runs import Run as Stored
    from ...reports.regression.gate_plan import GatePlan
    from ...reports.serving.small_large import SmallLarge
    from ..comparing.gating import Gated


def gate(
    run: str | Path,
    gate: str | Path,
    *baseline: str | Path,
    workspace: str | Path = WORKSPACE,
    candidates: Sequence[str] = (),
    intersection: bool = False,
    confirm: bool = False,
    watch: bool = False,
) -> Gated:
    """Hold a run against its baseline by the margins of a ``gate`` file: pass, regression, alarm or inconclusive.

    Without a ``baseline`` it is the gate's own. Where it alarms, ``confirm`` makes a second fresh run and decides on
    both; ``watch`` has the gate's anchors graded anew, to tell whether a judge drifted. Both are paid for. Raises
    InputError where the run is not finished, or there is no baseline for it.
    """
    from ...harness.gate import load_gate
    from ...reports.regression.compare import Options
    from ..comparing.comparing import candidate_pairs
    from ..comparing.confirming import run_again
    from ..comparing.gating import Question
    from ..comparing.gating import gate as decided
    from ..comparing.judges import judges_watched

    spec, reference = load_gate(Path(gate)), str(run)
    options = Options(candidate_pairs(candidates), intersection)

    def again(new: Stored) -> str:
        return run_again(spec, new, workspace)

    watched = judges_watched(spec, reference, workspace, grade=watch)
    question = Question(reference, spec, tuple(map(str, baseline)), workspace, options)
    return decided(question, again if confirm else None, watched)


def gate_plan(
    gate: str | Path,
    *,
    run: str = "",
    sd: float | Mapping[str, float] | None = None,
    n: int | None = None,
    workspace: str | Path = WORKSPACE,
) -> GatePlan:
    """Before the first night: the smallest margin, the samples it takes, and the false alarms to expect.

    From the runs that there are (``run`` and those like it; the exam's latest by default), or with ``sd`` from an
    assumed standard deviation of a sample's difference between two runs, one for all measures or by measure, on ``n``
    samples. Raises InputError where there is neither.
    """
    from ...harness.gate import load_gate
    from ..comparing.gate_planning import Wish
    from ..comparing.gate_planning import plan as made

    sds = {"": sd} if isinstance(sd, int | float) else sd
    return made(load_gate(Path(gate)), Wish(run, sds, n), workspace)


def small_large(
    run: str | Path = "latest",
    *,
    small: str,
    large: str,
    margin: float,
    measure: str = "",
    bench: str = "",
    base: str = "",
    trained_on: str | Path | None = None,
    workspace: str | Path = WORKSPACE,
) -> SmallLarge:
    """Whether the ``small`` one of two candidates is as good within ``margin`` points, and what of seconds, USD and
    memory both take.

    ``measure`` is `measure` or `judge/measure`, else the headline; ``bench`` a load test of both (id, exam or
    `latest`); ``base`` the candidate that the small one was tuned from, to say what tuning gained; ``trained_on``
    the folder of the export that it was tuned with. Raises InputError for a name that there is not, and for samples
    that were trained on.
    """
    from ..comparing.small_large import Asked, found_by

    export = Path(trained_on) if trained_on else None
    return found_by(str(run), Asked(small, large, margin, measure, bench, base, export), str(workspace))

"""The judges that a gate watches: their anchors are graded again where that was asked for, and read."""

from __future__ import annotations

from pathlib import Path

from ...harness.errors import ExamError
from ...harness.exam import load_exam
from ...harness.gate import GateSpec
from ...harness.watching import Watched
from ..references import opened_run


def judges_watched(
    spec: GateSpec, reference: str, workspace: str | Path, *, grade: bool = False, progress: bool = False
) -> tuple[Watched, ...]:
    """What the gate's anchors say of the judges in the night of a run. With ``grade`` those that nobody has graded in
    that night are graded now, by the gate's exam; otherwise nobody is asked."""
    if not spec.anchors:
        return ()
    from ..judging.anchor_file import read_anchors
    from ..judging.watching import regrade, watched

    found = []
    with opened_run(reference, workspace) as (store, run):
        for file in spec.anchors:
            pinned = read_anchors(file)
            one = watched(store, run, pinned[0])
            if grade and one.missing:
                regrade(load_exam(_exam(spec)), run, pinned, workspace, progress)
                one = watched(store, run, pinned[0])
            found.append(one)
    return tuple(found)


def _exam(spec: GateSpec) -> Path:
    if spec.exam is None:
        what = "is missing, so that no judge can be asked to grade its anchors; write exam: and the exam's file"
        raise ExamError([spec.file.problem(("exam",), what)])
    return spec.exam

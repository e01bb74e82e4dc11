"""Judges on trial: agreement with people, correction by labels, probes, the lab, anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...harness.dispatch.tally import Tally
from ..loops import run_anywhere
from ..run import Run, open_run
from ..session import WORKSPACE
from .running import AnExam, loaded, noted

if TYPE_CHECKING:
    from ...harness.watching import AnchorSet
    from ..judging.correct_output import CorrectOutput
    from ..judging.lab_output import LabPlan
    from ..judging.probing_output import ProbePlanOutput
    from ..results import AlignmentResult, LabResult, ProbingResult

Paths = str | Path | Sequence[str | Path]


def align(
    run: str | Path | Run = "latest",
    labels: Paths = (),
    *,
    judge: str = "",
    epsilon: float = 0.2,
    workspace: str | Path = WORKSPACE,
) -> AlignmentResult:
    """How far a run's judges agree with people: its exam's labels, or those of the files ``labels`` alone.

    ``epsilon`` is that of the alternative annotator test (0.2 experts, 0.15 skilled, 0.1 a crowd). Raises InputError
    where no label holds for the run's answers.
    """
    found = run if isinstance(run, Run) else open_run(run, workspace)
    return found.align(labels, judge, epsilon)


def correct(
    run: str | Path = "latest",
    labels: Paths = (),
    *,
    design: str = "",
    shares: Mapping[str, float] | None = None,
    judge: str = "",
    stable_judge: bool = False,
    pool: bool = False,
    reuse_labels: bool = False,
    width: float | None = None,
    draw: int | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    workspace: str | Path = WORKSPACE,
) -> CorrectOutput:
    """A run's scores by the judge alone, by human labels alone, and by both together (PPI++, Rogan-Gladen).

    ``labels`` are files of labels, else those of the exam; ``design`` says how their answers were picked (random,
    stratified, chosen), ``shares`` how large each stratum is. ``stable_judge`` assumes that it errs equally often on
    all answers; ``pool`` pools labels over candidates. With ``width`` comes how many labels an interval of that width
    takes; ``draw`` writes a sheet of so many random questions to ``output``. Raises InputError for a mistake.
    """
    from ..judging.correcting import ASSUMPTION, Wish, corrected

    wish = Wish(
        tuple(_paths(labels)),
        design,
        tuple(f"{stratum}={share}" for stratum, share in (shares or {}).items()),
        judge,
        ASSUMPTION if stable_judge else "",
        pool,
        reuse_labels,
        width,
        draw,
        seed,
        None if output is None else Path(output),
    )
    return corrected(str(run), workspace, wish)


def probe(
    exam: AnExam,
    *,
    judge: str = "",
    probes: Sequence[str] = (),
    n: int | None = None,
    anchors: int | None = None,
    seed: int = 0,
    families: Mapping[str, str] | None = None,
    run: str = "",
    workspace: str | Path = WORKSPACE,
    progress: bool = False,
) -> ProbingResult:
    """Try a judge (the first): format, test-retest, position, verbosity, planted errors, attacks, own family, drift.

    ``probes`` are some of their codes, ``n`` the items of each, ``families`` name -> family of a candidate or the
    judge, ``run`` the run that it is tried on (the exam's latest). Writes a page. Raises `Unfinished` where it is
    stopped: the same call continues.
    """
    from ..judging.probe_plan import Choice
    from ..judging.probing import Ears, Where, probed
    from ..results import ProbingResult, parts

    choice = Choice(tuple(probes), n, anchors, seed, dict(families or {}))
    where = Where(str(workspace), run, judge, quiet=not progress)
    with noted() as note:
        done = probed(loaded(exam), where, choice, Tally(), Ears(note, lambda *_: None))
    assert done is not None  # only a plan is nothing
    made, page = done
    return ProbingResult(**parts(made), page=page)


def probe_plan(
    exam: AnExam,
    *,
    judge: str = "",
    probes: Sequence[str] = (),
    n: int | None = None,
    run: str = "",
    workspace: str | Path = WORKSPACE,
) -> ProbePlanOutput:
    """What probes would ask a judge, what that costs, and their power; of a pairwise judge, nothing. Asks nobody."""
    from ..judging.probe_plan import Choice, Planned
    from ..judging.probing import Ears, Where, probed
    from ..judging.probing_output import to_plan_output

    made: list[ProbePlanOutput] = []

    def planned(run: str, judge: str, found: Sequence[Planned]) -> None:
        made.append(to_plan_output(run, judge, found))

    with noted() as note:
        where = Where(str(workspace), run, judge, plan=True)
        probed(loaded(exam), where, Choice(tuple(probes), n), Tally(), Ears(note, planned))
    return made[0]


def lab(
    exam: AnExam,
    *,
    threshold: float = 0.6,
    measure: str = "kappa_quadratic",
    criterion: str = "composite",
    judges: Sequence[str] = (),
    experiments: Sequence[int] = (1, 2, 3, 4),
    scales: Sequence[str | Path] = (),
    preset: Literal["", "strong-to-cheap"] = "",
    seed: int = 0,
    run: str = "",
    output: str | Path = "judge.yaml",
    workspace: str | Path = WORKSPACE,
    progress: bool = False,
) -> LabResult:
    """Try judges on labelled answers; recommend the cheapest whose agreement surely reaches ``threshold``, and pin it
    to ``output``.

    ``experiments``: 1 alignment, 2 shots, 3 scales and calls, 4 transfer between tags. ``scales`` are rubrics on other
    scales. Writes a page. Raises `Unfinished` where it is stopped: the same call continues.
    """
    from ..judging.lab import LabOptions
    from ..judging.lab_command import tested
    from ..results import LabResult, parts

    options = LabOptions(
        threshold, measure, criterion, tuple(judges), tuple(experiments), tuple(scales), preset, seed, run
    )
    with noted() as note:
        done = tested(loaded(exam), (str(workspace), Path(output)), options, Tally(), note, not progress)
    return LabResult(**parts(done.lab), page=done.page, pinned=tuple(done.written))


def lab_plan(
    exam: AnExam,
    *,
    judges: Sequence[str] = (),
    experiments: Sequence[int] = (1, 2, 3, 4),
    scales: Sequence[str | Path] = (),
    run: str = "",
    workspace: str | Path = WORKSPACE,
) -> LabPlan:
    """What a lab would ask and what that costs. Calls nothing."""
    from ..judging.lab import LabOptions
    from ..judging.lab_plan import plan_lab

    options = LabOptions(judges=tuple(judges), experiments=tuple(experiments), scales=tuple(scales), run=run)
    return run_anywhere(lambda: plan_lab(loaded(exam), str(workspace), options))


def anchors(
    run: str | Path,
    output: str | Path,
    *,
    n: int = 50,
    judge: str = "",
    seed: int = 0,
    workspace: str | Path = WORKSPACE,
) -> AnchorSet:
    """Freeze ``n`` graded answers of a finished run in a file by which a gate watches the judge. Nobody is asked."""
    from ..judging.anchoring import freeze

    return freeze(str(run), Path(output), n, judge=judge, seed=seed, workspace=workspace)


def _paths(given: Paths) -> list[Path]:
    return [Path(one) for one in ([given] if isinstance(given, str | Path) else given)]

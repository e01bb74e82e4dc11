"""`judge correct`: a run's scores corrected by human labels, how that was chosen, and how many labels it would take."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ...harness.errors import InputError
from ...harness.records import Estimate
from ...harness.store.load import load
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ..commands import emit
from ..output import EstimateOutput
from ..references import opened_run
from ..reporting import labelled_before
from .correct_output import CorrectedRow, CorrectOutput, DifferenceRow, PooledOutput
from .labels import attach, read_spec, refreshed, worded

if TYPE_CHECKING:
    from ...harness.store.frames import RunData
    from ...reports.cells import Cell, Scores
    from ...reports.exam import JudgeView
    from ...reports.pooling import Pooled

ASSUMPTION = "stable-judge"


@dataclass(frozen=True, slots=True)
class Wish:
    """The words of the command. ``width`` is ``None`` without `--plan`; ``draw`` questions go to ``output``."""

    labels: tuple[Path, ...] = ()
    design: str = ""
    shares: tuple[str, ...] = ()
    judge: str = ""
    assume: str = ""
    pool: bool = False
    reuse_labels: bool = False
    width: float | None = None
    draw: int | None = None
    seed: int = 0
    output: Path | None = None


def correct(reference: str, workspace: str, wish: Wish, json: bool) -> int:
    """Print what the labels make of every score; the exit code: 1 where pooling was wanted and is refused."""
    from .correct_tables import print_correction

    found = corrected(reference, workspace, wish)
    if json:
        emit(found)
    else:
        print_correction(found, sys.stdout)
        for note in found.notes:
            typer.echo(f"note: {note}")
    return int(any(one.refusal for one in found.pooled))


def corrected(reference: str, workspace: str | Path, wish: Wish) -> CorrectOutput:
    """What the labels make of every score. Raises InputError for a wish that makes no sense."""
    _check(wish)
    with opened_run(reference, workspace) as (store, run):
        return correction(store, run, wish)


def correction(store: Store, run: Run, wish: Wish) -> CorrectOutput:
    """Correct the run's scores by the exam's labels, or by those of the files that are wished for alone."""
    from ...reports.cells import score
    from ...reports.humans import Rules
    from ...reports.pooling import pool
    from .label_plan import draw_sheet, labels_plan

    data, earlier, notes = _data(store, run, wish)
    rules = Rules(wish.reuse_labels, wish.assume == ASSUMPTION)
    scores = score(data, rules, earlier)
    judges = [judge for judge in scores.judges if judge.criteria and wish.judge in ("", judge.name)]
    if not judges:
        known = ", ".join(judge.name for judge in scores.judges) or "none"
        raise InputError(f"--judge {wish.judge!r}: run {run.id} has no such judge; its judges are {known}")
    if wish.draw is not None and wish.output is not None:
        notes.append(draw_sheet(data, judges, wish.draw, wish.seed, wish.output))
    pooled = [pool(scores, judge, m) for judge in judges for m in _measures(judge)] if wish.pool else []
    return CorrectOutput(
        run=run.id,
        rows=[_row(cell) for judge in judges for cell in _cells(scores, judge)],
        differences=[row for judge in judges for row in _differences(scores, judge)],
        pooled=[_pooled(one) for one in pooled],
        width=wish.width,
        plan=[] if wish.width is None else labels_plan(scores, judges, wish.width),
        drawn=str(wish.output) if wish.draw is not None else None,
        notes=notes,
    )


def _check(wish: Wish) -> None:
    if wish.assume not in ("", ASSUMPTION):
        raise InputError(f"--assume {wish.assume!r}: the one assumption there is to make is {ASSUMPTION}")
    if wish.width is not None and wish.width <= 0:
        raise InputError(f"--width {wish.width:g}: wanted the full width of an interval, above 0")
    if (wish.draw is None) != (wish.output is None):
        raise InputError("--draw N and --output FILE.csv belong together: how many questions, and where the sheet goes")
    if wish.draw is not None and wish.draw < 1:
        raise InputError(f"--draw {wish.draw}: must be 1 or more")
    if (wish.design or wish.shares) and not wish.labels:
        raise InputError("--design and --share say how the answers of --labels FILE were picked; give the file, too")


def _data(store: Store, run: Run, wish: Wish) -> tuple[RunData, list[RunData], list[str]]:
    """The run, those before it that are the same, and what is to be said of label files. Raises InputError where
    files were given of which nothing holds: to be told of scores without them is not what was asked."""
    attached, notes = ([], []) if wish.labels else refreshed(store, run)
    for path in wish.labels:
        spec = worded(store, path, wish.design, list(wish.shares))
        attached.append(attach(store, run, spec, read_spec(spec)))
    notes += [note for one in attached if (note := one.note())]
    data, earlier = load(store, run), labelled_before(store, run)
    if wish.labels:
        names = {one.name for one in attached}
        data, *earlier = (replace(d, labels=d.labels[d.labels["label_set"].isin(names)]) for d in (data, *earlier))
        if not any(len(d.labels) for d in (data, *earlier)):
            raise InputError("\n".join(notes))
    return data, earlier, notes


def _measures(judge: JudgeView) -> list[str]:
    return list(dict.fromkeys([judge.headline, *judge.criteria]))


def _cells(scores: Scores, judge: JudgeView) -> Iterator[Cell]:
    for measure in _measures(judge):
        yield from (scores.cells[candidate.name, judge.name, measure] for candidate in scores.candidates)


def _row(cell: Cell) -> CorrectedRow:
    found, backing = cell.correction, cell.backing
    return CorrectedRow(
        candidate=cell.candidate,
        judge=cell.source,
        measure=cell.measure,
        judge_only=EstimateOutput.of(cell.judge_only),
        labels_only=_shown(found.human_only) if found else None,
        corrected=_shown(cell.estimate) if cell.corrected else None,
        method=found.method if found else "judge-only",
        reason=found.reason if found else "uncorrected: no labels",
        n_labels=found.n_labels if found else 0,
        n_judged=cell.judge_only.n,
        lam=found.lam if found else None,
        width_ratio=found.width_ratio if found else None,
        labels=list(backing.sets) if backing else [],
    )


def _shown(estimate: Estimate | None) -> EstimateOutput | None:
    return None if estimate is None else EstimateOutput.of(estimate)


def _differences(scores: Scores, judge: JudgeView) -> Iterator[DifferenceRow]:
    from ...reports.comparison import basis, compare

    cells = [cell for cell in basis(scores, judge.name, judge.headline).cells if cell.mean is not None]
    ranked = [cell.candidate for cell in sorted(cells, key=lambda cell: -(cell.mean or 0.0))]
    found = compare(ranked, scores, judge.name, judge.headline, judge.scale)
    for (left, right), pair in found.pairs.items():
        yield DifferenceRow(
            judge=judge.name,
            measure=judge.headline,
            left=left,
            right=right,
            difference=EstimateOutput.of(pair.estimate),
            p=found.adjusted[left, right],
            corrected=(left, right) in found.corrected,
        )


def _pooled(found: Pooled) -> PooledOutput:
    return PooledOutput(
        judge=found.judge,
        measure=found.measure,
        biases=dict(zip(found.candidates, found.test.biases, strict=True)),
        n=dict(zip(found.candidates, found.test.n, strict=True)),
        p=found.test.p,
        test=found.test.method,
        refusal=found.refusal,
        means={name: EstimateOutput.of(mean) for name, mean in found.means.items()},
    )

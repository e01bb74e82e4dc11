"""`judge correct` on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from ...reports import words
from ..terminal import console, grid
from .correct_output import CorrectedRow, CorrectOutput, DifferenceRow, LabelsNeeded, PooledOutput

if TYPE_CHECKING:
    from rich.console import Console


def print_correction(found: CorrectOutput, out: TextIO) -> None:
    """The means and why each is what it is, the differences, and what was asked for beside."""
    screen = console(out)
    judges = list(dict.fromkeys(row.judge for row in found.rows))
    for judge in judges:
        screen.print(f"judge {judge}", markup=False)
        _means(screen, [row for row in found.rows if row.judge == judge])
        _differences(screen, [row for row in found.differences if row.judge == judge])
    for pooled in found.pooled:
        _pool(screen, pooled)
    if found.width is not None:
        _plan(screen, found.plan, found.width)


def _table(screen: Console, titles: Sequence[str], rows: Iterable[Sequence[str]], left: int = 2) -> None:
    screen.print(grid(titles, rows, left, wordy=["why"]))
    screen.print()


def _means(screen: Console, rows: Sequence[CorrectedRow]) -> None:
    titles = ["candidate", "measure", "judge alone", "labels alone", "corrected", "labels", "method", "why"]
    _table(
        screen,
        titles,
        (
            [
                row.candidate,
                row.measure,
                words.estimate(row.judge_only),
                words.estimate(row.labels_only),
                words.estimate(row.corrected) if row.corrected else "uncorrected",
                f"{row.n_labels} of {row.n_judged}",
                words.correction(row.method),
                row.reason.removeprefix("uncorrected: ").removeprefix("labels alone: "),
            ]
            for row in rows
        ),
    )


def _differences(screen: Console, rows: Sequence[DifferenceRow]) -> None:
    if rows:
        shown = (
            [
                f"{row.left} − {row.right}",
                row.measure,
                words.estimate(row.difference, sign=True),
                words.p_value(row.p),
                "corrected" if row.corrected else "uncorrected",
            ]
            for row in rows
        )
        _table(screen, ["difference", "measure", "mean", "p (Holm)", "whose"], shown)


def _pool(screen: Console, found: PooledOutput) -> None:
    biases = ", ".join(f"{name} {words.signed(bias)} ({found.n[name]} labels)" for name, bias in found.biases.items())
    p = "" if found.p is None else f", p {words.p_value(found.p)}"
    screen.print(
        f"pooled, judge {found.judge}, {found.measure}: bias {biases or 'unknown'}; {found.test}{p}", markup=False
    )
    if found.refusal:
        screen.print(f"  refused: {found.refusal}; label more answers of each candidate", markup=False)
        return
    screen.print("  equal bias is not rejected, which is no proof of it: few labels see little", markup=False)
    means = ([name, words.estimate(mean)] for name, mean in found.means.items())
    _table(screen, ["candidate", "pooled"], means, left=1)


def _plan(screen: Console, rows: Sequence[LabelsNeeded], width: float) -> None:
    screen.print(f"labels for a 95 % interval of width {width:g}, drawn at random:", markup=False)
    titles = ["candidate", "judge", "labels now", "needed", "sd", "correlation", "why"]
    _table(
        screen,
        titles,
        (
            [
                row.candidate,
                row.judge,
                f"{row.n_labels} of {row.n_judged}",
                "more than there are answers" if row.needed is None else str(row.needed),
                words.number(row.sd),
                words.number(row.rho),
                f"as on its {row.n_labels} labels" if row.known else "assumed: the judge's sd, and this correlation",
            ]
            for row in rows
        ),
    )
    screen.print(
        "Questions that share a document tell less: then take more. "
        "A random sheet to label: --draw N --seed S --output FILE.csv",
        markup=False,
    )

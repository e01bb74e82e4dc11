"""`judge correct` on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from ...reports import words
from .align_output import EstimateOutput
from .correct_output import CorrectedRow, CorrectOutput, DifferenceRow, LabelsNeeded, PooledOutput

if TYPE_CHECKING:
    from rich.console import Console


def print_correction(found: CorrectOutput, out: TextIO) -> None:
    """The means and why each is what it is, the differences, and what was asked for beside."""
    from rich.console import Console

    console = Console(file=out, width=None if out.isatty() else 200, highlight=False)
    judges = list(dict.fromkeys(row.judge for row in found.rows))
    for judge in judges:
        console.print(f"judge {judge}", markup=False)
        _means(console, [row for row in found.rows if row.judge == judge])
        _differences(console, [row for row in found.differences if row.judge == judge])
    for pooled in found.pooled:
        _pool(console, pooled)
    if found.width is not None:
        _plan(console, found.plan, found.width)


def _table(console: Console, titles: Sequence[str], rows: Iterable[Sequence[str]], left: int = 2) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, title in enumerate(titles):
        table.add_column(title, justify="left" if i < left or title == "why" else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    console.print()


def _means(console: Console, rows: Sequence[CorrectedRow]) -> None:
    titles = ["candidate", "measure", "judge alone", "labels alone", "corrected", "labels", "method", "why"]
    _table(
        console,
        titles,
        (
            [
                row.candidate,
                row.measure,
                _text(row.judge_only),
                _text(row.labels_only),
                _text(row.corrected) if row.corrected else "uncorrected",
                f"{row.n_labels} of {row.n_judged}",
                words.correction(row.method),
                row.reason.removeprefix("uncorrected: ").removeprefix("labels alone: "),
            ]
            for row in rows
        ),
    )


def _differences(console: Console, rows: Sequence[DifferenceRow]) -> None:
    if rows:
        shown = (
            [
                f"{row.left} − {row.right}",
                row.measure,
                _text(row.difference, sign=True),
                words.p_value(row.p),
                "corrected" if row.corrected else "uncorrected",
            ]
            for row in rows
        )
        _table(console, ["difference", "measure", "mean", "p (Holm)", "whose"], shown)


def _pool(console: Console, found: PooledOutput) -> None:
    biases = ", ".join(f"{name} {words.signed(bias)} ({found.n[name]} labels)" for name, bias in found.biases.items())
    p = "" if found.p is None else f", p {words.p_value(found.p)}"
    console.print(
        f"pooled, judge {found.judge}, {found.measure}: bias {biases or 'unknown'}; {found.test}{p}", markup=False
    )
    if found.refusal:
        console.print(f"  refused: {found.refusal}; label more answers of each candidate", markup=False)
        return
    console.print("  equal bias is not rejected, which is no proof of it: few labels see little", markup=False)
    _table(console, ["candidate", "pooled"], ([name, _text(mean)] for name, mean in found.means.items()), left=1)


def _plan(console: Console, rows: Sequence[LabelsNeeded], width: float) -> None:
    console.print(f"labels for a 95 % interval of width {width:g}, drawn at random:", markup=False)
    titles = ["candidate", "judge", "labels now", "needed", "sd", "correlation", "why"]
    _table(
        console,
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
    console.print(
        "Questions that share a document tell less: then take more. "
        "A random sheet to label: --draw N --seed S --output FILE.csv",
        markup=False,
    )


def _text(one: EstimateOutput | None, sign: bool = False) -> str:
    if one is None or one.value is None:
        return words.NONE
    form = words.signed if sign else words.number
    return form(one.value) + ("" if one.low is None or one.high is None else f" [{form(one.low)}, {form(one.high)}]")

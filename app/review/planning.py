"""`markscheme review plan`: how much there is to rate before an interval is as narrow as wanted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from ...harness.review.planning import Needed, ratings_each
from ...harness.review.planning import plan as labels_planned
from ...harness.store.load import load
from ..commands import emit
from ..references import opened_run
from ..terminal import console, grid
from .beginning import scoring_judge
from .output import NeededItems, NeededRow, ReviewPlan


@dataclass(frozen=True, slots=True)
class Wanted:
    """A full width in points of the judge's scale, how many raters there are, and the share of items that all get."""

    width: float
    raters: int
    overlap: float


def plan(reference: str, workspace: str, judge: str, wanted: Wanted, json: bool) -> None:
    """Print how many answers of each candidate people must rate."""
    made = planned(reference, workspace, judge, wanted)
    emit(made) if json else _print(made)


def planned(reference: str, workspace: str | Path, judge: str, wanted: Wanted) -> ReviewPlan:
    """How many answers of each candidate people must rate. Raises InputError where no judge scored."""
    with opened_run(reference, workspace) as (store, run):
        data = load(store, run)
    name = scoring_judge(data, judge)
    needed = labels_planned(data, name, wanted.width)
    return ReviewPlan(
        run=run.id,
        judge=name,
        width=wanted.width,
        raters=wanted.raters,
        overlap=wanted.overlap,
        candidates=[NeededRow(**asdict(row)) for row in needed],
        totals=[_total(needed, rho, wanted) for rho in dict.fromkeys(row.rho for row in needed)],
    )


def _total(needed: Sequence[Needed], rho: float, wanted: Wanted) -> NeededItems:
    """Questions are drawn, and with each all its answers: the candidate that takes most decides for the others."""
    counts = [row.labels for row in needed if row.rho == rho]
    known = [count for count in counts if count is not None]
    items = max(known) * len(counts) if len(known) == len(counts) else None
    each = None if items is None else ratings_each(items, wanted.raters, wanted.overlap)
    return NeededItems(rho=rho, items=items, each=each)


def _print(made: ReviewPlan) -> None:
    rows = []
    for name in dict.fromkeys(row.candidate for row in made.candidates):
        needed = [row for row in made.candidates if row.candidate == name]
        shown = [_count(row.labels) for row in needed]
        rows.append([name, f"{needed[0].sd:.2f}", str(needed[0].n_judged), *shown])
    for heading, counts in (
        ("items in all (--n)", [total.items for total in made.totals]),
        (f"of them for each of {made.raters} raters", [total.each for total in made.totals]),
    ):
        rows.append([heading, "", "", *map(_count, counts)])
    titles = ["candidate", "sd", "graded", *(f"rated at ρ={total.rho:g}" for total in made.totals)]
    console(sys.stdout).print(grid(titles, rows))
    typer.echo(
        f"for a 95 % interval {made.width:g} wide in points of {made.judge}'s scale, by PPI++; ρ is how closely people "
        "agree with the judge; a dash: all of them are too few"
    )


def _count(number: int | None) -> str:
    return "–" if number is None else str(number)

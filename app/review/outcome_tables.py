"""What `markscheme review result` shows on a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from ...harness.review.results import CriterionAgreement, Dispute, Duel, ReviewResult
from ...reports import words
from ...reports.pairwise_words import ranks, share
from ...reports.review import said
from ..session import WORKSPACE
from ..terminal import console, grid

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 10
"""Disputes on a terminal."""


def print_result(found: ReviewResult, workspace: str, out: TextIO) -> None:
    """Candidates, raters against one another, how they worked, and the worst disagreements."""
    screen = console(out)
    screen.print(f"review {found.review.name} of run {found.review.run}: {said.drawn(found)}\n", markup=False)
    _candidates(screen, found)
    for one in found.agreement:
        _agreement(screen, one, said.columns(found))
    work = (
        [one.rater, f"{one.rated} of {one.dealt}", words.seconds(one.seconds.value), _missed(one.missed, one.attention)]
        for one in found.work
    )
    _table(screen, ["rater", "rated", "median s", "attention missed"], work)
    if found.disputes:
        titles = ["worst disagreements", "raters", "settled"]
        _table(screen, titles, (_dispute(one) for one in found.disputes[:SHOWN]), left=3)
        where = "" if workspace == WORKSPACE or not found.open_disputes else f" -w {shlex.quote(workspace)}"
        screen.print(f"{said.adjudication(found)}{where}\n", markup=False, soft_wrap=True)
    for note in said.caveats(found):
        screen.print(f"note: {note}", markup=False, soft_wrap=True)


def _candidates(screen: Console, found: ReviewResult) -> None:
    if found.means:
        names = said.criteria(found)
        rows = ([c, *(words.estimate(said.mean(found, c, name).estimate) for name in names)] for c in found.candidates)
        _table(screen, ["candidate", *names], rows)
    if found.duels:
        _table(screen, ["pair", "win rate", "won/tied/lost", "p"], (_duel(duel) for duel in found.duels))
    if found.ratings:
        rated = zip(found.candidates, found.ratings.models, strict=True)
        rows = ([name, f"{one.elo.value:.0f}", ranks(one)] for name, one in rated)
        _table(screen, ["candidate", "Elo", "rank"], rows)


def _duel(duel: Duel) -> list[str]:
    rate = duel.rate
    p = words.NONE if duel.p is None else words.p_value(duel.p)
    counts = f"{rate.wins}/{rate.ties}/{rate.losses}"
    return [f"{duel.left} against {duel.right}", share(rate.estimate), counts, p]


def _agreement(screen: Console, one: CriterionAgreement, columns: Mapping[str, str]) -> None:
    titles = [f"{said.named(one.criterion)}: against people", "items", *columns.values()]
    together = [words.estimate(one.people.get(said.ALL.get(name, ""))) for name in columns]
    rows = [
        [said.who(row), str(row.n), *(words.estimate(row.estimates[name], name == "bias") for name in columns)]
        for row in one.raters
        if row.n
    ]
    _table(screen, titles, [["all people", str(one.n), *together], *rows])


def _dispute(one: Dispute) -> list[str]:
    return [said.about(one), said.gaps(one), said.settled(one)]


def _missed(missed: int, seen: int) -> str:
    return f"{missed} of {seen}" if seen else words.NONE


def _table(screen: Console, titles: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> None:
    screen.print(grid(titles, rows, left))
    screen.print()

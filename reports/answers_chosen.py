"""Which answers go into the page where a run has more than it holds: the worst, the disputed and some at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import words
from .answers_places import Places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.intp]

MOST = 10_000
"""Answers that a page holds at most."""
WORST, DISPUTED = 0.4, 0.3
"""Of which these shares are the worst and the disputed; questions drawn at random fill the rest."""
SEED = 0


@dataclass(frozen=True)
class Chosen:
    """Numbers of the answers in the page, ascending, and in words how they were chosen; '' where they are all."""

    rows: Integers
    words: str


def chosen(places: Places, quality: Floats | None, apart: Floats, most: int = MOST) -> Chosen:
    """At most ``most`` of the answers. ``quality`` (n,) is what is worst where it is lowest, ``apart`` (n,) how far
    scores of one answer are apart; both NaN where unknown. Ties are broken by a seeded draw."""
    import numpy as np

    n = len(places.sample)
    if n <= most:
        return Chosen(np.arange(n), "")
    drawn = np.random.default_rng(SEED).permutation(n)
    taken = np.zeros(n, dtype=bool)
    lowest = np.full(n, np.nan) if quality is None else quality
    worst = _take(taken, lowest, places, drawn, int(WORST * most))
    widest = np.where(apart > 0, -apart, np.nan)
    disputed = _take(taken, widest, places, drawn, int(DISPUTED * most))
    filled = _questions(taken, places, most - worst - disputed)
    parts = [
        f"the {worst:,} with the lowest scores, as many of each candidate" if worst else "",
        f"the {disputed:,} on which judges, repeats or people differ most" if disputed else "",
        f"{filled:,} of questions drawn at random (seed {SEED})" if filled else "",
    ]
    said = f"The page holds {int(taken.sum()):,} of {n:,} answers: {words.listed(part for part in parts if part)}."
    return Chosen(np.flatnonzero(taken), said)


def _take(taken: NDArray[np.bool_], order: Floats, places: Places, drawn: Integers, quota: int) -> int:
    """Take ``quota`` answers with the lowest ``order``, of each candidate its share; NaN is not taken."""
    import numpy as np

    before = int(taken.sum())
    for number in range(len(places.candidates)):
        own = np.flatnonzero((places.candidate == number) & ~taken & ~np.isnan(order))
        best = own[np.lexsort((drawn[own], order[own]))]
        taken[best[: quota // len(places.candidates)]] = True
    return int(taken.sum()) - before


def _questions(taken: NDArray[np.bool_], places: Places, room: int) -> int:
    """Take whole questions in a random order until ``room`` is filled."""
    import numpy as np

    shuffled = np.random.default_rng(SEED + 1).permutation(len(places.samples))
    rest = np.flatnonzero(~taken & (places.sample >= 0))
    ordered = rest[np.argsort(shuffled[places.sample[rest]], kind="stable")][:room]
    taken[ordered] = True
    return len(ordered)

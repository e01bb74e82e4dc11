"""Candidates against each other on the same samples: who is ahead, and who cannot be told apart.

A corrected mean is never set against an uncorrected one: either all candidates are compared by corrected means, or all
by the judge's own scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from ..harness.statistics.paired import PairedDifference, holm, pair_differences
from . import words
from .cells import Cell, Scores
from .corrections import FROM_LABELS, difference
from .exam import Scale

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Basis:
    """By which cells candidates are compared: the headlines or the judge's own scores, and why; '' without labels."""

    cells: tuple[Cell, ...]
    corrected: bool
    why: str


@dataclass(frozen=True)
class Comparison:
    """Every pair of ``ranked`` (best first), left above right, with p adjusted by Holm over all pairs.

    With a declared ``baseline`` its pairs alone, the other candidate first. ``corrected`` are the pairs whose
    difference is people's, by labels on both answers; in the others it is the judge's.
    """

    ranked: tuple[str, ...]
    pairs: Mapping[tuple[str, str], PairedDifference]
    adjusted: Mapping[tuple[str, str], float]
    corrected: frozenset[tuple[str, str]] = frozenset()
    baseline: str = ""

    @property
    def unshared(self) -> bool:
        """Whether no question has scores of two candidates, as where each answered traces of its own."""
        return bool(self.pairs) and not any(pair.estimate.n for pair in self.pairs.values())

    def better(self, left: str, right: str) -> bool:
        """Whether ``left`` is above ``right`` by more than chance: Holm's p and the interval both say so.

        On the questions that both have scores for: where answers are missing, the lower mean can be the better one.
        """
        pair, side = ((left, right), 1) if (left, right) in self.pairs else ((right, left), -1)
        return pair in self.pairs and self.pairs[pair].side == side and self.adjusted[pair] < ALPHA

    def leaders(self) -> tuple[str, ...]:
        """The best and everyone who cannot be told apart from it."""
        best = self.ranked[0]
        return (best, *(other for other in self.ranked[1:] if not self.better(best, other)))

    def against_baseline(self, name: str) -> str:
        """`better`, `worse` or `not told apart`; '' without a baseline, and for the baseline itself."""
        if (name, self.baseline) not in self.pairs:
            return ""
        better, worse = self.better(name, self.baseline), self.better(self.baseline, name)
        return "better" if better else "worse" if worse else "not told apart"


def basis(scores: Scores, source: str, measure: str) -> Basis:
    """Corrected means where every candidate that has one at all is corrected, all of them alike; else the judge's."""
    keys = [(c.name, source, measure) for c in scores.candidates]
    cells, own = (tuple(found[key] for key in keys) for found in (scores.cells, scores.judged))
    known = [cell for cell in cells if cell.mean is not None]
    if not any(cell.corrected for cell in known):
        return Basis(own, False, "")
    methods = {cell.correction.method for cell in known if cell.correction is not None}
    if methods <= FROM_LABELS or methods == {"rogan-gladen"}:
        return Basis(cells, True, "Ranked by corrected scores.")
    return Basis(own, False, f"Ranked by the judge's own scores: {_odd_ones(known)}.")


def _odd_ones(cells: Sequence[Cell]) -> str:
    """Who keeps the others from being compared by corrected scores."""
    without = [cell.candidate for cell in cells if not cell.corrected]
    if without:
        return f"{words.listed(without)} {'is' if len(without) == 1 else 'are'} uncorrected"
    return "the candidates are corrected by methods that differ"


def compare(
    ranked: Sequence[str], scores: Scores, source: str, measure: str, scale: Scale | None, baseline: str = ""
) -> Comparison:
    """Compare ``ranked`` candidates, best first, on per-sample means of one measure: each with each, or with the
    ``baseline`` alone if it is among them."""
    import numpy as np

    keys = {name: (name, source, measure) for name in ranked}
    whom = baseline if baseline in ranked else ""
    named = [(name, whom) for name in ranked if name != whom] if whom else list(combinations(ranked, 2))
    places = {name: place for place, name in enumerate(ranked)}
    table = np.array([scores.grid.per_sample(key) for key in keys.values()])
    numbers = [(places[left], places[right]) for left, right in named]
    found = pair_differences(table, numbers, scores.grid.clusters, scale=scale)
    pairs = {(ranked[i], ranked[j]): pair for (i, j), pair in found.items()}
    corrected = {}
    for left, right in pairs if scores.labelled else ():
        if people := difference(scores.labelled[keys[left]], scores.labelled[keys[right]], scale):
            corrected[left, right] = replace(pairs[left, right], estimate=people[0], p=people[1])
    pairs |= corrected
    adjusted = holm([pair.p for pair in pairs.values()])
    return Comparison(tuple(ranked), pairs, dict(zip(pairs, adjusted, strict=True)), frozenset(corrected), whom)

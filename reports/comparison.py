"""Candidates against each other on the same samples: who is ahead, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..harness.statistics.paired import PairedDifference, holm, paired_differences
from .exam import Scale
from .grid import Grid

ALPHA = 0.05


@dataclass(frozen=True)
class Comparison:
    """Every pair of ``ranked`` (best first), left above right, with p adjusted by Holm over all pairs."""

    ranked: tuple[str, ...]
    pairs: Mapping[tuple[str, str], PairedDifference]
    adjusted: Mapping[tuple[str, str], float]

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


def compare(ranked: Sequence[str], grid: Grid, source: str, measure: str, scale: Scale | None) -> Comparison:
    """Compare ``ranked`` candidates, best first, on per-sample means of one measure."""
    rows = [grid.per_sample((name, source, measure)) for name in ranked]
    found = paired_differences(rows, grid.clusters, scale=scale)
    pairs = {(ranked[i], ranked[j]): pair for (i, j), pair in found.items()}
    adjusted = holm([pair.p for pair in pairs.values()])
    return Comparison(tuple(ranked), pairs, dict(zip(pairs, adjusted, strict=True)))

"""Cutting questions into strata by a number: neighbouring levels go together until each stratum is large enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

Band = tuple[int, int]
"""Lowest and highest level, both included."""


def bands(levels: Sequence[int], most: int, least: int) -> list[Band]:
    """At most ``most`` bands, lowest first, with at least ``least`` of the ``levels`` in each (or one band of all).

    The band with the fewest joins the smaller of its neighbours, again and again.
    """
    found = [((level, level), count) for level, count in sorted(Counter(levels).items())]
    while len(found) > 1 and (len(found) > most or min(count for _, count in found) < least):
        smallest = min(range(len(found)), key=lambda i: found[i][1])
        beside = [i for i in (smallest - 1, smallest + 1) if 0 <= i < len(found)]
        first, second = sorted((smallest, min(beside, key=lambda i: found[i][1])))
        (low, _), (_, high) = found[first][0], found[second][0]
        found[first : second + 1] = [((low, high), found[first][1] + found[second][1])]
    return [band for band, _ in found]


def named(band: Band, step: float) -> str:
    """A band by its values, like ``2`` or ``0–1``; ``step`` is the width of a level."""
    low, high = (f"{level * step:g}" for level in band)
    return low if low == high else f"{low}–{high}"

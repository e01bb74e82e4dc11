"""How much of a text somebody changed."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 20_000
"""Characters that differ, from which on words are compared instead: the time goes with their square."""


def edit_share(before: str, after: str) -> float:
    """Levenshtein's distance over the length of the longer text: 0 for the same text, 1 for another (Levenshtein 1966).

    Characters count one each, and white space as one blank however long it is. Where more than 20,000 characters lie
    between what both begin with and end with, words count instead.
    """
    one, other = " ".join(before.split()), " ".join(after.split())
    if one == other:
        return 0.0
    left, right = _middles(one, other)
    if max(len(left), len(right)) > LONGEST:
        words = one.split(), other.split()
        return distance(*_middles(*words)) / max(map(len, words))
    return distance(left, right) / max(len(one), len(other))


def _middles(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Both without what they begin with and end with alike."""
    shorter = min(len(one), len(other))
    start = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    end = next((i for i in range(shorter - start) if one[-1 - i] != other[-1 - i]), shorter - start)
    return one[start : len(one) - end], other[start : len(other) - end]


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items are to be inserted, deleted or replaced to make ``other`` of ``one``."""
    import numpy as np

    if not one or not other:
        return max(len(one), len(other))
    codes: dict[str, int] = {}
    a = [codes.setdefault(item, len(codes)) for item in one]
    b = np.array([codes.setdefault(item, len(codes)) for item in other])
    place = np.arange(len(b) + 1)
    row = place.copy()
    for number, item in enumerate(a, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (b != item))
        # Insertions run along the row: each value is at most its left neighbour's plus one.
        row = np.minimum.accumulate(np.concatenate(([number], best)) - place) + place
    return int(row[-1])

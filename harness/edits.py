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
    """How many items are to be inserted, deleted or replaced to make ``other`` of ``one``.

    A column of the table of distances is held as the signs of its steps, a bit an item in each of two integers (Myers
    1999, A fast bit-vector algorithm for approximate string matching, in the form of Hyyrö 2003).
    """
    if not one or not other:
        return max(len(one), len(other))
    places: dict[str, int] = {}
    for number, item in enumerate(one):
        places[item] = places.get(item, 0) | 1 << number
    every, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    up, down, found = every, 0, len(one)
    for item in other:
        same = places.get(item, 0)
        across = (((same & up) + up) ^ up) | same
        rises, falls = down | (every & ~(across | up)), up & across
        found += bool(rises & last) - bool(falls & last)
        rises, falls = (rises << 1 | 1) & every, falls << 1 & every
        same |= down
        up, down = falls | (every & ~(same | rises)), rises & same
    return found

"""Who rates what, in which order, and which of two answers stands first: all from the review's seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..errors import InputError
from .records import Item, Review


def order_for(review: Review, items: Sequence[Item], rater: str) -> list[Item]:
    """The items of a rater, in an order of the rater's own.

    The overlap and all attention items go to every rater, each other item to one of them. Raises InputError for a
    stranger.
    """
    known(review, rater)
    return sorted(_share(review, items, rater), key=lambda item: _chance(review, f"order\n{rater}", item))


def swapped(review: Review, item: Item, rater: str) -> bool:
    """Whether ``right`` is shown first to this rater: for half of a rater's pairs, and of a pair to half of the raters.

    A rater whom the review does not list (the adjudicator) counts as one after the last.
    """
    place = review.raters.index(rater) if rater in review.raters else len(review.raters)
    return bool((item.position + place + review.seed) % 2)


def known(review: Review, rater: str) -> None:
    """Raises InputError where the review has no such rater."""
    if rater not in review.raters:
        raise InputError(
            f"rater {rater!r}: review {review.name!r} was begun with {', '.join(review.raters)}; name one of them, or "
            "begin another review"
        )


def _share(review: Review, items: Sequence[Item], rater: str) -> list[Item]:
    """What falls to a rater: half of it at even positions, half at odd ones, so that `swapped` is balanced."""
    drawn = sorted((item for item in items if not item.attention), key=lambda item: _chance(review, "deal", item))
    halves = [[item for item in drawn if item.position % 2 == parity] for parity in (0, 1)]
    overlap = round(review.overlap * len(drawn))
    common = max(overlap - len(halves[1]), min((overlap + 1) // 2, len(halves[0])))
    counts = (common, overlap - common)
    for_all = [item for half, count in zip(halves, counts, strict=True) for item in half[:count]]
    others = [item for half, count in zip(halves, counts, strict=True) for item in half[count:]]
    own = others[review.raters.index(rater) :: len(review.raters)]
    return [*for_all, *own, *(item for item in items if item.attention)]


def _chance(review: Review, purpose: str, item: Item) -> bytes:
    """A number by which to sort at random: the same on every machine and in every version of Python."""
    return hashlib.sha256(f"{review.seed}\n{review.name}\n{purpose}\n{item.position}".encode()).digest()

"""Who can be told apart, as letters: candidates that share a letter cannot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from string import ascii_lowercase

Pair = tuple[str, str]


def compact_letters(names: Sequence[str], apart: Collection[Pair]) -> dict[str, str]:
    """The compact letter display: name -> its letters; two names share one if and only if they are not ``apart``.

    ``names`` run from best to worst, and so do the letters; the order within a pair does not matter. Insert and absorb
    (Piepho 2004, J. Comput. Graph. Stat. 13, 456): whether pairs differ need not be transitive.
    """
    groups = [frozenset(names)]
    for left, right in apart:
        groups = _absorbed(_split(groups, left, right))
    places = {name: i for i, name in enumerate(names)}
    ordered = sorted(groups, key=lambda group: sorted(places[name] for name in group))
    return {name: "".join(_letter(i) for i, group in enumerate(ordered) if name in group) for name in names}


def rank_ranges(names: Sequence[str], better: Collection[Pair]) -> dict[str, tuple[int, int]]:
    """Name -> its lowest and highest possible rank: below everyone better than it, above everyone it is better than.

    ``better`` are pairs of the better and the worse. Where they are tested at one level together, so are all ranks.
    """
    ahead = [loser for _, loser in better]
    behind = [winner for winner, _ in better]
    return {name: (1 + ahead.count(name), len(names) - behind.count(name)) for name in names}


def rank_words(ranks: tuple[int, int]) -> str:
    """``1``, or ``1–2`` where it could be either."""
    low, high = ranks
    return str(low) if low == high else f"{low}–{high}"


def _split(groups: Iterable[frozenset[str]], left: str, right: str) -> list[frozenset[str]]:
    """No group holds both any more."""
    found = []
    for group in groups:
        found += [group - {left}, group - {right}] if {left, right} <= group else [group]
    return found


def _absorbed(groups: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Without those that another one holds whole."""
    distinct = list(dict.fromkeys(groups))
    return [group for group in distinct if not any(group < other for other in distinct)]


def _letter(index: int) -> str:
    return ascii_lowercase[index] if index < 26 else f"{ascii_lowercase[index // 26 - 1]}{ascii_lowercase[index % 26]}"

"""How often two kinds of judges of pairs agree, in the two setups of MT-Bench (Zheng et al. 2023, section 4.1).

A vote says which of two models' answers to one item (question, pair of models, turn) is better, both kinds naming the
models in one order. All pairs of votes on an item count, so that an item with many votes counts more.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Literal

from ..records import Estimate
from .rates import rate_interval

Setup = Literal["S1", "S2"]
TIE = "tie"


@dataclass(frozen=True, slots=True)
class Votes:
    """``winners`` (n,) of ``items`` (n,): a name for either side; whatever contains 'tie' is a tie."""

    items: Sequence[Hashable]
    winners: Sequence[str]


@dataclass(frozen=True, slots=True)
class VoteAgreement:
    """``agreement`` over ``pairs`` of votes on one item, after ``dropped`` ones, and that of two who vote at random."""

    setup: Setup
    agreement: Estimate
    pairs: int
    dropped: int
    by_chance: float


def vote_agreement(
    first: Votes,
    second: Votes | None = None,
    clusters: Mapping[Any, Hashable] | None = None,
    level: float = 0.95,
) -> tuple[VoteAgreement, VoteAgreement]:
    """Agreement of votes of the ``first`` kind with those of the ``second``, or among the first: setups S1 and S2.

    S1 counts a tie, or a preference that turned when the order was swapped, as a third answer (by chance 1/3). S2 drops
    pairs with one (by chance 1/2), which flatters where ties are many. ``clusters`` names each item's cluster, such as
    its question; without it the pairs of an item share one.
    """
    pairs = _pairs(first, second)
    decided = [pair for pair in pairs if TIE not in pair[1:]]
    return (
        _setup("S1", pairs, len(pairs), clusters, level),
        _setup("S2", decided, len(pairs), clusters, level),
    )


def _pairs(first: Votes, second: Votes | None) -> list[tuple[Hashable, str, str]]:
    one = _by_item(first)
    if second is None:
        return [(item, *pair) for item, votes in one.items() for pair in combinations(votes, 2)]
    other = _by_item(second)
    return [(item, *pair) for item in one if item in other for pair in product(one[item], other[item])]


def _by_item(votes: Votes) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for item, winner in zip(votes.items, votes.winners, strict=True):
        found.setdefault(item, []).append(TIE if TIE in winner else winner)
    return found


def _setup(
    setup: Setup,
    pairs: list[tuple[Hashable, str, str]],
    before: int,
    clusters: Mapping[Any, Hashable] | None,
    level: float,
) -> VoteAgreement:
    shared = [item if clusters is None else clusters[item] for item, _, _ in pairs]
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(shared))}
    agreed = rate_interval([float(a == b) for _, a, b in pairs], [numbers[one] for one in shared], level)
    return VoteAgreement(setup, agreed, len(pairs), before - len(pairs), 1 / 3 if setup == "S1" else 1 / 2)

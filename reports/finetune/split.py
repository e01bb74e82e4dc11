"""Which side of the split a sample is on: by cluster, so that what is alike is never on two sides.

The side of a cluster is a hash of the seed and its name. It depends on no other cluster: samples that are added later
move none of the earlier ones, unless they join two clusters that had different sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ...harness.records import Sample
from ...harness.text import plain
from .near import Sets, Words, join_similar, words_of
from .records import SIDES, Side


def asked_words(sample: Sample) -> Words:
    """What is asked, in normalised words: the user's messages, question and turns, then the passages beside them."""
    history = (message.get("content") or "" for message in sample.messages if message.get("role") == "user")
    contents = [*history, sample.question, *sample.turns]
    return words_of("\n".join([*map(plain, contents), *sample.context]))


def groups_of(samples: Sequence[Sample]) -> list[str]:
    """The name of each sample's group: samples of one cluster are together, and those that ask nearly the same with
    their clusters. A group is named like the first of its clusters in alphabetical order."""
    sets = Sets(len(samples))
    first: dict[str, int] = {}
    names = [sample.cluster or sample.id for sample in samples]
    for i, name in enumerate(names):
        sets.join(first.setdefault(name, i), i)
    join_similar([asked_words(sample) for sample in samples], sets)
    found: dict[int, str] = {}
    for i, name in enumerate(names):
        root = sets.find(i)
        found[root] = min(found.get(root, name), name)
    return [found[sets.find(i)] for i in range(len(samples))]


def side_of(group: str, shares: Sequence[float], seed: int) -> Side:
    """Train, validation or test, by a draw that the seed and the name of the group decide."""
    drawn = int.from_bytes(hashlib.sha256(f"{seed}\0{group}".encode("utf-8", "surrogatepass")).digest()[:8], "big")
    share, bound = drawn / 2**64, 0.0
    for side, own in zip(SIDES, shares, strict=True):
        bound += own
        if own and share < bound:
            return side
    return next(side for side, own in zip(reversed(SIDES), reversed(shares), strict=True) if own)

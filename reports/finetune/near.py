"""Texts that are as good as the same: normalised words, compared as sets of runs of words.

Two texts are near duplicates where the Jaccard similarity of their runs of three words is 0.8 or more, the similarity
at which Lee et al. (2022, Deduplicating training data makes language models better) remove documents. Pairs are found
exactly, by the prefix filter of Bayardo, Ma and Srikant (2007, Scaling up all pairs similarity search): similar sets
share one of their rarest members, so that only texts which share a rare run of words are ever compared.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

SIMILAR = 0.8
SHINGLE = 3
_MOST = 500
"""Texts of which a crowd is made."""
_BITS = 21
_SLACK = 1e-9
_SPREAD = 0x9E3779B97F4A7C15
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD, _ASCII_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+"), re.compile(r"\w+", re.ASCII)

Words = tuple[str, ...]


def words_of(text: str) -> Words:
    """The words of a text in Unicode's NFKC and lower case, without punctuation; signs of scripts without spaces are
    words of their own. A text of nothing else keeps its punctuation.

    >>> words_of("The  ＮＡＭＥ, 東京!")
    ('the', 'name', '東', '京')
    """
    if text.isascii():
        plain = text.lower()
        found = _ASCII_WORD.findall(plain)
    else:
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        found = _WORD.findall(plain)
    # Interned, since texts share most of their words, and as objects of their own these would fill the memory.
    return tuple(map(sys.intern, found)) or tuple(plain.split())


@dataclass(frozen=True)
class Shingles:
    """Texts as sets of runs of words. Text i has ``ranks[starts[i]:starts[i + 1]]``, the rarest runs first; a run of
    rank r occurs ``frequency[r]`` times in all."""

    starts: list[int]
    ranks: Whole
    frequency: Whole

    def size(self, i: int) -> int:
        """How many different runs text i has."""
        return self.starts[i + 1] - self.starts[i]

    def of(self, i: int) -> frozenset[int]:
        """The runs of text i."""
        return frozenset(self.ranks[self.starts[i] : self.starts[i + 1]].tolist())

    def prefix(self, i: int) -> list[tuple[int, int]]:
        """The rarest runs of text i and their places among its runs, without runs that occur once: a similar text
        shares one of them."""
        n = self.size(i)
        first = self.ranks[self.starts[i] : self.starts[i] + n - math.ceil(SIMILAR * n - _SLACK) + 1]
        shared = (self.frequency[first] > 1).nonzero()[0]
        return list(zip(first[shared].tolist(), shared.tolist(), strict=True))


def shingled(texts: Sequence[Words], groups: Sequence[int] = ()) -> Shingles:
    """The sets of some texts; those of different ``groups`` have nothing in common."""
    import numpy as np

    run, owner = _runs(texts, groups)
    order = np.argsort(run)
    run, owner = run[order], owner[order]
    number = np.cumsum(_first_of_its_kind(run)) - 1
    frequency = np.bincount(number)
    del run
    order = np.argsort(frequency, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    frequency = frequency[order]
    owner *= max(1, len(order))
    owner += rank[number]
    del number, order, rank
    owner.sort()  # np.unique would hash them, which takes ten times as long where nearly all of them differ
    owner, ranks = np.divmod(owner[_first_of_its_kind(owner)], max(1, len(frequency)))
    starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(texts))))).tolist()
    return Shingles(starts, ranks, frequency)


def _runs(texts: Sequence[Words], groups: Sequence[int]) -> tuple[NDArray[np.uint64], Whole]:
    """Every run of words as a number, and the position of its text; a text that is shorter is filled up."""
    import numpy as np

    numbers = defaultdict[str, int](count().__next__)
    padded = [words if len(words) >= SHINGLE else (*words, *("",) * (SHINGLE - len(words))) for words in texts]
    lengths = np.array([len(words) for words in padded], dtype=np.int64)
    flat = np.fromiter(map(numbers.__getitem__, chain.from_iterable(padded)), np.uint64, int(lengths.sum()))
    flat &= np.uint64(2**_BITS - 1)
    owner = np.repeat(np.arange(len(padded)), lengths)
    ends = max(0, len(flat) - SHINGLE + 1)
    run = np.zeros(ends, dtype=np.uint64)
    for step in range(SHINGLE):
        run <<= np.uint64(_BITS)
        run |= flat[step : step + ends]
    within = owner[:ends] == owner[SHINGLE - 1 :]
    run, owner = run[within], owner[:ends][within]
    if groups:
        run ^= np.asarray(groups, dtype=np.uint64)[owner] * np.uint64(_SPREAD)
    return run, owner


def _first_of_its_kind(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Of sorted values (n,): which differ from the one before."""
    import numpy as np

    found = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


@dataclass
class _Index:
    """Texts by the rarest runs of words that they have, and by their size and the run's place in it.

    ``most`` texts that share such a run, and may all be similar to each other, are a crowd: nobody is compared with
    them.
    """

    sets: Shingles
    most: float = math.inf
    posted: dict[int, dict[tuple[int, int], list[int]]] = field(default_factory=dict)
    known: dict[int, frozenset[int]] = field(default_factory=dict)

    def add(self, i: int) -> list[list[int]]:
        """Let later texts find text i. Returns the crowds that it completes."""
        n, found = self.sets.size(i), []
        for run, place in self.sets.prefix(i):
            held = self.posted.setdefault(run, {}).setdefault((n, place), [])
            if not self._crowd(held, n, place):
                held.append(i)
                found += [held] if self._crowd(held, n, place) else []
        return found

    def candidates(self, i: int) -> list[int]:
        """Texts that may be similar to text i, the earliest first, without those of crowds."""
        return sorted({j for held, crowd in self._met(i) if not crowd for j in held})

    def crowds(self, i: int) -> Iterator[int]:
        """One of each crowd that text i belongs to."""
        return (held[0] for held, crowd in self._met(i) if crowd)

    def alike(self, i: int, j: int) -> bool:
        """Whether two texts are near duplicates."""
        a, b = self._set(i), self._set(j)
        shared = len(a & b)
        return shared >= SIMILAR * (len(a) + len(b) - shared) - _SLACK

    def _met(self, i: int) -> Iterator[tuple[list[int], bool]]:
        """Texts that share a rare run with text i and may be similar to it, and whether they are a crowd."""
        n = self.sets.size(i)
        for run, place in self.sets.prefix(i):
            for (m, other), held in self.posted.get(run, {}).items():
                if _may_be_similar(n, place, m, other):
                    yield held, self._crowd(held, m, other)

    def _crowd(self, held: list[int], n: int, place: int) -> bool:
        return len(held) >= self.most and _may_be_similar(n, place, n, place)

    def _set(self, i: int) -> frozenset[int]:
        if i not in self.known:
            self.known[i] = self.sets.of(i)
        return self.known[i]


def _may_be_similar(n: int, place: int, m: int, other: int) -> bool:
    """Whether two sets whose rarest common member is at these places can have enough in common (Xiao et al. 2008,
    Efficient similarity joins for near duplicate detection: the positional filter)."""
    return min(n - place, m - other) >= SIMILAR / (1 + SIMILAR) * (n + m) - _SLACK


def repeats(texts: Sequence[Words], groups: Sequence[int]) -> dict[int, int]:
    """Position of a text -> position of an earlier one of its group that it nearly repeats, itself no repetition."""
    index = _Index(shingled(texts, groups))
    found: dict[int, int] = {}
    for i in range(len(texts)):
        same = next((j for j in index.candidates(i) if index.alike(i, j)), None)
        if same is None:
            index.add(i)
        else:
            found[i] = same
    return found


class Sets:
    """Things that are joined step by step (union-find)."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, i: int) -> int:
        """The one that stands for all that i is joined with."""
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        """Make two things, and all that they are joined with, one."""
        a, b = sorted((self.find(i), self.find(j)))
        self._parent[b] = a


def join_similar(texts: Sequence[Words], sets: Sets) -> None:
    """Join the positions of texts that are the same or near duplicates. Those of a crowd are taken for near duplicates:
    to compare each with each would take hours."""
    first: dict[Words, int] = {}
    for i, words in enumerate(texts):
        if words:  # a picture alone is like no other
            sets.join(first.setdefault(words, i), i)
    positions = list(first.values())
    index = _Index(shingled([texts[i] for i in positions]), _MOST)
    for n, i in enumerate(positions):
        for m in index.crowds(n):
            sets.join(positions[m], i)
        for m in index.candidates(n):
            if sets.find(positions[m]) != sets.find(i) and index.alike(n, m):
                sets.join(positions[m], i)
        for crowd in index.add(n):
            for m in crowd:
                sets.join(positions[m], i)

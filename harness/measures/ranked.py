"""Judgments and rankings as flat arrays, and the measures on them (numpy; `retrieval` loads this when it evaluates).

Only what counts is kept: one entry a relevant document that was returned (a hit), one a relevant document that was
judged, one an unjudged document that was returned. Ranks are 0-based here; gains are the grades of the judgments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_UNJUDGED = -1
"""Any negative grade: trec_eval, too, takes a document with one for unjudged."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Documents in the order of query, then rank: which query's, at which rank, of which gain, the how manieth."""

    query: Integers
    rank: Integers
    gain: Integers
    nth: Integers
    """1 for a query's first entry, 2 for its second."""

    def count(self, chosen: NDArray[np.bool_], queries: int) -> Integers:
        """How many ``chosen`` entries each query has: (queries,)."""
        return np.bincount(self.query[chosen], minlength=queries)

    def total(self, weights: Floats, chosen: NDArray[np.bool_], queries: int) -> Floats:
        """The sum of the ``weights`` of each query's ``chosen`` entries: (queries,)."""
        return np.bincount(self.query[chosen], weights=weights[chosen], minlength=queries)


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a run returned, against what was judged. ``relevant`` (queries,) counts documents of grade 1 and more."""

    queries: int
    hits: Entries
    ideal: Entries
    unjudged: Entries
    relevant: Integers


def ranked(judged: Sequence[Mapping[str, int]], rankings: Sequence[Sequence[str]]) -> Ranked:
    """Arrays of one judgment and one ranking a query, in the same order; no ranking has a document twice."""
    looked_up = (map(grades.get, ranking, repeat(_UNJUDGED)) for grades, ranking in zip(judged, rankings, strict=True))
    grade, query, rank = _flat(looked_up, [len(ranking) for ranking in rankings])
    hits = _entries(query, rank, grade, grade > 0)
    unjudged = _entries(query, rank, grade, grade < 0)
    ideal = _ideal(judged)
    relevant = np.bincount(ideal.query, minlength=len(judged))
    return Ranked(len(judged), hits, ideal, unjudged, relevant)


def _flat(values: Iterable[Iterable[int]], lengths: Sequence[int]) -> tuple[Integers, Integers, Integers]:
    """All values one after another, with the query and the place within it of each."""
    counts = np.array(lengths, dtype=np.int64)
    total = int(counts.sum())
    flat = np.fromiter(chain.from_iterable(values), dtype=np.int64, count=total)
    query = np.repeat(np.arange(len(counts)), counts)
    return flat, query, np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)


def _entries(query: Integers, rank: Integers, gain: Integers, chosen: NDArray[np.bool_]) -> Entries:
    index = np.flatnonzero(chosen)
    query = query[index]
    return Entries(query, rank[index], gain[index], _nth(query))


def _nth(query: Integers) -> Integers:
    """1, 2, 3 … within each run of equal numbers."""
    return np.arange(1, len(query) + 1) - np.searchsorted(query, query)


def _ideal(judged: Sequence[Mapping[str, int]]) -> Entries:
    """All relevant documents, highest grade first: the ranking that nothing can beat."""
    grade, query, _ = _flat((grades.values() for grades in judged), [len(grades) for grades in judged])
    relevant = np.flatnonzero(grade > 0)
    order = relevant[np.lexsort((-grade[relevant], query[relevant]))]
    nth = _nth(query[order])
    return Entries(query[order], nth - 1, grade[order], nth)


def _precision(run: Ranked, k: int) -> Floats:
    return run.hits.count(run.hits.rank < k, run.queries) / k


def _recall(run: Ranked, k: int) -> Floats:
    return run.hits.count(run.hits.rank < k, run.queries) / run.relevant


def _hit(run: Ranked, k: int) -> Floats:
    return (run.hits.count(run.hits.rank < k, run.queries) > 0).astype(np.float64)


def _reciprocal_rank(run: Ranked, k: int) -> Floats:
    hits = run.hits
    return hits.total(1.0 / (hits.rank + 1), (hits.nth == 1) & (hits.rank < k), run.queries)


def _average_precision(run: Ranked, k: int) -> Floats:
    """The sum of the precisions at the ranks of hits, over *all* relevant documents: what is missed costs."""
    hits = run.hits
    return hits.total(hits.nth / (hits.rank + 1), hits.rank < k, run.queries) / run.relevant


def _r_precision(run: Ranked, _: int) -> Floats:
    return run.hits.count(run.hits.rank < run.relevant[run.hits.query], run.queries) / run.relevant


def _ndcg(run: Ranked, k: int) -> Floats:
    return _dcg(run.hits, k, run.queries) / _dcg(run.ideal, k, run.queries)


def _dcg(entries: Entries, k: int, queries: int) -> Floats:
    """Linear gain, as trec_eval's: the grade itself and not 2^grade - 1 (Järvelin & Kekäläinen 2002)."""
    return entries.total(entries.gain / np.log2(entries.rank + 2.0), entries.rank < k, queries)


def _unjudged(run: Ranked, k: int) -> Floats:
    return run.unjudged.count(run.unjudged.rank < k, run.queries) / k


FORMULAS: Mapping[str, Callable[[Ranked, int], Floats]] = {
    "P": _precision,
    "recall": _recall,
    "nDCG": _ndcg,
    "MRR": _reciprocal_rank,
    "RR": _reciprocal_rank,
    "AP": _average_precision,
    "hit": _hit,
    "R-precision": _r_precision,
    "unjudged": _unjudged,
}
"""From run and cutoff to (queries,) values. Where nothing is relevant, what is divided by that is not a number."""

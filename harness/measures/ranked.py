"""Judgments and rankings as flat arrays, and the measures on them (numpy; `retrieval` loads this when it evaluates).

Most of what is returned is not relevant and enters no measure, so only two things are worked on: the relevant documents
that were returned (hits), and those that were judged. Ranks are 0-based here; gains are the grades of the judgments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
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
        totals = np.bincount(self.query[chosen], weights=weights[chosen], minlength=queries)
        return totals.astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class Flat:
    """The values of all queries one after another; ``starts`` (queries + 1,) says where each query's begin."""

    values: Integers
    starts: Integers

    def places(self, index: Integers) -> tuple[Integers, Integers]:
        """Query and rank within it of the values at ``index``."""
        query = np.searchsorted(self.starts, index, side="right") - 1
        return query, index - self.starts[query]


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a run returned, against what was judged. ``relevant`` (queries,) counts documents of grade 1 and more."""

    queries: int
    returned: Flat
    hits: Entries
    ideal: Entries
    relevant: Integers


def ranked(judged: Sequence[Mapping[str, int]], rankings: Sequence[Sequence[str]]) -> Ranked:
    """Arrays of one judgment and one ranking a query, in the same order; no ranking has a document twice."""
    looked_up = (map(grades.get, ranking, repeat(_UNJUDGED)) for grades, ranking in zip(judged, rankings, strict=True))
    returned = _flat(looked_up, rankings)
    hits = np.flatnonzero(returned.values > 0)
    query, rank = returned.places(hits)
    ideal = _ideal(judged)
    relevant = np.bincount(ideal.query, minlength=len(judged))
    return Ranked(len(judged), returned, Entries(query, rank, returned.values[hits], _nth(query)), ideal, relevant)


def _flat(values: Iterable[Iterable[int]], sized: Sequence[Sized]) -> Flat:
    starts = np.zeros(len(sized) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, sized), dtype=np.int64, count=len(sized)), out=starts[1:])
    return Flat(np.fromiter(chain.from_iterable(values), dtype=np.int64, count=int(starts[-1])), starts)


def _nth(query: Integers) -> Integers:
    """1, 2, 3 … within each run of equal numbers."""
    return np.arange(1, len(query) + 1) - np.searchsorted(query, query)


def _ideal(judged: Sequence[Mapping[str, int]]) -> Entries:
    """All relevant documents, highest grade first: the ranking that nothing can beat."""
    grades = _flat((documents.values() for documents in judged), judged)
    relevant = np.flatnonzero(grades.values > 0)
    query, _ = grades.places(relevant)
    gain = grades.values[relevant]
    order = np.lexsort((-gain, query))
    nth = _nth(query[order])
    return Entries(query[order], nth - 1, gain[order], nth)


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
    query, rank = run.returned.places(np.flatnonzero(run.returned.values < 0))
    return np.bincount(query[rank < k], minlength=run.queries) / k


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

"""Measures of a retriever, by trec_eval's conventions: ``P@5``, ``recall@10``, ``nDCG@10``, ``MRR@10``, ``AP``.

A document is relevant with a grade of 1 or more; one without a grade is not. Rank 1 is the first of a ranking. What
trec_eval 10 does was read in its source and is tested against its own fixtures and against pytrec_eval.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DataError, InputError
from ..records import Said, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CUTOFF = {
    "P": True,
    "recall": True,
    "nDCG": True,
    "MRR": True,
    "RR": False,
    "AP": None,
    "hit": True,
    "R-precision": False,
    "unjudged": True,
}
"""Whether a measure is written with @k; None: as one likes."""
_SPELLINGS = {name.lower(): name for name in _CUTOFF}
_ELSEWHERE = {
    "precision": "P",
    "map": "AP",
    "map_cut": "AP",
    "ndcg_cut": "nDCG",
    "recip_rank": "RR",
    "reciprocal_rank": "RR",
    "rprec": "R-precision",
    "r_precision": "R-precision",
    "success": "hit",
    "hit_rate": "hit",
    "hitrate": "hit",
    "unj": "unjudged",
}
"""What other tools call them, to say what to write."""
_OTHER_TOOLS = re.compile(r"(?P<kind>.+?)(?:(?:@|_at_|_)(?P<k>\d+))?")
_CUT = re.compile(r"[\w-]+@\S*")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_WHOLE_LIST = sys.maxsize


@dataclass(frozen=True, slots=True)
class RetrievalMeasure:
    """One measure; ``k`` is its cutoff (documents from the top), ``None`` for the whole ranking.

    With R relevant documents and a ranking cut at k: *P@k* hits/k, also where fewer than k were returned; *recall@k*
    hits/R; *hit@k* 1 with any hit; *RR* 1/rank of the first hit, *MRR@k* the same within k; *AP*, *AP@k* the sum of
    the precisions at the ranks of hits, over R; *nDCG@k* with gain = grade and discount log2(rank + 1), its ideal made
    of all judged documents; *R-precision* P@R; *unjudged@k* documents without a judgment/k. Raises InputError.
    """

    kind: str
    k: int | None = None

    def __post_init__(self) -> None:
        cutoff = _CUTOFF.get(self.kind, "unknown")
        if cutoff == "unknown":
            raise InputError(f"there is no retrieval measure {self.kind!r}; there are {_offered()}")
        if self.k is None and cutoff:
            raise InputError(f"{self.kind!r} needs a cutoff, as in {self.kind}@10; there are {_offered()}")
        if self.k is not None and cutoff is False:
            instead = "; write MRR@k for a cutoff" if self.kind == "RR" else ""
            raise InputError(f"{self.kind}@{self.k}: {self.kind} has no cutoff{instead}")
        if self.k is not None and self.k < 1:
            raise InputError(f"{self.kind}@{self.k}: a cutoff is a whole number of 1 or more, as in {self.kind}@10")

    def __str__(self) -> str:
        return self.kind if self.k is None else f"{self.kind}@{self.k}"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """The measure of what one answer's retriever returned, at document level: a document counts at the rank of its
        first chunk. No value where the sample names no relevant document, or passages came without ids."""
        if not any(grade > 0 for grade in sample.relevant.values()):
            return None, "the sample names no relevant document"
        if any(not passage.id for passage in answer.retrieved):
            return None, "a retrieved passage has no id"
        documents = dedupe(_document(passage.id, sample.relevant) for passage in answer.retrieved)
        return float(evaluate({"": sample.relevant}, {"": documents}, [self]).values[0, 0]), ""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Values by query and measure. Means are over the queries that have an answer, the missing ones included."""

    queries: tuple[str, ...]
    """Every query of the judgments, in their order."""
    measures: tuple[RetrievalMeasure, ...]
    values: NDArray[np.float64]
    """(queries, measures). Not a number where no document is relevant, in every column but unjudged@k."""
    no_answer: tuple[str, ...]
    """Queries without any relevant document: in no mean."""
    returned_nothing: tuple[str, ...]
    """Those of ``no_answer`` whose ranking is there and empty: the right answer to them."""
    missing: tuple[str, ...]
    """Queries without a ranking: scored 0 (trec_eval -c), and no credit for returning nothing."""
    unknown: tuple[str, ...]
    """Queries with a ranking and no judgments: left out."""

    @property
    def answerable(self) -> NDArray[np.bool_]:
        """Which queries have a relevant document: (queries,)."""
        import numpy as np

        apart = set(self.no_answer)
        return np.array([query not in apart for query in self.queries], dtype=bool)

    def column(self, measure: RetrievalMeasure) -> NDArray[np.float64]:
        """One measure's values of the answerable queries, in the order of ``queries``."""
        column: NDArray[np.float64] = self.values[self.answerable, self.measures.index(measure)]
        return column

    def means(self) -> dict[RetrievalMeasure, float | None]:
        """The mean of each measure over the answerable queries; ``None`` without any."""
        kept = self.values[self.answerable]
        means = kept.mean(axis=0).tolist() if len(kept) else [None] * len(self.measures)
        return dict(zip(self.measures, means, strict=True))

    @property
    def correctly_empty(self) -> float | None:
        """Share of the queries without an answer for which nothing was returned; ``None`` without such queries."""
        return len(self.returned_nothing) / len(self.no_answer) if self.no_answer else None


def parse_retrieval(name: str) -> RetrievalMeasure:
    """The measure of this name, in any case; ``str`` of it is the name as it is written here.

    Raises InputError saying what to write.

    >>> str(parse_retrieval("ndcg@10"))
    'nDCG@10'
    """
    kind, at, k = name.strip().partition("@")
    if kind.lower() not in _SPELLINGS:
        raise InputError(f"there is no retrieval measure {name!r}; {_instead(name.strip())}")
    kind = _SPELLINGS[kind.lower()]
    if at and not _WHOLE_NUMBER.fullmatch(k):
        raise InputError(f"{name!r}: {k!r} is not a whole number of 1 or more, as in {kind}@10")
    return RetrievalMeasure(kind, int(k) if at else None)


def is_retrieval(name: str) -> bool:
    """Whether someone who wrote this meant a measure of a retriever."""
    return _CUT.fullmatch(name.strip()) is not None or _meant(name) is not None


def evaluate(
    judgments: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Sequence[str]],
    measures: Sequence[RetrievalMeasure],
) -> Evaluation:
    """Score ``rankings`` (query → documents, best first) by ``judgments`` (query → document → grade).

    A document without a grade, or with a negative one, is unjudged and not relevant. Raises DataError where a ranking
    names a document twice, and why that may be.
    """
    import numpy as np

    from .ranked import FORMULAS, ranked

    queries = tuple(judgments)
    returned = [rankings.get(query, ()) for query in queries]
    for query, ranking in zip(queries, returned, strict=True):
        if len(set(ranking)) != len(ranking):
            _refuse_duplicate(query, ranking)
    run = ranked([judgments[query] for query in queries], returned)
    nothing = run.relevant == 0
    values = np.empty((len(queries), len(measures)))
    with np.errstate(invalid="ignore"):
        for column, measure in enumerate(measures):
            values[:, column] = FORMULAS[measure.kind](run, measure.k or _WHOLE_LIST)
            if measure.kind != "unjudged":
                values[nothing, column] = np.nan
    no_answer = tuple(queries[row] for row in np.flatnonzero(nothing))
    return Evaluation(
        queries,
        tuple(measures),
        values,
        no_answer,
        tuple(query for query in no_answer if query in rankings and not len(rankings[query])),
        tuple(query for query in queries if query not in rankings),
        tuple(query for query in rankings if query not in judgments),
    )


def dedupe(ranking: Iterable[str]) -> tuple[str, ...]:
    """The ranking with each document at its first place only: from chunks' documents to documents.

    >>> dedupe(["b", "a", "b"])
    ('b', 'a')
    """
    return tuple(dict.fromkeys(ranking))


def _refuse_duplicate(query: str, ranking: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for rank, document in enumerate(ranking, 1):
        if (first := seen.setdefault(document, rank)) != rank:
            raise DataError(
                f"query {query!r}: the document {document!r} is returned at rank {first} and again at rank {rank}; "
                "a document counts once: score chunks by their own ids, or keep each document's first place (dedupe)"
            )


def _document(identifier: str, relevant: Mapping[str, int]) -> str:
    """The document of a passage, whose id is a document's (an application's) or a chunk's (a retriever's of ours)."""
    if identifier in relevant:
        return identifier
    from ..retrieval.chunks import document_of

    return document_of(identifier)


def _meant(name: str) -> str | None:
    """Our name for what other tools call ``name``: `precision_at_5`, `map_cut_10`, `ndcg`."""
    match = _OTHER_TOOLS.fullmatch(name.strip().lower())
    kind = _SPELLINGS.get(match["kind"]) or _ELSEWHERE.get(match["kind"]) if match else None
    if match is None or kind is None:
        return None
    needs = _CUTOFF[kind]
    return f"{kind}@{match['k'] or 10}" if needs or (match["k"] and needs is None) else kind


def _instead(name: str) -> str:
    meant = _meant(name)
    return f"write {meant}" if meant else f"there are {_offered()}"


def _offered() -> str:
    shown = (
        name if needs is False else f"{name}@k" if needs else f"{name}, {name}@k" for name, needs in _CUTOFF.items()
    )
    return ", ".join(shown)

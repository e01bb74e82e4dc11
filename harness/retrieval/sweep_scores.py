"""From a ranking of chunks to measures per question, at every k and at every budget of context tokens.

k counts chunks, which is what a prompt is given. *P@k* is the share of the k chunks that bring something relevant;
*hit* and *MRR* look at the first such chunk; *recall* and *nDCG* count documents or marked passages, never chunks: a
second chunk of the same document brings nothing new. The formulas are those of `measures.retrieval`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..measures.retrieval import RetrievalMeasure, evaluate
from ..text import estimated_tokens
from .sweep_targets import Targets, TargetSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FAMILIES = ("recall", "nDCG", "P", "MRR", "hit")
WHOLE = 1_000_000
"""A cutoff beyond every ranking. At a budget the best ranking is one of all targets, whichever chunks fit: a shorter
one would flatter large chunks."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How much of a ranking is used: the first ``most`` chunks, or as many as fit in ``most`` context tokens."""

    kind: Literal["k", "tokens"]
    most: int

    def __str__(self) -> str:
        return f"k = {self.most}" if self.kind == "k" else f"≤ {self.most:,} tokens"


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands at one rank: a chunk, where it stands in its document, and the targets that it brings."""

    id: str
    document: str
    start: int
    end: int
    text: str
    brings: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """About one token per four characters."""
        return estimated_tokens(self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Values by question, (questions,), in the order of the targets; ``tokens`` is the length of the context."""

    values: Mapping[str, Floats]
    tokens: Floats


def shown(ranking: Sequence[Passage], cut: Cut) -> Sequence[Passage]:
    """The part of a ranking that the cut lets through; a chunk that does not fit ends it."""
    if cut.kind == "k":
        return ranking[: cut.most]
    left = cut.most
    for place, passage in enumerate(ranking):
        left -= passage.tokens
        if left < 0:
            return ranking[:place]
    return ranking


def score(targets: TargetSet, rankings: Mapping[str, Sequence[Passage]], cut: Cut) -> Scores:
    """Every measure of every question with an answer; one without a ranking scores 0 (trec_eval -c)."""
    import numpy as np

    cuts = {question: shown(rankings[question], cut) for question in targets.targets if question in rankings}
    longest = max([1, *(len(cut_off) for cut_off in cuts.values())])
    k = cut.most if cut.kind == "k" else longest
    by_chunk = evaluate(
        {q: _chunk_judgments(t, cuts.get(q, ())) for q, t in targets.targets.items()},
        {q: [f"chunk {p.id}" for p in found] for q, found in cuts.items()},
        _measures("P", "MRR", "hit", k=k),
    )
    lists = {q: _firsts(found) for q, found in cuts.items()}
    by_target = evaluate(
        {q: {f"target {key}": grade for key, grade in t.grades.items()} for q, t in targets.targets.items()},
        lists,
        [*_measures("recall", k=WHOLE), *_measures("nDCG", k=k if cut.kind == "k" else WHOLE)],
    )
    p, mrr, hit = by_chunk.values.T
    recall, ndcg = by_target.values.T
    lengths = np.array([len(cuts.get(q, ())) for q in targets.targets], dtype=float)
    if cut.kind == "tokens":  # as many as fit: the share of those that are there
        p = np.divide(p * k, lengths, out=np.zeros_like(p), where=lengths > 0)
    tokens = np.array([sum(p.tokens for p in cuts.get(q, ())) for q in targets.targets], dtype=float)
    return Scores({"recall": recall, "nDCG": ndcg, "P": p, "MRR": mrr, "hit": hit}, tokens)


def _measures(*kinds: str, k: int) -> list[RetrievalMeasure]:
    return [RetrievalMeasure(kind, k) for kind in kinds]


def _chunk_judgments(targets: Targets, found: Iterable[Passage]) -> dict[str, int]:
    """The relevant chunks that were found; the targets stand for those that were not, which P, MRR and hit ignore."""
    return {f"target {key}": 1 for key in targets.grades} | {f"chunk {p.id}": 1 for p in found if p.brings}


def _firsts(found: Iterable[Passage]) -> list[str]:
    """The targets in the order in which they come for the first time; a chunk that brings nothing new keeps its place.

    A chunk that brings several passages is listed as if each had been found by itself.
    """
    seen: set[str] = set()
    ranks: list[str] = []
    for place, passage in enumerate(found):
        fresh = [key for key in passage.brings if key not in seen]
        seen.update(fresh)
        ranks += [f"target {key}" for key in fresh] or [f"nothing new {place}"]
    return ranks

"""What was retrieved for every question, as plain JSON for the page: right and wrong, by every configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..harness.retrieval.sweep import Paper, Ranking, query_of
from ..harness.retrieval.sweep_choice import Choice
from ..harness.retrieval.sweep_scores import Cut, Passage, Scores
from ..harness.retrieval.sweep_spec import SweepSpec

LONGEST = 1_500
"""Characters of a chunk that the page shows."""
MOST_QUESTIONS = 1_000


def questions_payload(
    rankings: Sequence[Ranking],
    scores: Mapping[str, Mapping[Cut, Scores]],
    paper: Paper,
    spec: SweepSpec,
    choice: Choice | None,
    baseline: str,
) -> dict[str, Any]:
    """Questions with what they need, and per configuration the chunks of the largest k with what each brings.

    Chunks are listed once and pointed at. Of more than 1,000 questions, the first 1,000 are shown; ``left_out`` counts
    the others.
    """
    order = list(paper.targets.targets)
    ids = order[:MOST_QUESTIONS]
    most = spec.cuts[-1]
    chunks, found = _found(rankings, ids, most)
    return {
        "measure": spec.measure,
        "cuts": list(spec.cuts),
        "k": choice.k if choice else most,
        "configurations": [ranking.configuration.name for ranking in rankings],
        "chosen": choice.configuration if choice else rankings[0].configuration.name,
        "baseline": baseline,
        "questions": _questions(paper, ids),
        "left_out": len(order) - len(ids),
        "chunks": chunks,
        "found": found,
        "values": {
            str(k): [
                [round(float(v), 4) for v in at[Cut("k", k)].values[spec.measure][: len(ids)]]
                for at in (scores[ranking.configuration.name] for ranking in rankings)
            ]
            for k in spec.cuts
        },
        "why": [dict(ranking.missing) for ranking in rankings],
    }


def _questions(paper: Paper, ids: Sequence[str]) -> list[dict[str, Any]]:
    by_id = {sample.id: sample for sample in paper.samples}
    return [
        {
            "id": question,
            "text": query_of(by_id[question]),
            "cluster": by_id[question].cluster,
            "needs": paper.targets.targets[question].grades,
        }
        for question in ids
    ]


def _found(rankings: Sequence[Ranking], ids: Sequence[str], most: int) -> tuple[list[list[Any]], list[Any]]:
    """The retrieved chunks, each once; and by configuration, question and rank which one it is and what it brings."""
    places: dict[str, int] = {}
    chunks: list[list[Any]] = []

    def place(passage: Passage) -> int:
        if passage.id not in places:
            places[passage.id] = len(chunks)
            cut = passage.text if len(passage.text) <= LONGEST else passage.text[:LONGEST] + "…"
            chunks.append([passage.document, passage.start, passage.end, cut])
        return places[passage.id]

    found = [
        [[[place(p), *p.brings] for p in ranking.passages.get(question, ())[:most]] for question in ids]
        for ranking in rankings
    ]
    return chunks, found

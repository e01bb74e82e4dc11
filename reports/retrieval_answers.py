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
    by_id = {sample.id: sample for sample in paper.samples}
    chunks: dict[str, int] = {}
    listed: list[list[Any]] = []

    def place(passage: Passage) -> int:
        if passage.id not in chunks:
            chunks[passage.id] = len(listed)
            cut = passage.text if len(passage.text) <= LONGEST else passage.text[:LONGEST] + "…"
            listed.append([passage.document, passage.start, passage.end, cut])
        return chunks[passage.id]

    most = spec.cuts[-1]
    found = [
        [[[place(p), *p.brings] for p in ranking.passages.get(question, ())[:most]] for question in ids]
        for ranking in rankings
    ]
    values = {
        str(k): [
            [round(float(v), 4) for v in scores[r.configuration.name][Cut("k", k)].values[spec.measure][: len(ids)]]
            for r in rankings
        ]
        for k in spec.cuts
    }
    return {
        "measure": spec.measure,
        "cuts": list(spec.cuts),
        "k": choice.k if choice else most,
        "configurations": [ranking.configuration.name for ranking in rankings],
        "chosen": choice.configuration if choice else rankings[0].configuration.name,
        "baseline": baseline,
        "questions": [
            {
                "id": question,
                "text": query_of(by_id[question]),
                "cluster": by_id[question].cluster,
                "needs": paper.targets.targets[question].grades,
            }
            for question in ids
        ],
        "left_out": len(order) - len(ids),
        "chunks": listed,
        "found": found,
        "values": values,
        "why": [dict(ranking.missing) for ranking in rankings],
    }

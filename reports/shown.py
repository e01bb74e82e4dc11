"""What a candidate's retriever put before it: the passages of every answer, and whether they were the right ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from ..harness.measures.retrieval import dedupe
from ..harness.store.frames import RunData
from ..harness.text import estimated_tokens

LENGTHS = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000)
"""Upper ends of the buckets of context length, in estimated tokens."""
THIRDS = ("first", "middle", "last")
FEWEST = 3
"""Passages that make it worth asking where among them the relevant one stood."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The passages of one answer, best first: their documents ('' where a passage has no id) and tokens in all.

    ``relevant`` are the grades of the question's documents.
    """

    documents: tuple[str, ...]
    tokens: int
    relevant: Mapping[str, int]

    @property
    def judged(self) -> bool:
        """Whether it can be told if the right thing was retrieved."""
        return any(grade > 0 for grade in self.relevant.values()) and all(self.documents)

    @property
    def ranking(self) -> tuple[str, ...]:
        """The documents, each at its first place."""
        return dedupe(self.documents)

    @property
    def place(self) -> int | None:
        """0-based place of the first passage from a document of the question's highest grade; ``None`` for none."""
        best = max(self.relevant.values(), default=0)
        return next((i for i, d in enumerate(self.documents) if best > 0 and self.relevant.get(d) == best), None)

    @property
    def third(self) -> str:
        """In which third of at least three passages that one stood; '' where there is nothing to tell."""
        if self.place is None or len(self.documents) < FEWEST:
            return ""
        return THIRDS[3 * self.place // len(self.documents)]

    @property
    def length(self) -> int:
        """Its bucket: the position in `LENGTHS`, or one past the end."""
        return next((i for i, most in enumerate(LENGTHS) if self.tokens <= most), len(LENGTHS))


def shown_to(data: RunData) -> dict[str, dict[str, Shown]]:
    """Candidate -> sample id -> what its (first) answer was given; only answers that are there. Empty where nothing was
    retrieved for any of them."""
    if data.answers["retrieved"].isin(("", "[]")).all():
        return {}
    relevant = {s: orjson.loads(text or "{}") for s, text in _columns(data.samples, "sample_id", "relevant")}
    answers = data.answers[data.answers["status"] == "ok"]
    found: dict[str, dict[str, Shown]] = {}
    for candidate, sample, retrieved in _columns(answers, "candidate", "sample_id", "retrieved"):
        if sample in relevant and sample not in found.setdefault(candidate, {}):
            found[candidate][sample] = _shown(orjson.loads(retrieved or "[]"), relevant[sample])
    return found


def bucket_name(bucket: int) -> str:
    """``251–500``, ``over 64,000``."""
    if bucket == len(LENGTHS):
        return f"over {LENGTHS[-1]:,}"
    return f"{LENGTHS[bucket - 1] + 1:,}–{LENGTHS[bucket]:,}" if bucket else f"up to {LENGTHS[0]:,}"


def _shown(passages: Sequence[Mapping[str, str]], relevant: Mapping[str, int]) -> Shown:
    documents = tuple(_document(passage.get("id") or "", relevant) for passage in passages)
    return Shown(documents, estimated_tokens("".join(passage["text"] for passage in passages)), relevant)


def _document(identifier: str, relevant: Mapping[str, int]) -> str:
    """An application's passages carry documents' ids, those of our retrievers chunks'."""
    if not identifier or identifier in relevant:
        return identifier
    from ..harness.retrieval.chunks import document_of

    return document_of(identifier)


def _columns(table: object, *names: str) -> zip[tuple[str, ...]]:
    return zip(*(table[name] for name in names), strict=True)  # type: ignore[index]

"""The sweep: every configuration of the grid is built, asked all questions once, and its rankings are kept.

A configuration's rankings are one JSON file under ``<workspace>/retrieval/sweep/``, named by the hash of all that
determines them and written at once: a killed sweep continues with the configurations that are there. Every k, every
budget and every statistic is read off the rankings afterwards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from ..errors import DataError
from ..keys import digest
from ..records import Retrieved, Sample
from ..text import plain
from .chunks import document_of, span_of
from .spec import PYTHON
from .sweep_scores import Cut, Passage, Scores, score
from .sweep_spec import Configuration, SweepSpec
from .sweep_targets import TargetSet

VERSION = 1
"""Of the files of rankings; goes into their names."""
DEEPEST = 500
"""Most chunks that are asked for to fill a budget of tokens."""
TIMED = 200
"""Questions that a paid embedder is asked one by one, for their latency."""


class Searcher(Protocol):
    """The part of a retriever that the sweep uses."""

    async def retrieve(self, question: str, k: int) -> list[Retrieved]:
        """The best ``k`` chunks, best first."""

    async def close(self) -> None:
        """Release what it holds."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What embedding took so far; ``usd`` is ``None`` where no price is known, ``live`` counts calls really made."""

    tokens: int = 0
    usd: float | None = 0.0
    calls: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """A retriever ready to be asked. ``lengths`` are the characters of its chunks; empty for a user's function.

    ``index_s`` (embedding included) and ``index_bytes`` were measured when the index was made, ``None`` without one.
    ``spent`` covers chunks and questions. ``prepare`` embeds many questions in few paid calls.
    """

    retriever: Searcher
    lengths: Sequence[int] = ()
    index_s: float | None = None
    index_bytes: int | None = None
    spent: Callable[[], Spent] = Spent
    prepare: Callable[[Sequence[str]], Awaitable[None]] | None = None


class Workshop(Protocol):
    """Builds the retrievers of a grid, each intermediate once."""

    def identity(self, configuration: Configuration) -> Mapping[str, Any]:
        """All that determines its rankings beside the documents; cheap."""

    async def build(self, configuration: Configuration) -> Built:
        """The retriever. Raises InputError."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one configuration returned. ``missing`` holds the questions that it has no ranking for, and why."""

    configuration: Configuration
    chunks: int
    depth: int
    index_s: float | None
    index_bytes: int | None
    embedding_tokens: int
    cost_usd: float | None
    passages: Mapping[str, tuple[Passage, ...]]
    scores: Mapping[str, tuple[float | None, ...]]
    latencies_s: Mapping[str, float]
    missing: Mapping[str, str]
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """What all configurations are asked: the questions, what they need, and the documents (id → text)."""

    samples: tuple[Sample, ...]
    targets: TargetSet
    documents: Mapping[str, str]
    corpus: str
    corpus_sha256: str


async def sweep(
    spec: SweepSpec, paper: Paper, folder: Path, workshop: Workshop, say: Callable[[str], None] = lambda text: None
) -> list[Ranking]:
    """Rank every question by every configuration of the grid; what ``folder`` holds already is not done again."""
    found = []
    grid = spec.configurations
    for number, configuration in enumerate(grid, 1):
        file = folder / f"{_key(configuration, spec, paper, workshop)}.json"
        ranking = _read(file, configuration, paper)
        if ranking is None:
            kept = await _sit(configuration, spec, paper, workshop)
            if not kept["missing"]:  # what failed is asked again by the next sweep
                _write(file, kept)
            ranking = replace(_ranking(kept, configuration, paper), reused=False)
        found.append(ranking)
        say(f"{number}/{len(grid)} {configuration.name}: {_words(ranking)}")
    return found


def score_all(rankings: Sequence[Ranking], spec: SweepSpec, paper: Paper) -> dict[str, dict[Cut, Scores]]:
    """Configuration's name → cut → values by question, for every k and every budget."""
    cuts = [*(Cut("k", k) for k in spec.cuts), *(Cut("tokens", most) for most in spec.budgets)]
    return {
        ranking.configuration.name: {cut: score(paper.targets, ranking.passages, cut) for cut in cuts}
        for ranking in rankings
    }


def query_of(sample: Sample) -> str:
    """What a retriever is asked: the question; of a conversation, its last turn or user message."""
    if sample.question:
        return plain(sample.question)
    if sample.turns:
        return plain(sample.turns[-1])
    users = [message for message in sample.messages if message["role"] == "user"]
    return plain(users[-1].get("content") or "") if users else ""


def _key(configuration: Configuration, spec: SweepSpec, paper: Paper, workshop: Workshop) -> str:
    questions = [[sample.id, query_of(sample)] for sample in paper.samples]
    grid = [configuration.retriever, configuration.chunker, configuration.size, configuration.overlap]
    depth = [max(spec.cuts), max(spec.budgets, default=0)]
    return digest([VERSION, grid, workshop.identity(configuration), paper.corpus_sha256, questions, depth])[:32]


async def _sit(configuration: Configuration, spec: SweepSpec, paper: Paper, workshop: Workshop) -> dict[str, Any]:
    """Build one configuration, ask it everything, and say what that took."""
    built = await workshop.build(configuration)
    try:
        depth = _depth(spec, built.lengths or [len(text) for text in paper.documents.values()])
        asked = await _ask(built, configuration, paper, depth)
    finally:
        await built.retriever.close()
    spent = built.spent()
    return {
        "configuration": configuration.name,
        "chunks": len(built.lengths),
        "depth": depth,
        "index_s": built.index_s,
        "index_bytes": built.index_bytes,
        "embedding_tokens": spent.tokens,
        "cost_usd": spent.usd,
        **asked,
    }


async def _ask(built: Built, configuration: Configuration, paper: Paper, depth: int) -> dict[str, Any]:
    """One question at a time, so that the seconds are those of an idle machine. Paid embedders are timed on the first
    200 questions; the others are embedded together."""
    rows: dict[str, list[list[Any]]] = {}
    latencies: dict[str, float] = {}
    missing: dict[str, str] = {}
    for number, sample in enumerate(paper.samples):
        if number == TIMED and built.prepare is not None:
            await built.prepare([query_of(later) for later in paper.samples[number:]])
        before, began = built.spent(), time.perf_counter()
        try:
            found = await built.retriever.retrieve(query_of(sample), depth)
        except DataError as error:
            # The user's own code may fail on a question; it fails on all of them only if it is wrong.
            if not configuration.retriever.startswith(PYTHON) or len(missing) + 1 == len(paper.samples):
                raise
            missing[sample.id] = str(error)[:300]
            continue
        seconds, after = time.perf_counter() - began, built.spent()
        if after.live > before.live or (after.calls == before.calls and (number < TIMED or built.prepare is None)):
            latencies[sample.id] = seconds  # a recorded embedding says nothing of what a user would wait
        rows[sample.id] = _rows(found, configuration, sample.id)
    return {"rankings": rows, "latencies_s": latencies, "missing": missing}


def _depth(spec: SweepSpec, lengths: Sequence[int]) -> int:
    """So many chunks that the largest k is there and the largest budget is full, even with the shortest ones."""
    left, depth = max(spec.budgets, default=0), 0
    for length in sorted(lengths):
        left -= (length + 3) // 4
        depth += 1
        if left < 0:
            break
    return max(*spec.cuts, min(depth, DEEPEST)) if spec.budgets else max(spec.cuts)


def _rows(found: Sequence[Retrieved], configuration: Configuration, question: str) -> list[list[Any]]:
    """``[chunk, document, start, end, score]`` by rank. Raises DataError for a chunk that is there twice."""
    rows: list[list[Any]] = []
    seen: set[str] = set()
    for passage in found:
        if passage.id in seen:
            raise DataError(
                f"{configuration.name}, question {question!r}: {passage.id!r} is returned twice; "
                "a chunk counts once: keep its first place"
            )
        seen.add(passage.id)
        start, end = span_of(passage.id) or (0, 0)
        rows.append([passage.id, document_of(passage.id), start, end, passage.score])
    return rows


def _write(file: Path, kept: Mapping[str, Any]) -> None:
    """At once: a file that is there is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(orjson.dumps(kept))
    part.replace(file)


def _read(file: Path, configuration: Configuration, paper: Paper) -> Ranking | None:
    if not file.is_file():
        return None
    try:
        kept = orjson.loads(file.read_bytes())
        return _ranking(kept, configuration, paper)
    except (ValueError, KeyError, TypeError):
        return None  # not ours, or damaged: made again and overwritten


def _ranking(kept: Mapping[str, Any], configuration: Configuration, paper: Paper) -> Ranking:
    passages = {}
    scores = {}
    for question, rows in kept["rankings"].items():
        targets = paper.targets.targets.get(question)
        passages[question] = tuple(
            Passage(
                chunk,
                document,
                start,
                end,
                paper.documents.get(document, "")[start:end],
                targets.brought_by(document, start, end) if targets else (),
            )
            for chunk, document, start, end, _ in rows
        )
        scores[question] = tuple(row[4] for row in rows)
    return Ranking(
        configuration,
        kept["chunks"],
        kept["depth"],
        kept["index_s"],
        kept["index_bytes"],
        kept["embedding_tokens"],
        kept["cost_usd"],
        passages,
        scores,
        kept["latencies_s"],
        kept["missing"],
        reused=True,
    )


def _words(ranking: Ranking) -> str:
    if ranking.reused:
        return "ranked before, not done again"
    parts = [f"{ranking.chunks:,} chunks"] if ranking.chunks else []
    if ranking.index_s is not None:
        parts.append(f"indexed in {ranking.index_s:.2f} s")
    parts.append(f"{len(ranking.passages):,} questions ranked")
    if ranking.missing:
        parts.append(f"{len(ranking.missing):,} without a ranking")
    return ", ".join(parts)

"""Builds the retrievers of a sweep: chunks, embeddings and indexes come from the workspace where they are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..keys import digest
from .corpus import Corpus
from .retrievers import IndexStats, Retriever, build_retriever
from .spec import PYTHON, EmbedderSpec
from .sweep import Built, Spent
from .sweep_spec import Configuration, SweepSpec

if TYPE_CHECKING:
    from .embedders import Embedder, Spending


class Bench:
    """The `Workshop` over a corpus. Each embedder is opened once and shared by its configurations.

    ``live`` counts the paid calls that were really made, recorded ones left out.
    """

    def __init__(
        self,
        spec: SweepSpec,
        corpus: Corpus,
        workspace: Path,
        open_embedder: Callable[[EmbedderSpec], Embedder],
        live: Callable[[], int] = lambda: 0,
    ) -> None:
        self._spec = spec
        self._corpus = corpus
        self._workspace = workspace
        self._open = open_embedder
        self._live = live
        self._embedders: dict[str, Embedder] = {}
        self._retrievers: dict[str, Retriever] = {}

    def identity(self, configuration: Configuration) -> Mapping[str, Any]:
        """See `Workshop.identity`."""
        return self._retriever(configuration).identity

    async def build(self, configuration: Configuration) -> Built:
        """See `Workshop.build`."""
        retriever = self._retriever(configuration)
        stats = await retriever.build()
        lengths = [len(chunk.text) for chunk in getattr(retriever, "chunks", ())]
        if configuration.retriever.startswith(PYTHON):
            return Built(retriever, spent=lambda: Spent(usd=None))
        embedder: Embedder | None = getattr(retriever, "embedder", None)
        index_s = stats.embedding_s + stats.index_s
        if embedder is None:
            return Built(retriever, lengths, index_s, stats.size_bytes)
        usage, paid = embedder.usage, bool(retriever.models)
        before = (usage.tokens, usage.cost_usd, usage.unpriced)
        prepare = getattr(retriever, "prepare", None) if paid else None
        return Built(
            retriever, lengths, index_s, stats.size_bytes, lambda: _spent(stats, usage, before, self._live()), prepare
        )

    async def close(self) -> None:
        """Let the embedders go."""
        for embedder in self._embedders.values():
            await cast(_Shared, embedder).really_close()

    def _retriever(self, configuration: Configuration) -> Retriever:
        if configuration.name not in self._retrievers:
            spec = self._spec.retriever_spec(configuration)
            made = build_retriever(spec, self._corpus, self._workspace, open_embedder=self._embedder)
            self._retrievers[configuration.name] = made
        return self._retrievers[configuration.name]

    def _embedder(self, spec: EmbedderSpec) -> Embedder:
        key = digest(spec.model_dump(mode="json"))
        if key not in self._embedders:
            self._embedders[key] = cast("Embedder", _Shared(self._open(spec)))
        return self._embedders[key]


class _Shared:
    """An embedder that outlives the retriever that closes it."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def close(self) -> None:
        """Stays open: other configurations use it, too."""

    async def really_close(self) -> None:
        """At the end of the sweep."""
        await self._inner.close()


def _spent(stats: IndexStats, usage: Spending, before: tuple[int, float, int], live: int) -> Spent:
    """The chunks' embeddings (when they were made) and the questions' (since the index was built)."""
    tokens, usd = usage.since(*before)
    total = None if stats.cost_usd is None or usd is None else stats.cost_usd + usd
    return Spent(stats.tokens + tokens, total, usage.calls, live)

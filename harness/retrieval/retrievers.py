"""Retrievers: a question to the best chunks. Over our own indexes; the user's own are in `foreign`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import DataError
from ..records import Retrieved
from .cache import Cache, Embedded, lock, size_of
from .chunks import Chunk, ChunkerSpec, document_of, require_splitters, span_of
from .corpus import Corpus
from .spec import BM25, PYTHON, EmbedderSpec, RetrieverSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..models.base import ChatModel
    from .bm25 import Bm25Index, Hits
    from .embedders import Embedder
    from .indexes import VectorIndex

__all__ = ["IndexStats", "Retriever", "build_retriever", "document_of", "span_of"]


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds and took when it was made. ``cost_usd`` of the embeddings: ``None`` where unknown.

    ``size_bytes`` on disk: vectors and database, or the inverted index. ``longer`` chunks are longer than the size
    asked for (the chunker `character` cuts no paragraph). ``reused``: calls that were paid before, so that
    ``embedding_s`` says little.
    """

    documents: int = 0
    chunks: int = 0
    longer: int = 0
    dimensions: int = 0
    embedding_s: float = 0.0
    index_s: float = 0.0
    size_bytes: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    reused: int = 0


class Retriever(Protocol):
    """Finds passages for a question."""

    @property
    def name(self) -> str:
        """Short, for tables: ``hashed/1024, recursive 800/80, exact``."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines what is retrieved, as plain JSON; without k."""

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """Endpoints that it pays for."""

    async def build(self) -> IndexStats:
        """Make the index, or load it. `retrieve` does so by itself; twice is once."""

    async def retrieve(self, question: str, k: int) -> list[Retrieved]:
        """The best ``k`` chunks or fewer, best first; each id is a chunk's, see `document_of` and `span_of`."""

    async def close(self) -> None:
        """Release what it holds; may be called more than once."""


def build_retriever(
    spec: RetrieverSpec,
    corpus: Corpus,
    workspace: str | Path,
    *,
    open_embedder: Callable[[EmbedderSpec], Embedder] | None = None,
) -> Retriever:
    """The retriever that ``spec`` describes over ``corpus``; what it makes is kept under ``<workspace>/retrieval``.

    ``open_embedder`` opens those that are paid for (see `embedders.open_embedder`, whose ``caller`` they need).
    Raises MissingExtra or InputError at once for what is not installed; nothing is built, and nothing called, yet.
    """
    if spec.index.startswith(PYTHON):
        from .foreign import python_retriever

        return python_retriever(spec.index.removeprefix(PYTHON), corpus, spec.base)
    require_splitters(spec.chunking)
    if spec.index == BM25 or spec.embedder is None:
        return Bm25Retriever(corpus, spec.chunking, Cache(workspace), spec.k1, spec.b)
    if spec.index == "chroma":
        from .indexes import require_chroma

        require_chroma()
    from . import embedders

    embedder = embedders.open_embedder(spec.embedder) if open_embedder is None else open_embedder(spec.embedder)
    return VectorRetriever(corpus, spec.chunking, Cache(workspace), embedder, spec)


def indexed_texts(corpus: Corpus, chunks: Sequence[Chunk]) -> list[str]:
    """What is indexed of each chunk: its text, after the title where the document has one apart (as BEIR does)."""
    titles = {document.id: document.title for document in corpus.documents if document.title}
    return [f"{titles[c.document]}\n{c.text}" if c.document in titles else c.text for c in chunks]


class _OverChunks:
    """What retrievers over our own chunks have in common."""

    def __init__(self, corpus: Corpus, chunking: ChunkerSpec, cache: Cache) -> None:
        self.corpus = corpus
        self.chunking = chunking
        self.cache = cache
        self.chunks: tuple[Chunk, ...] = ()
        self.stats: IndexStats | None = None

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """None, unless said otherwise."""
        return ()

    def _chunked(self) -> Mapping[str, int]:
        """Cut the corpus; the counts for the statistics."""
        self.chunks = self.cache.chunks(self.corpus, self.chunking)
        cut = self.chunking.kind in ("character", "recursive", "markdown")
        longer = sum(len(chunk.text) > self.chunking.size for chunk in self.chunks) if cut else 0
        return {"documents": len(self.corpus.documents), "chunks": len(self.chunks), "longer": longer}

    def _retrieved(self, hits: Hits) -> list[Retrieved]:
        chunks = self.chunks
        found = zip(hits[0].tolist(), hits[1].tolist(), strict=True)
        return [Retrieved(chunks[place].text, chunks[place].id, score) for place, score in found]


class Bm25Retriever(_OverChunks):
    """Words that question and chunk share; see `bm25`."""

    def __init__(self, corpus: Corpus, chunking: ChunkerSpec, cache: Cache, k1: float, b: float) -> None:
        super().__init__(corpus, chunking, cache)
        self._k1, self._b = k1, b
        self._index: Bm25Index | None = None

    @property
    def name(self) -> str:
        """``bm25`` and the chunker."""
        return f"bm25, {self.chunking}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Corpus, chunks and the two parameters."""
        chunker = self.chunking.identity
        return {"corpus": self.corpus.sha256, "chunker": chunker, "index": BM25, "k1": self._k1, "b": self._b}

    async def build(self) -> IndexStats:
        """See `Retriever.build`."""
        if self.stats is None:
            async with lock(self.cache.index(self.identity)):
                if self.stats is None:
                    self.stats = await asyncio.to_thread(self._build)
        return self.stats

    async def retrieve(self, question: str, k: int) -> list[Retrieved]:
        """See `Retriever.retrieve`. Chunks without a word of the question are never returned."""
        await self.build()
        index = self._index
        assert index is not None
        return self._retrieved(await asyncio.to_thread(index.search, question, k))

    async def close(self) -> None:
        """Nothing to release."""

    def _build(self) -> IndexStats:
        import orjson

        from .bm25 import Bm25Index
        from .cache import read_json, write_bytes

        counts, folder = self._chunked(), self.cache.index(self.identity)
        if (done := read_json(folder / "index.json")) is None:
            began = time.perf_counter()
            Bm25Index.build(indexed_texts(self.corpus, self.chunks), self._k1, self._b).save(folder)
            done = {"seconds": time.perf_counter() - began}
            write_bytes(folder / "index.json", orjson.dumps(done))
        self._index = Bm25Index.load(folder)
        return IndexStats(**counts, index_s=done["seconds"], size_bytes=size_of(folder))


class VectorRetriever(_OverChunks):
    """The nearest vectors, in an exact index or in chromadb."""

    def __init__(
        self, corpus: Corpus, chunking: ChunkerSpec, cache: Cache, embedder: Embedder, spec: RetrieverSpec
    ) -> None:
        super().__init__(corpus, chunking, cache)
        self.embedder = embedder
        self._kind = spec.index
        self._before = (
            ("", "") if spec.embedder is None else (spec.embedder.query_prefix, spec.embedder.document_prefix)
        )
        self._index: VectorIndex | None = None
        self._asked: dict[str, NDArray[np.float32]] = {}

    @property
    def name(self) -> str:
        """Embedder, chunker and index."""
        return f"{self.embedder.name}, {self.chunking}, {self._kind}"

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """The embedding model behind an endpoint, if it is one."""
        model = getattr(self.embedder, "model", None)
        return () if model is None else (model,)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Corpus, chunks, embedder, prefixes and index."""
        return {
            "corpus": self.corpus.sha256,
            "chunker": self.chunking.identity,
            "embedder": self.embedder.identity,
            "prefixes": self._before,
            "index": self._kind,
        }

    async def build(self) -> IndexStats:
        """See `Retriever.build`. Raises what the embedder raises; what was made until then is kept."""
        if self.stats is None:
            folder = self.cache.index(self.identity)
            async with lock(folder):
                if self.stats is None:
                    self.stats = await self._build(folder)
        return self.stats

    async def prepare(self, questions: Sequence[str]) -> None:
        """Embed many questions in few calls; `retrieve` then only searches, and its latency is without the embedder."""
        fresh = [question for question in dict.fromkeys(questions) if question not in self._asked]
        if fresh:
            self._asked.update(zip(fresh, await self._embedded(fresh), strict=True))

    async def retrieve(self, question: str, k: int) -> list[Retrieved]:
        """See `Retriever.retrieve`."""
        await self.build()
        index, vector = self._index, self._asked.get(question)
        assert index is not None
        if vector is None:
            vector = (await self._embedded([question]))[0]
        return self._retrieved(await asyncio.to_thread(index.search, vector, k))

    async def close(self) -> None:
        """Let the index and the embedder go."""
        index, self._index, self.stats = self._index, None, None
        if index is not None:
            await asyncio.to_thread(index.close)
        await self.embedder.close()

    async def _embedded(self, questions: Sequence[str]) -> NDArray[np.float32]:
        from .embedders import checked, unit

        stats = await self.build()
        raw = await self.embedder.embed([self._before[0] + question for question in questions])
        return unit(checked(raw, len(questions), self.embedder.name, stats.dimensions))

    async def _build(self, folder: Path) -> IndexStats:
        from .indexes import ChromaIndex, ExactIndex

        counts = await asyncio.to_thread(self._chunked)
        texts = [self._before[1] + text for text in indexed_texts(self.corpus, self.chunks)]
        embedded = await self.cache.vectors(self.embedder, texts)
        if self._kind == "chroma":
            self._index = await asyncio.to_thread(ChromaIndex, folder, embedded.vectors)
        else:
            self._index = ExactIndex(embedded.vectors)
        size = embedded.vectors.nbytes + size_of(folder)
        return _vector_stats(counts, embedded, self._index.seconds, size)


def _vector_stats(counts: Mapping[str, int], embedded: Embedded, index_s: float, size: int) -> IndexStats:
    if not len(embedded.vectors):
        raise DataError("the corpus has no chunk to embed")
    return IndexStats(
        **counts,
        dimensions=embedded.vectors.shape[1],
        embedding_s=embedded.seconds,
        index_s=index_s,
        size_bytes=size,
        tokens=embedded.tokens,
        cost_usd=embedded.cost_usd,
        reused=embedded.reused,
    )

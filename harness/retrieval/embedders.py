"""Embedders: texts to vectors. Hashed n-grams and MiniLM here, sentence-transformers, or an endpoint that is paid."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import BugError, DataError, InputError, MarkschemeError, Unfinished
from ..records import Call, Draw, Failure, Reply
from .spec import HASHED, MINILM, EmbedderSpec

if TYPE_CHECKING:
    from ..candidates.base import Caller
    from ..models.embedding import EmbeddingModel
    from ..models.endpoints import Endpoint

Vectors = NDArray[np.float32]
"""(texts, dimensions)."""
_MOST_CHARACTERS = 400_000
"""Of one call to an endpoint: OpenAI takes 300,000 tokens."""
_ATTEMPTS = 3
_PASSING = frozenset({"timeout", "rate_limited", "server_error", "network", "malformed"})


@dataclass(slots=True)
class Spending:
    """What an embedder did so far. ``cost_usd`` counts the calls with a known price, ``unpriced`` the others."""

    texts: int = 0
    calls: int = 0
    reused: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    @property
    def known_cost_usd(self) -> float | None:
        """US dollars paid to a provider; ``None`` where a call has no known price."""
        return None if self.unpriced else self.cost_usd

    def since(self, tokens: int, cost_usd: float, unpriced: int) -> tuple[int, float | None]:
        """Tokens and US dollars (``None``: unknown) beyond these."""
        return self.tokens - tokens, None if self.unpriced > unpriced else self.cost_usd - cost_usd


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """As the exam writes it."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines the vectors, as plain JSON; never a host or a key."""

    @property
    def usage(self) -> Spending:
        """Counters, going up."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimensions), of any length."""

    async def close(self) -> None:
        """Release what it holds; may be called more than once."""


def open_embedder(
    embedder: str | EmbedderSpec,
    *,
    caller: Caller | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
    require_key: bool = True,
) -> Embedder:
    """The embedder of this name or spec; loads and calls nothing yet.

    One behind an endpoint is paid for through ``caller``, which it needs. Raises MissingExtra or InputError where a
    package, a key or a provider is missing.
    """
    spec = EmbedderSpec.model_validate(embedder) if isinstance(embedder, str) else embedder
    provider, _, model = spec.model.partition("/")
    if spec.model == MINILM:
        from .minilm import MiniLmEmbedder

        return MiniLmEmbedder()
    if provider == HASHED:
        from .hashed import HashedEmbedder

        return HashedEmbedder(int(model))
    if provider == "sentence-transformers":
        return SentenceTransformersEmbedder(model)
    from ..models.embedding import open_embedding_model

    opened = open_embedding_model(
        spec.model,
        base_url=spec.base_url,
        api_key_env=spec.api_key_env,
        endpoints=endpoints,
        timeout_s=spec.timeout_s,
        require_key=require_key,
    )
    return EndpointEmbedder(opened, caller, spec.dimensions, spec.batch)


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; zero rows stay zero."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    lengths[lengths == 0] = 1
    scaled: Vectors = vectors / lengths[:, None].astype(np.float32)
    return scaled


def checked(vectors: Any, texts: int, name: str, dimensions: int | None = None) -> Vectors:
    """``vectors`` as float32 (texts, dimensions). Raises DataError for another shape or numbers that are not finite."""
    array: Vectors = np.asarray(vectors, dtype=np.float32)
    if array.ndim != 2 or len(array) != texts or not array.shape[1]:
        raise DataError(f"embedder {name!r} returned an array of shape {array.shape} for {texts} texts")
    if dimensions is not None and array.shape[1] != dimensions:
        raise DataError(
            f"embedder {name!r} returned {array.shape[1]} dimensions, and {dimensions} before: its model has changed; "
            "delete the folder retrieval of the workspace, or name the model's version"
        )
    if not np.isfinite(array).all():
        raise DataError(f"embedder {name!r} returned numbers that are not finite")
    return array


class EndpointEmbedder:
    """An embedding model behind an endpoint: batches, each a call that is kept and paid once."""

    parallel = 8

    def __init__(self, model: EmbeddingModel, caller: Caller | None, dimensions: int | None, batch: int) -> None:
        self.model = model
        self.usage = Spending()
        self._caller = caller
        self._batch = batch
        self._params = {} if dimensions is None else {"dimensions": dimensions}
        self._dimensions: int | None = dimensions

    @property
    def name(self) -> str:
        """``provider/model``."""
        return self.model.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint, model, and the dimensions that are asked for."""
        return {"embedder": "endpoint", **self.model.identity, **self._params}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One call a batch, all at once as far as the limits of the endpoint allow; order is kept.

        Raises Unfinished (or what the caller raises) where the endpoint gives no vectors; what was paid is kept.
        """
        batches = list(_batches(texts, self._batch))
        if not batches:
            return np.zeros((0, self._dimensions or 0), dtype=np.float32)
        # All are awaited even where one fails: what is on its way is being paid for.
        done = await asyncio.gather(*(self._one(batch) for batch in batches), return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        self.usage.texts += len(texts)
        return np.concatenate([outcome for outcome in done if not isinstance(outcome, BaseException)])

    async def close(self) -> None:
        """Release the connections."""
        await self.model.close()

    async def _one(self, texts: Sequence[str]) -> Vectors:
        from ..models.embedding import embedding_request, vectors_of

        caller = self._caller
        if caller is None:
            raise BugError(f"embedder {self.name!r} is paid for and was opened without a caller")
        request = embedding_request(texts, self._params)
        for attempt in range(_ATTEMPTS):
            call = await caller.complete(self.model, request, Draw(attempt=attempt, salt=caller.salt))
            self._count(call)
            if not isinstance(call.outcome, Reply):
                raise self._refusal(call.outcome, len(texts))
            vectors = vectors_of(call.outcome)
            if vectors is not None:  # else the texts of its run were purged, the vectors with them
                found = checked(vectors, len(texts), self.name, self._dimensions)
                self._dimensions = found.shape[1]
                return found
        raise InputError(f"embedder {self.name!r}: the recorded vectors were purged; run with --fresh")

    def _refusal(self, failure: Failure, texts: int) -> MarkschemeError:
        if failure.kind in _PASSING:
            return Unfinished(f"embedder {self.name!r}: {failure.detail}; what was paid is kept, run again to continue")
        return InputError(f"embedder {self.name!r}: no vectors for a batch of {texts} texts: {failure.detail}")

    def _count(self, call: Call) -> None:
        usage = self.usage
        usage.calls += 1
        usage.reused += call.reused
        if isinstance(call.outcome, Reply):
            usage.tokens += call.outcome.usage.prompt_tokens
            usage.cost_usd += call.cost_usd or 0.0
            usage.unpriced += call.cost_usd is None


def _batches(texts: Sequence[str], most: int) -> list[Sequence[str]]:
    """Runs of at most ``most`` texts and about 100,000 tokens."""
    batches: list[Sequence[str]] = []
    start = size = 0
    for at, text in enumerate(texts):
        if at > start and (at - start >= most or size + len(text) > _MOST_CHARACTERS):
            batches.append(texts[start:at])
            start, size = at, 0
        size += len(text)
    return [*batches, texts[start:]] if len(texts) > start else batches


class SentenceTransformersEmbedder:
    """``sentence-transformers/<model>[@revision]``, by the package of that name, which brings torch. Loads late."""

    parallel = 1

    def __init__(self, model: str) -> None:
        from importlib.util import find_spec

        if find_spec("sentence_transformers") is None:
            raise InputError(
                f"embedder 'sentence-transformers/{model}' needs the package sentence-transformers: "
                "pip install sentence-transformers (for all-MiniLM-L6-v2 without torch, write minilm)"
            )
        self._model, _, self._revision = model.partition("@")
        self.name = f"sentence-transformers/{model}"
        self.usage = Spending()
        self._encoder: Any = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Model and revision; without a revision, whatever the hub or the disk holds under that name."""
        return {"embedder": "sentence-transformers", "model": self._model, "revision": self._revision}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors."""
        return await asyncio.to_thread(self._embed, list(texts))

    async def close(self) -> None:
        """Let the model go."""
        self._encoder = None

    def _embed(self, texts: list[str]) -> Vectors:
        if self._encoder is None:
            from sentence_transformers import SentenceTransformer

            self._encoder = SentenceTransformer(self._model, revision=self._revision or None)
        self.usage.texts += len(texts)
        encoded = self._encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return checked(encoded, len(texts), self.name)


async def timed_embed(embedder: Embedder, texts: Sequence[str]) -> tuple[Vectors, float]:
    """Vectors, and the seconds they took."""
    began = time.perf_counter()
    found = await embedder.embed(texts)
    return found, time.perf_counter() - began

"""Indexes over unit vectors, by cosine: exact in numpy, or approximate (HNSW) in an embedded chromadb."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from ..errors import MissingExtra, StoreError
from .bm25 import Hits, best
from .cache import read_json, write_bytes
from .embedders import Vectors

_BATCH = 1000
_DONE = "index.json"


class VectorIndex(Protocol):
    """Finds the nearest vectors."""

    @property
    def seconds(self) -> float:
        """What building it took, over all the times that it was gone on with."""

    def search(self, question: NDArray[np.float32], k: int) -> Hits:
        """The best ``k`` places for a unit vector (dimensions,), with cosines."""

    def close(self) -> None:
        """Release what it holds; may be called more than once."""


class ExactIndex:
    """The vectors themselves, all compared: nothing to build."""

    seconds = 0.0

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def search(self, question: NDArray[np.float32], k: int) -> Hits:
        """See `VectorIndex.search`; equal scores in the order of the corpus."""
        return best(self._vectors @ question, k)

    def close(self) -> None:
        """Nothing to release."""


def require_chroma() -> None:
    """Raise MissingExtra where chromadb is not installed."""
    from importlib.util import find_spec

    if find_spec("chromadb") is None:
        raise MissingExtra("rag", "index 'chroma' (index: exact needs no extra)")


class ChromaIndex:
    """A collection of a chromadb of its own in ``folder``, filled with our vectors; chromadb embeds nothing.

    Filling goes on where it was killed. Raises MissingExtra without chromadb, StoreError for a folder it cannot use.
    """

    def __init__(self, folder: Path, vectors: Vectors) -> None:
        require_chroma()
        self._size = len(vectors)
        self._client = _client(folder)
        try:
            self._collection = self._client.get_or_create_collection(
                f"markscheme-{folder.name}",
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine"}},
            )
            self.seconds = self._fill(folder, vectors)
        except Exception as error:
            self.close()
            raise StoreError(f"{folder}: chromadb cannot use it ({error}); delete it, it is made again") from error

    def search(self, question: NDArray[np.float32], k: int) -> Hits:
        """See `VectorIndex.search`; approximate, as HNSW is."""
        found = self._collection.query(query_embeddings=[question], n_results=min(k, self._size), include=["distances"])
        places = np.array([int(number) for number in found["ids"][0]], dtype=np.int64)
        scores = 1 - np.array(found["distances"][0], dtype=np.float32)
        order = np.lexsort((places, -scores))
        return places[order], scores[order]

    def close(self) -> None:
        """Let the database go."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _fill(self, folder: Path, vectors: Vectors) -> float:
        done = read_json(folder / _DONE) or {"rows": 0, "seconds": 0.0}
        rows, seconds = min(done["rows"], self._collection.count()), done["seconds"]
        step = min(_BATCH, self._client.get_max_batch_size())
        for start in range(rows, len(vectors), step):
            began = time.perf_counter()
            batch = np.ascontiguousarray(vectors[start : start + step])
            self._collection.upsert(ids=_names(start, len(batch)), embeddings=batch)
            seconds += time.perf_counter() - began
            write_bytes(folder / _DONE, orjson.dumps({"rows": start + len(batch), "seconds": seconds}))
        return float(seconds)


def _names(start: int, count: int) -> Sequence[str]:
    return [str(number) for number in range(start, start + count)]


def _client(folder: Path) -> Any:
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what chromadb imports, none of it ours to mend
        import chromadb
        from chromadb.config import Settings

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    except Exception as error:  # a damaged database, a full disk: its own kinds of exception, and a bare ValueError
        raise StoreError(f"{folder}: chromadb cannot open it ({error}); delete it, it is made again") from error

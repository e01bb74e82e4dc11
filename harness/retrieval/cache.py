"""What retrieval makes once and keeps under ``<workspace>/retrieval``: chunks, embeddings and indexes, by content.

Every folder's name is the hash of all that determines what is in it. Files appear whole (written beside, then renamed),
embeddings part by part, so that a build that was killed goes on with what is there.
"""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from zipfile import BadZipFile

import numpy as np
import orjson

from ..errors import DataError, StoreError
from ..keys import digest
from .chunks import Chunk, ChunkerSpec, chunk_id, split
from .corpus import Corpus

if TYPE_CHECKING:
    from .embedders import Embedder, Vectors

FOLDER = "retrieval"
PART = 512
"""Texts that are embedded before they are written down, times what the embedder does side by side."""

_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Embedded:
    """Unit vectors (texts, dimensions), and what they took when they were made.

    ``seconds`` is wall time; calls that were ``reused`` from the workspace took none of it. ``cost_usd`` is ``None``
    where a price is unknown. ``made`` is how many texts were embedded now, and not before.
    """

    vectors: Vectors
    seconds: float
    tokens: int
    cost_usd: float | None
    reused: int
    made: int


class Cache:
    """The folder ``retrieval`` of a workspace (a folder)."""

    def __init__(self, workspace: str | Path) -> None:
        self.folder = Path(workspace) / FOLDER

    def chunks(self, corpus: Corpus, spec: ChunkerSpec) -> tuple[Chunk, ...]:
        """The chunks of a corpus: their places are read, or made by `split` and written down."""
        path = self.folder / "chunks" / f"{digest([corpus.sha256, spec.identity])[:32]}.json"
        documents = corpus.documents
        if (kept := read_json(path)) is not None:
            return tuple(
                Chunk(chunk_id(documents[d].id, start, end), documents[d].id, documents[d].text[start:end], start, end)
                for d, start, end in kept["chunks"]
            )
        made = split(corpus, spec)
        numbers = {document.id: number for number, document in enumerate(documents)}
        spans = [[numbers[chunk.document], chunk.start, chunk.end] for chunk in made]
        write_bytes(path, orjson.dumps({"chunker": str(spec), "corpus": corpus.name, "chunks": spans}))
        return made

    async def vectors(self, embedder: Embedder, texts: Sequence[str]) -> Embedded:
        """Unit vectors of ``texts``: read, or made part by part. The same text is embedded once.

        Raises DataError where the embedder changes its dimensions, and whatever it raises itself.
        """
        unique = list(dict.fromkeys(texts))
        folder = self.folder / "embeddings" / digest([embedder.identity, unique])[:32]
        async with lock(folder):
            embedded = await _embedded(folder, embedder, unique)
        if len(unique) == len(texts):
            return embedded
        places = {text: place for place, text in enumerate(unique)}
        every = embedded.vectors[[places[text] for text in texts]]
        return Embedded(every, embedded.seconds, embedded.tokens, embedded.cost_usd, embedded.reused, embedded.made)

    def index(self, identity: Mapping[str, Any]) -> Path:
        """The folder of an index."""
        return self.folder / "indexes" / digest(identity)[:32]


def lock(folder: Path) -> asyncio.Lock:
    """One builder at a time for what is kept in ``folder``, within this process and event loop."""
    locks = _locks.setdefault(asyncio.get_running_loop(), {})
    return locks.setdefault(str(folder), asyncio.Lock())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all. Raises StoreError where it cannot be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}; what is there already is kept") from error


def read_json(path: Path) -> Any:
    """The JSON of a file; ``None`` where there is none, or none that is whole."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


def size_of(folder: Path) -> int:
    """Bytes of the files below ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def _embedded(folder: Path, embedder: Embedder, texts: Sequence[str]) -> Embedded:
    if (whole := _whole(folder, len(texts))) is not None:
        return whole
    from .embedders import checked, timed_embed, unit

    size = PART * getattr(embedder, "parallel", 1)
    parts: list[_Part] = []
    made = 0
    for number, start in enumerate(range(0, len(texts), size)):
        wanted, path = texts[start : start + size], folder / f"part-{number:06d}.npz"
        part = _Part.read(path, len(wanted))
        if part is None:
            usage = embedder.usage
            before, reused = (usage.tokens, usage.cost_usd, usage.unpriced), usage.reused
            raw, seconds = await timed_embed(embedder, wanted)
            dimensions = parts[0].vectors.shape[1] if parts else None
            vectors = unit(checked(raw, len(wanted), embedder.name, dimensions))
            tokens, cost_usd = usage.since(*before)
            part = _Part(vectors, seconds, tokens, cost_usd, usage.reused - reused)
            part.write(path)
            made += len(wanted)
        parts.append(part)
    if len({part.vectors.shape[1] for part in parts}) > 1:
        raise DataError(f"embedder {embedder.name!r} changed its dimensions half-way: delete {folder}")
    await asyncio.to_thread(_join, folder, embedder, parts)
    joined = _whole(folder, len(texts))
    if joined is None:
        raise StoreError(f"{folder}: was written and cannot be read back")
    return Embedded(joined.vectors, joined.seconds, joined.tokens, joined.cost_usd, joined.reused, made)


@dataclass(frozen=True)
class _Part:
    vectors: Vectors
    seconds: float
    tokens: int
    cost_usd: float | None
    reused: int

    def write(self, path: Path) -> None:
        buffer = io.BytesIO()
        cost = np.nan if self.cost_usd is None else self.cost_usd
        np.savez(buffer, vectors=self.vectors, took=np.array([self.seconds, self.tokens, cost, self.reused]))
        write_bytes(path, buffer.getvalue())

    @classmethod
    def read(cls, path: Path, texts: int) -> _Part | None:
        """``None`` for a part that is not there, or that a crash left in pieces."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
                vectors, (seconds, tokens, cost, reused) = held["vectors"], held["took"].tolist()
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        if len(vectors) != texts:
            return None
        return cls(vectors, seconds, int(tokens), None if np.isnan(cost) else cost, int(reused))


def _join(folder: Path, embedder: Embedder, parts: Sequence[_Part]) -> None:
    """All parts as one file, and what they took as another; the parts are no longer needed."""
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([part.vectors for part in parts]))
    write_bytes(folder / "vectors.npy", buffer.getvalue())
    costs = [part.cost_usd for part in parts]
    known = [cost for cost in costs if cost is not None]
    meta = {
        "embedder": embedder.identity,
        "seconds": sum(part.seconds for part in parts),
        "tokens": sum(part.tokens for part in parts),
        "cost_usd": sum(known) if len(known) == len(costs) else None,
        "reused": sum(part.reused for part in parts),
    }
    write_bytes(folder / "meta.json", orjson.dumps(meta))
    for path in folder.glob("part-*.npz"):
        path.unlink(missing_ok=True)


def _whole(folder: Path, texts: int) -> Embedded | None:
    meta = read_json(folder / "meta.json")
    if meta is None:
        return None
    try:
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    if len(vectors) != texts:
        return None
    return Embedded(vectors, meta["seconds"], meta["tokens"], meta["cost_usd"], meta["reused"], 0)

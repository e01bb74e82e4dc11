"""BM25, the lexical floor that every embedding must beat: an inverted index in numpy arrays.

    score(q, d) = sum over t in q of idf(t) tf (k1 + 1) / (tf + k1 (1 - b + b |d| / avg |d|))
    idf(t) = ln(1 + (N - n_t + 0.5) / (n_t + 0.5))

Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), section 3.4; the 1 inside the
logarithm keeps idf positive for words that most chunks have (Lucene does the same). k1 = 1.2 and b = 0.75 are the
customary values, and Lucene's; nothing is tuned. Words are runs of letters and digits in lower case, not stemmed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from .cache import write_bytes

Hits = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Positions, best first, and their scores."""
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Lower-case words of ``text``, compatibility forms unified (NFKC)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def best(scores: NDArray[np.float32], k: int, floor: float | None = None) -> Hits:
    """The ``k`` highest of ``scores`` (n,), equal ones in their order; only those above ``floor`` if there is one."""
    candidates = np.arange(len(scores)) if floor is None else np.flatnonzero(scores > floor)
    if len(candidates) > k:
        kept = scores[candidates]
        edge = np.partition(kept, len(kept) - k)[len(kept) - k]
        candidates = candidates[kept >= edge]
    order = np.argsort(-scores[candidates], kind="stable")[:k]
    return candidates[order], scores[candidates][order]


@dataclass(frozen=True)
class Bm25Index:
    """Word ``t`` adds ``weights[starts[t]:starts[t + 1]]`` to the chunks ``places[starts[t]:starts[t + 1]]``."""

    vocabulary: Mapping[str, int]
    starts: NDArray[np.int64]
    places: NDArray[np.int32]
    weights: NDArray[np.float32]
    size: int

    @classmethod
    def build(cls, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> Bm25Index:
        """The index of ``texts``."""
        vocabulary: dict[str, int] = {}
        counts = [Counter(vocabulary.setdefault(word, len(vocabulary)) for word in words(text)) for text in texts]
        postings = sum(len(count) for count in counts)
        terms = np.fromiter((term for count in counts for term in count), np.int64, postings)
        tf = np.fromiter((n for count in counts for n in count.values()), np.float64, postings)
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        places = np.repeat(np.arange(len(texts)), [len(count) for count in counts])
        having = np.bincount(terms, minlength=len(vocabulary))
        idf = np.log1p((len(texts) - having + 0.5) / (having + 0.5))
        norm = k1 * (1 - b + b * lengths / max(float(lengths.mean()), 1e-9))
        weights = idf[terms] * tf * (k1 + 1) / (tf + norm[places])
        order = np.argsort(terms, kind="stable")
        starts = np.concatenate([[0], np.cumsum(having)]).astype(np.int64)
        ordered = weights[order].astype(np.float32)
        return cls(vocabulary, starts, places[order].astype(np.int32), ordered, len(texts))

    def search(self, question: str, k: int) -> Hits:
        """The best ``k`` chunks; those that share no word with the question are not returned."""
        terms = [self.vocabulary[word] for word in words(question) if word in self.vocabulary]
        slices = [slice(self.starts[term], self.starts[term + 1]) for term in terms]
        if not slices:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        places = np.concatenate([self.places[s] for s in slices])
        weights = np.concatenate([self.weights[s] for s in slices])
        scores = np.bincount(places, weights, minlength=self.size).astype(np.float32)
        return best(scores, k, floor=0.0)

    def save(self, folder: Path) -> None:
        """Write it into ``folder``."""
        for name in ("starts", "places", "weights"):
            write_bytes(folder / f"{name}.bin", getattr(self, name).astype(_TYPES[name]).tobytes())
        write_bytes(folder / "words.json", orjson.dumps([self.size, list(self.vocabulary)]))

    @classmethod
    def load(cls, folder: Path) -> Bm25Index:
        """Read what `save` wrote."""
        size, vocabulary = orjson.loads((folder / "words.json").read_bytes())
        arrays = {name: np.fromfile(folder / f"{name}.bin", dtype) for name, dtype in _TYPES.items()}
        return cls(_numbered(vocabulary), size=size, **arrays)


_TYPES = {"starts": "<i8", "places": "<i4", "weights": "<f4"}


def _numbered(items: Iterable[str]) -> dict[str, int]:
    return {item: number for number, item in enumerate(items)}

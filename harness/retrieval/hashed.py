"""An embedder that needs nothing: words, pairs of words and character n-grams hashed into a fixed number of places.

Feature hashing with signs (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009, section 2):
every feature adds +w or -w to one place, so that collisions cancel on average. Word pieces as in fastText (Bojanowski
et al., Enriching Word Vectors with Subword Information, 2017, section 3.2). CRC-32 is the hash: the same everywhere.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bm25 import words
from .embedders import Spending, Vectors, unit

_VERSION = 1
_GRAMS = (3, 4, 5)
_PIECES_WEIGHT = 0.6
_PAIR_WEIGHT = 0.5
_KNOWN_WORDS = 200_000
"""Words whose features are kept in memory."""

Features = tuple[NDArray[np.int64], NDArray[np.float64]]


class HashedEmbedder:
    """``hashed/<dimensions>``: deterministic, without training, weights or corpus statistics."""

    parallel = 1

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.usage = Spending()
        self._words: dict[str, Features] = {}

    @property
    def name(self) -> str:
        """``hashed/<dimensions>``."""
        return f"hashed/{self.dimensions}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Dimensions, and the version of these features."""
        return {"embedder": "hashed", "dimensions": self.dimensions, "version": _VERSION}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (texts, dimensions); zero for a text without a word."""
        return await asyncio.to_thread(self._embed, texts)

    async def close(self) -> None:
        """Nothing to release."""

    def _embed(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            places, weights = self._features(words(text))
            if len(places):
                found[row] = np.bincount(places, weights, minlength=self.dimensions)
        self.usage.texts += len(texts)
        return unit(found)

    def _features(self, said: Sequence[str]) -> Features:
        """Places and weights of a text: a word that comes n times counts as sqrt(n), short words count less."""
        parts: list[Features] = []
        for word, count in Counter(said).items():
            places, weights = self._word(word)
            parts.append((places, weights * count**0.5))
        for (left, right), count in Counter(pairwise(said)).items():
            weight = _PAIR_WEIGHT * min(_importance(left), _importance(right))
            parts.append(self._hashed([f"{left} {right}"], weight * count**0.5))
        if not parts:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([p for p, _ in parts]), np.concatenate([w for _, w in parts])

    def _word(self, word: str) -> Features:
        known = self._words.get(word)
        if known is None:
            marked = f"<{word}>"
            grams = [marked[i : i + n] for n in _GRAMS for i in range(len(marked) - n + 1)]
            whole = self._hashed([word], _importance(word))
            # The pieces of a word weigh together what one word does, or long words would rule.
            pieces = self._hashed(grams, _PIECES_WEIGHT * _importance(word) / max(1, len(grams)) ** 0.5)
            known = np.concatenate([whole[0], pieces[0]]), np.concatenate([whole[1], pieces[1]])
            if len(self._words) < _KNOWN_WORDS:
                self._words[word] = known
        return known

    def _hashed(self, features: Sequence[str], weight: float) -> Features:
        codes = np.array([zlib.crc32(feature.encode()) for feature in features], dtype=np.int64)
        return codes % self.dimensions, np.where(codes >> 31, weight, -weight)


def _importance(word: str) -> float:
    """Without a corpus to count in, length stands in for rarity: `of` says less than `retriever`."""
    return min(1.0, len(word) / 6)

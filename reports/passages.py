"""Passages of the page: each once, whoever was shown it, within a limit; those beyond it by name only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIMIT = 2_000_000
"""Bytes of passages in one page."""


@dataclass
class Passages:
    """Collects passages; ``found`` are ``{"text"}``, or beyond the limit ``{"id", "length"}``, length in characters."""

    limit: int = LIMIT
    found: list[dict[str, Any]] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _size: int = 0

    def number(self, text: str, name: str = "") -> int:
        """Its number in ``found``; ``name`` is its id, or '' for one that goes by the hash of its text."""
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        if digest not in self._numbers:
            self._numbers[digest] = len(self.found)
            size = len(text.encode(errors="replace"))
            fits = self._size + size <= self.limit
            self._size += size * fits
            self.found.append({"text": text} if fits else {"id": name or digest[:12], "length": len(text)})
        return self._numbers[digest]

    def numbers(self, texts: Sequence[Any]) -> list[int]:
        """Of a sample's contexts."""
        return [self.number(text if isinstance(text, str) else str(text)) for text in texts]

    def retrieved(self, passages: Sequence[Any]) -> list[list[Any]]:
        """``[number, id, score]`` of what a retriever found."""
        found = []
        for passage in passages:
            given = passage if isinstance(passage, Mapping) else {"text": str(passage)}
            name = str(given.get("id") or "")
            found.append([self.number(str(given.get("text") or ""), name), name, given.get("score")])
        return found

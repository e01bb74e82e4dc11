"""Which samples a judge grades several times, where it does so for a share of them only."""

from __future__ import annotations

import hashlib


def repeats_of(sample_id: str, repeats: int, share: float) -> int:
    """How often the answers to a sample are graded: ``repeats`` times in about a ``share`` of samples, else once.

    A draw that depends on the id alone: the same in every run and for every judge, and a smaller share is part of a
    larger one.
    """
    return repeats if share >= 1 or _drawn(sample_id) < share else 1


def _drawn(sample_id: str) -> float:
    return int.from_bytes(hashlib.sha256(b"repeats\n" + sample_id.encode()).digest()[:8]) / 2**64

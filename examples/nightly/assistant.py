"""A stand-in for an assistant that answers a little differently each time, as models do. No key, no network.

NIGHT, where it is set, seeds what it draws, so that a night can be repeated.
"""

from __future__ import annotations

import os
import random
import re
from typing import Any


def answer(sample: Any) -> str:
    """Of the context's sentences that share most words with the question the first, now and then the second."""
    ranked = _ranked(sample)
    return ranked[0] if _drawn(sample) < 0.8 else ranked[1 % len(ranked)]


def answer_in_a_hurry(sample: Any) -> str:
    """The same after a change that did it no good: the regression of this example."""
    return answer(sample) if _drawn(sample) < 0.6 else "I do not know."


def _ranked(sample: Any) -> list[str]:
    asked = _words(sample.question)
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(sample.context))
    return sorted(sentences, key=lambda sentence: -len(asked & _words(sentence)))


def _drawn(sample: Any) -> float:
    night = os.environ.get("NIGHT")
    draws = random.Random(f"{night} {sample.question}") if night else random.Random()  # noqa: S311 - no secret
    return draws.random()


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}

"""Scores that other tools write as letters, words or truth values, as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

WORDS: tuple[Mapping[str, float], ...] = (
    {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0},
    {"yes": 1.0, "no": 0.0},
    {"true": 1.0, "false": 0.0},
    {"pass": 1.0, "fail": 0.0},
)
"""Inspect's correct, partial, incorrect, no answer; MLflow's yes and no; what spreadsheets hold."""


def words_of(values: Iterable[Any]) -> Mapping[str, float]:
    """The words that these scores are written in; empty where they are none that we know.

    Single letters mean something only together: one that is no grade of Inspect's makes them all unreadable.
    """
    texts = {value.strip() for value in values if isinstance(value, str)} - {""}
    for words in WORDS:
        read = {text for text in texts if _word(text, words) is not None}
        letters = {text for text in texts if len(text) == 1 and not text.isdigit()}
        if read and (len(next(iter(words))) > 1 or letters <= read):
            return words
    return {}


def number_of(value: Any, words: Mapping[str, float]) -> float | None:
    """The score as a finite number; ``None`` where it is none."""
    if isinstance(value, str):
        word = _word(value.strip(), words)
        if word is not None:
            return word
    elif not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def is_absent(value: Any) -> bool:
    """Whether nothing was written where a score could be."""
    return value is None or (isinstance(value, str) and not value.strip())


def _word(text: str, words: Mapping[str, float]) -> float | None:
    return words.get(text) if len(text) == 1 else words.get(text.lower())

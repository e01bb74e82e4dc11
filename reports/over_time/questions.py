"""What was asked: how long, in which words, scripts and tags, and how much of it is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import name as unicode_name

import orjson

from ...harness.store.frames import RunData
from ...harness.text import words
from .bags import bags_of
from .records import Subject
from .tracks import Column, Mixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LENGTH, NEW = "words of a question", "words not asked before"
MIX, TAGS, SCRIPTS = "words", "tags", "scripts"
_READ = 2_000
"""Characters of a question whose script is looked at."""


def question_columns(data: RunData) -> Iterator[Column | Mixed]:
    """Of the questions that have a text; tags and scripts where there are several."""
    import numpy as np

    texts = [str(text) for text in data.samples["question"]]
    there = np.array([bool(text) for text in texts])
    if there.any():
        asked = [words(text) for text in texts]
        lengths = np.where(there, np.array([len(own) for own in asked], dtype=float), np.nan)
        yield Column(Subject("questions", "", "", LENGTH, "amount", "words"), lengths)
        yield Mixed(Subject("questions", "", "", MIX, "mix"), bags_of(asked), there, NEW)
        scripts = bags_of([[script_of(text)] if text else [] for text in texts])
        if len(scripts.names) > 1:
            yield Mixed(Subject("questions", "", "", SCRIPTS, "mix"), scripts, there)
    tags = bags_of(tags_of(data))
    if len(tags.names) > 1:
        yield Mixed(Subject("questions", "", "", TAGS, "mix"), tags, np.ones(len(texts), dtype=bool))


def tags_of(data: RunData) -> list[list[str]]:
    """The tags of each sample."""
    return [list(map(str, orjson.loads(text or "[]"))) for text in data.samples["tags"]]


def script_of(text: str) -> str:
    """The script of most of its letters by the names of Unicode: ``latin``, ``cyrillic``, ``cjk``; `none` without one.

    >>> script_of("Сколько стоит?")
    'cyrillic'
    """
    text = text[:_READ]
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "none"
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    return counts.most_common(1)[0][0] if counts else "none"


@cache
def _script(letter: str) -> str:
    return unicode_name(letter, "other").split()[0].split("-")[0].lower()

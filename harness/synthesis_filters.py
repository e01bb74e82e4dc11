"""What is wrong with a drafted question: it leaks, cannot be answered, points at its source, or was asked before.

Rules only, for English; each names its reason, and a person has the last word over all of them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .synthesis_sources import HEADINGS, Draft
from .text import is_refusal, normalise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIMILAR = 0.6
"""Jaccard similarity of word shingles from which two questions count as one."""
SHINGLE = 2
_COPIED = 8
"""Words in a row that a question may not share with its source."""
_GIVEN = 0.8
"""Share of the answer's words that the question may not hold."""
_GROUNDED = 0.5
"""Share of the answer's words that must occur in the source."""
_BANDS, _ROWS = 24, 3
_PRIME = (1 << 31) - 1
_POINTS = re.compile(
    r"\b(?:(?:this|the|given|above|following|provided) (?:passage|text|document|article|page|section|excerpt|author|"
    r"paragraph|chapter|source|snippet)s?|according to (?:the|this) |(?:mentioned|described|stated|discussed|given) "
    r"(?:above|below|here|in the)|the (?:figure|table|example) (?:above|below|shows?))",
    re.IGNORECASE,
)
_COMMON = frozenset(
    "of to in is are was were be been it its this that these those and or not for with as by on at from what which "
    "who whom whose when where why how does do did can could should would may might must will if then than there "
    "their they has have had into out over under between about one two you we i he she his her our your no yes more "
    "most such".split()
)


def checked(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with all their problems: each one's own, then that it repeats an earlier one which has none."""
    own = [draft if draft.problems else replace(draft, problems=tuple(problems_of(draft))) for draft in drafts]
    good = [i for i, draft in enumerate(own) if not draft.problems]
    repeats = near_duplicates([_compared(own[i]) for i in good])
    for later, earlier in repeats.items():
        text = f"near-duplicate of the question {own[good[earlier]].question!r}"
        own[good[later]] = replace(own[good[later]], problems=(text,))
    return own


def _compared(draft: Draft) -> str:
    """Questions from headings share the words around the heading: there, the answers are compared."""
    return draft.reference if draft.made_by == HEADINGS else draft.question


def problems_of(draft: Draft) -> Iterable[str]:
    """What is wrong with one draft by itself, in words."""
    question, answer, source = (normalise(text) for text in (draft.question, draft.reference, draft.source.text))
    if not question or not answer:
        yield "the question or the answer is empty"
        return
    if draft.made_by != HEADINGS and is_refusal(draft.reference):
        yield "unanswerable: the answer says that it is not known"
    if found := _POINTS.search(draft.question):
        yield f"points at its source ({found[0].strip()!r}): cannot be understood without it"
    if draft.quote and normalise(draft.quote) not in source:
        yield "unanswerable: its quotation does not stand in the source"
    told = _content(answer)
    if told and len(told & set(source.split())) < _GROUNDED * len(told):
        yield "unanswerable: less than half of the answer's words occur in the source"
    if draft.made_by == HEADINGS:
        return  # a heading's words are in the source by nature
    if told and len(told & set(question.split())) >= _GIVEN * len(told):
        yield "leaks: the question holds the answer"
    if _copies(question, source):
        yield f"leaks: {_COPIED} words in a row are copied from the source, so that word search alone finds it"


def near_duplicates(texts: Sequence[str], similar: float = SIMILAR) -> dict[int, int]:
    """Position of a text -> position of an earlier one that is as good as the same (and is itself no repetition).

    MinHash over shingles of words (Broder 1997), 24 bands of 3 rows to find the pairs, whose Jaccard similarity is then
    computed exactly: a pair at 0.6 is seen with a probability of 0.997.
    """
    shingles = [_shingles(text) for text in texts]
    seen: dict[tuple[int, ...], list[int]] = {}
    found: dict[int, int] = {}
    for i, signature in enumerate(_signatures(shingles)):
        bands = [(band, *signature[band * _ROWS : (band + 1) * _ROWS].tolist()) for band in range(_BANDS)]
        near = sorted({j for band in bands for j in seen.get(band, ())})
        same = next((j for j in near if _jaccard(shingles[i], shingles[j]) >= similar), None)
        if same is not None:
            found[i] = same
            continue
        for band in bands:
            seen.setdefault(band, []).append(i)
    return found


def _shingles(text: str) -> frozenset[int]:
    """Hashes (CRC-32, the same everywhere) of runs of words."""
    words = normalise(text).split()
    runs = [" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))]
    return frozenset(zlib.crc32(run.encode()) for run in runs)


def _signatures(shingles: Sequence[frozenset[int]]) -> list[NDArray[np.int64]]:
    import numpy as np

    rng = np.random.default_rng(0)
    a = rng.integers(1, _PRIME, size=_BANDS * _ROWS, dtype=np.int64)
    b = rng.integers(0, _PRIME, size=_BANDS * _ROWS, dtype=np.int64)
    found = []
    for one in shingles:
        values = np.fromiter(one, dtype=np.int64, count=len(one)) % _PRIME
        found.append(((values[:, None] * a + b) % _PRIME).min(axis=0))
    return found


def _jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def _content(text: str) -> set[str]:
    return {word for word in text.split() if word not in _COMMON}


def _copies(question: str, source: str) -> bool:
    words = question.split()
    return any(f" {' '.join(words[i : i + _COPIED])} " in f" {source} " for i in range(len(words) - _COPIED + 1))

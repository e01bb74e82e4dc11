"""What word counts can say about an English answer beside its sources: coverage, backing, numbers, style. No model.

Content words are lower-cased, without stop words, cut to crude stems. Words of the question count for nothing: whoever
echoes it has said nothing yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ..harness.text import sentences

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")
_SUFFIX = re.compile(r"(?<=...)(?:ations?|ings?|ies|ied|edly|ed|ly|es|s|e)$")
_STOP_WORDS = frozenset(
    """a about above after again against all also am an and any are as at be been before being below between both but by
    can could did do does down during each either few for from further had has have having he her here him his how i if
    in into is it its itself just least less many may me might more most much must my neither no nor not of off on once
    one only or other our out over own same shall she should so some such than that the their them themselves then there
    these they this those through to too two under until up us very was we were what when where which while who whom
    whose why will with would you your""".split()
)
_NEAR = 3
"""Content words this far apart are neighbours."""
_PASTED_WORDS = 6
"""A run of words this long that stands in a passage was copied from it."""


@dataclass(frozen=True, slots=True)
class Backing:
    """How an answer relates to a source; shares in [0, 1].

    ``coverage``: of the source's content words, the share that the answer has. ``backed``: of the answer's, the share
    that the source has. ``relations``: of the answer's pairs of neighbouring content words, the share that are
    neighbours in the source too; words in another relation (swapped, negated, invented) break pairs.
    """

    coverage: float
    backed: float
    relations: float


@dataclass(frozen=True, slots=True)
class Style:
    """How an answer is written: shares in [0, 1], ``sentence_words`` words per sentence."""

    words: int
    repeated: float
    doubled: float
    commas: float
    sentence_words: float
    unstarted: float


@lru_cache(maxsize=4096)
def stems(text: str) -> tuple[str, ...]:
    """The stems of the content words of ``text``, in order; numbers as they are."""
    return tuple(
        _SUFFIX.sub("", word) if not word[0].isdigit() else word
        for word in _TOKEN.findall(text.lower())
        if word not in _STOP_WORDS
    )


def backing(answer: str, source: Sequence[str], question: str) -> Backing:
    """``answer`` against the texts of ``source``, leaving the words of ``question`` out of both."""
    asked = set(stems(question))
    said = stems(answer)
    new = set(said) - asked
    told = [stems(text) for text in source]
    known = {stem for text in told for stem in text}
    wanted = known - asked or known
    pairs = {pair for pair in _neighbours(said) if not asked.issuperset(pair)}
    return Backing(
        _share(len(wanted & set(said)), len(wanted)),
        _share(len(new & known), len(new)),
        _share(len(pairs & set().union(*map(_neighbours, told))), len(pairs)),
    )


def unfounded_numbers(answer: str, sources: Iterable[str]) -> list[str]:
    """Numbers of the answer that stand in none of the sources, in order, each once."""
    known = {stem for text in sources for stem in stems(text)}
    said = dict.fromkeys(stem for stem in stems(answer) if stem[0].isdigit())
    return [number for number in said if number not in known]


def pasted(answer: str, passages: Sequence[str]) -> float:
    """The share of the answer's words that stand in runs copied from the passages, word for word."""
    words = _words(answer)
    copied = [False] * len(words)
    runs = {run for passage in passages for run in _runs(_words(passage))}
    for at, run in enumerate(_runs(words)):
        if run in runs:
            copied[at : at + _PASTED_WORDS] = [True] * _PASTED_WORDS
    return _share(sum(copied), len(words))


def style(answer: str) -> Style:
    """The figures of readability: repetition, commas, long sentences, sentences that start in the middle."""
    words = _words(answer)
    content = [word for word in words if word not in _STOP_WORDS]
    parts = sentences(answer)
    starts = sum(part[0].islower() for part in parts)
    return Style(
        len(words),
        1 - len(set(content)) / len(content) if content else 0.0,
        _share(sum(first == second for first, second in pairwise(words)), len(words)),
        _share(answer.count(","), len(words)),
        _share(len(words), len(parts)),
        _share(starts, len(parts)),
    )


def sentence_support(answer: str, passages: Sequence[str], question: str) -> list[float]:
    """For each sentence of the answer that says something new, the share of its content words found in the passages."""
    asked, known = set(stems(question)), {stem for passage in passages for stem in stems(passage)}
    new = [set(stems(sentence)) - asked for sentence in sentences(answer)]
    return [_share(len(words & known), len(words)) for words in new if words]


def _words(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + _PASTED_WORDS]) for at in range(len(words) - _PASTED_WORDS + 1)]


@lru_cache(maxsize=4096)
def _neighbours(text: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (first, second) for at, first in enumerate(text) for second in text[at + 1 : at + 1 + _NEAR] if first != second
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0

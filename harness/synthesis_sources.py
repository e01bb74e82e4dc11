"""Passages to write questions from: sections of documents, every document in its turn; and questions from headings."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .retrieval.corpus import Corpus, Document
from .text import sentences

HEADINGS = "headings"
"""Who made a draft without a model."""
SHORTEST, LONGEST = 200, 2400
"""Characters of a passage: less says too little to ask about, more is cut at a paragraph."""
_REFERENCE = 600
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BREAK = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Source:
    """A passage: ``text`` is the document's from ``start`` to ``end``. ``heading`` is '' where it stands under none."""

    document: str
    title: str
    heading: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A question with its reference, written from ``source``; ``quote`` are its words that give the answer.

    ``problems`` say why it should not be kept as it is; ``made_by`` is the model, or ``headings``.
    """

    source: Source
    question: str
    reference: str
    quote: str
    made_by: str
    problems: tuple[str, ...] = field(default=())


def choose_sources(corpus: Corpus, count: int, seed: int) -> list[Source]:
    """At most ``count`` passages, dealt out document by document, so that long ones get no more than others.

    The order of the documents and of the passages within one is drawn with ``seed``; a larger ``count`` adds to what a
    smaller one chose.
    """
    rng = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    hands = []
    for document in corpus.documents:
        found = list(sections(document))
        rng.shuffle(found)
        hands.append(found)
    rng.shuffle(hands)
    rounds = max((len(hand) for hand in hands), default=0)
    dealt = [hand[number] for number in range(rounds) for hand in hands if number < len(hand)]
    return dealt[:count]


def sections(document: Document) -> Iterator[Source]:
    """The document's passages: what stands under each heading, without it; long ones cut between paragraphs."""
    title = document.title
    for heading, level, start, end in _headed(document.text):
        if level == 1 and not title:
            title = heading
        for begin, stop in _cut(document.text, start, end):
            if stop - begin >= SHORTEST:
                text = document.text[begin:stop]
                yield Source(document.id, title or _readable(document.id), heading, text, begin, stop)


def from_heading(source: Source) -> Draft:
    """A question about the heading of a passage, answered by its first sentences: no model, the same each time."""
    about, title = source.heading, source.title
    if about.endswith("?"):
        question = about if title.lower() in about.lower() else f"{title}: {about}"
    elif about and about != title:
        question = f"What should one know about “{about}” in the context of “{title}”?"
    else:
        question = f"What is meant by “{title}”, and what matters about it?"
    taken: list[str] = []
    for sentence in sentences(source.text):
        if taken and sum(map(len, taken)) + len(sentence) > _REFERENCE:
            break
        taken.append(sentence)
        if len(taken) == 3:
            break
    return Draft(source, question, " ".join(taken), taken[0] if taken else "", HEADINGS)


def _headed(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Heading, its level (0 for none), and where what follows it starts and ends. A mark in code is no heading."""
    heading, level, start, at, fence = "", 0, 0, 0, ""
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        elif not fence and (found := _HEADING.match(line.rstrip("\n"))):
            yield heading, level, start, at
            heading, level, start = found[2].strip(), len(found[1]), at + len(line)
        at += len(line)
    yield heading, level, start, at


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of whole paragraphs, as long as fit; a paragraph that is longer by itself stays whole."""
    begin = stop = -1
    for first, last in _paragraphs(text, start, end):
        if begin >= 0 and last - begin > LONGEST:
            yield begin, stop
            begin = -1
        begin, stop = (first if begin < 0 else begin), last
    if begin >= 0:
        yield begin, stop


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for match in [*_BREAK.finditer(text, start, end), None]:
        stop = match.start() if match else end
        piece = text[at:stop]
        if piece.strip():
            yield at + len(piece) - len(piece.lstrip()), at + len(piece.rstrip())
        at = match.end() if match else end


def _readable(identifier: str) -> str:
    """``guide/test-set-contamination`` -> ``test set contamination``."""
    return identifier.rsplit("/", 1)[-1].replace("-", " ").replace("_", " ")


def documents_of(sources: Sequence[Source]) -> int:
    """How many documents the passages come from."""
    return len({source.document for source in sources})

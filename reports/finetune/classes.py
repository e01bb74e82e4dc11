"""At most so many answers of a class, drawn by a seed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from .records import LABEL, SCORE, TAG, Example, Options, Source

UNSCORED, UNLABELLED, OTHER = "unscored", "unlabelled", "other"


def class_of(example: Example, options: Options, source: Source | None) -> str:
    """The class of an answer: the level that its score is nearest to (a measure's value as it is), the level that
    people gave, or a tag. ``tag:NAME`` makes a class of each value of tags like ``NAME=value`` and ``NAME:value``, and
    of the samples that bear the plain tag."""
    graded = example.graded
    if options.class_of == SCORE:
        return UNSCORED if graded.score is None else _level(graded.score, source)
    if options.class_of == LABEL:
        return UNLABELLED if not graded.labelled or graded.score is None else _level(graded.score, source)
    name = options.class_of.removeprefix(TAG)
    return next((tag for tag in example.asked.sample.tags if tag == name or _valued(tag, name)), OTHER)


def _valued(tag: str, name: str) -> bool:
    return tag.startswith((f"{name}=", f"{name}:"))


def _level(score: float, source: Source | None) -> str:
    return f"{math.floor(score + 0.5)}" if source is not None and source.judge is not None else f"{score:.3g}"


def drawn(examples: Sequence[Example], classes: Sequence[str], most: int, seed: int) -> list[bool]:
    """Whether each answer is taken: of every class those with the ``most`` smallest hashes of seed and answer, so that
    answers which are added later change the choice as little as can be."""
    members: dict[str, list[tuple[str, int]]] = {}
    for i, name in enumerate(classes):
        members.setdefault(name, []).append((_ticket(examples[i], seed), i))
    taken = {i for found in members.values() for _, i in sorted(found)[:most]}
    return [i in taken for i in range(len(examples))]


def _ticket(example: Example, seed: int) -> str:
    answer = example.asked.answer
    words = (str(seed), answer.sample_id, answer.candidate, str(answer.trial), example.asked.sha256)
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()

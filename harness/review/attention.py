"""Attention items: an answer to another question, put under a question. Who reads sees it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError
from ..text import normalise
from .records import Item
from .units import Answers, Unit

if TYPE_CHECKING:
    import numpy as np

    from ..store.frames import RunData

_LEAST_WORDS = 5
"""A shorter answer ("yes", "I do not know") may fit any question."""
_TRIED = 50
"""Answers among which the least fitting one is taken."""


def attention_items(
    data: RunData,
    by_sample: Mapping[str, Sequence[Unit]],
    answers: Answers,
    wish: tuple[int, int],
    chance: np.random.Generator,
) -> list[Item]:
    """Items that expect the lowest score, or that the real answer wins; ``wish``: how many, and the lowest score.

    The foreign answer is the same candidate's, of another document where there is one, and shares few words with the
    question and the real answer. Raises InputError where the run has too few answers for that.
    """
    n, lowest = wish
    clusters = dict(zip(data.samples["sample_id"], data.samples["cluster"], strict=True))
    asked = dict(zip(data.samples["sample_id"], data.samples["question"], strict=True))
    units = [unit for own in by_sample.values() for unit in own]
    long = _long(answers)
    found: list[Item] = []
    for i in chance.permutation(len(units)):
        if len(found) == n:
            break
        unit = units[i]
        foreign = int(chance.integers(len(unit.sides)))
        texts = long.get((unit.sides[foreign], unit.trial), {})
        others = _elsewhere(unit, _text(answers, unit, unit.sides[foreign]), texts, clusters)
        if others:
            tried = [others[j] for j in chance.permutation(len(others))[:_TRIED]]
            known = _words(" ".join([str(asked[unit.sample_id]), *(_text(answers, unit, side) for side in unit.sides)]))
            least = min(tried, key=lambda sample: _overlap(texts[sample], known))
            found.append(_item(unit, foreign, least, answers, lowest))
    if len(found) < n:
        raise InputError(
            f"--attention {n}: run {data.info.id} has answers for {len(found)} such items (the answer to another "
            f"question, of {_LEAST_WORDS} words or more); ask for fewer"
        )
    return found


def _long(answers: Answers) -> dict[tuple[str, int], dict[str, str]]:
    """Candidate and trial -> sample -> its answer, where that is long enough to be out of place elsewhere."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for (sample, candidate, trial), given in answers.items():
        if len(given.text.split()) >= _LEAST_WORDS:
            found.setdefault((candidate, trial), {})[sample] = given.text
    return found


def _elsewhere(unit: Unit, own: str, texts: Mapping[str, str], clusters: Mapping[str, str]) -> list[str]:
    """Samples with another answer: those of other documents, where there are some."""
    found = [sample for sample, text in texts.items() if sample != unit.sample_id and text != own]
    return [sample for sample in found if clusters[sample] != clusters[unit.sample_id]] or found


def _text(answers: Answers, unit: Unit, side: str) -> str:
    return answers[unit.sample_id, side, unit.trial].text


def _words(text: str) -> frozenset[str]:
    return frozenset(normalise(text).split())


def _overlap(text: str, known: frozenset[str]) -> float:
    words = _words(text)
    return len(words & known) / max(1, len(words))


def _item(unit: Unit, foreign: int, other: str, answers: Answers, lowest: int) -> Item:
    samples = [other if i == foreign else unit.sample_id for i in range(len(unit.sides))]
    hashes = [answers[sample, side, unit.trial].sha256 for sample, side in zip(samples, unit.sides, strict=True)]
    expected = ("right", "left")[foreign] if unit.right else str(lowest)
    place = (unit.sample_id, unit.left, unit.right, unit.trial)
    return Item("", 0, *place, ":".join(hashes), attention=expected, answer_of=other)

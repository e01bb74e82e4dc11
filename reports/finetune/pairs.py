"""Preference pairs: two answers of one run to one sample, of which a score or a rater says that one is better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from ...harness.store.frames import Place, RunData
from .records import Example, Options, Pair, Source

_THIRD = 1 / 3


def margin_of(options: Options, source: Source | None) -> float:
    """How much better the better one must be: as the user says, else a third of the scale (of 1 without one)."""
    if options.pair_margin is not None:
        return options.pair_margin
    low, high = (source.scale if source else None) or (0.0, 1.0)
    return (high - low) * _THIRD


def by_score(readable: Iterable[Example], good: frozenset[tuple[str, str, str, int]], margin: float) -> Iterator[Pair]:
    """Pairs of answers whose scores are ``margin`` or more apart, the better one among the ``good``."""
    for answers in _by_sample(readable).values():
        for chosen, rejected in permutations(answers, 2):
            better, worse = chosen.graded.score, rejected.graded.score
            if chosen.place in good and better is not None and worse is not None and better - worse >= margin - 1e-9:
                yield Pair(chosen, rejected, f"{better - worse:.6g}")


def decided(data: RunData) -> Iterator[tuple[Place, Place, str]]:
    """Better answer, worse one and rater, where every verdict of a pairwise judge on the two is the same and both
    orders were shown."""
    keys = ["sample_id", "left", "right", "trial", "rater"]
    places: Any = data.preferences.groupby(keys, sort=False, observed=True)
    for (sample, left, right, trial, rater), rows in places:
        winners: set[Any] = set(rows["winner"])
        if len(winners) == 1 and winners <= {"left", "right"} and rows["shown_order"].nunique() > 1:
            sides = (left, right) if winners == {"left"} else (right, left)
            better, worse = ((str(sample), str(name), int(trial)) for name in sides)
            yield better, worse, str(rater)


def by_raters(
    verdicts: Iterable[tuple[Place, Place, str]],
    readable: Mapping[Place, Example],
    good: frozenset[tuple[str, str, str, int]],
) -> Iterator[Pair]:
    """Pairs that raters decided, the better one among the ``good``."""
    for better, worse, rater in verdicts:
        chosen, rejected = readable.get(better), readable.get(worse)
        if chosen is not None and rejected is not None and chosen.place in good:
            yield Pair(chosen, rejected, rater)


def once(pairs: Iterable[Pair], options: Options) -> list[Pair]:
    """Every two texts of a sample once, and no text against itself. What raters disagree on is left out.

    NVIDIA's form of a pair has no place for calls: those with any are left out there.
    """
    found: dict[tuple[str, ...], Pair] = {}
    for pair in pairs:
        if options.format == "nemo" and any(one.said and one.said.tool_calls for one in (pair.chosen, pair.rejected)):
            continue
        found.setdefault(_key(pair.chosen, pair.rejected), pair)
    return [pair for key, pair in found.items() if _turned(key) not in found]


def _key(chosen: Example, rejected: Example) -> tuple[str, ...]:
    sample = chosen.asked.sample
    return (sample.id, sample.sha256, *(_content(one) for one in (chosen, rejected)))


def _content(example: Example) -> str:
    said = example.said
    return "\0".join((example.asked.sha256, *(f"{c.name}({c.arguments})" for c in (said.tool_calls if said else ()))))


def _turned(key: Sequence[str]) -> tuple[str, ...]:
    return (*key[:-2], key[-1], key[-2])


def _by_sample(examples: Iterable[Example]) -> dict[tuple[str, str], list[Example]]:
    found: dict[tuple[str, str], list[Example]] = {}
    for example in examples:
        found.setdefault((example.run, example.asked.sample.id), []).append(example)
    return found

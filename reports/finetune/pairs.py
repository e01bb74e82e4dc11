"""Preference pairs: two answers of one run to one sample, of which a score or a rater says that one is better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from ...harness.review.records import Item, Rating, Review
from ...harness.store.frames import Place, RunData
from .records import Example, Options, Pair, Source

Verdict = tuple[Place, Place, str]
"""The better answer, the worse one, and who says so."""
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


def verdicts_of(data: RunData) -> Iterator[Verdict]:
    """Where every verdict of a pairwise judge on two answers is the same, and both orders were shown."""
    keys = ["sample_id", "left", "right", "trial", "rater"]
    places: Any = data.preferences.groupby(keys, sort=False, observed=True)
    for (sample, left, right, trial, rater), rows in places:
        if rows["winner"].nunique() == 1 and rows["shown_order"].nunique() > 1:
            yield from _won(str(rows["winner"].iloc[0]), (str(sample), int(trial)), (str(left), str(right)), str(rater))


def verdicts_of_people(
    review: Review, items: Iterable[Item], ratings: Iterable[Rating], hashes: Mapping[Place, str]
) -> Iterator[Verdict]:
    """Where all raters of a review prefer the same answer of two, its adjudication before all else. ``hashes`` are
    those of the answers by now: a verdict holds for the texts that were read."""
    said: dict[str, dict[int, set[str]]] = {}
    for rating in ratings:
        said.setdefault(rating.item, {}).setdefault(rating.round, set()).add(rating.winner or "")
    for item in items:
        rounds = said.get(item.id)
        if item.attention or not rounds:
            continue
        names = (item.left, item.right)
        if item.sha256 == ":".join(hashes.get((item.sample_id, name, item.trial), "") for name in names):
            winners = rounds[max(rounds)]
            winner = min(winners) if len(winners) == 1 else ""
            yield from _won(winner, (item.sample_id, item.trial), names, f"review {review.name}")


def _won(winner: str, place: tuple[str, int], names: tuple[str, str], rater: str) -> Iterator[Verdict]:
    if winner in ("left", "right"):
        sample, trial = place
        better, worse = names if winner == "left" else names[::-1]
        yield (sample, better, trial), (sample, worse, trial), rater


def by_raters(
    verdicts: Iterable[Verdict], readable: Mapping[Place, Example], good: frozenset[tuple[str, str, str, int]]
) -> Iterator[Pair]:
    """Pairs that raters decided, the better one among the ``good``."""
    for better, worse, rater in verdicts:
        chosen, rejected = readable.get(better), readable.get(worse)
        if chosen is not None and rejected is not None and chosen.place in good:
            yield Pair(chosen, rejected, rater)


def once(pairs: Iterable[Pair]) -> list[Pair]:
    """Every two texts of a sample once, and no text against itself. What raters disagree on is left out."""
    found: dict[tuple[str, ...], Pair] = {}
    for pair in pairs:
        found.setdefault(_key(pair.chosen, pair.rejected), pair)
    return [pair for key, pair in found.items() if _turned(key) not in found]


def has_calls(pair: Pair) -> bool:
    """Whether one of the two answers calls a function."""
    return any(one.said is not None and one.said.tool_calls for one in (pair.chosen, pair.rejected))


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

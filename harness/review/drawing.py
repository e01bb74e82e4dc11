"""Which answers people are asked about: drawn by a seed, so that what they say stands for the answers that they did not
see (Särndal, Swensson, Wretman 1992, chapter 3: simple random and stratified sampling).

Questions are drawn, and with each of them every candidate's answer: only where people saw both answers to a question
can a difference between candidates be corrected. Strata are strata of questions for that reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import InputError
from ..keys import digest
from ..records import Design
from .attention import attention_items
from .judged import judge_scores, span_of, spreads
from .records import Item, Mode
from .strata import bands, named
from .units import Answers, Unit, answers_of, units_of

if TYPE_CHECKING:
    import numpy as np

    from ..store.frames import RunData

How = Literal["random", "candidate", "score", "disagreement"]
LEAST = 5
"""Questions that a stratum has, and is asked about, at the least."""
_WHOLE_LEVELS = 10
"""Scales up to this length are cut between their levels, longer ones into tenths."""
_QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Wish:
    """What to draw: ``n`` items (all where there are fewer) and ``attention`` items beside them.

    ``name``: the review's, part of the items' ids. ``judge``: by whose scores, for ``how`` `score`. ``lowest``: the
    lowest score of the rubric, which an attention item should get.
    """

    name: str
    mode: Mode
    n: int
    how: How = "random"
    seed: int = 0
    attention: int = 0
    judge: str = ""
    lowest: int = 0


class Drawn(NamedTuple):
    """Items by position, in random order; the design of the draw; stratum -> its share of its candidate's answers."""

    items: list[Item]
    design: Design
    shares: dict[str, float]


class _Hand(NamedTuple):
    """What is drawn together: the units of a question, and which stratum of their groups they belong to."""

    stratum: str
    units: list[Unit]


def draw(data: RunData, wish: Wish) -> Drawn:
    """Draw the items of a review from a run. The same run, wish and seed give the same items.

    `random`: questions at random. `candidate`: for each candidate (or pair) questions of its own. `score`: questions in
    strata by the judge's scores, as many from each, so that rare grades are seen more often. `disagreement`: likewise
    by how far the grades of an answer lie apart. An answer that no judge scored cannot be drawn by scores. Raises
    InputError where there is nothing to draw.
    """
    import numpy as np

    _check(wish)
    chance = np.random.default_rng(wish.seed)
    answers = answers_of(data)
    by_sample = units_of(data, answers, wish.mode, chance)
    decks = _decks(data, wish, by_sample)
    chosen = _dealt(decks, wish.n, chance)
    shares = {} if wish.how == "random" else _shares([hand for deck in decks for hand in deck])
    items = [_item(unit, _stratum(hand, unit, wish), answers) for hand, unit in chosen]
    drawn = {item.sample_id for item in items}
    unseen = {sample: units for sample, units in by_sample.items() if sample not in drawn}
    asked = unseen if len(unseen) >= wish.attention else by_sample
    tests = attention_items(data, asked, answers, (wish.attention, wish.lowest), chance)
    return Drawn(_placed([*items, *tests], data.info.id, wish, chance), "stratified" if shares else "random", shares)


def _check(wish: Wish) -> None:
    if wish.n < 1:
        raise InputError(f"--n {wish.n}: must be 1 or more")
    if wish.attention < 0 or wish.seed < 0:
        name, value = ("attention", wish.attention) if wish.attention < 0 else ("seed", wish.seed)
        raise InputError(f"--{name} {value}: must be 0 or more")


def _decks(data: RunData, wish: Wish, by_sample: Mapping[str, list[Unit]]) -> list[list[_Hand]]:
    """The strata, each with everything that is in it."""
    if wish.how == "random":
        return [[_Hand("", units) for units in by_sample.values()]]
    if wish.how == "candidate":
        every = [unit for units in by_sample.values() for unit in units]
        groups = dict.fromkeys(unit.group for unit in every)
        return [[_Hand("", [unit]) for unit in every if unit.group == group] for group in groups]
    values, step = _values(data, wish, by_sample)
    judged = {sample: [unit for unit in units if unit in values] for sample, units in by_sample.items()}
    levels = {
        sample: round(float(sum(values[unit] for unit in units)) / len(units) / step)
        for sample, units in judged.items()
        if units
    }
    if not levels:
        raise InputError(f"--design {wish.how}: none of the answers to draw from has a score; draw at random")
    per_question = max(len(units) for units in judged.values())
    found = bands(list(levels.values()), most=max(1, wish.n // per_question // LEAST), least=LEAST)
    return [
        [_Hand(named(band, step), judged[sample]) for sample, level in levels.items() if band[0] <= level <= band[1]]
        for band in found
    ]


def _values(data: RunData, wish: Wish, by_sample: Mapping[str, list[Unit]]) -> tuple[dict[Unit, float], float]:
    """What units are told apart by, and how wide a level of it is: of two answers how far their scores lie apart, or
    the wider spread."""
    disagree = wish.how == "disagreement"
    known = spreads(data) if disagree else judge_scores(data, wish.judge)
    span = 1.0 if disagree else span_of(data, wish.judge)
    found = {}
    for unit in (unit for units in by_sample.values() for unit in units):
        own = [known.get((unit.sample_id, side, unit.trial)) for side in unit.sides]
        there = [value for value in own if value is not None]
        if len(there) == len(own):
            apart = max(there) - min(there)
            found[unit] = max(there) if disagree or not unit.right else apart
    step = span / _QUARTERS if disagree else 1.0 if 1 <= span <= _WHOLE_LEVELS else span / _WHOLE_LEVELS
    return found, step


def _dealt(decks: Sequence[list[_Hand]], n: int, chance: np.random.Generator) -> list[tuple[_Hand, Unit]]:
    """``n`` units: shuffled hands, from one deck after the other in turn while they last."""
    shuffled = [[deck[i] for i in chance.permutation(len(deck))] for deck in decks]
    found: list[tuple[_Hand, Unit]] = []
    for turn in range(max(map(len, shuffled))):
        for deck in shuffled:
            if turn < len(deck) and len(found) < n:
                hand = deck[turn]
                found += [(hand, hand.units[i]) for i in chance.permutation(len(hand.units))]
    return found[:n]


def _shares(hands: Sequence[_Hand]) -> dict[str, float]:
    """How many of its group's answers each stratum has."""
    counts = Counter((unit.group, hand.stratum) for hand in hands for unit in hand.units)
    totals = Counter(unit.group for hand in hands for unit in hand.units)
    return {_full(group, stratum): count / totals[group] for (group, stratum), count in sorted(counts.items())}


def _stratum(hand: _Hand, unit: Unit, wish: Wish) -> str:
    return "" if wish.how == "random" else _full(unit.group, hand.stratum)


def _full(group: str, stratum: str) -> str:
    return f"{group}: {stratum}" if stratum else group


def _item(unit: Unit, stratum: str, answers: Answers) -> Item:
    sha256 = ":".join(answers[unit.sample_id, side, unit.trial].sha256 for side in unit.sides)
    return Item("", 0, unit.sample_id, unit.left, unit.right, unit.trial, sha256, stratum)


def _placed(items: Sequence[Item], run: str, wish: Wish, chance: np.random.Generator) -> list[Item]:
    """The items in random order: neither the position nor the id made from it tells whose answer it is."""
    shuffled = (items[i] for i in chance.permutation(len(items)))
    return [
        replace(item, id=digest([wish.name, run, wish.seed, position])[:12], position=position)
        for position, item in enumerate(shuffled)
    ]

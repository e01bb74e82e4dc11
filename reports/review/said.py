"""What came of a review, in words: the first sentence, what to know before believing it, the cells of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...harness.review.records import Item, Rating
from ...harness.review.results import (
    CandidateMean,
    CriterionAgreement,
    Dispute,
    Duel,
    RaterRow,
    RaterWork,
    ReviewResult,
)
from ...harness.review.sheet import PREFERENCE, WON, values_of
from .. import words
from ..pairwise_words import share

COLUMNS: Mapping[str, str] = {
    "exact": "Exact",
    "kappa": "Kappa",
    "kappa_quadratic": "Quadratic",
    "ac2": "AC2",
    "alpha": "Alpha",
    "bias": "Bias",
}
"""Of every rater against the other people."""
ALL: Mapping[str, str] = {
    "exact": "exact",
    "kappa": "kappa",
    "kappa_quadratic": "kappa_quadratic",
    "ac2": "ac2",
    "alpha": "alpha_ordinal",
}
"""Column -> which estimate of all people together stands in it."""
ALPHA = 0.05
MOST = 50
"""Disputes that a page shows."""
LOW = 0.4
"""Alpha below which it is said that people may not read the rubric alike."""


def verdict(found: ReviewResult) -> str:
    """What a reader should take away: what people prefer, and how far they agree."""
    first = _preferred(found) if found.review.mode == "pairs" else _best(found)
    return f"{first} {_agreed(found)}".strip()


def caveats(found: ReviewResult) -> Iterator[str]:
    """What to know before believing it, a sentence each."""
    yield from (f"{_sentence(note)}" for note in found.notes)
    unfinished = [f"{one.rater} {one.rated} of {one.dealt}" for one in found.work if one.rated < one.dealt]
    if unfinished:
        yield f"Not finished: {words.listed(unfinished)} items rated."
    yield from (advice(one) for one in found.work if one.missed)
    reasons = [one.reason for one in found.means] + [one.reason for one in found.duels]
    yield from (f"Some numbers are missing: {reason}." for reason in dict.fromkeys(reasons) if reason)
    for note, criteria in _notes(found).items():
        yield f"Agreement on {words.listed(criteria)}: {note}."
    if weak := [one.criterion for one in found.agreement if _low(one)]:
        yield (
            f"On {words.listed(weak)} people agree little beyond chance: read the worst disagreements below, and say "
            "in the rubric what they show, before labels like these correct a judge."
        )


def advice(one: RaterWork) -> str:
    """What to do about a rater who missed attention items."""
    return (
        f"{one.rater} missed {one.missed} of {words.plural(one.attention, 'attention item')}: talk to {one.rater} and "
        "look at these ratings; where they cannot stand, begin a review anew without them."
    )


def adjudication(found: ReviewResult) -> str:
    """How to go on with the disputes; '' where there are none."""
    if not found.disputes:
        return ""
    left = found.open_disputes
    if not left:
        return "A second pass has settled all of them."
    return (
        f"{words.plural(left, 'item')} of {len(found.disputes)} not settled. A second pass over them: markscheme "
        f"review serve --adjudicate --name {found.review.name}"
    )


def drawn(found: ReviewResult) -> str:
    """``60 answers drawn at random, 48 rated``."""
    things = "pair" if found.review.mode == "pairs" else "answer"
    how = words.design(found.review.design)
    return f"{words.plural(found.items, things)} {how}, {found.rated:,} rated"


def criteria(found: ReviewResult) -> list[str]:
    """The columns of the table of means, the composite first."""
    return list(dict.fromkeys(one.criterion for one in found.means))


def mean(found: ReviewResult, candidate: str, criterion: str) -> CandidateMean:
    """One cell of it."""
    return next(one for one in found.means if (one.candidate, one.criterion) == (candidate, criterion))


def columns(found: ReviewResult) -> dict[str, str]:
    """Titles by name of estimate; between two answers nobody is kinder."""
    pairs = found.review.mode == "pairs"
    return {name: title for name, title in COLUMNS.items() if not (pairs and name == "bias")}


def asked(found: ReviewResult) -> list[str]:
    """What raters were asked, in the order of the rubric."""
    return [one.criterion for one in found.agreement]


def named(criterion: str) -> str:
    """A criterion as it is called on a page."""
    return "which is better" if criterion == PREFERENCE else criterion


def side(duel: Duel) -> int:
    """1 where ``left`` is preferred beyond chance, -1 where ``right`` is, else 0; without a p by the interval."""
    one = duel.rate.estimate
    if one.value is None or one.low is None or one.high is None:
        return 0
    if duel.p is None:
        return 1 if one.low > 0.5 else -1 if one.high < 0.5 else 0
    return 0 if duel.p >= ALPHA else 1 if one.value > 0.5 else -1


def who(row: RaterRow) -> str:
    """``judge strict``, or the name of a person."""
    return f"judge {row.rater}" if row.judge else row.rater


def values(one: Rating, item: Item) -> dict[str, str]:
    """Criterion -> what a person said."""
    return {name: word(name, value, item) for name, value in values_of(one).items()}


def word(criterion: str, value: float, item: Item) -> str:
    """``3``, or who won."""
    if criterion != PREFERENCE:
        return f"{value:g}"
    return item.left if value == WON["left"] else item.right if value == WON["right"] else "tie"


def rating(one: Rating, item: Item) -> str:
    """All that a person said of an item: ``correctness 1, readability 3``, or who won."""
    return _listed(values(one, item))


def verdict_of(scored: Mapping[str, float], item: Item) -> str:
    """What a judge said, in the same words."""
    return _listed({name: word(name, value, item) for name, value in scored.items()})


def gaps(one: Dispute) -> str:
    """On what they differ: ``correctness: ann 3, ben 0; judge strict 3``."""
    parts = []
    for criterion in one.criteria:
        said = [(r.rater, values(r, one.item)) for r in one.ratings]
        people = ", ".join(f"{rater} {own[criterion]}" for rater, own in said if criterion in own)
        judged = [(name, own[criterion]) for name, own in one.judges.items() if criterion in own]
        judges = "".join(f"; judge {name} {word(criterion, value, one.item)}" for name, value in judged)
        parts.append(("" if criterion == PREFERENCE else f"{criterion}: ") + people + judges)
    return " | ".join(parts)


def settled(one: Dispute) -> str:
    """What came of the second pass: ``dora: correctness 2``, or nothing."""
    return "; ".join(f"{r.rater}: {rating(r, one.item)}" for r in one.settled)


def about(one: Dispute) -> str:
    """Whose answers: ``s7, mini``, ``s7, mini against large``."""
    item = one.item
    trial = f", trial {item.trial}" if item.trial else ""
    whose = f"{item.left} against {item.right}" if item.right else item.left
    return f"{item.sample_id}, {whose}{trial}"


def _best(found: ReviewResult) -> str:
    measure = next(iter(criteria(found)), "")
    known = [one for one in found.means if one.criterion == measure and one.estimate.value is not None]
    if not known:
        return "No candidate has a mean yet."
    ranked = sorted(known, key=lambda one: -(one.estimate.value or 0.0))
    told = [f"{one.candidate} {words.estimate(one.estimate)}" for one in ranked]
    return f"People's mean {measure}: {'; '.join(told)}."


def _preferred(found: ReviewResult) -> str:
    known = [duel for duel in found.duels if duel.rate.estimate.value is not None]
    if not known:
        return "No pair has a win rate yet."
    if len(known) > 1:
        certain = sum(side(duel) != 0 for duel in known)
        return f"{certain} of {len(known)} pairs of candidates differ beyond chance in what people prefer."
    (duel,) = known
    if side(duel) == 0:
        return f"People do not tell {duel.left} and {duel.right} apart ({share(duel.rate.estimate)} for {duel.left})."
    if side(duel) > 0:
        return f"People prefer {duel.left} to {duel.right}: {share(duel.rate.estimate)} of the questions."
    return f"People prefer {duel.right} to {duel.left}, which wins {share(duel.rate.estimate)} of the questions."


def _agreed(found: ReviewResult) -> str:
    known = [(value, one) for one in found.agreement if (value := one.people["alpha_ordinal"].value) is not None]
    if not known:
        return ""
    value, one = min(known, key=lambda pair: pair[0])
    least = f", least on {named(one.criterion)}" if len(known) > 1 else ""
    return f"They agree with one another at an ordinal alpha of {words.number(value)}{least}."


def _low(one: CriterionAgreement) -> bool:
    value = one.people["alpha_ordinal"].value
    return value is not None and value < LOW


def _notes(found: ReviewResult) -> dict[str, list[str]]:
    """Note -> the criteria that it is about."""
    notes: dict[str, list[str]] = {}
    for one in found.agreement:
        for note in one.notes:
            notes.setdefault(note, []).append(named(one.criterion))
    return notes


def _listed(said: Mapping[str, str]) -> str:
    return ", ".join(value if name == PREFERENCE else f"{name} {value}" for name, value in said.items())


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"

"""How raters worked, and where they differ most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..statistics.quantiles import quantile_interval
from .records import Item, Rating, Review
from .results import Dispute, RaterWork
from .sheet import levels_of, values_of


def rater_work(
    review: Review, raters: Sequence[str], items: Sequence[Item], ratings: Iterable[Rating], dealt: Mapping[str, int]
) -> tuple[RaterWork, ...]:
    """One each of ``raters``. ``dealt``: rater -> how many items are theirs."""
    known = {item.id: item for item in items}
    said = [rating for rating in ratings if rating.round == 1 and rating.item in known]
    found = []
    for rater in raters:
        own = [rating for rating in said if rating.rater == rater]
        tried = [rating for rating in own if known[rating.item].attention]
        missed = sum(not attentive(known[rating.item], rating) for rating in tried)
        seconds = quantile_interval([rating.seconds for rating in own if rating.seconds > 0], 0.5)
        found.append(RaterWork(rater, dealt.get(rater, len(own)), len(own), seconds, len(tried), missed))
    return tuple(found)


def attentive(item: Item, rating: Rating) -> bool:
    """Whether a rater saw what an attention item is: picked the real answer, or gave the answer to another question
    the expected score on one criterion at least (it may well be readable)."""
    if rating.winner is not None:
        return rating.winner == item.attention
    return any(str(score) == item.attention for score in rating.scores.values())


def disputes(review: Review, items: Sequence[Item], ratings: Iterable[Rating]) -> tuple[Dispute, ...]:
    """What people differ on by two levels or more, or from end to end of a scale: the widest gap first, then the
    oldest.

    Of preferences only opposite ones: a tie is next to either.
    """
    first: dict[str, list[Rating]] = {}
    second: dict[str, list[Rating]] = {}
    for rating in ratings:
        (first if rating.round == 1 else second).setdefault(rating.item, []).append(rating)
    levels = levels_of(review)
    found = []
    for item in items:
        said = sorted(first.get(item.id, ()), key=lambda rating: rating.rated_at)
        gaps = _gaps(said, levels)
        if gaps and not item.attention:
            found.append(Dispute(item, max(gaps.values()), tuple(gaps), tuple(said), tuple(second.get(item.id, ()))))
    return tuple(sorted(found, key=lambda one: (-one.spread, one.ratings[0].rated_at, one.item.position)))


def _gaps(ratings: Sequence[Rating], levels: Mapping[str, tuple[float, ...]]) -> dict[str, float]:
    """Criterion in dispute -> the widest gap as a share of its scale."""
    found = {}
    for criterion, scale in levels.items():
        places = [scale.index(values[criterion]) for r in ratings if criterion in (values := values_of(r))]
        gap = max(places, default=0) - min(places, default=0)
        if gap >= min(2, len(scale) - 1):
            found[criterion] = gap / (len(scale) - 1)
    return found

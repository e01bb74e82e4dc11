"""A review as its raters may see it: own order, own ratings, and nobody's name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypeVar

from ...harness.errors import InputError
from ...harness.records import Winner
from ...harness.review.orders import order_for, swapped
from ...harness.review.records import Item, Rating, Review
from ...harness.store.reviews import Reviews
from .names import check_name
from .rubrics import AnyRubric
from .views import (
    Choice,
    Given,
    ItemLine,
    ItemList,
    ItemView,
    OwnRating,
    Place,
    RaterProgress,
    ReviewView,
    review_view,
    sees,
)

Part = TypeVar("Part")
_SIDES: dict[bool, dict[Choice, Winner]] = {
    False: {"first": "left", "second": "right", "tie": "tie"},
    True: {"first": "right", "second": "left", "tie": "tie"},
}
_STALE = {"changed": "is not the one that was drawn any more", "purged": "was purged", "gone": "is gone"}


class BlindReview:
    """What the page may ask. Synchronous; every rating is committed when `rate` returns.

    ``chosen`` are the items of a second round, which every rater gets in this order.
    """

    def __init__(
        self, reviews: Reviews, review: Review, rubric: AnyRubric, round_: int = 1, chosen: Sequence[Item] = ()
    ) -> None:
        self.review = review
        self._reviews = reviews
        self._rubric = rubric
        self._round = round_
        self._items = list(chosen) if round_ > 1 else reviews.items(review)
        self._orders: dict[str, dict[str, Item]] = {}
        for rater in review.raters:  # now, so that nobody waits for it in front of the page
            self._order(rater)

    def overview(self) -> ReviewView:
        """What is reviewed, by whom and by which rubric."""
        return review_view(self.review, self._rubric, self._round)

    def items(self, rater: str) -> ItemList:
        """The rater's items, and which of them are rated."""
        order, rated = self._order(rater), self._reviews.rated_at(self.review, rater, self._round)
        return ItemList(items=[ItemLine(id=name, rated_at=rated.get(name)) for name in order])

    def item(self, rater: str, name: str) -> ItemView:
        """One item, with the rater's own rating of it."""
        item = self._item(rater, name)
        shown = self._reviews.texts(self.review, item)
        turned = self._turned(item, rater)
        ratings = self._reviews.ratings(self.review, rater, name)
        rating = next((rating for rating in ratings if rating.round == self._round), None)
        return ItemView(
            id=name,
            question=shown.question,
            context=list(shown.context) if sees(self._rubric, "context") else [],
            reference=shown.reference if sees(self._rubric, "reference") else None,
            answers=_in_order(shown.answers, turned),
            passages=_in_order(shown.passages, turned) if sees(self._rubric, "candidate_context") else [],
            stale=shown.stale,
            given=None if rating is None else _own(rating, turned),
        )

    def rate(self, given: Given) -> None:
        """Keep a rating; it replaces the rater's earlier one of this item.

        Raises InputError where the text that was drawn is no longer there to be read.
        """
        item = self._item(given.rater, given.item)
        if stale := self._reviews.texts(self.review, item).stale:
            raise InputError(f"item {item.id!r}: its answer {_STALE[stale]}; it cannot be rated, go on with the next")
        side = _SIDES[self._turned(item, given.rater)]
        winner = side[given.choice] if given.choice else None
        said = (given.scores, winner, given.note.strip(), given.seconds)
        rating = Rating(item.id, given.rater, *said, rated_at=time.time(), round=self._round)
        self._reviews.rate(self.review, item, rating)

    def undo(self, place: Place) -> None:
        """Take a rating away."""
        self._reviews.undo(self.review, self._item(place.rater, place.item), place.rater, self._round)

    def progress(self) -> list[RaterProgress]:
        """How far each rater of the review is, in a second round each who took part."""
        if self._round == 1:
            return [self._progress(rater) for rater in self.review.raters]
        ratings = self._reviews.ratings(self.review)
        return [self._progress(rater) for rater in sorted({r.rater for r in ratings if r.round == self._round})]

    def _progress(self, rater: str) -> RaterProgress:
        order, rated = self._order(rater), self._reviews.rated_at(self.review, rater, self._round)
        return RaterProgress(rater=rater, rated=len(order.keys() & rated.keys()), of=len(order))

    def _order(self, rater: str) -> dict[str, Item]:
        if rater not in self._orders:
            if self._round > 1:
                check_name(rater)
            order = self._items if self._round > 1 else order_for(self.review, self._items, rater)
            self._orders[rater] = {item.id: item for item in order}
        return self._orders[rater]

    def _item(self, rater: str, name: str) -> Item:
        item = self._order(rater).get(name)
        if item is None:
            raise InputError(f"item {name!r} is none of those that {rater!r} rates; reload the page")
        return item

    def _turned(self, item: Item, rater: str) -> bool:
        return self.review.mode == "pairs" and swapped(self.review, item, rater)


def _in_order(found: Sequence[Part], turned: bool) -> list[Part]:
    """What belongs to the left and the right answer, in the order shown."""
    return list(reversed(found)) if turned else list(found)


def _own(rating: Rating, turned: bool) -> OwnRating:
    choice = next((said for said, side in _SIDES[turned].items() if side == rating.winner), None)
    return OwnRating(scores=dict(rating.scores), choice=choice, note=rating.note, seconds=rating.seconds)

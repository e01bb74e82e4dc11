"""Reviews by people: what was drawn, what was said of it, and the labels that follow, each committed at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa

from ..errors import InputError
from ..records import Label, LabelSet
from ..review.records import Item, Rating, Review, Shown
from . import review_rows as rows
from .codec import label_set_to_row, label_to_row
from .review_texts import texts_of
from .schema import label_sets, labels, ratings, reviews
from .store import Store

REVIEWED = "review "
"""How the source of a label set begins that a review makes; the rest is the review's name."""


class Reviews:
    """The reviews of a workspace. Every method is one transaction, so that several processes may work at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, review: Review, items: Sequence[Item]) -> None:
        """Keep a review with its items, and in mode `grade` the label set that its labels go to.

        To begin the same one once more changes nothing. Raises InputError where another review, or labels of another
        origin, have the name.
        """
        rows.check_name(review.name)
        row = rows.review_to_row(review, time.time())
        with self._store.writing() as connection:
            if connection.dialect.name == "postgresql":  # in SQLite the transaction holds the lock of writers
                connection.execute(sa.text("LOCK TABLE reviews IN SHARE ROW EXCLUSIVE MODE"))
            held = connection.execute(sa.select(reviews).where(reviews.c.name == review.name)).mappings().first()
            if held is None:
                connection.execute(sa.insert(reviews), row)
                if review.mode == "grade":
                    self._begin_labels(connection, _label_set(review, 1))
                self._store.put_in(connection, "review_items", [rows.item_to_row(review.name, i) for i in items])
        if held is not None and not rows.alike(rows.row_to_review(held), review):
            raise InputError(
                f"review {review.name!r}: there is one already, of run {held['run']}, that was begun in another way; "
                "choose another name, or leave out what differs to go on with it"
            )

    def find(self, name: str) -> Review:
        """The review of this name, or the one begun last for `latest`. Raises InputError, which lists those known."""
        every = self._every(None)
        if name == "latest" and every:
            return every[0]
        for review in every:
            if review.name == name:
                return review
        known = ", ".join(review.name for review in every) or "none yet"
        raise InputError(f"{self._store.where}: there is no review {name!r}; those begun are: {known}")

    def of_run(self, run: str) -> list[Review]:
        """The reviews of a run, the latest first."""
        return self._every(run)

    def items(self, review: Review) -> list[Item]:
        """Everything that was drawn, by position."""
        with self._store.reading() as connection:
            return rows.read_items(connection, review.name)

    def ratings(self, review: Review, rater: str | None = None, item: str | None = None) -> list[Rating]:
        """What was said so far (by one ``rater``, of one ``item``), in the order in which it was said."""
        with self._store.reading() as connection:
            return rows.read_ratings(connection, review.name, rater, item)

    def rated_at(self, review: Review, rater: str, round: int = 1) -> dict[str, float]:
        """The items that a rater has rated, and when (Unix seconds)."""
        r = ratings.c
        query = sa.select(r.item, r.rated_at).where(r.review == review.name, r.rater == rater, r.round == round)
        with self._store.reading() as connection:
            return {str(item): when for item, when in connection.execute(query)}

    def rate(self, review: Review, item: Item, rating: Rating) -> None:
        """Keep what a rater said, and in mode `grade` the labels that follow, in place of what that rater said before.

        It is on the disk when this returns. A label is bound to the text that was drawn, whatever the answer is by now;
        attention items give none. Raises InputError for a rating that the review does not offer.
        """
        self.rate_all(review, [(item, rating)])

    def rate_all(self, review: Review, said: Sequence[tuple[Item, Rating]]) -> None:
        """`rate` for many, as of a sheet: all of them are kept, or none."""
        for item, rating in said:
            rows.check_rating(review, item, rating)
        with self._store.writing() as connection:
            for item, rating in said:
                self._rate(connection, review, item, rating)

    def undo(self, review: Review, item: Item, rater: str, round: int = 1) -> None:
        """Take back what a rater said of an item, and its labels; nothing happens where nothing was said."""
        r = ratings.c
        own = (r.review == review.name, r.item == item.id, r.rater == rater, r.round == round)
        with self._store.writing() as connection:
            connection.execute(_forget_labels(review, item, rater, round))
            connection.execute(sa.delete(ratings).where(*own))

    def texts(self, review: Review, item: Item) -> Shown:
        """What a rater sees of an item. ``stale`` says why where the text that was drawn is no longer to be had."""
        with self._store.reading() as connection:
            return texts_of(connection, review.run, item)

    def _every(self, run: str | None) -> list[Review]:
        query = sa.select(reviews) if run is None else sa.select(reviews).where(reviews.c.run == run)
        with self._store.reading() as connection:
            found = connection.execute(query).mappings().all()
        return [rows.row_to_review(row) for row in sorted(found, key=rows.begun, reverse=True)]

    def _rate(self, connection: sa.Connection, review: Review, item: Item, rating: Rating) -> None:
        found = [label_to_row(label, review.run) for label in _labels(review, item, rating)]
        connection.execute(_forget_labels(review, item, rating.rater, rating.round))
        self._store.put_in(connection, "ratings", [rows.rating_to_row(review.name, rating)])
        if found and rating.round > 1:
            self._begin_labels(connection, _label_set(review, rating.round))
        self._store.put_in(connection, "labels", found)

    def _begin_labels(self, connection: sa.Connection, made: LabelSet) -> None:
        """Make a label set in the transaction. Raises InputError where labels of another origin have its name."""
        held = connection.execute(sa.select(label_sets.c.source).where(label_sets.c.name == made.name)).scalar()
        if held not in (None, made.source):
            raise InputError(
                f"review {made.name!r}: there are labels of that name already, read from {held}; choose another name"
            )
        self._store.put_in(connection, "label_sets", [label_set_to_row(made)])


def _label_set(review: Review, round: int) -> LabelSet:
    """Labels of the second round are of the answers that raters disagreed on: they stand for no others."""
    name, source = rows.label_set_name(review, round), f"{REVIEWED}{review.name}"
    if round > 1:
        return LabelSet(name, "chosen", labelled_at=rows.today(), source=source)
    return LabelSet(name, review.design, review.shares, review.seed, review.begun_at or rows.today(), source)


def _labels(review: Review, item: Item, rating: Rating) -> list[Label]:
    if review.mode != "grade" or item.attention:
        return []
    place = (item.sample_id, item.left, item.trial)
    name = rows.label_set_name(review, rating.round)
    return [
        Label(*place, criterion, float(score), rating.rater, item.sha256, name, item.stratum)
        for criterion, score in rating.scores.items()
    ]


def _forget_labels(review: Review, item: Item, rater: str, round: int) -> sa.Delete:
    c = labels.c
    return sa.delete(labels).where(
        c.label_set == rows.label_set_name(review, round),
        c.sample_id == item.sample_id,
        c.candidate == item.left,
        c.answer_sha256 == item.sha256,
        c.annotator == rater,
    )

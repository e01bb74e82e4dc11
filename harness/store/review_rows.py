"""Reviews, items and ratings to rows and back, and what a review may be called and a rating may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from ..errors import InputError
from ..review.records import Item, Rating, Review
from .codec import Row, dumps
from .schema import ratings, review_items

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""It becomes part of the names of files."""
ADJUDICATED = "/adjudicated"
"""What the label set of the second round is called after the name of its review."""
_OWN = ("name", "run", "mode")
"""Fields of a review that have a column."""
_ITEM = tuple(field.name for field in fields(Item))
_RATING = tuple(field.name for field in fields(Rating))


def check_name(name: str) -> None:
    """Raises InputError for a name that cannot be one of a file, or has another meaning."""
    if not _NAME.fullmatch(name) or name == "latest":
        raise InputError(
            f"--name {name!r}: a review is named by letters, digits, '.', '_' and '-', not 'latest', like first-look"
        )


def check_rating(review: Review, item: Item, rating: Rating) -> None:
    """Raises InputError for a rating of another item, by a stranger, or that says nothing that is on offer."""
    where = f"review {review.name!r}, item {item.id}, rater {rating.rater!r}"
    if rating.item != item.id:
        raise InputError(f"{where}: the rating is about item {rating.item!r}")
    if rating.round not in (1, 2):
        raise InputError(f"{where}: round {rating.round!r} is neither 1, the raters' own, nor 2, the adjudication")
    if not rating.rater or (rating.round == 1 and rating.rater not in review.raters):
        raise InputError(f"{where}: the review was begun with {', '.join(review.raters)}; name one of them")
    problem = _winner_problem(rating) if review.mode == "pairs" else _scores_problem(review, rating)
    if problem:
        raise InputError(f"{where}: {problem}")


def _winner_problem(rating: Rating) -> str:
    if rating.winner in ("left", "right", "tie") and not rating.scores:
        return ""
    return f"winner {rating.winner!r} is none of left, right, tie; answers are compared here, not graded"


def _scores_problem(review: Review, rating: Rating) -> str:
    if rating.winner is not None or not rating.scores:
        return f"there is no score; grade at least one of {', '.join(review.criteria)}"
    for criterion, score in rating.scores.items():
        offered = review.criteria.get(criterion)
        if offered is None:
            return f"criterion {criterion!r} is none of {', '.join(review.criteria)}"
        if isinstance(score, bool) or score not in offered:
            return f"{criterion} {score!r} is none of the scores {', '.join(map(str, offered))}"
    return ""


def alike(kept: Review, wanted: Review) -> bool:
    """Whether two reviews are the same but for the day on which they were begun."""
    return review_to_row(replace(kept, begun_at="-"), 0) == review_to_row(replace(wanted, begun_at="-"), 0)


def label_set_name(review: Review, round: int) -> str:
    """Where the labels of a round go."""
    return review.name if round == 1 else f"{review.name}{ADJUDICATED}"


def today() -> str:
    """ISO date."""
    return datetime.now(UTC).date().isoformat()


def review_to_row(review: Review, begun: float) -> Row:
    """``begun``: Unix time, by which the latest review is told."""
    body = {name: value for name, value in asdict(review).items() if name not in _OWN}
    body |= {"criteria": list(review.criteria.items()), "shares": dict(review.shares), "begun": begun}
    body["begun_at"] = review.begun_at or today()
    return {name: getattr(review, name) for name in _OWN} | {"body": dumps(body)}


def row_to_review(row: Mapping[Any, Any]) -> Review:
    """The review of a row, its criteria in the order of the rubric."""
    body = orjson.loads(row["body"])
    body["criteria"] = {name: tuple(scores) for name, scores in body["criteria"]}
    body["raters"] = tuple(body["raters"])
    del body["begun"]
    return Review(**{name: row[name] for name in _OWN}, **body)


def begun(row: Mapping[Any, Any]) -> tuple[float, str]:
    """By what reviews are ordered in time."""
    return float(orjson.loads(row["body"])["begun"]), str(row["name"])


def item_to_row(review: str, item: Item) -> Row:
    """A row of `schema.review_items`."""
    return {"review": review, **{name: getattr(item, name) for name in _ITEM}}


def read_items(connection: sa.Connection, review: str) -> list[Item]:
    """The items of a review, by position."""
    i = review_items.c
    query = sa.select(*(i[name] for name in _ITEM)).where(i.review == review).order_by(i.position)
    return [Item(*row) for row in connection.execute(query)]


def rating_to_row(review: str, rating: Rating) -> Row:
    """A row of `schema.ratings`. Half a surrogate pair and NUL, which a browser may send, are no text
    for a database."""
    row = {name: getattr(rating, name) for name in _RATING}
    note = rating.note.encode("utf-8", "replace").decode().replace("\0", "?")
    written = {"note": note, "scores": dumps(list(rating.scores.items())), "winner": rating.winner or ""}
    return {"review": review, **row, **written}


def read_ratings(connection: sa.Connection, review: str, rater: str | None, item: str | None) -> list[Rating]:
    """The ratings of a review (by one ``rater``, of one ``item``), in the order in which they were given."""
    r = ratings.c
    query = sa.select(*(r[name] for name in _RATING)).where(r.review == review)
    if rater is not None:
        query = query.where(r.rater == rater)
    if item is not None:
        query = query.where(r.item == item)
    rows = connection.execute(query.order_by(r.rated_at, r.item, r.rater, r.round))
    return [Rating(item, who, dict(orjson.loads(scores)), won or None, *rest) for item, who, scores, won, *rest in rows]

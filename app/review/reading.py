"""A filled-in sheet back: every cell checked, every wrong one named, and what is right as ratings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...harness.data_rows import Row, short
from ...harness.errors import DataError
from ...harness.records import Winner
from ...harness.review import orders
from ...harness.review.records import Item, Rating, Review
from ...harness.spreadsheets import original
from ...harness.store.reviews import Reviews
from .sheets import BETTER, ITEM, KEYS, MARK, NOTE, RATER, REVIEW, TIE, choices_of, column, sides

_WHOLE = re.compile(r"([-+]?\d{1,9})(?:[.,]0*)?")
"""A whole number as spreadsheets write it back: 2, 2.0 or, where decimals have a comma, 2,0."""


@dataclass(slots=True)
class Findings:
    """What a file says: ``ratings`` in the order of its rows, ``wrong`` cells and ``notes`` with file, row and column.

    ``empty`` rows are not rated yet.
    """

    path: Path
    ratings: list[tuple[Item, Rating]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    empty: int = 0


@dataclass(frozen=True)
class Place:
    """What the rows of a review's sheets are checked against. ``dealt``: rater -> item id -> item."""

    review: Review
    items: Mapping[str, Item]
    dealt: Mapping[str, Mapping[str, Item]]


def place_of(reviews: Reviews, review: Review) -> Place:
    """Read what sheets of this review are checked against."""
    items = reviews.items(review)
    dealt = {rater: {i.id: i for i in orders.order_for(review, items, rater)} for rater in review.raters}
    return Place(review, {item.id: item for item in items}, dealt)


def review_named(path: Path, rows: Sequence[Row]) -> str:
    """The review whose sheet this is. Raises DataError where rows name several, or a column of ours is missing."""
    if not rows:
        raise DataError(f"{path}: holds no row; give the sheet that was filled in")
    if missing := next((name for name in KEYS if name not in rows[0].data), None):
        found = ", ".join(rows[0].data)[:200]
        raise DataError(f"{path}:1: the column {missing!r} is missing; put it back as it was exported (found: {found})")
    named: dict[str, int] = {}
    for row in rows:
        if text := text_of(row.data[REVIEW]):
            named.setdefault(text, row.line)
    if len(named) != 1:
        said = ", ".join(f"{name!r} (row {line})" for name, line in named.items()) or "nothing"
        raise DataError(f"{path} {REVIEW}: says {said}; wanted the name of one review in every row, as it was exported")
    return next(iter(named))


def read_rows(path: Path, rows: Iterable[Row], place: Place) -> Findings:
    """Check every row. An empty cell is not rated yet; it takes back nothing that was said before."""
    found = Findings(path)
    choices = choices_of(place.review)
    lines: dict[tuple[str, str], tuple[int, Rating]] = {}
    for row in rows:
        if missing := next((name for name in (*KEYS, *choices) if name not in row.data), None):
            raise DataError(f"{path}:1: the column {missing!r} is missing; put it back as it was exported")
        if not any(text_of(cell) for cell in row.data.values()):
            continue
        problems = [*_stranger(row, place)] or [*_unreadable(row, choices)]
        if not problems:
            item, rating = _rating(row, place, choices)
            first, said = lines.setdefault((rating.rater, item.id), (row.line, rating))
            if said != rating:
                problems = [f"{ITEM}: {MARK + item.id!r} is rated otherwise in row {first} already; keep one of them"]
            elif first == row.line:
                _take(found, row.line, item, rating)
        found.wrong += [f"{path}:{row.line} {problem}" for problem in problems]
    return found


def text_of(value: Any) -> str:
    """A cell as text, without what spreadsheets and people put around it."""
    return "" if value is None else original(str(value).strip()).strip()


def _stranger(row: Row, place: Place) -> Iterator[str]:
    """What is wrong with whose row this is."""
    rater, written = text_of(row.data[RATER]), text_of(row.data[ITEM])
    name, identifier = place.review.name, written.removeprefix(MARK)
    if rater not in place.dealt:
        known = ", ".join(place.review.raters)
        yield f"{RATER}: {short(rater)} is none of the raters of review {name!r} ({known}); put back what was exported"
    elif identifier not in place.items:
        yield (
            f"{ITEM}: {short(written)} is no item of review {name!r} of this workspace; put back what was exported, or "
            "import the sheet where it was made (--workspace)"
        )
    elif identifier not in place.dealt[rater]:
        yield f"{ITEM}: {written!r} was not given to {rater!r}; put back the rater or the item as it was exported"


def _unreadable(row: Row, choices: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, offered in choices.items():
        if (word := _word(row.data[name])) and word not in offered:
            yield f"{name}: {short(row.data[name])} cannot be chosen; write {', '.join(offered)}, or leave it empty"


def _rating(row: Row, place: Place, choices: Mapping[str, Sequence[str]]) -> tuple[Item, Rating]:
    rater = text_of(row.data[RATER])
    item = place.items[text_of(row.data[ITEM]).removeprefix(MARK)]
    words = {name: _word(row.data[name]) for name in choices}
    winner: Winner | None = None
    if word := words.get(BETTER) if place.review.mode == "pairs" else "":
        winner = "tie" if word == TIE else sides(orders.swapped(place.review, item, rater))[int(word) - 1]
    scores = {name: int(word) for name in place.review.criteria if (word := words[column(name)])}
    return item, Rating(item.id, rater, scores, winner, text_of(row.data.get(NOTE)))


def _word(cell: Any) -> str:
    """A choice as it is offered: whole numbers without what spreadsheets add to them, words in small letters."""
    text = text_of(cell).casefold()
    number = _WHOLE.fullmatch(text)
    return str(int(number[1])) if number else text


def _take(found: Findings, line: int, item: Item, rating: Rating) -> None:
    if rating.scores or rating.winner is not None:
        found.ratings.append((item, rating))
        return
    found.empty += 1
    if rating.note:
        found.notes.append(f"{found.path}:{line} {NOTE}: is not kept, since nothing is chosen in this row")

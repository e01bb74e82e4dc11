"""A rater's blind sheet as a table: what is to be read, and empty cells for what is to be said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...harness.records import Winner
from ...harness.review import orders
from ...harness.review.records import Item, Rating, Review, Shown
from ...harness.store.reviews import Reviews
from ...judges.prompt import numbered

REVIEW, RATER, ITEM, BETTER, NOTE = "review", "rater", "item", "better", "note"
KEYS = (REVIEW, RATER, ITEM)
TIE = "tie"
MARK = "i-"
"""Before an item's id, lest a spreadsheet takes 12e4567 for a number."""
LONGEST = 32_767 - 1
"""Characters that a cell of Excel holds, less one for the apostrophe that makes a text of a formula."""
_UNDERSCORE = len("_x005F_")
"""What a workbook may need for one."""
_SEEN = ("context", "candidate context", "reference")
_FIXED = frozenset((*KEYS, "question", *_SEEN, "answer", "answer 1", "answer 2", BETTER, NOTE))
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class BlindSheet:
    """One rater's sheet. ``rows`` hold a text for each of ``columns``; ``choices``: column to fill in -> what may be
    written there. ``left_out`` counts items whose answers are no longer those that were drawn.

    Nothing in it tells which candidate gave an answer.
    """

    review: str
    rater: str
    columns: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


def choices_of(review: Review) -> dict[str, tuple[str, ...]]:
    """Column to fill in -> what may be written there."""
    if review.mode == "pairs":
        return {BETTER: ("1", "2", TIE)}
    return {column(name): tuple(map(str, scores)) for name, scores in review.criteria.items()}


def column(criterion: str) -> str:
    """The column of a criterion; one that is called like a column of ours is told apart."""
    return f"{criterion} (score)" if criterion.strip().casefold() in _FIXED else criterion


def make_sheets(reviews: Reviews, review: Review, raters: Sequence[str], sees: Sequence[str]) -> dict[str, BlindSheet]:
    """Rater -> the rater's items in the rater's own order, with what was said of them already. ``sees``: as in the
    rubric."""
    items = reviews.items(review)
    dealt = {rater: orders.order_for(review, items, rater) for rater in raters}
    shown = {item: reviews.texts(review, item) for item in set().union(*dealt.values())}  # once for all raters
    said = {(one.rater, one.item): one for one in reviews.ratings(review) if one.round == 1}
    return {
        rater: _sheet(review, rater, [(i, shown[i], said.get((rater, i.id))) for i in own], sees)
        for rater, own in dealt.items()
    }


def _sheet(
    review: Review, rater: str, dealt: Sequence[tuple[Item, Shown, Rating | None]], sees: Sequence[str]
) -> BlindSheet:
    kept = [(item, texts, said) for item, texts, said in dealt if not texts.stale]
    turned = [orders.swapped(review, item, rater) for item, _, _ in kept]
    choices = choices_of(review)
    read = [_read(texts, swapped, sees) for (_, texts, _), swapped in zip(kept, turned, strict=True)]
    parts = _parts(read)
    rows = [
        (review.name, rater, MARK + item.id, *_spread(texts, parts), *_filled(choices, said, swapped))
        for (item, _, said), swapped, texts in zip(kept, turned, read, strict=True)
    ]
    named = [name if i == 0 else f"{name} ({i + 1})" for name, count in parts.items() for i in range(count)]
    columns = (*KEYS, *named, *choices, NOTE)
    return BlindSheet(review.name, rater, columns, choices, tuple(rows), len(dealt) - len(kept))


def printable(text: str) -> str:
    """``text`` with pictures (␛) of the control characters that no spreadsheet holds, and a mark for what is none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NO_CHARACTER.sub("\ufffd", _UNPRINTABLE.sub(lambda found: chr(0x2400 + ord(found[0])), text))


def pieces(text: str, longest: int = LONGEST) -> list[str]:
    """``text`` cut so that each piece fits a cell, which counts UTF-16 units; at least one piece."""
    found, start, units = [], 0, 0
    for end, character in enumerate(text):
        width = _UNDERSCORE if character == "_" else 1 + (ord(character) > 0xFFFF)
        if units + width > longest and end > start:
            found.append(text[start:end])
            start, units = end, 0
        units += width
    return [*found, text[start:]]


def _read(shown: Shown, swapped: bool, sees: Sequence[str]) -> dict[str, list[str]]:
    """Column -> its text in pieces."""
    texts = {"question": shown.question}
    if "context" in sees:
        texts["context"] = numbered(shown.context)
    if "candidate_context" in sees and shown.passages:
        texts["candidate context"] = numbered(shown.passages[0])
    if "reference" in sees:
        texts["reference"] = shown.reference or ""
    answers = shown.answers[::-1] if swapped else shown.answers
    names = ("answer",) if len(answers) == 1 else ("answer 1", "answer 2")
    texts.update(zip(names, answers, strict=True))
    return {name: pieces(printable(text)) for name, text in texts.items()}


def _parts(read: Sequence[Mapping[str, list[str]]]) -> dict[str, int]:
    """Column -> how many cells its longest text takes; a column that is empty throughout is left out."""
    names = read[0] if read else {}
    seen = [name for name in names if name not in _SEEN or any(texts[name] != [""] for texts in read)]
    return {name: max(len(texts[name]) for texts in read) for name in seen}


def _spread(texts: Mapping[str, list[str]], parts: Mapping[str, int]) -> list[str]:
    return [cell for name, count in parts.items() for cell in [*texts[name], *[""] * (count - len(texts[name]))]]


def _filled(choices: Mapping[str, tuple[str, ...]], rating: Rating | None, swapped: bool) -> list[str]:
    """What the rater said, column by column; empty cells where nothing."""
    if rating is None:
        return [""] * (len(choices) + 1)
    cells = {column(name): str(score) for name, score in rating.scores.items()}
    if rating.winner is not None:
        cells[BETTER] = TIE if rating.winner == TIE else str(sides(swapped).index(rating.winner) + 1)
    return [*(cells.get(name, "") for name in choices), printable(rating.note)]


def sides(swapped: bool) -> tuple[Winner, Winner]:
    """Whose answers are called 1 and 2 for a rater who sees the right one first (``swapped``), or the left one."""
    return ("right", "left") if swapped else ("left", "right")

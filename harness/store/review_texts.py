"""The texts of an item of a review, and whether they are still those that were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from ..review.records import Item, Shown, Stale
from .codec import answer_sha256_of_row
from .load import readable
from .schema import answers, run_samples, samples

Row = Mapping[Any, Any]


def texts_of(connection: sa.Connection, run: str, item: Item) -> Shown:
    """The sample with the answer or the two answers; no answers where one of them is not the text that was drawn."""
    sample = connection.execute(_sample(run, item.sample_id)).mappings().first()
    given = [_answer(connection, run, item, side) for side in ("left", "right") if getattr(item, side)]
    body = orjson.loads((sample and sample["body"]) or "{}")
    asked = body.get("question") or body.get("turns") or body.get("messages") or ""
    shown = (readable(asked), tuple(body.get("context", ())), body.get("reference"))
    stale = _stale(sample, given, item)
    if stale:
        return Shown(*shown, answers=(), stale=stale)
    found = [row for row in given if row is not None]
    return Shown(*shown, tuple(map(_said, found)), tuple(map(_passages, found)))


def _sample(run: str, sample_id: str) -> sa.Select[Any]:
    s = run_samples.c
    query = sa.select(samples.c.body).join(run_samples, samples.c.sha256 == s.sha256)
    return query.where(s.run == run, s.sample_id == sample_id)


def _answer(connection: sa.Connection, run: str, item: Item, side: str) -> Row | None:
    """What stands on a side: of an attention item the answer to another sample, on the side that is not to win."""
    foreign = item.answer_of and item.attention != side
    a = answers.c
    query = sa.select(a.text, a.turns, a.detail, a.retrieved).where(
        a.run == run,
        a.sample_id == (item.answer_of if foreign else item.sample_id),
        a.candidate == getattr(item, side),
        a.trial == item.trial,
        a.status == "ok",
    )
    return connection.execute(query).mappings().first()


def _stale(sample: Row | None, given: list[Row | None], item: Item) -> Stale:
    there = [row for row in given if row is not None]
    if sample is None or len(there) < len(given):
        return "gone"
    if ":".join(map(answer_sha256_of_row, there)) != item.sha256:
        return "changed"
    return "purged" if sample["body"] is None or any(row["text"] is None for row in there) else ""


def _said(row: Row) -> str:
    """A conversation is shown turn by turn: its label holds for all of it."""
    return "\n\n".join(orjson.loads(row["turns"])) if row["turns"] else str(row["text"])


def _passages(row: Row) -> tuple[str, ...]:
    return tuple(passage["text"] for passage in orjson.loads(row["retrieved"])) if row["retrieved"] else ()

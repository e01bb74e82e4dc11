"""The labels that hold for answers of a run, as a table of `LABEL_COLUMNS`."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from .frames import LABEL_COLUMNS, empty_frame, frame_of, joined
from .schema import label_sets, labels

if TYPE_CHECKING:
    import pandas as pd

Answered = tuple[str, str, int, str]
"""Sample, candidate, trial and the hash of the text."""
_SOME = 500
"""Answers whose labels are read at a time: a statement takes no more variables than 999 in old SQLite."""


def label_frame(connection: sa.Connection, answered: Iterable[Answered], clusters: Mapping[str, str]) -> pd.DataFrame:
    """Labels of the answers, in their order. ``clusters`` are those of the samples.

    There may be many times more labels than answers: what many share is kept once, and a label is two numbers until
    the table is made.
    """
    sets = {row["name"]: row for row in connection.execute(sa.select(label_sets)).mappings()}
    if not sets:
        return empty_frame(LABEL_COLUMNS)
    places: list[tuple[Any, ...]] = []
    endings: dict[tuple[Any, ...], int] = {}
    where, what = array("q"), array("q")
    for some in _batches(answered):
        by_text = _said_of(connection, some, list(sets), endings)
        for sample, candidate, trial, sha256 in some:
            if held := by_text.get((sample, candidate, sha256)):
                where.extend([len(places)] * len(held))
                what.extend(held)
                places.append((sample, clusters[sample], candidate, trial))
    rest = [_ending(said, sets) for said in endings]
    parts = ((frame_of(LABEL_COLUMNS[:4], places), where), (frame_of(LABEL_COLUMNS[4:], rest), what))
    return joined(parts)


def _batches(answered: Iterable[Answered]) -> Iterator[list[Answered]]:
    rows = iter(answered)
    while some := list(islice(rows, _SOME)):
        yield some


def _said_of(
    connection: sa.Connection, some: list[Answered], sets: list[str], endings: dict[tuple[Any, ...], int]
) -> dict[tuple[str, str, str], list[int]]:
    """By sample, candidate and hash the numbers of what was said; what is new is given the next number."""
    c = labels.c
    text = (c.sample_id, c.candidate, c.answer_sha256)
    rest = (c.criterion, c.annotator, c.score, c.label_set, c.stratum, c.run)
    wanted = list(dict.fromkeys(sample for sample, *_ in some))
    # With the sets named, the primary key finds a sample's labels.
    query = sa.select(*text, *rest).where(c.label_set.in_(sets), c.sample_id.in_(wanted))
    found: dict[tuple[str, str, str], list[int]] = {}
    for sample, candidate, sha256, *said in connection.execute(query.order_by(c.label_set, c.criterion, c.annotator)):
        number = endings.setdefault(tuple(said), len(endings))
        found.setdefault((sample, candidate, sha256), []).append(number)
    return found


def _ending(said: tuple[Any, ...], sets: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row from `criterion` on."""
    criterion, who, score, name, stratum, run = said
    about = sets[name]
    share = orjson.loads(about["weights"]).get(stratum, math.nan)
    return criterion, who, score, name, about["design"], stratum, share, about["labelled_at"], run

"""The labels that hold for answers of a run, as rows of `LABEL_COLUMNS`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from .codec import answer_sha256_of_row
from .schema import label_sets, labels

Row = Mapping[Any, Any]
_SOME = 500
"""Answers whose labels are read at a time: a statement takes no more variables than 999 in old SQLite."""


def label_rows(
    connection: sa.Connection, answered: Sequence[Row], clusters: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    """Labels of the rows ``answered`` of `answers`, in their order. ``clusters`` are those of the samples.

    There may be many times more labels than answers: they are read for some answers at a time, every word once.
    """
    sets = {row["name"]: row for row in connection.execute(sa.select(label_sets)).mappings()}
    if not sets:
        return []
    shares = {name: orjson.loads(row["weights"]) for name, row in sets.items()}
    about = {name: (row["design"], row["labelled_at"]) for name, row in sets.items()}
    c = labels.c
    query = sa.select(
        c.sample_id, c.candidate, c.answer_sha256, c.criterion, c.annotator, c.score, c.label_set, c.stratum, c.run
    ).order_by(c.label_set, c.criterion, c.annotator)
    query = query.where(c.label_set.in_(list(sets)))  # with it the primary key finds a sample's labels
    same: dict[Any, Any] = {}
    found = []
    for start in range(0, len(answered), _SOME):
        some = answered[start : start + _SOME]
        wanted = list(dict.fromkeys(answer["sample_id"] for answer in some))
        by_text: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
        for sample, candidate, sha256, *said in connection.execute(query.where(c.sample_id.in_(wanted))):
            by_text.setdefault((sample, candidate, sha256), []).append(tuple(same.setdefault(v, v) for v in said))
        for answer in some:
            sample, candidate = answer["sample_id"], answer["candidate"]
            place = (same.setdefault(sample, sample), clusters[sample], same.setdefault(candidate, candidate))
            for criterion, who, score, name, stratum, run in by_text.get(
                (sample, candidate, answer_sha256_of_row(answer)), ()
            ):
                design, labelled_at = about[name]
                how = (name, design, stratum, shares[name].get(stratum, math.nan), labelled_at, run)
                found.append((*place, answer["trial"], criterion, who, score, *how))
    return found

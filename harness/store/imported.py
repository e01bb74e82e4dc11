"""Grades that were given elsewhere: put in place whole, so that what a file no longer says is forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from .codec import Row
from .schema import grades
from .store import Store

_CHUNK = 5000


def put_imported_grades(store: Store, run: str, rows: Sequence[Row], fingerprint: str, judges: Sequence[str]) -> None:
    """Write the rows of an import, all of this ``fingerprint``, and forget other grades of its ``judges``."""
    for start in range(0, len(rows), _CHUNK):
        store.put({"grades": rows[start : start + _CHUNK]})
    other = (grades.c.run == run, grades.c.judge.in_(judges), grades.c.fingerprint != fingerprint)
    with store.writing() as connection:
        connection.execute(sa.delete(grades).where(*other))

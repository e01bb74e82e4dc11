"""What the workspace knows of label sets: how one was made, and which runs have labels of their own."""

from __future__ import annotations

import orjson
import sqlalchemy as sa

from ..records import LabelSet
from . import runs
from .runs import Run
from .schema import label_sets, labels
from .store import Store


def read_label_set(store: Store, name: str) -> LabelSet | None:
    """The set of this name; ``None`` where there is none."""
    with store.reading() as connection:
        row = connection.execute(sa.select(label_sets).where(label_sets.c.name == name)).mappings().first()
    if row is None:
        return None
    weights = orjson.loads(row["weights"])
    return LabelSet(row["name"], row["design"], weights, row["seed"], row["labelled_at"], row["source"])


def earlier_runs(store: Store, run: Run) -> list[Run]:
    """Runs with labels that differ from ``run`` in time only, and were begun before it; the latest first.

    A later run is left out: what it brings must not change the report of this one.
    """
    with store.reading() as connection:
        labelled = set(connection.execute(sa.select(labels.c.run).distinct()).scalars())
    return [
        other
        for other in runs.all_runs(store)
        if other.id in labelled
        and other.id != run.id
        and (other.exam, other.fingerprint) == (run.exam, run.fingerprint)
        and other.fingerprint
        and other.created_at < run.created_at
    ]

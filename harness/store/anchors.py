"""Anchors of judges in the store: the sets, and the nights on which they were graded again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from ..watching import AnchorSet, Regrade
from .codec import dumps
from .schema import anchor_grades, anchor_sets, runs
from .store import Store


def put_regrade(
    store: Store,
    anchors: AnchorSet,
    run: str,
    scores: Sequence[Mapping[str, float | None]],
    served: Sequence[str],
) -> None:
    """Keep what the anchors got in the night of ``run``, by criterion, ``None`` where the verdict was no score;
    ``served`` is who gave each reply. Both are aligned with the anchors."""
    body = {
        "run": anchors.run,
        "date": anchors.date,
        "config": anchors.config,
        "samples": anchors.samples,
        "scores": anchors.scores,
        "served": anchors.served,
    }
    rows = [
        {"run": run, "anchors": anchors.id, "number": number, "criterion": name, "score": score, "served": by}
        for number, (found, by) in enumerate(zip(scores, served, strict=True))
        for name, score in found.items()
    ]
    with store.writing() as connection:
        connection.execute(
            store.insert_absent(anchor_sets), [{"id": anchors.id, "judge": anchors.judge, "body": dumps(body)}]
        )
        store.put_in(connection, "anchor_grades", rows)


def sets_of(store: Store, runs_shown: Sequence[str]) -> list[AnchorSet]:
    """The sets that were graded again in the nights of these runs, by judge, then the oldest first."""
    graded = sa.select(anchor_grades.c.anchors, anchor_grades.c.run).distinct()
    with store.reading() as connection:
        used = {anchors for anchors, run in connection.execute(graded) if run in set(runs_shown)}
        rows = connection.execute(sa.select(anchor_sets)).mappings().all()
    found = [_set(row) for row in rows if row["id"] in used]
    return sorted(found, key=lambda one: (one.judge, one.date, one.id))


def regrades_of(store: Store, anchors: AnchorSet) -> list[Regrade]:
    """Every night of a set, the oldest first."""
    g = anchor_grades.c
    query = (
        sa.select(g.run, runs.c.created_at, g.number, g.criterion, g.score, g.served)
        .join(runs, runs.c.id == g.run)
        .where(g.anchors == anchors.id)
        .order_by(runs.c.created_at, g.run, g.number)
    )
    nights: dict[tuple[str, float], list[Any]] = {}
    with store.reading() as connection:
        for run, created_at, *row in connection.execute(query):
            nights.setdefault((run, created_at), []).append(row)
    return [_regrade(run, at, rows, len(anchors.scores)) for (run, at), rows in nights.items()]


def _regrade(run: str, created_at: float, rows: Sequence[Any], n: int) -> Regrade:
    scores: list[dict[str, float]] = [{} for _ in range(n)]
    served: dict[int, str] = {}
    for number, criterion, score, by in rows:
        served[number] = by
        if score is not None and number < n:
            scores[number][criterion] = score
    return Regrade(run, created_at, tuple(scores), Counter(by for by in served.values() if by))


def _set(row: Mapping[Any, Any]) -> AnchorSet:
    body = orjson.loads(row["body"])
    samples = tuple((sample, sha256) for sample, sha256 in body.pop("samples"))
    return AnchorSet(row["id"], row["judge"], samples=samples, scores=tuple(body.pop("scores")), **body)

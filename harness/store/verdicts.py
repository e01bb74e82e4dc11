"""A run's verdicts and labels alone: what comparing judges with people takes, a fraction of what `load` reads."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .codec import PURGED, answer_sha256_of_row
from .frames import LABEL_COLUMNS, PREFERENCE_COLUMNS, RunData, empty_frame
from .label_rows import label_rows
from .load import frame_of, info_of, preference_of, rows_of_run
from .runs import Run
from .schema import answers, grades, preferences, run_samples
from .store import Store
from .wanted import Wanted

_ANSWER = ("sample_id", "candidate", "trial", "status")
_GRADE = ("sample_id", "candidate", "trial", "judge", "criterion", "turn", "repeat", "status", "score")


def load_verdicts(store: Store, run: Run) -> RunData:
    """`load` without words, calls and measures: of samples the cluster, of answers the status, of grades the score."""
    wanted = Wanted.of(run)
    same: dict[Any, Any] = {}
    with store.reading() as connection:
        clusters = _clusters(connection, run.id)
        given = []
        for row in connection.execution_options(yield_per=1000).execute(rows_of_run(answers, run.id)).mappings():
            if wanted.answer(row):
                kept = {name: same.setdefault(row[name], row[name]) for name in _ANSWER}
                hash_only = f"{PURGED}{answer_sha256_of_row(row)}" if row["status"] == "ok" else ""
                given.append({**kept, "text": None, "turns": None, "detail": hash_only})
        query = rows_of_run(grades, run.id, (*_GRADE,))
        graded = [
            tuple(same.setdefault(row[name], row[name]) for name in _GRADE)
            for row in connection.execution_options(yield_per=1000).execute(query).mappings()
            if wanted.grade(row)
        ]
        compared = [r for r in connection.execute(rows_of_run(preferences, run.id)).mappings() if wanted.preference(r)]
        labels = label_rows(connection, [row for row in given if row["status"] == "ok"], clusters)
    empty = empty_frame(())
    return RunData(
        info=info_of(run),
        samples=frame_of(("sample_id", "cluster"), clusters.items()),
        answers=frame_of(("cluster", *_ANSWER), ((clusters[r["sample_id"]], *(r[n] for n in _ANSWER)) for r in given)),
        grades=frame_of(_GRADE, graded),
        scores=empty,
        calls=empty,
        preferences=frame_of(PREFERENCE_COLUMNS, (preference_of(r, clusters) for r in compared)),
        labels=frame_of(LABEL_COLUMNS, labels),
    )


def _clusters(connection: sa.Connection, run: str) -> dict[str, str]:
    s = run_samples.c
    query = sa.select(s.sample_id, s.cluster).where(s.run == run).order_by(s.position)
    return {sample: cluster or sample for sample, cluster in connection.execute(query)}

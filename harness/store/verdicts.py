"""A run's verdicts and labels alone: what comparing judges with people takes, a fraction of what `load` reads."""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .codec import answer_sha256_of_row
from .frames import PREFERENCE_COLUMNS, RunData, empty_frame, frame_of, joined
from .label_rows import label_frame
from .load import info_of, preference_of, rows_of_run
from .runs import Run
from .schema import answers, grades, preferences, run_samples
from .store import Store
from .wanted import Wanted

if TYPE_CHECKING:
    import pandas as pd

_ANSWER = ("sample_id", "candidate", "trial", "status")
_GRADE = ("sample_id", "candidate", "trial", "judge", "criterion", "turn", "repeat", "status", "score")
_WANTED = ("candidate", "trial", "judge", "criterion", "repeat", "sample_id")
_SOME = 1000
"""Rows that are held as they come from the database."""


def load_verdicts(store: Store, run: Run) -> RunData:
    """`load` without words, calls and measures: of samples the cluster, of answers the status, of grades the score."""
    wanted = Wanted.of(run)
    with store.reading() as connection:
        clusters = _clusters(connection, run.id)
        given, hashes = _answers(connection, run.id, wanted)
        answered = ((*row[:3], sha256) for row, sha256 in zip(given, hashes, strict=True) if sha256)
        labels = label_frame(connection, answered, clusters)
        del hashes
        graded = _grades(connection, run.id, wanted)
        compared = [r for r in connection.execute(rows_of_run(preferences, run.id)).mappings() if wanted.preference(r)]
    empty = empty_frame(())
    return RunData(
        info=info_of(run),
        samples=frame_of(("sample_id", "cluster"), clusters.items()),
        answers=frame_of(("cluster", *_ANSWER), ((clusters[row[0]], *row) for row in given)),
        grades=graded,
        scores=empty,
        calls=empty,
        preferences=frame_of(PREFERENCE_COLUMNS, (preference_of(r, clusters) for r in compared)),
        labels=labels,
    )


def _clusters(connection: sa.Connection, run: str) -> dict[str, str]:
    s = run_samples.c
    query = sa.select(s.sample_id, s.cluster).where(s.run == run).order_by(s.position)
    return {sample: cluster or sample for sample, cluster in connection.execute(query)}


def _answers(connection: sa.Connection, run: str, wanted: Wanted) -> tuple[list[tuple[str, str, int, str]], list[str]]:
    """The wanted ones, and the hashes of their texts; '' where there is none."""
    query = rows_of_run(answers, run, (*_ANSWER, "text", "turns", "detail"))
    found, hashes = [], []
    same: dict[str, str] = {}
    for row in connection.execution_options(yield_per=_SOME).execute(query).mappings():
        if wanted.answer(row):
            sample, candidate, trial, status = (row[name] for name in _ANSWER)
            texts = (same.setdefault(text, text) for text in (sample, candidate, status))
            sample, candidate, status = texts
            found.append((sample, candidate, trial, status))
            hashes.append(answer_sha256_of_row(row) if status == "ok" else "")
    return found, hashes


def _grades(connection: sa.Connection, run: str, wanted: Wanted) -> pd.DataFrame:
    """The wanted ones. What many share is kept once, and a grade is two numbers until the table is made."""
    samples: dict[str, int] = {}
    endings: dict[tuple[Any, ...], int] = {}
    whose, what = array("q"), array("q")
    wants = lru_cache(None)(lambda *key: wanted.grade(dict(zip(_WANTED, key, strict=True))))
    for row in connection.execution_options(yield_per=_SOME).execute(rows_of_run(grades, run, _GRADE)):
        sample, candidate, trial, judge, criterion, _, repeat, *_ = row
        # Every sample has a first repeat; whether it has more depends on the sample.
        if wants(candidate, trial, judge, criterion, repeat, sample if repeat else ""):
            whose.append(samples.setdefault(sample, len(samples)))
            what.append(endings.setdefault(tuple(row[1:]), len(endings)))
    ids = frame_of(_GRADE[:1], ((sample,) for sample in samples))
    return joined(((ids, whose), (frame_of(_GRADE[1:], endings), what)))

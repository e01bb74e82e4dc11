"""A run's tables -> one table of every number there is, a row for every *expected* value.

A missing value is NaN with its owner and reason in ``why``: ``candidate: timeout``, ``ours: not answered``,
``judge: unparsable``, ``measure: no number found``, ``reused``, ``price unknown``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import MEASUREMENT_COLUMNS, RunData
from .exam import JudgeView, candidates_of, judges_of, measures_of

if TYPE_CHECKING:
    import pandas as pd

PLACE = ["sample_id", "candidate", "trial"]
OPERATIONS = (
    "e2e_s", "ttft_s", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost_usd",
)  # fmt: skip
"""What an answer took. Seconds are those of live replies only."""


def measurements(data: RunData) -> pd.DataFrame:
    """Columns as in `MEASUREMENT_COLUMNS`; ``source`` is the judge's name, '' for what no judge gave.

    One value per sample, candidate and trial: repeats of a judge are averaged, then turns. The composite is the
    weighted mean of the criteria of one answer, absent when one is absent, unless the rubric says ``renormalise``
    and the missing one is not applicable.
    """
    import pandas as pd

    expected = _expected(data)
    parts = [part for judge in judges_of(data) for part in _judged(data, expected, judge)]
    parts += _scored(data, expected)
    parts += _operations(data, expected)
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "run", data.info.id)
    table["setting"] = ""
    return table[list(MEASUREMENT_COLUMNS)]


def judged(data: RunData, judge: JudgeView) -> pd.DataFrame:
    """The rows of `measurements` that one judge gave, without the columns that are the same in all."""
    import pandas as pd

    return pd.concat(_judged(data, _expected(data), judge), ignore_index=True)


def _expected(data: RunData) -> pd.DataFrame:
    """Every answer that the exam asks for, by sample, candidate and trial, and in ``blocked`` why there is none."""
    import pandas as pd

    asked = pd.DataFrame(
        [(candidate.name, trial) for candidate in candidates_of(data) for trial in range(candidate.trials)],
        columns=["candidate", "trial"],
    )
    places = data.samples[["sample_id", "cluster"]].merge(asked, how="cross")
    found = places.merge(data.answers.drop(columns="cluster"), on=PLACE, how="left", validate="one_to_one")
    failed = found["owner"] + ": " + found["status"]
    blocked = failed.where(found["status"] != "ok", "").where(found["status"].notna(), "ours: not answered")
    return found.assign(blocked=blocked)


def _judged(data: RunData, expected: pd.DataFrame, judge: JudgeView) -> Iterator[pd.DataFrame]:
    """One part per criterion, then the composite."""
    import numpy as np

    grades = data.grades[data.grades["judge"] == judge.name]
    values, whys = [], []
    for criterion in judge.criteria:
        part = _criterion(grades[grades["criterion"] == criterion], expected, judge.name, criterion)
        values.append(part["value"].to_numpy(dtype=float))
        whys.append(part["why"].to_numpy(dtype=object))
        yield part
    if len(judge.criteria) > 1:
        value, why = composite(np.array(values), np.array(whys), judge)
        yield _part(expected, judge.name, "composite", value, why)


def _criterion(grades: pd.DataFrame, expected: pd.DataFrame, judge: str, criterion: str) -> pd.DataFrame:
    found = expected[PLACE].merge(_per_answer(grades), on=PLACE, how="left")
    why = ("judge: " + found["status"]).fillna("ours: not graded")
    blocked = expected["blocked"] != ""
    value = found["value"].mask(blocked)
    return _part(expected, judge, criterion, value, why.mask(blocked, expected["blocked"]).mask(value.notna(), ""))


def _per_answer(grades: pd.DataFrame) -> pd.DataFrame:
    """``value`` of each answer, repeats averaged, then turns; where there is none, the ``status`` that says why.

    A turn without a readable verdict leaves the answer without a value: the other turns are other questions. A turn to
    which the criterion does not apply drops out.
    """
    rank = grades["status"].map({"scored": 0, "not_applicable": 2}).fillna(1).astype(int)
    rows = grades.assign(rank=rank).sort_values("rank", kind="stable")
    turns = rows.groupby([*PLACE, "turn"], sort=False).agg(value=("score", "mean"), first=("status", "first"))
    turns["rank"] = turns["first"].map({"scored": 1, "not_applicable": 2}).fillna(0).astype(int)
    turns = turns.sort_values("rank", kind="stable")
    found = turns.groupby(level=PLACE, sort=False).agg(
        value=("value", "mean"), status=("first", "first"), rank=("rank", "first")
    )
    return found.assign(value=found["value"].mask(found["rank"] == 0)).reset_index()


def composite(values: Any, whys: Any, judge: JudgeView) -> tuple[Any, Any]:
    """Weighted mean over the first axis of ``values`` (criteria, answers), and why it is missing where it is.

    ``whys`` has the shape of ``values``; one that says `judge: not_applicable` may drop out under ``renormalise``.
    """
    import numpy as np

    weights = np.array(judge.weights)[:, None]
    missing = np.isnan(values)
    inapplicable = whys == "judge: not_applicable"
    may_drop = inapplicable if judge.renormalise else np.zeros_like(missing)
    total = np.where(missing, 0.0, weights * np.nan_to_num(values)).sum(axis=0)
    weight = np.where(missing, 0.0, weights).sum(axis=0)
    absent = (missing & ~may_drop).any(axis=0) | (weight <= 0)
    value = np.where(absent, np.nan, total / np.where(weight > 0, weight, 1.0))
    # The reason is that of the first criterion that keeps the composite from being computed.
    blocking = missing & ~may_drop
    first = np.where(blocking.any(axis=0), blocking.argmax(axis=0), missing.argmax(axis=0))
    return value, np.where(absent, np.take_along_axis(whys, first[None], axis=0)[0], "")


def _scored(data: RunData, expected: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for measure in measures_of(data):
        rows = data.scores.loc[data.scores["measure"] == measure, [*PLACE, "value", "why"]]
        found = expected[PLACE].merge(rows, on=PLACE, how="left")
        blocked = expected["blocked"] != ""
        value = found["value"].astype(float).mask(blocked)
        why = ("measure: " + found["why"]).fillna("ours: not measured").mask(blocked, expected["blocked"])
        yield _part(expected, "", measure, value, why.mask(value.notna(), ""))


def _operations(data: RunData, expected: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for name in OPERATIONS:
        value = expected[name].astype(float)
        why = expected["blocked"].copy()
        if name in ("e2e_s", "ttft_s"):
            value = value.mask((expected["origin"] == "reused") | (expected["blocked"] != ""))
            why = why.mask((why == "") & (expected["origin"] == "reused"), "reused")
        unknown = "price unknown" if name == "cost_usd" else "not measured"
        yield _part(expected, "", name, value, why.mask(why == "", unknown).mask(value.notna(), ""))


def _part(expected: pd.DataFrame, source: str, measure: str, value: Any, why: Any) -> pd.DataFrame:
    part = expected[["sample_id", "cluster", "candidate", "trial"]].copy()
    return part.assign(source=source, measure=measure, value=value, why=why)

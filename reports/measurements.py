"""A run's tables -> every number there is, one for every *expected* value.

A missing value is NaN with its owner and reason in ``why``: ``candidate: timeout``, ``ours: not answered``,
``judge: unparsable``, ``measure: no number found``, ``reused``, ``price unknown``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import MEASUREMENT_COLUMNS, RunData
from .exam import JudgeView, judges_of, measures_of
from .expected import Expected, expected_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OPERATIONS = (
    "e2e_s", "ttft_s", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost_usd",
)  # fmt: skip
"""What an answer took. Seconds are those of live replies only."""


@dataclass(frozen=True)
class Part:
    """One measure of every expected answer (places,); ``source`` is the judge's name, '' for what no judge gave."""

    source: str
    measure: str
    value: Floats
    why: NDArray[Any]


def measurements(data: RunData) -> pd.DataFrame:
    """All `parts` as one long table, columns as in `MEASUREMENT_COLUMNS`."""
    import pandas as pd

    expected = expected_of(data)
    places = expected.table()
    tables = [
        places.assign(source=p.source, measure=p.measure, value=p.value, why=p.why) for p in parts(data, expected)
    ]
    table = pd.concat(tables, ignore_index=True).assign(run=data.info.id, setting="")
    return table[list(MEASUREMENT_COLUMNS)]


def parts(data: RunData, expected: Expected) -> Iterator[Part]:
    """What each judge gave, then measures without a judge, then what the answers took.

    One value per sample, candidate and trial: repeats of a judge are averaged, then turns. The composite is the
    weighted mean of the criteria of one answer, absent when one is absent, unless the rubric says ``renormalise``
    and the missing one is not applicable.
    """
    for judge in judges_of(data):
        yield from judged(data, expected, judge)
    yield from _scored(data, expected)
    yield from _operations(data, expected)


def judged(data: RunData, expected: Expected, judge: JudgeView) -> Iterator[Part]:
    """One part per criterion, then the composite."""
    import numpy as np

    grades = data.grades[data.grades["judge"] == judge.name]
    found = [_criterion(grades[grades["criterion"] == name], expected, judge.name, name) for name in judge.criteria]
    yield from found
    if len(found) > 1:
        value, why = composite(np.array([part.value for part in found]), np.array([part.why for part in found]), judge)
        yield Part(judge.name, "composite", value, why)


def _criterion(grades: pd.DataFrame, expected: Expected, judge: str, criterion: str) -> Part:
    import numpy as np

    value, reason = np.full(expected.n, np.nan), np.full(expected.n, "ours: not graded", dtype=object)
    found = _per_answer(grades.assign(place=expected.places(grades)))
    at = found.index.to_numpy()
    value[at] = found["value"]
    lacking = found["value"].isna().to_numpy()
    reason[at[lacking]] = [f"judge: {status}" for status in found["status"][lacking]]
    value[~expected.there] = np.nan
    return Part(judge, criterion, value, expected.why(value, reason))


def _per_answer(grades: pd.DataFrame) -> pd.DataFrame:
    """``value`` of each answer by its ``place``, repeats averaged, then turns; where there is none, the ``status`` that
    says why.

    A turn without a readable verdict leaves the answer without a value: the other turns are other questions. A turn to
    which the criterion does not apply drops out.
    """
    rows = grades.loc[grades["place"] >= 0, ["place", "turn", "status", "score"]]
    if not rows["place"].duplicated().any():
        return rows.set_index("place").rename(columns={"score": "value"})
    rows["rank"] = _ranks(rows["status"], {"scored": 0, "not_applicable": 2}, 1)
    rows = rows.sort_values("rank", kind="stable")
    turns = rows.groupby(["place", "turn"], sort=False, observed=True).agg(
        value=("score", "mean"), first=("status", "first")
    )
    turns["rank"] = _ranks(turns["first"], {"scored": 1, "not_applicable": 2}, 0)
    turns = turns.sort_values("rank", kind="stable")
    found = turns.groupby(level="place", sort=False).agg(
        value=("value", "mean"), status=("first", "first"), rank=("rank", "first")
    )
    return found.assign(value=found["value"].mask(found["rank"] == 0))


def _ranks(statuses: pd.Series[Any], known: Mapping[str, int], other: int) -> pd.Series[Any]:
    return statuses.astype(object).map(known).fillna(other).astype(int)


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


def _scored(data: RunData, expected: Expected) -> Iterator[Part]:
    import numpy as np

    for measure in measures_of(data):
        rows = data.scores[data.scores["measure"] == measure]
        at = expected.places(rows)
        rows, at = rows[at >= 0], at[at >= 0]
        value, reason = np.full(expected.n, np.nan), np.full(expected.n, "ours: not measured", dtype=object)
        value[at] = rows["value"].astype(float)
        lacking = np.isnan(value[at])
        reason[at[lacking]] = [f"measure: {why}" for why in rows["why"][lacking]]
        value[~expected.there] = np.nan
        yield Part("", measure, value, expected.why(value, reason))


def _operations(data: RunData, expected: Expected) -> Iterator[Part]:
    import numpy as np

    reused = expected.of(data.answers["origin"] == "reused", False)
    for name in OPERATIONS:
        value = expected.of(data.answers[name].astype(float), np.nan)
        reason = np.full(expected.n, "price unknown" if name == "cost_usd" else "not measured", dtype=object)
        if name in ("e2e_s", "ttft_s"):
            value[reused | ~expected.there] = np.nan
            reason[reused] = "reused"
        yield Part("", name, value, expected.why(value, reason))

"""P1, format: how many replies hold a legal score. Read from the grades of the run; nobody is asked again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...harness.probing import Failing, Finding, Limit, Power, Probe
from ...harness.statistics.probe_power import rate_power
from ...harness.statistics.rates import rate_interval
from .base import MOST_EXAMPLES

if TYPE_CHECKING:
    import pandas as pd

    from ...harness.records import Estimate

CODE, NAME = "P1", "format"
LIMIT = Limit(low=0.99)
ASSUMED = 0.9999
UNREADABLE = ("unparsable", "truncated", "refused")


def power(n: int) -> Power:
    """See `Power`."""
    return Power(n, n, rate_power(n, ASSUMED, LIMIT.low or 0.0), "one reply in 10,000 is unreadable")


def assess(judge: str, grades: pd.DataFrame) -> Probe:
    """``grades`` with GRADE_COLUMNS, of any judges. A reply counts once, whatever it was used for."""
    replies = _replies(grades[grades["judge"] == judge])
    if not len(replies):
        return Probe(CODE, NAME, judge, why="the run holds no grade of this judge that took a reply")
    ok = replies["status"] == "scored"
    first = ok & (replies["asked"] <= 1)
    findings = [Finding("legal score after one retry", _rate(ok, replies), LIMIT, "replies")]
    findings.append(Finding("legal score at once", _rate(first, replies), None, "replies"))
    kinds = {status: replies["status"] == status for status in UNREADABLE}
    findings += [Finding(status, _rate(ones, replies), None, "replies") for status, ones in kinds.items() if ones.any()]
    if (outside := replies["why"].str.contains(" is not one of ", regex=False)).any():
        findings.append(Finding("score off the scale", _rate(outside, replies), None, "replies"))
    examples = tuple(
        Failing(str(sample), str(status), "", "a score for every criterion", str(why))
        for sample, status, why, _ in replies[~ok].head(MOST_EXAMPLES).itertuples(index=False)
    )
    return Probe(CODE, NAME, judge, tuple(findings), power(len(replies)), examples, _notes(grades, judge))


def _replies(grades: pd.DataFrame) -> pd.DataFrame:
    """A row per reply: sample_id, status, why, and how many calls it took."""
    asked = grades[~grades["status"].isin(["not_applicable", "error"])]
    asked = asked[asked["calls"].ne("[]")]
    place = ["sample_id", "candidate", "trial", "turn", "repeat", "calls"]
    # The worst status of a reply stands for it: a verdict counts as a whole.
    ordered = asked.assign(bad=asked["status"].ne("scored")).sort_values("bad", ascending=False, kind="stable")
    rows = ordered.drop_duplicates(place).drop_duplicates("calls")
    return rows.assign(asked=[len(json.loads(calls)) for calls in rows["calls"]])[
        ["sample_id", "status", "why", "asked"]
    ]


def _rate(ones: Any, replies: pd.DataFrame) -> Estimate:
    """Replies are draws of their own; where some differ, the questions show how far they hang together."""
    values = ones.astype(float).to_numpy()
    return rate_interval(values, replies["sample_id"].to_numpy() if 0 < values.sum() < len(values) else None)


def _notes(grades: pd.DataFrame, judge: str) -> tuple[str, ...]:
    own = grades[grades["judge"] == judge]
    found = []
    for status, words in (("error", "never reached the judge"), ("not_applicable", "did not apply")):
        if count := int((own["status"] == status).sum()):
            found.append(f"{count} grades {words}: not counted")
    return tuple(found)

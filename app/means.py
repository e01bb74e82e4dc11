"""Means without intervals, straight from the store: what a run prints without a report (no pandas, no scipy)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..harness.store import queries
from ..harness.store.runs import Run
from ..harness.store.store import Store
from ..harness.store.wanted import Wanted
from .output import SummaryRow

Values = dict[tuple[str, str, str], dict[str, list[float]]]
"""(candidate, judge, measure) -> sample id -> the values of its trials."""


def grade_counts(store: Store, run: Run) -> dict[str, int]:
    """(answer, judge, criterion) rows by status; `ok` for scored ones, which always stands there."""
    counts = Counter({"ok": 0})
    for row in queries.grade_values(store, run):
        counts["ok" if row["status"] == "scored" else row["status"]] += 1
    return dict(counts)


def summary(store: Store, run: Run) -> list[SummaryRow]:
    """Mean per candidate, judge and criterion, the composite, and the measures without a judge.

    Trials, repeats and turns are averaged within a sample first; n counts samples.
    """
    values = _judged(store, run)
    for row in queries.score_values(store, run):
        if row["value"] is not None:
            values[row["candidate"], "", row["measure"]][row["sample_id"]].append(row["value"])
    wanted = Wanted.of(run)
    candidates, judges = list(wanted.trials), [*wanted.criteria, ""]
    measures = ["composite", *(name for names in wanted.criteria.values() for name in names), *wanted.measures]

    def order(key: tuple[str, str, str]) -> tuple[int, int, int]:
        candidate, judge, measure = key
        return candidates.index(candidate), judges.index(judge), measures.index(measure)

    return [_row(*key, values[key]) for key in sorted(values, key=order)]


def _judged(store: Store, run: Run) -> Values:
    trials: dict[tuple[str, str, str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    inapplicable: dict[tuple[str, str, str, int], set[str]] = defaultdict(set)
    for row in queries.grade_values(store, run):
        place = (row["candidate"], row["judge"], row["sample_id"], row["trial"])
        if row["score"] is not None:
            trials[place][row["criterion"]].append(row["score"])
        elif row["status"] == "not_applicable":
            inapplicable[place].add(row["criterion"])
    rubrics = {judge["name"]: judge.get("rubric", {}) for judge in run.config.get("judges", ())}
    values: Values = defaultdict(lambda: defaultdict(list))
    for (candidate, judge, sample_id, trial), scores in trials.items():
        means = {criterion: _mean(found) for criterion, found in scores.items()}
        for criterion, mean in means.items():
            values[candidate, judge, criterion][sample_id].append(mean)
        whole = _composite(means, rubrics[judge], inapplicable[candidate, judge, sample_id, trial])
        if whole is not None and len(rubrics[judge].get("criteria", ())) > 1:
            values[candidate, judge, "composite"][sample_id].append(whole)
    return values


def _composite(means: Mapping[str, float], rubric: Mapping[str, Any], inapplicable: set[str]) -> float | None:
    """Weighted mean of the criteria; absent when one is absent, unless the rubric lets `not_applicable` drop out."""
    total = weight = 0.0
    for criterion in rubric.get("criteria", ()):
        name = criterion["name"]
        if name in means:
            total += criterion["weight"] * means[name]
            weight += criterion["weight"]
        elif not (rubric.get("renormalise") and name in inapplicable):
            return None
    return total / weight if weight else None


def _row(candidate: str, judge: str, measure: str, samples: Mapping[str, list[float]]) -> SummaryRow:
    mean = _mean([_mean(found) for found in samples.values()])
    return SummaryRow(candidate=candidate, judge=judge, measure=measure, n=len(samples), mean=mean)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)

"""Means without intervals, straight from the store: what a run prints without a report (no pandas, no scipy)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..harness.store import queries
from ..harness.store.runs import Run
from ..harness.store.store import Store
from ..harness.store.wanted import Wanted
from .output import SummaryRow

Values = dict[tuple[str, str, str], dict[str, list[float]]]
"""(candidate, judge, measure) -> sample id -> the values of its trials."""
Verdicts = dict[tuple[str, int], list[float | None]]
"""(criterion, turn) of one answer -> the scores of its repeats, ``None`` where there is none; empty where the criterion
does not apply."""


def grade_counts(store: Store, run: Run) -> dict[str, int]:
    """(answer, judge, criterion) rows by status; `ok` for scored ones, which always stands there."""
    counts = Counter({"ok": 0})
    for row in queries.grade_values(store, run):
        counts["ok" if row["status"] == "scored" else row["status"]] += 1
    return dict(counts)


def preference_counts(store: Store, run: Run) -> dict[str, int]:
    """Verdicts of pairwise judges by status; `ok` for those with an outcome. Empty where no judge is pairwise."""
    if not Wanted.of(run).against:
        return {}
    counts = queries.preference_statuses(store, run)
    return {"ok": counts.pop("scored", 0), **counts}


def summary(store: Store, run: Run) -> list[SummaryRow]:
    """Mean per candidate, judge and criterion, the composite, and the measures without a judge: a row for each that the
    exam asks for, also where there is no value.

    Repeats, turns and trials are averaged within a sample, in this order, as in the report; n counts samples.
    """
    values = values_of(store, run)
    return [_row(*key, values.get(key, {})) for key in _expected(run)]


def values_of(store: Store, run: Run) -> Values:
    """Every value that there is, averaged over repeats and turns."""
    values = _judged(store, run)
    for row in queries.score_values(store, run):
        if row["value"] is not None:
            values[row["candidate"], "", row["measure"]][row["sample_id"]].append(row["value"])
    return values


def _expected(run: Run) -> Iterator[tuple[str, str, str]]:
    """What the exam asks for: candidate, judge or '', measure; the composite before its criteria."""
    wanted = Wanted.of(run)
    for candidate in wanted.trials:
        for judge, criteria in wanted.criteria.items():
            if len(criteria) > 1:
                yield candidate, judge, "composite"
            yield from ((candidate, judge, criterion) for criterion in criteria)
        yield from ((candidate, "", measure) for measure in wanted.measures)


def _judged(store: Store, run: Run) -> Values:
    answers: dict[tuple[str, str, str, int], Verdicts] = defaultdict(lambda: defaultdict(list))
    for row in queries.grade_values(store, run):
        place = answers[row["candidate"], row["judge"], row["sample_id"], row["trial"]][row["criterion"], row["turn"]]
        if row["status"] != "not_applicable":
            place.append(row["score"])
    rubrics = {judge["name"]: judge.get("rubric", {}) for judge in run.config.get("judges", ())}
    values: Values = defaultdict(lambda: defaultdict(list))
    for (candidate, judge, sample_id, _), verdicts in answers.items():
        means, inapplicable = _criteria(verdicts)
        for criterion, mean in means.items():
            values[candidate, judge, criterion][sample_id].append(mean)
        whole = _composite(means, rubrics[judge], inapplicable)
        if whole is not None and len(rubrics[judge].get("criteria", ())) > 1:
            values[candidate, judge, "composite"][sample_id].append(whole)
    return values


def _criteria(verdicts: Verdicts) -> tuple[dict[str, float], set[str]]:
    """Of one answer: the mean of each criterion over its turns, and the criteria that do not apply to any.

    A turn without a readable verdict leaves its criterion without a value: the other turns are other questions.
    """
    turns: dict[str, list[float | None]] = defaultdict(list)
    for (criterion, _), scores in verdicts.items():
        readable = [score for score in scores if score is not None]
        turns[criterion] += [_mean(readable) if readable else None] if scores else []
    means = {c: _mean(v for v in found if v is not None) for c, found in turns.items() if found and None not in found}
    return means, {criterion for criterion, found in turns.items() if not found}


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
    mean = _mean(_mean(found) for found in samples.values()) if samples else None
    return SummaryRow(candidate=candidate, judge=judge, measure=measure, n=len(samples), mean=mean)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)

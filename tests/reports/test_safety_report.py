"""The section on content safety: counts, categories, bounds, the guard against labels, refusals."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from markscheme.harness.records import Estimate
from markscheme.harness.safety import SafetyLabel, SafetyNote
from markscheme.harness.statistics.classes import detection
from markscheme.harness.statistics.rates import clopper_pearson, wilson
from markscheme.harness.store.frames import RunData
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from markscheme.reports.safety import Safety, safety
from markscheme.reports.safety_bounds import Units, needed, units_of
from regressions import run, with_labels

RUBRIC = {
    "name": "safety",
    "sha256": "5afe" * 16,
    "scale": [0, 1],
    "criteria": [{"name": "correctness", "weight": 1}],
    "categories": [
        {"code": "S1", "name": "Violence"},
        {"code": "S3", "name": "Crime <b>"},
        {"code": "S9", "name": "PII"},
    ],
}


def guarded(scores: Any, labels: dict[int, list[str]] | None = None, **changes: Any) -> RunData:
    """A run of `mini` judged by `strict`; ``labels`` are those of the grades of some samples."""
    changes.setdefault("scale", (0, 1))
    data = run("new", {"mini": scores}, judge={"rubric": RUBRIC}, **changes)
    number = data.grades["sample_id"].str.removeprefix("q").astype(int)
    texts = [json.dumps((labels or {}).get(n, ["user:safe"])) for n in number]
    return replace(data, grades=data.grades.assign(labels=texts))


def noted(data: RunData, *labels: SafetyLabel, responses: dict[int, str] | None = None) -> RunData:
    hashes = {n: hashlib.sha256(text.encode()).hexdigest() for n, text in (responses or {}).items()}
    return replace(data, safety={f"q{n}": SafetyNote(label, hashes.get(n, "")) for n, label in enumerate(labels)})


def the(found: Safety | None) -> Safety:
    assert found is not None
    return found


def test_a_run_without_guard_and_labels_has_no_section() -> None:
    assert safety(run("new", {"mini": [3, 2]})) is None


def test_unsafe_answers_are_counted_by_candidate_and_category() -> None:
    data = guarded([0, 0, 1, 1], {0: ["S1", "S3", "user:S3"], 1: ["S3", "unknown", "user:safe"], 2: ["user:unsafe"]})
    [guard] = the(safety(data)).guards
    assert [(row.candidate, row.count, row.answers) for row in guard.unsafe] == [("mini", 2, 4)]
    assert (guard.users, guard.users_unsafe) == (4, 2)
    assert [(row.code, row.users, row.answers) for row in guard.categories] == [
        ("S1", 0, (1,)),
        ("S3", 1, (2,)),
        ("unknown", 0, (1,)),
    ]


def test_the_bound_is_that_of_clopper_and_pearson_with_unread_verdicts_taken_for_unsafe() -> None:
    nan = float("nan")
    units = units_of(guarded([0, nan] + [1] * 98), "strict", "mini")
    assert (units.n, units.unsafe, units.unread) == (100, 1, 1)
    assert units.upper == pytest.approx(clopper_pearson(2, 100, 0.9)[1])
    assert units.lower == pytest.approx(clopper_pearson(1, 99, 0.9)[0])


def test_no_unsafe_answer_of_299_is_at_most_one_percent() -> None:
    assert needed(0.01) == 299
    upper = Units(299, 0, 0).upper
    assert upper is not None and upper <= 0.01 < (Units(298, 0, 0).upper or 0)


def test_the_bound_covers_in_simulation() -> None:
    rng = np.random.default_rng(7)
    for rate in (0.005, 0.02, 0.1):
        covered = [(Units(200, int(k), 0).upper or 0) >= rate for k in rng.binomial(200, rate, 2_000)]
        assert np.mean(covered) >= 0.94


def test_answers_of_one_cluster_are_one_unit() -> None:
    data = guarded([0, 0, 1, 1, 1, 1], clusters=["a", "a", "b", "b", "c", "c"])
    units = units_of(data, "strict", "mini")
    assert (units.n, units.unsafe, units.clustered) == (3, 1, True)
    assert units.upper == pytest.approx(clopper_pearson(1, 3, 0.9)[1])
    assert units.lower is not None and 0 < units.lower < 1 / 3


def test_trials_and_turns_of_a_sample_are_one_unit_and_one_unsafe_one_is_enough() -> None:
    data = guarded(np.array([[1, 0], [1, 1]]))
    assert units_of(data, "strict", "mini") == Units(2, 1, 0)
    turns = replace(data, grades=data.grades.assign(trial=0, turn=data.grades["trial"] + 1))
    assert units_of(turns, "strict", "mini") == Units(2, 1, 0)
    [guard] = the(safety(turns)).guards
    assert (guard.unsafe[0].count, guard.unsafe[0].answers) == (1, 2)


def test_a_failed_answer_is_no_unit() -> None:
    assert units_of(guarded([0, 1, 1], failed=[("mini", 0)]), "strict", "mini") == Units(2, 0, 0)


def test_precision_recall_and_f1_by_hand() -> None:
    given = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    truth = [1, 1, 0, 1, 0, 0, 0, 0, 0, 0]
    found = detection(given, truth)
    assert (found.n, found.flagged, found.true, found.hits) == (10, 3, 3, 2)
    assert (found.precision.value, found.recall.value) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.f1.value == pytest.approx(2 / 3)
    low, high = wilson(2, 4)
    assert (found.f1.low, found.f1.high) == (pytest.approx(2 * low / (1 + low)), pytest.approx(2 * high / (1 + high)))


def test_what_is_never_flagged_has_no_precision_and_no_zero() -> None:
    found = detection([0, 0], [1, 0])
    assert (found.precision.value, found.recall.value, found.f1.value) == (None, 0.0, 0.0)
    assert detection([0, 0], [0, 0]).f1.value is None


def test_intervals_of_f1_cover_in_simulation() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    truth_f1 = 2 * 0.2 * 0.8 / (0.2 * 0.8 + 0.8 * 0.1 + 0.2)
    for _ in range(1_000):
        truth = rng.random(200) < 0.2
        given = np.where(truth, rng.random(200) < 0.8, rng.random(200) < 0.1)
        f1 = detection(given, truth).f1
        covered += (f1.low or 0) <= truth_f1 <= (f1.high or 0)
    assert 0.93 <= covered / 1_000 <= 0.98


UNSAFE = SafetyLabel("unsafe", None, ("S3",))
SAFE = SafetyLabel("safe")


def test_the_verdicts_on_messages_are_held_against_the_prompts_labels() -> None:
    data = guarded([1] * 4, {0: ["user:S3"], 1: ["user:S1"], 2: ["user:S3"]})
    [guard] = the(safety(noted(data, UNSAFE, UNSAFE, SAFE, SAFE))).guards
    found = guard.of_users
    assert found is not None and (found.n, found.flagged, found.true, found.hits) == (4, 3, 2, 2)
    by_code = {row.code: row.of_users for row in guard.categories}
    assert by_code["S3"] is not None and (by_code["S3"].n, by_code["S3"].true, by_code["S3"].hits) == (2, 2, 1)
    assert guard.of_answers is None


def test_categories_of_another_taxonomy_are_not_held_against_this_one() -> None:
    data = guarded([1] * 2, {0: ["user:S3"], 1: ["user:S1"]})
    other = SafetyLabel("unsafe", None, ("S3",), "llama_guard")
    [guard] = the(safety(noted(data, other, other))).guards
    assert guard.of_users is not None and guard.of_users.hits == 2
    assert {row.of_users for row in guard.categories} == {None}


def test_a_label_of_a_response_holds_for_its_text_and_no_other() -> None:
    label = SafetyLabel(None, "unsafe", ("S1",))
    data = guarded([0, 0], {0: ["S1"], 1: ["S1"]})
    texts = {0: data.answers["text"].iloc[0], 1: "Another answer."}
    [guard] = the(safety(noted(data, label, label, responses=texts))).guards
    assert guard.of_answers is not None and (guard.of_answers.n, guard.of_answers.hits) == (1, 1)


def test_peoples_labels_of_answers_count_too() -> None:
    data = with_labels(guarded([0, 1, 1, 1]), "mini", [0, 0, 1, float("nan")])
    [guard] = the(safety(data)).guards
    found = guard.of_answers
    assert found is not None and (found.n, found.flagged, found.true, found.hits) == (3, 1, 2, 1)


def test_over_refusal_is_of_prompts_that_are_labelled_safe() -> None:
    data = guarded([1] * 4)
    texts = ["I'm sorry, but I cannot help with that.", "Use kill -9.", "I cannot help with that.", "Sure: do this."]
    data = replace(data, answers=data.answers.assign(text=texts))
    [row] = the(safety(noted(data, SAFE, SAFE, UNSAFE, UNSAFE))).refusing
    assert (row.safe["full_refusal"].value, row.safe["full_refusal"].n) == (0.5, 2)
    assert (row.unsafe["full_refusal"].value, row.unsafe["full_refusal"].n) == (0.5, 2)
    assert isinstance(row.safe["partial_refusal"], Estimate) and row.safe["partial_refusal"].value == 0


def test_the_pages_tell_it_and_escape_what_was_written() -> None:
    data = guarded([0, 1, 1, 1], {0: ["S3", "user:S3"]}, reply_date="2026-11-20")
    report = build_report(noted(data, UNSAFE, SAFE, SAFE, SAFE))
    page, text = render_html(report), render_markdown(report)
    assert "S3 Crime &lt;b&gt;" in page and "Crime <b>" not in page
    assert "## Content safety" in text and "| mini | 1 of 4 | 25 % | 75 % | of 4 samples |" in text
    assert "Over-refusal" in page and "Over-refusal" in text

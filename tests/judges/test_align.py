"""Which grades meet which labels, and what is left out and counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from markscheme.harness.alignment import COMPOSITE, Alignment, CriterionAlignment
from markscheme.harness.errors import InputError
from markscheme.harness.preference_labels import HumanPreference
from markscheme.harness.statistics.agreement import judge_agreement
from markscheme.harness.store.frames import (
    GRADE_COLUMNS,
    LABEL_COLUMNS,
    PREFERENCE_COLUMNS,
    RunData,
    RunInfo,
    empty_frame,
)
from markscheme.judges.align import align

CRITERIA = {"right": 0.75, "clear": 0.25}
A = [0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 1, 2, 0, 3]
B = [0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 1, 3, 0, 3]


def grade(sample: int, score: float | None, criterion: str = "right", **more: object) -> dict[str, object]:
    row = {"sample_id": f"s{sample}", "cluster": f"s{sample}", "candidate": "a", "trial": 0, "judge": "j", "turn": 0}
    status = "unparsable" if score is None else "scored"
    return {**row, "criterion": criterion, "repeat": 0, "status": status, "score": score, **more}


def label(sample: int, score: float, criterion: str = "right", annotator: str = "ann", **more: object) -> dict:
    row = {"sample_id": f"s{sample}", "cluster": f"s{sample}", "candidate": "a", "trial": 0, "label_set": "gold"}
    how = {"design": "random", "labelled_at": "2026-11-20", "stratum": ""}
    return {**row, **how, "criterion": criterion, "annotator": annotator, "score": score, **more}


def run_of(grades: list[dict], labels: list[dict], *, renormalise: bool = False, preferences: list = ()) -> RunData:
    entry = {"scale": [0, 3], "criteria": [{"name": n, "weight": w} for n, w in CRITERIA.items()]}
    config = {
        "name": "exam",
        "candidates": [{"name": "b"}, {"name": "a"}],
        "judges": [{"name": "j", "rubric": {**entry, "renormalise": renormalise}}, {"name": "p", "mode": "pairwise"}],
    }
    places = dict.fromkeys((g["sample_id"], g["candidate"], g["trial"]) for g in grades)
    answers = [(s, s, c, t, "ok") for s, c, t in places]
    samples = sorted({s for s, _, _ in places} | {f"s{i}" for i in range(3)})
    return RunData(
        RunInfo("run-1", "exam.yaml", "", "", 0.0, None, {}, config),
        pd.DataFrame({"sample_id": samples, "cluster": samples}),
        pd.DataFrame(answers, columns=["sample_id", "cluster", "candidate", "trial", "status"]),
        pd.DataFrame(grades, columns=GRADE_COLUMNS),
        empty_frame(()),
        empty_frame(()),
        pd.DataFrame(list(preferences), columns=PREFERENCE_COLUMNS),
        pd.DataFrame(labels, columns=LABEL_COLUMNS),
    )


def one(found: Alignment, criterion: str = "right") -> CriterionAlignment:
    return next(c for c in found.criteria if c.criterion == criterion)


def test_the_golden_table_comes_out_whatever_the_order_of_rows():
    grades = [grade(i, a) for i, a in enumerate(A)]
    labels = [label(i, b) for i, b in enumerate(B)][::-1]
    found = one(align(run_of(grades, labels)))
    got = {name: round(e.value, 7) for name, e in found.estimates.items() if name in ("exact", "kappa", "ac1", "tau_b")}
    assert got == {"exact": 0.7333333, "kappa": 0.6428571, "ac1": 0.6449704, "tau_b": 0.8214286}
    assert round(found.estimates["kappa_quadratic"].value, 7) == 0.8863636
    assert found.n == 15 and found.annotators == {"ann": 15} and found.lost == {}
    assert "below 50" in found.notes[0]


def test_a_label_meets_the_grade_of_its_own_answer_and_of_no_other():
    places = [{"candidate": c, "trial": t} for c in "ab" for t in (0, 1)]
    grades = [grade(s, (s + k) % 4, **place) for s in range(3) for k, place in enumerate(places)]
    labels = [label(s, (s + k) % 4, **place) for s in range(3) for k, place in enumerate(places) if k != 2]
    found = one(align(run_of(grades, labels)))
    assert found.n == 9 and found.estimates["exact"].value == 1.0
    assert [(c.candidate, c.n) for c in found.candidates] == [("b", 3), ("a", 6)], "in the order of the exam"


def test_levels_meet_the_first_repeat_and_the_composite_the_mean_of_repeats():
    grades = [grade(s, score, c, repeat=r) for s in range(3) for c in CRITERIA for r, score in enumerate((1, 2))]
    labels = [label(s, 1, c) for s in range(3) for c in CRITERIA]
    found = align(run_of(grades, labels))
    assert one(found).estimates["bias"].value == 0.0
    assert one(found, COMPOSITE).estimates["bias"].value == 0.5


def test_no_verdict_is_no_zero_and_is_counted():
    grades = [grade(0, 3), grade(1, None), grade(2, 3)]
    found = one(align(run_of(grades, [label(s, 3) for s in range(3)])))
    assert found.n == 2 and found.estimates["bias"].value == 0.0
    assert found.lost == {"answers without a verdict of the judge": 1}


def test_labels_between_the_levels_and_labels_in_two_sets_are_left_out_and_counted():
    labels = [label(0, 2.5), label(1, 2), label(1, 0, label_set="other"), label(2, 1)]
    found = one(align(run_of([grade(s, 2) for s in range(3)], labels)))
    assert found.n == 2 and found.estimates["bias"].value == 0.5
    assert found.agreement.confusion[2] == (0.0, 1.0, 1.0, 0.0), "the judge down, people across"
    assert found.lost == {"labels between the levels or off the scale": 1, "labels that stand in two sets": 1}


def test_the_composite_weighs_criteria_and_leaves_out_what_nobody_labelled_whole():
    grades = [grade(s, 3, c) for s in range(3) for c in CRITERIA]
    labels = [label(0, 1, "right"), label(0, 2, "clear"), label(1, 3, "right"), label(1, 3, "clear", "ben")]
    found = one(align(run_of(grades, labels)), COMPOSITE)
    assert found.n == 1 and found.estimates["bias"].value == pytest.approx(3 - (0.75 * 1 + 0.25 * 2))
    assert found.lost == {"answers that nobody labelled on every criterion": 1}


def test_where_a_criterion_does_not_apply_the_peoples_composite_goes_without_it_too():
    silent = {"status": "not_applicable"}
    grades = [grade(s, 3) for s in range(2)] + [grade(0, None, "clear", **silent), grade(1, 1, "clear")]
    labels = [label(s, 3, c) for s in range(2) for c in CRITERIA]
    found = one(align(run_of(grades, labels, renormalise=True)), COMPOSITE)
    assert found.n == 2 and found.estimates["bias"].value == pytest.approx((0 - 0.25 * 2) / 2)
    assert one(align(run_of(grades, labels)), COMPOSITE).n == 1


def test_people_among_themselves_are_the_ceiling_on_the_answers_that_the_judge_graded():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 60)
    grades = [grade(s, int(t) if s else None) for s, t in enumerate(truth)]
    people = {who: np.clip(truth + rng.integers(-1, 2, 60), 0, 3) for who in ("ann", "ben", "cat")}
    labels = [label(s, int(v), annotator=who) for who, said in people.items() for s, v in enumerate(said)]
    found = one(align(run_of(grades, labels)))
    assert found.n == found.n_humans == 59
    assert found.ratio("kappa_quadratic") == pytest.approx(
        found.estimates["kappa_quadratic"].value / found.humans["kappa_quadratic"].value
    )
    humans = np.array([people[who] for who in ("ann", "ben", "cat")], dtype=float).T
    assert found.agreement == judge_agreement(truth[1:], humans[1:], (0, 1, 2, 3), [f"s{i}" for i in range(1, 60)])
    assert found.alternative is not None and found.alternative.passed
    assert [found.raters[a.annotator] for a in found.alternative.against] == ["ann", "ben", "cat"]


def test_with_one_annotator_there_is_no_ceiling_and_no_alternative_test_and_it_says_why():
    found = one(align(run_of([grade(s, 2) for s in range(3)], [label(s, 2) for s in range(3)])))
    assert found.humans == {} and found.ratio("exact") is None and found.alternative is None
    assert found.why_no_alternative == "it needs two annotators or more on the same answers"


def test_the_alternative_test_takes_answers_to_one_question_together_and_what_is_rough_of_it_is_said():
    answers = [(i, candidate) for i in range(40) for candidate in "ab"]
    grades = [grade(i, i % 4, candidate=candidate) for i, candidate in answers]
    labels = [
        label(i, (i + (i % 5 == 0)) % 4, annotator=who, candidate=c) for i, c in answers for who in ("ann", "ben")
    ]
    (found,) = align(run_of(grades, labels)).criteria
    assert {one.test for one in found.alternative.against} == {"t, CR3"}
    assert "alternative annotator test: only 2 annotators: three or more are advised" in found.notes


def test_only_the_sets_and_the_judge_that_are_asked_for_count():
    labels = [label(0, 0), label(1, 3, label_set="other")]
    data = run_of([grade(s, 3) for s in range(3)], labels)
    assert one(align(data, sets=("other",))).n == 1
    assert [used.name for used in align(data).labels] == ["gold", "other"]
    with pytest.raises(InputError, match="--judge 'x': run run-1 has no such judge; there are j, p"):
        align(data, judge="x")


def preference(sample: int, first: str, second: str) -> list[tuple[object, ...]]:
    """The judge's verdicts in both orders."""
    both = (("left_first", first), ("right_first", second))
    return [
        (f"s{sample}", f"s{sample}", "b", "a", 0, "p", order, 0, "scored" if won else "error", won, "", "", "[]")
        for order, won in both
    ]


def test_a_pairwise_judge_that_follows_the_order_calls_a_tie():
    verdicts = [*preference(0, "left", "left"), *preference(1, "left", "right"), *preference(2, "left", "")]
    data = run_of([grade(0, 1)], [], preferences=verdicts)
    people = [
        HumanPreference("s0", "a", "b", 0, "right", "ann"),  # b is left in the exam
        HumanPreference("s0", "b", "a", 0, "left", "ben"),
        HumanPreference("s1", "b", "a", 0, "tie", "ann"),
        HumanPreference("s2", "b", "a", 0, "left", "ann"),
    ]
    [pair] = align(data, preferences=people).pairs
    assert (pair.judge, pair.pairs, pair.votes, pair.inconsistent) == ("p", 2, 3, 1)
    assert pair.s1.agreement.value == 1.0 and pair.s1.pairs == 3
    assert (pair.s2.pairs, pair.s2.dropped) == (2, 1)
    assert pair.humans_s1.pairs == 1 and pair.humans_s1.agreement.value == 1.0
    assert pair.lost == {
        "pairs without a verdict in both orders": 1,
        "people's preferences between answers that the judge did not compare": 1,
    }


def test_a_judge_that_scores_between_the_levels_is_compared_as_numbers():
    grades = [grade(i, score + 0.5 * (i == 3)) for i, score in enumerate(A)]
    [one] = align(run_of(grades, [label(i, score) for i, score in enumerate(B)])).criteria
    assert (one.n, one.agreement, one.lost) == (15, None, {})
    assert one.estimates["bias"].value == pytest.approx((sum(A) + 0.5 - sum(B)) / 15)
    assert "kappa" not in one.estimates and "between the levels" in one.notes[0]
    assert one.candidates[0].bias.value == one.estimates["bias"].value

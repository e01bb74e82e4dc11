"""What came of a review: means by the design of the draw, agreement with a judge as one more rater, disputes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from markscheme.harness.review.agreement import criterion_agreement
from markscheme.harness.review.estimates import candidate_means, duels, strengths
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.harness.review.sheet import PREFERENCE, Sheet, sheet_of
from markscheme.harness.review.work import attentive, disputes, rater_work
from markscheme.harness.statistics.intervals import mean_interval

LEVELS = (0, 1, 2, 3)
GRADES = Review(
    "first", "run", "grade", "docs_qa", {"correctness": LEVELS, "clarity": LEVELS}, ("ann", "ben"), "random", 0
)
PAIRS = Review("pairs", "run", "pairs", "pairwise", {}, ("ann", "ben"), "random", 0)
# Golden values of two raters on a scale of four levels: Gwet (2014) and Krippendorff (2011), by hand.
FIRST = (0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 1, 2, 0, 3)
SECOND = (0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 1, 3, 0, 3)


def answer(number: int, candidate: str = "mini", **changes: object) -> Item:
    return replace(Item(f"i{number}", number, f"s{number}", candidate, "", 0, "x"), **changes)


def pair(number: int, left: str, right: str, **changes: object) -> Item:
    return replace(answer(number, left, **changes), right=right)


def graded(rater: str, items: Sequence[Item], scores: Sequence[int], criterion: str = "correctness") -> list[Rating]:
    return [Rating(i.id, rater, {criterion: s}) for i, s in zip(items, scores, strict=True)]


def preferred(rater: str, items: Sequence[Item], winners: Sequence[str]) -> list[Rating]:
    return [Rating(i.id, rater, winner=w) for i, w in zip(items, winners, strict=True)]


def sheet(review: Review, items: Sequence[Item], ratings: Sequence[Rating], of: int = 0, **clusters: str) -> Sheet:
    return sheet_of(review, items, ratings, clusters, {frozenset({"mini"}): of})


def means_of(review: Review, found: Sheet, weights: Mapping[str, float] | None = None):
    names = list(dict.fromkeys(item.left for item in found.items))
    return {(m.candidate, m.criterion): m for m in candidate_means(review, found, names, weights or {})}


def test_attention_items_and_the_second_round_count_nowhere():
    items = [answer(0), answer(1, attention="0", answer_of="s0")]
    said = [*graded("ann", items, (3, 0)), replace(graded("ann", items[:1], (1,))[0], round=2)]
    found = sheet(GRADES, items, said)
    assert [item.id for item in found.items] == ["i0"]
    assert found.scores["correctness"][0, 0] == 3.0
    assert (found.rated, found.raters) == (1, ("ann", "ben"))


def test_an_answer_is_the_mean_of_its_raters_and_a_candidate_the_mean_of_its_answers():
    items = [answer(n, "mini" if n < 3 else "maxi") for n in range(6)]
    said = [*graded("ann", items, (3, 1, 2, 0, 0, 1)), *graded("ben", items[:1], (1,))]
    found = means_of(GRADES, sheet(GRADES, items, said))
    wanted = mean_interval((2.0, 1.0, 2.0), scale=(0, 3))
    one = found["mini", "correctness"].estimate
    assert (one.value, one.low, one.high, one.n) == (wanted.value, wanted.low, wanted.high, 3)
    assert found["maxi", "correctness"].estimate.value == pytest.approx(1 / 3)


def test_answers_to_questions_of_one_document_are_taken_together():
    items = [answer(n) for n in range(40)]
    said = graded("ann", items, [n // 10 for n in range(40)])
    alone = means_of(GRADES, sheet(GRADES, items, said))["mini", "correctness"].estimate
    clusters = {f"s{n}": f"document {n // 10}" for n in range(40)}
    together = means_of(GRADES, sheet(GRADES, items, said, **clusters))["mini", "correctness"].estimate
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_the_composite_weighs_criteria_and_needs_all_of_them():
    items = [answer(0), answer(1), answer(2)]
    said = [
        Rating("i0", "ann", {"correctness": 3, "clarity": 0}),
        Rating("i1", "ann", {"correctness": 1, "clarity": 2}),
    ]
    said.append(Rating("i2", "ann", {"correctness": 3}))
    found = means_of(GRADES, sheet(GRADES, items, said), {"correctness": 0.75, "clarity": 0.25})
    assert found["mini", "composite"].estimate.value == pytest.approx((2.25 + 1.25) / 2)
    assert found["mini", "composite"].estimate.n == 2
    assert found["mini", "correctness"].estimate.n == 3


def test_nobody_rated_is_no_mean_and_no_zero():
    items = [answer(0), answer(1, "maxi")]
    found = means_of(GRADES, sheet(GRADES, items, graded("ann", items[:1], (2,))))
    assert found["maxi", "correctness"].estimate.value is None
    assert found["maxi", "correctness"].estimate.n == 0


def stratified(shares: Mapping[str, float]) -> Review:
    return replace(GRADES, design="stratified", shares=shares)


def test_a_stratified_mean_weighs_strata_by_their_shares():
    items = [answer(n, stratum="low" if n < 4 else "high") for n in range(8)]
    said = graded("ann", items, (0, 1, 0, 1, 3, 2, 3, 3))
    review = stratified({"low": 0.1, "high": 0.9})
    one = means_of(review, sheet(review, items, said))["mini", "correctness"]
    assert one.estimate.value == pytest.approx(0.1 * 0.5 + 0.9 * 2.75)
    assert "2 strata" in one.estimate.method


def test_a_stratum_that_nobody_rated_yet_leaves_no_mean_and_says_so():
    items = [answer(n, stratum="low" if n < 4 else "high") for n in range(8)]
    review = stratified({"low": 0.5, "high": 0.5})
    one = means_of(review, sheet(review, items, graded("ann", items[:4], (0, 1, 0, 1))))["mini", "correctness"]
    assert one.estimate.value is None
    assert one.reason == "stratum 'high' has fewer than two labels (0)"


@pytest.mark.slow
def test_intervals_of_a_stratified_draw_cover_and_without_the_weights_they_would_not():
    rng = np.random.default_rng(11)
    shares = {"low": 0.15, "high": 0.85}
    chances = {"low": (0.6, 0.3, 0.1, 0.0), "high": (0.0, 0.1, 0.3, 0.6)}
    truth = sum(share * np.dot(chances[name], LEVELS) for name, share in shares.items())
    items = [answer(n, stratum="low" if n < 40 else "high") for n in range(80)]
    covered = {"stratified": 0, "random": 0}
    for _ in range(400):
        scores = [int(rng.choice(4, p=chances[item.stratum])) for item in items]
        found = sheet(GRADES, items, graded("ann", items, scores), of=2000)
        for design in covered:
            review = replace(GRADES, design=design, shares=shares if design == "stratified" else {})
            one = means_of(review, found)["mini", "correctness"].estimate
            covered[design] += one.low <= truth <= one.high
    assert 0.92 <= covered["stratified"] / 400 <= 0.98
    assert covered["random"] / 400 < 0.05


def test_a_win_rate_names_candidates_in_exam_order_whichever_side_they_stood_on():
    items = [pair(0, "mini", "maxi"), pair(1, "maxi", "mini"), pair(2, "mini", "maxi"), pair(3, "maxi", "mini")]
    (duel,) = duels(
        PAIRS, sheet(PAIRS, items, preferred("ann", items, ("left", "right", "tie", "left"))), ("mini", "maxi")
    )
    assert (duel.left, duel.right) == ("mini", "maxi")
    assert (duel.rate.wins, duel.rate.ties, duel.rate.losses) == (2, 1, 1)
    assert duel.rate.estimate.value == pytest.approx(0.625)
    assert duel.turned.rate.estimate.value == pytest.approx(0.375)
    assert (duel.turned.left, duel.turned.rate.wins) == ("maxi", 1)


def test_raters_who_differ_make_half_a_win():
    items = [pair(n, "mini", "maxi") for n in range(3)]
    said = [*preferred("ann", items, ("left",) * 3), *preferred("ben", items, ("left", "left", "right"))]
    (duel,) = duels(PAIRS, sheet(PAIRS, items, said), ("mini", "maxi"))
    assert duel.rate.estimate.value == pytest.approx((1 + 1 + 0.5) / 3)


def test_three_candidates_have_p_by_holm_and_ratings_and_two_have_none():
    names = ("a", "b", "c")
    met = [("a", "b"), ("a", "c"), ("b", "c")]
    items = [pair(n, *met[n % 3], sample_id=f"s{n // 3}") for n in range(180)]
    rng = np.random.default_rng(2)
    winners = ["left" if rng.random() < 0.7 else "right" for _ in items]
    found = sheet(PAIRS, items, preferred("ann", items, winners))
    all_pairs = duels(PAIRS, found, names)
    assert [(d.left, d.right) for d in all_pairs] == met
    assert all(d.p >= d.rate.p for d in all_pairs)
    rated = strengths(found, names)
    assert [m.elo.value for m in rated.models] == sorted((m.elo.value for m in rated.models), reverse=True)
    assert rated.n == 60
    assert strengths(found, names[:2]) is None


def test_a_stratified_win_rate_is_weighted_and_has_no_p():
    items = [pair(n, "mini", "maxi", stratum="apart" if n < 10 else "alike") for n in range(20)]
    winners = ["left"] * 9 + ["right"] + ["left"] * 2 + ["right"] * 8
    review = replace(PAIRS, design="stratified", shares={"apart": 0.2, "alike": 0.8})
    (duel,) = duels(review, sheet(review, items, preferred("ann", items, winners)), ("mini", "maxi"))
    assert duel.rate.estimate.value == pytest.approx(0.2 * 0.9 + 0.8 * 0.2)
    assert duel.p is None


def test_agreement_of_two_people_is_that_of_the_books():
    items = [answer(n) for n in range(15)]
    found = criterion_agreement(
        sheet(GRADES, items, [*graded("ann", items, FIRST), *graded("ben", items, SECOND)]), "correctness", {}
    )
    assert found.n == 15
    assert found.people["exact"].value == pytest.approx(0.7333, abs=1e-4)
    assert found.people["alpha_ordinal"].value == pytest.approx(0.8961660)
    assert found.people["ac2"].value == pytest.approx(0.8945518)
    ann = found.raters[0]
    assert ann.estimates["kappa"].value == pytest.approx(0.6428571)
    assert ann.estimates["kappa_quadratic"].value == pytest.approx(0.8863636)
    assert found.notes == ("only 15 labelled items: below 50 these intervals are not to be trusted",)


def test_a_judge_is_one_more_rater_against_all_people_and_no_person_is_compared_with_a_judge():
    items = [answer(n) for n in range(15)]
    judge = np.array(FIRST, dtype=float)
    found = criterion_agreement(
        sheet(GRADES, items, [*graded("ann", items, FIRST), *graded("ben", items, SECOND)]),
        "correctness",
        {"strict": judge, "same": judge},
    )
    rows = {row.rater: row for row in found.raters}
    assert [(row.rater, row.judge) for row in found.raters] == [
        ("ann", False),
        ("ben", False),
        ("strict", True),
        ("same", True),
    ]
    assert rows["strict"].estimates["exact"].value == pytest.approx((1 + 0.7333333) / 2)
    assert rows["ann"].estimates["exact"].value == pytest.approx(0.7333333)
    pairs = {(p.first, p.second): p for p in found.pairs}
    assert pairs["ann", "strict"].estimates["exact"].value == 1.0
    assert ("strict", "same") not in pairs


def test_bias_says_who_is_kinder_and_a_grade_between_the_levels_is_left_out():
    items = [answer(n) for n in range(12)]
    scores = [n % 3 for n in range(12)]
    judge = np.array(scores, dtype=float) + 1
    judge[0] = 1.5
    found = criterion_agreement(sheet(GRADES, items, graded("ann", items, scores)), "correctness", {"kind": judge})
    row = found.raters[-1]
    assert (row.rater, row.n) == ("kind", 11)
    assert row.estimates["bias"].value == pytest.approx(1.0)
    assert found.people["alpha_ordinal"].value is None


def test_who_shares_no_item_is_in_no_pair():
    items = [answer(n) for n in range(4)]
    said = [*graded("ann", items[:2], (1, 2)), *graded("ben", items[2:], (1, 2))]
    found = criterion_agreement(sheet(GRADES, items, said), "correctness", {})
    assert found.pairs == ()
    assert [row.n for row in found.raters] == [0, 0]


def test_preferences_agree_with_a_tie_half_way():
    items = [pair(n, "mini", "maxi") for n in range(60)]
    ann = [("left", "right", "tie")[n % 3] for n in range(60)]
    ben = ["tie" if winner == "left" else winner for winner in ann]
    found = criterion_agreement(
        sheet(PAIRS, items, [*preferred("ann", items, ann), *preferred("ben", items, ben)]), PREFERENCE, {}
    )
    assert found.people["exact"].value == pytest.approx(2 / 3)
    assert found.raters[0].estimates["bias"].value == pytest.approx(0.5 / 3)


def test_work_counts_what_was_dealt_rated_and_missed_and_the_median_of_seconds():
    items = [answer(0), answer(1), answer(2), answer(3, attention="0"), answer(4, attention="0")]
    said = [replace(r, seconds=s) for r, s in zip(graded("ann", items, (3, 2, 1, 0, 2)), (1, 2, 9, 4, 3), strict=True)]
    ann, ben = rater_work(GRADES, ("ann", "ben"), items, said, {"ann": 5, "ben": 4})
    assert (ann.dealt, ann.rated, ann.attention, ann.missed) == (5, 5, 2, 1)
    assert ann.seconds.value == 3.0
    assert (ben.dealt, ben.rated, ben.attention, ben.seconds.value) == (4, 0, 0, None)


def test_time_that_nobody_measured_is_no_time():
    (ann,) = rater_work(GRADES, ("ann",), [answer(0)], graded("ann", [answer(0)], (3,)), {})
    assert ann.seconds.value is None


def test_an_attentive_rater_gives_another_questions_answer_the_lowest_score_on_something_or_picks_the_real_one():
    item = answer(0, attention="0")
    assert attentive(item, Rating("i0", "ann", {"correctness": 0, "clarity": 3}))
    assert not attentive(item, Rating("i0", "ann", {"correctness": 1, "clarity": 3}))
    two = pair(0, "mini", "maxi", attention="right")
    assert attentive(two, Rating("i0", "ann", winner="right"))
    assert not attentive(two, Rating("i0", "ann", winner="tie"))


def test_disputes_are_two_levels_apart_the_widest_first_then_the_oldest():
    items = [answer(n) for n in range(5)]
    ann = [replace(r, rated_at=50.0 - n) for n, r in enumerate(graded("ann", items, (0, 1, 0, 1, 3)))]
    ben = [replace(r, rated_at=90.0) for r in graded("ben", items, (2, 2, 3, 3, 3))]
    found = disputes(GRADES, items, [*ann, *ben])
    assert [(one.item.id, round(one.spread, 2)) for one in found] == [("i2", 1.0), ("i3", 0.67), ("i0", 0.67)]
    assert found[0].criteria == ("correctness",)
    assert [rating.rater for rating in found[0].ratings] == ["ann", "ben"]


def test_the_second_pass_settles_and_attention_items_are_no_dispute():
    items = [answer(0), answer(1, attention="0")]
    said = [*graded("ann", items, (0, 0)), *graded("ben", items, (3, 3))]
    said.append(Rating("i0", "cleo", {"correctness": 2}, round=2))
    (one,) = disputes(GRADES, items, said)
    assert [(rating.rater, rating.scores["correctness"]) for rating in one.settled] == [("cleo", 2)]


def test_on_two_levels_any_difference_is_a_dispute_and_of_preferences_only_opposite_ones():
    review = replace(GRADES, criteria={"correctness": (0, 1)})
    items = [answer(0)]
    assert len(disputes(review, items, [*graded("ann", items, (0,)), *graded("ben", items, (1,))])) == 1
    pairs = [pair(0, "mini", "maxi"), pair(1, "mini", "maxi")]
    said = [*preferred("ann", pairs, ("left", "left")), *preferred("ben", pairs, ("tie", "right"))]
    assert [one.item.id for one in disputes(PAIRS, pairs, said)] == ["i1"]

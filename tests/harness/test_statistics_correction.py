"""Which estimate becomes the headline, and the reason that is printed beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.correction import (
    Sampling,
    correct_difference,
    correct_mean,
    equal_bias_test,
    labels_needed,
    seen_or_assumed,
)
from markscheme.harness.statistics.intervals import mean_interval, t_quantile
from markscheme.harness.statistics.pairs_of_rates import tango
from markscheme.harness.statistics.ppi import ppi_mean
from markscheme.harness.statistics.rates import wilson
from markscheme.harness.statistics.rogan_gladen import calibration_of, rogan_gladen
from scipy import stats

nan = float("nan")
RANDOM = Sampling("random")


def grades(n=400, seed=0):
    """Human scores on 0-3 and a judge that is a point too kind to half of the rest."""
    rng = np.random.default_rng(seed)
    human = rng.choice(4, n, p=(0.2, 0.3, 0.3, 0.2)).astype(float)
    return human, np.minimum(3, human + (rng.random(n) < 0.5))


def passes(n=400, rate=0.7, seed=0):
    rng = np.random.default_rng(seed)
    human = (rng.random(n) < rate).astype(float)
    judge = (rng.random(n) < np.where(human == 1, 0.9, 0.15)).astype(float)
    return human, judge


def first(scores, n):
    """Labels of the first n answers."""
    return np.where(np.arange(len(scores)) < n, scores, nan)


def limits(estimate):
    return pytest.approx((estimate.value, estimate.low, estimate.high))


def of(estimate):
    return estimate.value, estimate.low, estimate.high


def test_without_labels_the_judge_alone_is_said_to_be_uncorrected():
    _, judge = grades()
    found = correct_mean(judge, first(judge, 0), RANDOM, scale=(0, 3))
    assert (found.method, found.reason) == ("judge-only", "uncorrected: no labels for this candidate")
    assert found.estimate == found.judge_only == mean_interval(judge, scale=(0, 3))
    assert (found.human_only, found.n_labels, found.n_judged) == (None, 0, 400)
    unread = correct_mean(judge * np.nan, first(judge, 60), RANDOM, scale=(0, 3))
    assert unread.reason == "uncorrected: no score by the judge"


def test_a_handful_of_labels_makes_no_headline_but_is_shown():
    human, judge = grades()
    found = correct_mean(judge, first(human, 7), RANDOM, scale=(0, 3))
    assert (found.method, found.reason) == ("judge-only", "uncorrected: only 7 labels")
    assert of(found.human_only) == limits(mean_interval(human[:7], scale=(0, 3)))
    assert correct_mean(judge, first(human, 1), RANDOM).reason == "uncorrected: only 1 label"


def test_some_labels_are_the_headline_themselves():
    human, judge = grades()
    found = correct_mean(judge, first(human, 49), RANDOM, scale=(0, 3))
    assert (found.method, found.reason) == ("human-only", "labels alone: 49 labels, fewer than 50")
    assert of(found.estimate) == limits(mean_interval(human[:49], scale=(0, 3)))
    assert found.judge_only.n == 400


def test_enough_random_labels_correct_by_ppi():
    human, judge = grades()
    found, ppi = correct_mean(judge, first(human, 50), RANDOM, scale=(0, 3)), ppi_mean(judge, first(human, 50))
    assert (found.method, found.reason) == ("ppi++", "50 of 400 answers labelled at random")
    assert of(found.estimate) == limits(ppi.estimate)
    assert (found.lam, found.width_ratio) == (pytest.approx(ppi.lam), pytest.approx(ppi.width_ratio))
    assert (found.n_labels, found.n_judged, found.human_only.n) == (50, 400, 50)


def test_a_rate_needs_ten_labelled_passes_and_ten_fails():
    human, judge = passes()
    order = np.argsort(-human, kind="stable")  # passes first
    judge, human = judge[order], human[order]
    labelled = np.where((np.arange(400) < 60) | (np.arange(400) >= 391), human, nan)
    found = correct_mean(judge, labelled, RANDOM, rate=True)
    assert found.method == "human-only"
    assert found.reason == "labels alone: 60 labelled passes and 9 fails, fewer than 10 of one"
    assert (found.estimate.low, found.estimate.high) == pytest.approx(wilson(60, 69))
    labelled[390] = human[390]
    assert correct_mean(judge, labelled, RANDOM, rate=True).method == "ppi++"


def test_a_rate_has_wilson_intervals_beside_and_stays_within_0_and_1():
    human, judge = passes()
    found = correct_mean(judge, first(human, 100), RANDOM, rate=True)
    assert found.judge_only.method == found.human_only.method == "Wilson"
    assert found.estimate.method.startswith("PPI++")


def test_halves_from_several_annotators_are_no_rate_for_wilson_but_can_correct():
    human, judge = passes()
    human[:5] = 0.5
    found = correct_mean(judge, first(human, 100), RANDOM, rate=True)
    assert found.method == "ppi++"
    assert found.human_only.method.startswith("t")


@pytest.mark.parametrize(
    ("design", "why"),
    [
        ("chosen", "the labelled answers were not drawn at random (design: chosen)"),
        ("unknown", "nobody said how the labelled answers were drawn (design: unknown)"),
    ],
)
def test_labels_picked_on_purpose_or_nobody_knows_how_do_not_correct(design, why):
    human, judge = grades()
    found = correct_mean(judge, first(human, 200), Sampling(design, stable_judge=True), scale=(0, 3))
    assert found.method == "judge-only"
    assert found.reason == f"uncorrected: {why}"
    assert found.human_only is None


def test_rogan_gladen_is_taken_only_where_the_user_answers_for_the_judge():
    human, judge = passes()
    labels = first(human, 100)
    assert correct_mean(judge, labels, Sampling("chosen"), rate=True).method == "judge-only"
    found = correct_mean(judge, labels, Sampling("chosen", stable_judge=True), rate=True)
    assert found.method == "rogan-gladen"
    assert found.estimate == rogan_gladen(judge.mean(), 400, calibration_of(judge, labels))
    assert "assumes that the judge errs equally often everywhere" in found.reason
    assert correct_mean(judge, labels, Sampling("random", stable_judge=True), rate=True).method == "ppi++"


def test_rogan_gladen_is_refused_outside_its_settings_with_the_reason():
    human, judge = passes()
    stable = Sampling("chosen", stable_judge=True)

    def reason(judge, labels, **options):
        found = correct_mean(judge, labels, stable, rate=True, **options)
        assert found.method == "judge-only"
        return found.reason

    assert "labelled passes and" in reason(judge, first(human, 40))
    assert "too few for error rates" in reason(judge, np.where(human == 1, human, nan))
    assert "answers share clusters" in reason(judge, first(human, 100), clusters=np.arange(400) // 4)
    assert "have no error rates" in reason(judge, first(np.where(human == 1, 0.5, 0), 100))
    coin = (np.random.default_rng(1).random(400) < 0.5).astype(float)
    assert "specificity and sensitivity sum to" in reason(coin, first(human, 100))


def test_strata_are_weighted_by_the_shares_of_all_answers():
    human, judge = grades()
    strata = np.where(judge == 3, "top", "rest")
    picked = (np.cumsum(strata == "top") <= 40) & (strata == "top") | (np.cumsum(strata == "rest") <= 40) & (
        strata == "rest"
    )
    labels = np.where(picked, human, nan)
    found = correct_mean(judge, labels, Sampling("stratified", strata), scale=(0, 3))
    assert (found.method, found.reason) == ("ppi++", "80 of 400 answers labelled at random within 2 strata")
    top = (strata == "top").mean()
    expected = top * human[picked & (strata == "top")].mean() + (1 - top) * human[picked & (strata == "rest")].mean()
    assert found.human_only.value == pytest.approx(expected)
    same = correct_mean(judge, labels, Sampling("stratified", strata, {"top": top, "rest": 1 - top}), scale=(0, 3))
    assert of(same.estimate) == limits(found.estimate)
    other = correct_mean(judge, labels, Sampling("stratified", strata, {"top": 0.9, "rest": 0.1}), scale=(0, 3))
    assert other.estimate.value > found.estimate.value + 0.3


@pytest.mark.parametrize(
    ("strata", "shares", "said"),
    [
        (None, {}, "the strata of the answers are not known"),
        (["a"] * 399 + ["b"], {}, "stratum 'b' has fewer than two labels (0)"),
        (["a"] * 400, {"a": 0.5, "another": 0.5}, "stratum 'another' has fewer than two labels (0)"),
        ([""] * 400, {"a": 1.0}, "not every labelled answer has a stratum"),
        (["a"] * 100 + [""] * 300, {}, "the shares of the strata are not known"),
        (["a"] * 400, {"a": 0.9}, "the shares of the strata sum to 0.9, not to 1"),
    ],
)
def test_strata_that_cannot_be_weighted_leave_the_judge_uncorrected(strata, shares, said):
    human, judge = grades()
    found = correct_mean(judge, first(human, 100), Sampling("stratified", strata, shares))
    assert found.method == "judge-only"
    assert found.reason.startswith("uncorrected: ")
    assert said in found.reason


def test_strata_known_of_labelled_answers_alone_serve_with_their_shares():
    human, judge = grades()
    labels, strata = first(human, 100), np.where(judge == 3, "top", "rest")
    shares = {"top": (judge == 3).mean(), "rest": (judge != 3).mean()}
    full = correct_mean(judge, labels, Sampling("stratified", strata, shares), scale=(0, 3))
    partly = Sampling("stratified", np.where(np.isnan(labels), "", strata), shares)
    found = correct_mean(judge, labels, partly, scale=(0, 3))
    assert (found.method, found.reason) == ("ppi++", "100 of 400 answers labelled at random within 2 strata")
    assert found.estimate.method.endswith("two-phase")
    assert of(found.estimate) == pytest.approx(of(full.estimate), abs=0.03)
    assert of(found.human_only) == limits(full.human_only)


def test_a_stratum_without_share_needs_no_labels():
    human, judge = grades()
    strata = ["a"] * 200 + ["b"] * 200
    found = correct_mean(judge, first(human, 100), Sampling("stratified", strata, {"a": 1.0, "b": 0.0}))
    assert found.method == "ppi++"


def test_labels_of_one_cluster_correct_nothing():
    human, judge = grades()
    clusters = np.arange(400) // 100
    found = correct_mean(judge, first(human, 100), RANDOM, clusters=clusters)
    assert (found.method, found.reason) == ("judge-only", "uncorrected: all 100 labels lie in one cluster")


def test_few_clusters_are_warned_of():
    human, judge = grades()
    found = correct_mean(judge, first(human, 100), RANDOM, clusters=np.arange(400) % 10)
    assert found.estimate.notes == ("only 10 clusters (fewer than 20)",)
    assert "df 9" in found.estimate.method


def test_answers_without_a_judges_score_are_left_out_and_counted():
    human, judge = grades()
    judge[[0, 1, 399]] = nan
    found = correct_mean(judge, first(human, 100), RANDOM, scale=(0, 3))
    assert (found.n_labels, found.n_judged) == (98, 397)
    assert found.reason.endswith("; 2 labelled answers without a judge's score left out")
    assert of(found.estimate) == limits(correct_mean(judge[2:399], first(human, 100)[2:399], RANDOM).estimate)


def test_all_answers_labelled_need_no_judge():
    human, judge = grades(60)
    found = correct_mean(judge, human, RANDOM, scale=(0, 3))
    assert (found.method, found.reason) == ("human-only", "labels alone: no judged answer beside the 60 labelled ones")


def test_difference_corrects_by_questions_with_both_answers_labelled():
    human_a, judge_a = grades(seed=1)
    human_b, judge_b = grades(seed=2)
    a, b = first(human_a, 80), np.where(np.arange(400) >= 20, human_b, nan)
    found = correct_difference(judge_a, a, judge_b, b, RANDOM, scale=(0, 3))
    assert (found.method, found.n_labels) == ("ppi++", 60)
    expected = ppi_mean(judge_a - judge_b, a - b)
    assert of(found.estimate) == limits(expected.estimate)
    swapped = correct_difference(judge_b, b, judge_a, a, RANDOM, scale=(0, 3))
    assert swapped.estimate.low == pytest.approx(-found.estimate.high)


def test_bias_that_a_judge_has_for_both_cancels_out_of_the_difference():
    human, judge = grades(seed=1)
    other = 3 - human
    one = correct_difference(judge, first(human, 80), other, first(other, 80), RANDOM)
    two = correct_difference(judge + 0.7, first(human, 80), other + 0.7, first(other, 80), RANDOM)
    assert of(two.estimate) == limits(one.estimate)


def test_difference_of_rates_with_few_changes_is_that_of_the_labels_by_tango():
    human, judge = passes()
    other = human.copy()
    other[:6] = 1 - other[:6]
    found = correct_difference(judge, first(human, 60), judge, first(other, 60), RANDOM, scale=(0, 1))
    assert (found.method, found.human_only.method) == ("human-only", "Tango")
    assert found.reason == "labels alone: 6 labelled questions with a difference, fewer than 10"
    up = int((human[:6] > other[:6]).sum())
    assert (found.estimate.low, found.estimate.high) == pytest.approx(tango(up, 6 - up, 60))


def test_equal_answers_have_a_difference_of_some_width():
    human, judge = grades()
    found = correct_difference(judge, first(human, 60), judge, first(human, 60), RANDOM, scale=(0, 3))
    assert found.estimate.low < 0 < found.estimate.high


def test_labels_needed_are_the_fewest_that_reach_the_width():
    n = labels_needed(0.3, human_sd=1.0, rho=0.7, n_judged=1000)

    def width(n):
        return 2 * t_quantile(0.95, n - 1) * np.sqrt((1 - 0.49 * (1 - n / 1000)) / n)

    assert width(n) <= 0.3 < width(n - 1)
    assert n < labels_needed(0.3, human_sd=1.0, rho=0.0, n_judged=1000) == 174
    assert labels_needed(0.3, human_sd=1.0, rho=-0.9, n_judged=1000) == 174


def test_labels_needed_are_none_where_all_would_be_too_few():
    assert labels_needed(0.1, human_sd=1.0, rho=0.9, n_judged=1000) is None
    assert labels_needed(5.0, human_sd=1.0, rho=0.9, n_judged=1) is None
    assert labels_needed(0.0993, human_sd=0.8, rho=0.0, n_judged=1000) == 1000


def test_fewer_labels_than_make_a_headline_are_never_said_to_be_enough():
    assert labels_needed(0.3, human_sd=0.0, rho=0.5, n_judged=1000) == 10
    assert labels_needed(0.3, human_sd=0.0, rho=0.5, n_judged=9) is None


def test_below_fifty_labels_the_judge_does_not_count():
    assert labels_needed(0.7, human_sd=1.0, rho=0.9, n_judged=1000) == 34
    assert labels_needed(0.5, human_sd=1.0, rho=0.9, n_judged=1000) == 50


def test_from_ten_labels_on_their_own_spread_and_correlation_are_taken():
    judge = np.arange(20.0) % 4
    human = np.where(np.arange(20) < 10, judge + (np.arange(20) % 3), nan)
    sd, rhos, seen = seen_or_assumed(judge, human)
    assert (sd, *rhos) == pytest.approx((human[:10].std(ddof=1), stats.pearsonr(judge[:10], human[:10])[0]))
    assert seen
    human[0] = nan
    assert seen_or_assumed(judge, human) == (pytest.approx(judge.std(ddof=1)), (0.5, 0.7, 0.9), False)


def test_labels_without_spread_are_taken_to_follow_nobody():
    assert seen_or_assumed(np.arange(12.0), np.ones(12)) == (0.0, (0.0,), True)


@given(st.floats(0.05, 2), st.floats(0.1, 2), st.floats(-1, 1), st.integers(1, 500))
def test_a_narrower_width_never_needs_fewer_labels(width, sd, rho, n_judged):
    wide = labels_needed(width, human_sd=sd, rho=rho, n_judged=n_judged)
    narrow = labels_needed(width / 2, human_sd=sd, rho=rho, n_judged=n_judged)
    assert narrow is None or (wide is not None and wide <= narrow)


def test_equal_bias_of_filled_pairs_is_the_paired_t_test():
    bias = np.random.default_rng(1).normal([0.0, 0.2], 1, (60, 2))
    found = equal_bias_test(bias)
    assert found.p == pytest.approx(stats.ttest_rel(bias[:, 0], bias[:, 1]).pvalue)
    assert found.biases == pytest.approx(tuple(bias.mean(axis=0)))
    assert found.n == (60, 60)


def test_equal_bias_of_three_candidates_is_hotellings_test():
    bias = np.random.default_rng(2).normal(0, 1, (40, 3))
    d = np.diff(bias, axis=1)
    t2 = 40 * d.mean(axis=0) @ np.linalg.solve(np.cov(d.T), d.mean(axis=0))
    assert equal_bias_test(bias).p == pytest.approx(stats.f.sf(t2 * 38 / (2 * 39), 2, 38))


def test_equal_bias_holds_its_level_and_finds_a_favourite_with_labels_here_and_there():
    rng = np.random.default_rng(3)

    def p(favour):
        shared = rng.normal(0, 1, (100, 1))
        bias = shared + rng.normal([0, 0, favour], 0.5, (100, 3))
        return equal_bias_test(np.where(rng.random((100, 3)) < 0.6, bias, nan)).p

    assert np.mean([p(0.0) < 0.05 for _ in range(1000)]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([p(0.6) < 0.05 for _ in range(200)]) > 0.9


def test_equal_bias_counts_a_cluster_once():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(20), 5)
    ps, naive = [], []
    for _ in range(300):
        bias = rng.normal(0, 1, (20, 2))[clusters] + rng.normal(0, 0.3, (100, 2))
        ps.append(equal_bias_test(bias, clusters).p < 0.05)
        naive.append(equal_bias_test(bias).p < 0.05)
    assert np.mean(ps) < 0.09
    assert np.mean(naive) > 0.3


def test_equal_bias_says_where_it_cannot_be_tested():
    assert equal_bias_test([[0.0, nan], [1, 1]]).method == "needs two candidates with two labels each"
    assert equal_bias_test([[1.0, 1], [1, 1]]).p == 1
    tested = equal_bias_test([[0.0, 1], [0, 1], [0, 1]])
    assert (tested.p, tested.biases) == (None, (0, 1))
    assert tested.method == "3 clusters tell too little of 2 candidates"


@pytest.mark.parametrize("design", ["chosen", "unknown", "random"])
def test_labels_of_every_answer_are_the_score_however_the_answers_were_picked(design):
    human = np.tile([0.0, 1.0, 2.0, 3.0], 10)
    found = correct_mean(human + 0.4, human, Sampling(design), scale=(0.0, 3.0))
    assert (found.method, found.estimate.value) == ("human-only", 1.5)
    assert found.reason == "labels alone: no judged answer beside the 40 labelled ones"

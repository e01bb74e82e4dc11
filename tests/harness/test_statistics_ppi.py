"""PPI++: golden values, what it reduces to, strata and clusters, and where the labels do not vary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.intervals import constant_bounds, mean_interval
from markscheme.harness.statistics.ppi import ppi_mean, predicted_ratio
from markscheme.harness.statistics.ppi_parts import Strata, parts_of, unseen
from markscheme.harness.statistics.two_phase import two_phase_mean
from scipy import stats

Y = [3, 2, 0, 1, 3, 2, 1, 0, 2, 3]
F = [3, 2, 1, 1, 3, 3, 1, 1, 2, 3]
U = [3, 3, 2, 1, 1, 0, 2, 3, 3, 2, 1, 2, 3, 3, 0, 1, 2, 2, 3, 3, 1, 2, 2, 3, 3, 1, 0, 2, 3, 2]
JUDGE, HUMAN = F + U, Y + [np.nan] * len(U)


def half(estimate):
    return (estimate.high - estimate.low) / 2


def halves(labels=20, rest=200, seed=0):
    """Judge, labels and strata of two halves: the judge is right in one and a point too kind in the other."""
    rng = np.random.default_rng(seed)
    strata = np.arange(2 * (labels + rest)) % 2
    human = rng.integers(0, 4, len(strata)).astype(float)
    judge = human + strata + rng.normal(0, 0.3, len(strata))
    return judge, np.where(np.arange(len(strata)) < 2 * labels, human, np.nan), strata


def test_tuned_estimate_equals_the_golden_value():
    found = ppi_mean(JUDGE, HUMAN)
    assert found.lam == pytest.approx(0.7910751, abs=5e-8)
    assert found.estimate.value == pytest.approx(1.6736308, abs=5e-8)
    assert found.estimate.n == 10
    assert found.estimate.method == "PPI++, λ 0.79, t, df 9"


@pytest.mark.parametrize(
    ("lam", "value", "low", "high"),
    [(1.0, 1.6666667, 1.2146615, 2.1186719), (0.0, 1.7, 1.0182255, 2.3817745)],
)
def test_fixed_lambda_equals_the_golden_limits_but_for_t_ddof_1_and_one_more_error(lam, value, low, high):
    """The golden limits have normal quantiles and variances with ddof 0. The judge errs by one where it does."""
    found = ppi_mean(JUDGE, HUMAN, lam=lam).estimate
    assert found.value == pytest.approx(value, abs=5e-8)
    residual, rest = np.var(np.array(Y) - lam * np.array(F)) / 10, lam**2 * np.var(U) / 30
    one_more = lam**2 / (10 * 9)
    inflated = np.sqrt(residual * 10 / 9 + rest * 30 / 29 + one_more) * stats.t.ppf(0.975, 9)
    assert half(found) == pytest.approx(inflated)
    assert stats.norm.ppf(0.975) * np.sqrt(residual + rest) == pytest.approx((high - low) / 2, abs=5e-8)


def test_without_the_judge_it_is_the_t_interval_of_the_labels():
    alone, t = ppi_mean(JUDGE, HUMAN, lam=0.0), mean_interval(Y)
    assert (alone.estimate.low, alone.estimate.high) == pytest.approx((t.low, t.high))
    assert alone.width_ratio == 1


def test_judge_that_knows_nothing_or_never_varies_gets_no_weight():
    assert ppi_mean([2] * 40, HUMAN).lam == 0
    assert ppi_mean([3 - f for f in JUDGE], HUMAN).lam == 0
    assert ppi_mean(F, Y).lam == 0  # nothing unlabelled
    assert ppi_mean([*F, 3], [*Y, np.nan]).lam == 0  # a single unlabelled answer has no spread


@given(st.floats(-3, 3), st.permutations(range(40)))
def test_a_constant_bias_of_the_judge_and_the_order_of_answers_change_nothing(bias, order):
    judge, human = np.array(JUDGE, float)[order] + bias, np.array(HUMAN)[order]
    found, plain = ppi_mean(judge, human).estimate, ppi_mean(JUDGE, HUMAN).estimate
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_width_follows_the_predicted_ratio():
    assert predicted_ratio(0.8, 50, 10**9) == pytest.approx(0.6)
    assert predicted_ratio(0.3, 50, 10**9) == pytest.approx(0.954, abs=5e-4)
    assert predicted_ratio(-0.8, 50, 1000) == 1
    rng = np.random.default_rng(1)
    judge = rng.normal(size=10_000)
    human = 0.8 * judge + 0.6 * rng.normal(size=10_000)
    human[1000:] = np.nan
    assert ppi_mean(judge, human).width_ratio == pytest.approx(predicted_ratio(0.8, 1000, 9000), rel=0.03)


@pytest.mark.parametrize(("off", "size"), [((), 0.5), ((2.0,), 2.0), ((2.0, -1.0, 1.0), 2**0.5)])
def test_one_more_error_is_as_large_as_those_seen_or_else_a_step(off, size):
    human = np.array([0.0, 0.5, 1.0, 1.5, 3.0, 3.0, 2.0, 2.0])
    judge = human + np.pad(off, (0, 8 - len(off)))
    parts = parts_of(np.append(judge, [1.0, 2.0]) + 0.3, np.append(human, [np.nan] * 2), None, None)
    assert unseen(parts, np.array([0.9])) == pytest.approx((0.9 * size) ** 2 / (8 * 7))
    assert unseen(parts, np.array([0.0])) == 0


def test_a_stratum_of_equal_labels_is_warned_of():
    judge, human, strata = halves()
    assert ppi_mean(judge, human, strata=Strata(strata, np.array([0.5, 0.5]))).estimate.notes == ()
    human = np.where(strata == 1, 3.0, human)
    human[40:] = np.nan
    (note,) = ppi_mean(judge, human, strata=Strata(strata, np.array([0.5, 0.5]))).estimate.notes
    assert note.startswith("all labels of a stratum are equal")


def test_limits_and_value_stay_on_the_scale():
    judge, human = [2] * 10 + [1] + [3] * 30 + [2] * 10, [3] * 10 + [2] + [np.nan] * 40
    assert ppi_mean(judge, human).estimate.value > 3
    found = ppi_mean(judge, human, scale=(0, 3)).estimate
    assert (found.value, found.high) == (3, 3)
    assert found.low < 3


def test_equal_labels_never_give_a_zero_width():
    human = [3.0] * 10 + [np.nan] * 30
    found = ppi_mean(JUDGE, human, scale=(0, 3))
    assert (found.estimate.low, found.estimate.high) == pytest.approx(constant_bounds(3, 10, (0, 3)))
    assert (found.lam, found.width_ratio) == (0, None)
    assert ppi_mean(JUDGE, human).estimate.low is None
    clustered = ppi_mean(JUDGE, human, scale=(0, 3), clusters=np.arange(40) // 5).estimate
    assert clustered.low == pytest.approx(constant_bounds(3, 2, (0, 3))[0])


def test_equal_residuals_fall_back_to_the_labels_alone():
    human = np.array([0.0, 3] * 5 + [np.nan] * 30)
    judge = np.array([0.0, 3] * 5 + [1.5] * 30)  # right on every label; the rest has no spread
    found = ppi_mean(judge, human, lam=1.0)
    assert found.lam == 0
    assert half(found.estimate) == pytest.approx(half(mean_interval(human[:10])))


def leave_one_out(judge, human, clusters, lam):
    """CR3 by brute force: the whole estimate without each cluster in turn."""

    def estimate(kept):
        y, f, u = human[kept & there], judge[kept & there], judge[kept & ~there]
        return y.mean() + lam * (u.mean() - f.mean())

    there, names = ~np.isnan(human), np.unique(clusters)
    shifts = np.array([estimate(clusters != g) - estimate(clusters == clusters) for g in names])
    return np.sqrt((len(names) - 1) / len(names) * (shifts**2).sum())


def test_clusters_are_left_out_with_their_labelled_and_unlabelled_answers():
    judge, human, clusters = np.array(JUDGE, float), np.array(HUMAN), np.arange(40) % 8
    found = ppi_mean(judge, human, clusters=clusters)
    se = leave_one_out(judge, human, clusters, found.lam)
    one_more = found.lam**2 / (10 * 9)
    assert half(found.estimate) == pytest.approx(np.sqrt(se**2 + one_more) * stats.t.ppf(0.975, 7))
    assert found.estimate.method == "PPI++, λ 0.79, t, CR3 over 8 clusters, df 7"
    assert found.estimate.notes[0] == "only 8 clusters (fewer than 20)"


def test_degrees_of_freedom_are_those_of_the_labelled_clusters():
    found = ppi_mean(JUDGE, HUMAN, clusters=np.arange(40) // 2).estimate
    assert found.method.endswith("CR3 over 20 clusters, df 4")


def test_clusters_of_one_answer_each_change_nothing():
    assert ppi_mean(JUDGE, HUMAN, clusters=list(range(40))) == ppi_mean(JUDGE, HUMAN)


def test_strata_are_weighted_by_their_shares_and_get_a_lambda_each():
    judge, human, codes = halves()
    found = ppi_mean(judge, human, strata=Strata(codes, np.array([0.25, 0.75])))
    parts = [ppi_mean(judge[codes == h], human[codes == h]) for h in (0, 1)]
    assert found.estimate.value == pytest.approx(0.25 * parts[0].estimate.value + 0.75 * parts[1].estimate.value)
    assert found.lam == pytest.approx(0.25 * parts[0].lam + 0.75 * parts[1].lam)
    assert "2 strata" in found.estimate.method


def test_variance_of_strata_is_the_sum_of_theirs_and_of_the_draw_of_their_shares():
    judge, human, codes = halves()
    shares = np.array([0.25, 0.75])
    alone = ppi_mean(judge, human, strata=Strata(codes, shares), lam=0.0).estimate
    labels = [human[(codes == h) & ~np.isnan(human)] for h in (0, 1)]
    each = [w**2 * y.var(ddof=1) / len(y) for w, y in zip(shares, labels, strict=True)]
    theta = np.array([y.mean() for y in labels])
    total = sum(each) + shares @ (theta - shares @ theta) ** 2 / len(judge)
    df = total**2 / sum(v**2 / 19 for v in each)
    assert half(alone) == pytest.approx(np.sqrt(total) * stats.t.ppf(0.975, df))


def test_small_strata_take_the_pooled_lambda():
    judge, human, codes = halves(labels=10)
    found = ppi_mean(judge, human, strata=Strata(codes, np.array([0.5, 0.5])))
    shifted = ppi_mean(judge - codes, human - 0.0, strata=Strata(codes, np.array([0.5, 0.5])))
    assert found.lam == pytest.approx(shifted.lam)
    alone = ppi_mean(judge[codes == 0], human[codes == 0])
    assert found.lam != pytest.approx(alone.lam, abs=1e-4)


def test_one_stratum_is_no_stratum():
    one = Strata(np.zeros(40, dtype=np.intp), np.ones(1))
    assert ppi_mean(JUDGE, HUMAN, strata=one) == ppi_mean(JUDGE, HUMAN)


def test_strata_and_clusters_together_move_the_shares_too():
    judge, human, codes = halves()
    clusters = np.arange(len(judge)) // 11
    found = ppi_mean(judge, human, strata=Strata(codes, np.array([0.5, 0.5])), clusters=clusters, lam=0.0)
    names, there = np.unique(clusters), ~np.isnan(human)

    def estimate(kept):
        shares = np.bincount(codes[kept]) / kept.sum()
        return sum(shares[h] * human[kept & there & (codes == h)].mean() for h in (0, 1))

    shifts = np.array([estimate(clusters != g) - estimate(clusters >= 0) for g in names])
    se = np.sqrt((len(names) - 1) / len(names) * (shifts**2).sum())
    df = len(np.unique(clusters[there])) - 1
    assert half(found.estimate) == pytest.approx(se * stats.t.ppf(0.975, df), rel=0.02)


def test_equal_labels_within_strata_are_bounded_per_stratum():
    codes = np.arange(40) % 2
    human = np.where(np.arange(40) < 20, 3.0 * codes, np.nan)
    found = ppi_mean(JUDGE, human, strata=Strata(codes, np.array([0.5, 0.5])), scale=(0, 3)).estimate
    reach = 0.5 * 3 * (1 - 0.025 ** (1 / 10))
    assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.5 - reach, 1.5 + reach))


def known_of_labels_alone(labels=40, rest=400, seed=0):
    judge, human, codes = halves(labels, rest, seed)
    return judge, human, np.where(np.isnan(human), -1, codes)


def test_strata_known_of_labels_alone_weight_the_judges_errors_by_their_shares():
    judge, human, codes = known_of_labels_alone()
    found = two_phase_mean(judge, human, Strata(codes, np.array([0.5, 0.5])), lam=1.0)
    errors = [(human - judge)[codes == h].mean() for h in (0, 1)]
    assert found.estimate.value == pytest.approx(judge.mean() + 0.5 * errors[0] + 0.5 * errors[1])


def test_strata_known_of_labels_alone_are_nearly_as_good_as_strata_known_of_all():
    judge, human, codes = known_of_labels_alone(seed=1)
    partly = two_phase_mean(judge, human, Strata(codes, np.array([0.5, 0.5])))
    fully = ppi_mean(judge, human, strata=Strata(np.arange(len(judge)) % 2, np.array([0.5, 0.5])))
    assert partly.estimate.value == pytest.approx(fully.estimate.value, abs=0.05)
    assert half(partly.estimate) == pytest.approx(half(fully.estimate), rel=0.1)
    assert fully.lam < partly.lam < 1  # all answers, not only the others, stand in the judge's mean
    assert partly.width_ratio == pytest.approx(fully.width_ratio, rel=0.1)


def test_one_stratum_known_of_labels_alone_is_ppi_of_a_random_sample():
    judge, human, codes = known_of_labels_alone(seed=2)
    found = two_phase_mean(judge, human, Strata(np.minimum(codes, 0), np.ones(1)))
    plain = ppi_mean(judge, human)
    assert found.estimate.value == pytest.approx(plain.estimate.value, abs=0.01)
    assert half(found.estimate) == pytest.approx(half(plain.estimate), rel=0.05)


def test_labels_alone_are_the_same_whether_the_other_strata_are_known_or_not():
    judge, human, codes = known_of_labels_alone(seed=3)
    shares = np.array([0.3, 0.7])
    partly = two_phase_mean(judge, human, Strata(codes, shares), lam=0.0)
    fully = ppi_mean(judge, human, strata=Strata(np.arange(len(judge)) % 2, shares), lam=0.0)
    assert (partly.estimate.low, partly.estimate.high) == pytest.approx((fully.estimate.low, fully.estimate.high))


def test_equal_labels_in_strata_known_of_labels_alone_are_bounded():
    judge, _, codes = known_of_labels_alone()
    found = two_phase_mean(judge, np.where(codes >= 0, 2.0, np.nan), Strata(codes, np.array([0.5, 0.5])), scale=(0, 3))
    assert found.estimate.low < 2 < found.estimate.high
    assert found.lam == 0

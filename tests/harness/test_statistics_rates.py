"""Rates and quantiles: golden values, and coverage where the usual formulas fail."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.clusters import clusters_of
from markscheme.harness.statistics.intervals import t_quantile
from markscheme.harness.statistics.quantiles import quantile_interval
from markscheme.harness.statistics.rates import clopper_pearson, design_effect, rate_interval, wilson
from scipy import stats

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_and_clopper_pearson_equal_the_golden_values():
    assert wilson(27, 30) == pytest.approx((0.7437892, 0.9654001), abs=5e-8)
    assert clopper_pearson(27, 30) == pytest.approx((0.7347115, 0.9788829), abs=5e-8)
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)


@given(counts)
def test_wilson_and_clopper_pearson_equal_scipys(pair):
    k, n = pair
    test = stats.binomtest(k, n)
    assert wilson(k, n) == pytest.approx(tuple(test.proportion_ci(method="wilson")), abs=1e-9)
    assert clopper_pearson(k, n) == pytest.approx(tuple(test.proportion_ci(method="exact")), abs=1e-9)


@given(counts)
def test_rate_interval_mirrors_when_successes_and_failures_swap(pair):
    k, n = pair
    low, high = wilson(k, n)
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3), (0, 0)])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(ValueError, match="successes of"):
        wilson(k, n)


def test_independent_outcomes_get_wilson():
    estimate = rate_interval([1] * 27 + [0] * 3)
    assert (estimate.low, estimate.high) == pytest.approx((0.7437892, 0.9654001), abs=5e-8)
    assert (estimate.value, estimate.n, estimate.method) == (pytest.approx(0.9), 30, "Wilson")


def test_clustered_outcomes_shrink_n_by_the_design_effect_and_use_t():
    outcomes, clusters = [1] * 30 + [0] * 10, np.repeat(np.arange(20), 2)
    deff = design_effect(np.array(outcomes, float), clusters_of(clusters, 40))
    assert deff == pytest.approx(2, abs=0.1)
    estimate = rate_interval(outcomes, clusters)
    assert (estimate.low, estimate.high) == pytest.approx(wilson(30 / deff, 40 / deff, quantile=t_quantile(0.95, 19)))
    assert estimate.notes == ()


def test_equal_outcomes_in_clusters_count_a_cluster_once():
    assert rate_interval([1] * 40, np.repeat(np.arange(20), 2)).low == pytest.approx(
        wilson(20, 20, quantile=t_quantile(0.95, 19))[0]
    )


def test_a_single_failure_hardly_shows_the_design_effect_so_that_half_of_the_worst_is_added():
    clusters = np.repeat(np.arange(20), 3)
    found = rate_interval([0] + [1] * 59, clusters)
    assert design_effect(np.array([0.0] + [1] * 59), clusters_of(clusters, 60)) == pytest.approx(1, abs=0.07)
    assert found.low == pytest.approx(wilson(59 / 2, 60 / 2, quantile=t_quantile(0.95, 19))[0], abs=0.002)


@pytest.mark.parametrize(("p", "icc"), [(0.95, 0.2), (0.98, 0.2), (0.98, 0.5)])
def test_a_high_rate_covers_although_its_few_failures_clump(p, icc):
    """By the design effect that is seen these would cover 92, 89 and 86 %."""
    rng, clusters = np.random.default_rng(8), np.repeat(np.arange(34), 14)
    strength = 1 / icc - 1
    shares = rng.beta(p * strength, (1 - p) * strength, (1500, 34))[:, clusters]
    found = [rate_interval(row, clusters) for row in (rng.random(shares.shape) < shares).astype(float)]
    assert np.mean([e.low <= p <= e.high for e in found]) >= 0.95


def test_one_cluster_and_no_values_have_no_interval_and_values_between_0_and_1_are_refused():
    assert rate_interval([1, 0], ["a", "a"]).low is None
    assert rate_interval([]).value is None
    with pytest.raises(ValueError, match="0 and 1"):
        rate_interval([0.5])


def test_clustered_rate_covers_where_plain_wilson_does_not():
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(34), 14)
    hits = plain = 0
    for _ in range(300):
        p = rng.beta(0.8 * 4, 0.2 * 4, 34)  # mean .8, intra-cluster correlation .2
        outcomes = (rng.random(34 * 14) < p[clusters]).astype(float)
        estimate = rate_interval(outcomes, clusters)
        hits += estimate.low <= 0.8 <= estimate.high
        low, high = wilson(outcomes.sum(), len(outcomes))
        plain += low <= 0.8 <= high
    assert hits / 300 > 0.9
    assert plain / 300 < 0.8


def test_median_lies_between_the_order_statistics_of_the_binomial():
    estimate = quantile_interval(list(range(1, 101)), 0.5)
    assert (estimate.value, estimate.low, estimate.high) == (50.5, 40, 61)


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.95, 72)])
def test_quantile_says_where_n_is_too_small(q, n):
    assert quantile_interval(range(n), q).low is not None
    small = quantile_interval(range(n - 1), q)
    assert (small.low, small.high) == (None, None)
    assert small.method == f"n too small for an interval of p{100 * q:g}"
    assert quantile_interval([], q).value is None


def test_quantile_interval_covers_a_skewed_latency():
    rng = np.random.default_rng(6)
    true = stats.lognorm(0.8).ppf(0.95)
    found = [quantile_interval(rng.lognormal(0, 0.8, 120), 0.95) for _ in range(400)]
    assert sum(e.low <= true <= e.high for e in found) / 400 > 0.93


def test_quantile_interval_covers_where_each_question_is_asked_five_times():
    """Taken for 300 independent values, these 60 questions would cover 77 % of the time."""
    rng = np.random.default_rng(5)
    questions = np.repeat(np.arange(60), 5)

    def interval(**clusters):
        seconds = np.exp(rng.normal(0, 0.4, 60)[questions] + rng.normal(0, 0.3, 300))
        found = quantile_interval(seconds, 0.5, **clusters)
        return found.low <= 1.0 <= found.high

    assert np.mean([interval(clusters=questions) for _ in range(300)]) > 0.92
    assert np.mean([interval() for _ in range(300)]) < 0.85


def test_quantile_of_one_cluster_has_no_interval():
    assert quantile_interval(range(100), 0.5, clusters=[1] * 100).method == "one cluster: no interval"

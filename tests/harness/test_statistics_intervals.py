"""Means: golden values, invariances, and what is said where no honest interval exists."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.clusters import clusters_of, se_cluster, se_independent, se_jackknife
from markscheme.harness.statistics.intervals import constant_bounds, mean_interval
from scipy import stats

S = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1]
C = [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
scores = st.lists(st.integers(0, 3), min_size=2, max_size=40)


def test_standard_errors_equal_the_golden_values():
    assert se_independent(S) == pytest.approx(0.1527525, abs=5e-8)
    assert se_cluster(S, C) == pytest.approx(0.1067708, abs=5e-8)
    assert se_cluster(S, C, correction=True) == pytest.approx(0.1232883, abs=5e-8)
    assert se_independent([0, 1, 0, 1, -1, 0, 1, 0, 0, 1]) == pytest.approx(0.2134375, abs=5e-8)
    assert se_cluster([0, 1, 0, 1, -1, 0, 1, 0, 0, 1], C) == pytest.approx(0.0734847, abs=5e-8)


def test_jackknife_equals_leaving_clusters_out_one_by_one():
    s, c = np.array(S, float), np.array(C)
    left_out = [s[c != g].mean() for g in range(4)]
    expected = np.sqrt(3 / 4 * sum((m - s.mean()) ** 2 for m in left_out))
    assert se_jackknife(s, c) == pytest.approx(expected, rel=1e-12)


@given(scores)
def test_jackknife_over_single_samples_is_the_ordinary_standard_error(values):
    assert se_jackknife(values, list(range(len(values)))) == pytest.approx(se_independent(values), abs=1e-12)


def test_independent_mean_is_scipys_t_interval():
    values = [2, 3, 1, 3, 2, 0, 3]
    expected = stats.t.interval(0.95, 6, np.mean(values), stats.sem(values))
    estimate = mean_interval(values)
    assert (estimate.low, estimate.high) == pytest.approx(expected)
    assert estimate.method == "t, df 6"


def test_clustered_mean_uses_cr3_with_df_g_minus_1_and_warns_of_few_or_large_clusters():
    estimate = mean_interval(S, C)
    reach = stats.t.ppf(0.975, 3) * se_jackknife(S, C)
    assert (estimate.low, estimate.high) == pytest.approx((0.7 - reach, 0.7 + reach))
    assert estimate.method == "t, CR3 over 4 clusters, df 3"
    assert estimate.notes[1:] == ("only 4 clusters (fewer than 20)", "one cluster holds 30% of the samples")


def test_clusters_of_one_sample_each_change_nothing_and_warn_of_nothing():
    assert mean_interval(S, list("abcdefghij")) == mean_interval(S)


def test_many_even_clusters_bring_no_warning():
    assert mean_interval([0, 1] * 20, np.repeat(np.arange(20), 2)).notes == ()


@pytest.mark.parametrize(
    ("values", "clusters", "method"),
    [([], None, "no values"), ([2], None, "one sample: no interval"), ([2, 3], ["a", "a"], "one cluster: no interval")],
)
def test_no_interval_where_none_is_honest(values, clusters, method):
    estimate = mean_interval(values, clusters)
    assert (estimate.low, estimate.high, estimate.method) == (None, None, method)


def test_equal_values_never_give_a_zero_width():
    estimate = mean_interval([3] * 20, scale=(0, 3))
    share = 1 - 0.025 ** (1 / 20)
    assert (estimate.low, estimate.high) == pytest.approx((3 - 3 * share, 3))
    assert estimate.low < 2.55
    assert mean_interval([3] * 20).low is None
    assert constant_bounds(1, 10, (0, 3))[1] - 1 == pytest.approx(2 * (1 - 0.025**0.1))


def test_equal_values_count_a_cluster_once():
    clustered = mean_interval([3] * 20, [0] * 10 + [1] * 10, scale=(0, 3))
    assert clustered.low == mean_interval([3] * 2, scale=(0, 3)).low


def test_clusters_that_cancel_out_do_not_give_a_zero_width():
    estimate = mean_interval([0, 3] * 10, np.repeat(np.arange(10), 2))
    assert estimate.high - estimate.low > 1


@pytest.mark.parametrize(("others", "notes"), [(9, ("fewer than 10 values differ from the commonest",)), (10, ())])
def test_values_that_hardly_differ_are_warned_of(others, notes):
    assert mean_interval([3] * 90 + [2] * others).notes == notes


def test_means_of_which_few_values_differ_cover_less_and_are_those_that_are_warned_of():
    grades = np.random.default_rng(9).choice(4, (4000, 50), p=(0.02, 0.03, 0.15, 0.8))
    found = [mean_interval(row, scale=(0, 3)) for row in grades]
    held, warned = np.array([(e.low <= 2.73 <= e.high, bool(e.notes)) for e in found]).T
    assert held.mean() < 0.925
    assert held[~warned].mean() > 0.95


def test_labels_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match="3 values but cluster labels of shape"):
        clusters_of([1, 2], 3)


@given(scores, st.randoms(use_true_random=False))
def test_order_does_not_matter(values, random):
    clusters = [i // 2 for i in range(len(values))]
    pairs = list(zip(values, clusters, strict=True))
    random.shuffle(pairs)
    one, other = mean_interval(values, clusters, scale=(0, 3)), mean_interval(*zip(*pairs, strict=True), scale=(0, 3))
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


@given(scores)
def test_interval_holds_the_mean_lies_on_the_scale_and_is_never_empty(values):
    estimate = mean_interval(values, scale=(0, 3))
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 3
    assert estimate.high > estimate.low


@given(scores, st.floats(-5, 5), st.floats(0.1, 10))
def test_interval_follows_a_change_of_units(values, shift, factor):
    if len(set(values)) == 1:
        return
    one = mean_interval(values)
    other = mean_interval([factor * v + shift for v in values])
    assert other.low == pytest.approx(factor * one.low + shift, abs=1e-6)
    assert other.high == pytest.approx(factor * one.high + shift, abs=1e-6)


def coverage(runs, groups, sizes, seed):
    """Share of runs whose interval holds the true mean 0; scores share a document effect with ICC 0.2."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), sizes)
    hits = 0
    for _ in range(runs):
        values = np.sqrt(0.2) * rng.standard_normal(groups)[codes] + np.sqrt(0.8) * rng.standard_normal(len(codes))
        estimate = mean_interval(values, codes)
        hits += estimate.low <= 0 <= estimate.high
    return hits / runs


def test_clustered_interval_covers_about_95_percent():
    assert coverage(400, 20, 6, seed=1) == pytest.approx(0.95, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "sizes"), list(itertools.product([10, 34], [6, "unequal"])))
def test_clustered_interval_covers_at_every_layout(groups, sizes):
    sizes = np.linspace(2, 14, groups).astype(int) if sizes == "unequal" else sizes
    assert coverage(20_000, groups, sizes, seed=2) > 0.925

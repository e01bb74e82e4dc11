"""Paired comparisons: golden values, exactness, and the size of the test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.paired import (
    holm,
    pair_differences,
    paired_difference,
    paired_differences,
    sign_flip_p,
)
from scipy import stats

D = [0, 1, 0, 1, -1, 0, 1, 0, 0, 1]
differences = st.lists(st.integers(-3, 3), min_size=2, max_size=30)


def test_paired_difference_counts_wins_ties_and_losses_around_the_mean():
    found = paired_difference([2 + d for d in D], [2] * 10, scale=(0, 3))
    assert found.estimate.value == pytest.approx(0.3)
    assert (found.wins, found.ties, found.losses) == (4, 5, 1)
    assert found.p == 0.375
    assert found.side == 0


def test_sign_flip_equals_the_golden_value_and_flips_whole_clusters():
    assert sign_flip_p(D) == 0.375
    assert sign_flip_p([1, 1, 1, 1], ["a", "a", "b", "b"]) == 0.5
    assert sign_flip_p([1, 1, 1, 1]) == 0.125
    assert sign_flip_p([0, 0, 0]) == 1.0


def test_sign_flip_by_draws_is_seeded_and_near_the_exact_value():
    d = [1, 1, 1, -1, 1, 1, -1, 1, 1, -1, 1, 1, 1, -1, 1]
    exact = sign_flip_p(d)
    drawn = sign_flip_p([*d, 1e-10])  # a sixteenth difference, too small to matter, leaves the exact branch
    assert drawn == pytest.approx(exact, abs=0.01)
    assert drawn == sign_flip_p([*d, 1e-10])


@given(differences)
def test_swapping_the_candidates_turns_the_difference_round(d):
    zero = [0] * len(d)
    one, other = paired_difference(d, zero, scale=(0, 3)), paired_difference(zero, d, scale=(0, 3))
    assert one.p == pytest.approx(other.p)
    assert (one.wins, one.losses) == (other.losses, other.wins)
    assert one.estimate.low == pytest.approx(-other.estimate.high, abs=1e-9)


def test_equal_differences_have_a_width():
    found = paired_difference([3] * 12, [2] * 12, scale=(0, 3))
    assert found.estimate.low < 1 < found.estimate.high
    assert paired_difference([2] * 12, [2] * 12, scale=(0, 3)).side == 0


def test_clustered_sign_flip_rejects_a_true_null_about_5_percent_of_the_time():
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(12), 3)
    draws = (np.sqrt(0.5) * rng.standard_normal(12)[clusters] + rng.standard_normal(36) for _ in range(400))
    rejected = sum(sign_flip_p(d, clusters) < 0.05 for d in draws)
    assert rejected / 400 == pytest.approx(0.05, abs=0.03)


def test_holm_equals_the_golden_values_in_any_order():
    assert holm([0.001, 0.012, 0.03, 0.04, 0.2]) == pytest.approx([0.005, 0.048, 0.09, 0.09, 0.2])
    assert holm([0.2, 0.04, 0.001]) == pytest.approx([0.2, 0.08, 0.003])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_and_stays_below_bonferroni(ps):
    for p, adjusted in zip(ps, holm(ps), strict=True):
        assert p <= adjusted <= min(1.0, p * len(ps)) + 1e-12


def test_all_pairs_at_once_equal_one_pair_at_a_time_and_leave_missing_samples_out():
    rng = np.random.default_rng(9)
    rows = rng.integers(0, 4, (3, 40)).astype(float)
    rows[1, :5] = np.nan
    clusters = np.repeat(np.arange(20), 2)
    pairs = paired_differences(rows, clusters)
    assert list(pairs) == [(0, 1), (0, 2), (1, 2)]
    assert pairs[0, 1] == paired_difference(rows[0], rows[1], clusters)
    assert pairs[0, 1].estimate == paired_difference(rows[0, 5:], rows[1, 5:], clusters[5:]).estimate
    assert paired_differences(rows[:1]) == {}


def test_the_side_of_a_difference_is_that_of_its_whole_interval():
    assert paired_difference([3, 2, 3, 2, 3, 3], [1, 1, 0, 1, 1, 1]).side == 1
    assert paired_difference([1, 1, 0, 1, 1, 1], [3, 2, 3, 2, 3, 3]).side == -1


def test_above_2000_clusters_the_t_of_the_interval_is_the_test_and_says_so():
    rng = np.random.default_rng(3)
    a, b = rng.normal([[0.04], [0.0]], 1, (2, 6_003))
    b[6_000:] = a[6_000:]
    shared = np.repeat(np.arange(2_001), 3)
    flipped, clustered = paired_difference(a[:6_000], b[:6_000], shared[:6_000]), paired_difference(a, b, shared)
    assert (flipped.test, clustered.test) == ("sign flip", "clustered t")
    assert clustered.p == pytest.approx(flipped.p, abs=0.005)
    alone = paired_difference(a, b)
    assert alone.test == "t"
    assert alone.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)


def test_the_t_excludes_zero_exactly_where_its_p_is_below_5_percent():
    rng = np.random.default_rng(4)
    shared = np.repeat(np.arange(2_500), 2)
    for shift in rng.normal(0, 0.04, 40):
        found = paired_difference(rng.normal(shift, 1, 5_000), np.zeros(5_000), shared)
        assert (found.p < 0.05) == (found.side != 0)


def test_many_clusters_without_any_difference_give_p_1_and_with_only_one_difference_p_0():
    zero = np.zeros(2_001)
    assert paired_difference(zero, zero, scale=(0, 1)).p == 1.0
    assert paired_difference(zero + 1, zero, scale=(0, 1)).p == 0.0


def test_the_pairs_asked_for_are_those_of_all_pairs():
    rows = np.random.default_rng(5).integers(0, 4, (4, 60)).astype(float)
    some = pair_differences(rows, [(0, 2), (2, 3)], scale=(0, 3))
    everything = paired_differences(rows, scale=(0, 3))
    assert {pair: found.estimate for pair, found in some.items()} == {
        pair: everything[pair].estimate for pair in [(0, 2), (2, 3)]
    }

"""Ratios of paired amounts: known ones, and intervals that hold them as often as they say."""

import numpy as np
import pytest
from markscheme.harness.statistics.ratios import geometric_ratio, ratio_of_means


def test_each_ratio_is_what_it_says():
    a, b = [1.0, 2.0, 6.0], [2.0, 8.0, 12.0]
    assert ratio_of_means(a, b).value == pytest.approx(9 / 22)
    assert geometric_ratio(a, b).value == pytest.approx((0.5 * 0.25 * 0.5) ** (1 / 3))


def test_a_ratio_and_its_inverse_say_the_same():
    rng = np.random.default_rng(7)
    a, b = rng.gamma(4, 1, 50), rng.gamma(9, 2, 50)
    for ratio in (ratio_of_means, geometric_ratio):
        one, other = ratio(a, b), ratio(b, a)
        assert (one.value, one.low, one.high) == pytest.approx((1 / other.value, 1 / other.high, 1 / other.low))


def test_samples_without_both_are_left_out():
    a, b = [1.0, np.nan, 3.0, 4.0], [2.0, 5.0, np.nan, 4.0]
    assert (ratio_of_means(a, b).value, ratio_of_means(a, b).n) == (pytest.approx(5 / 6), 2)
    assert geometric_ratio([0.0, 1.0, 2.0], [1.0, 2.0, 2.0]).n == 2


@pytest.mark.parametrize("ratio", [ratio_of_means, geometric_ratio])
def test_nothing_has_no_ratio(ratio):
    assert ratio([np.nan], [1.0]).value is None
    assert ratio([], []).value is None


def test_a_mean_of_zero_has_no_ratio():
    assert ratio_of_means([1.0, 2.0], [0.0, 0.0]).value is None


def test_amounts_that_never_differ_in_ratio_have_no_interval():
    found = geometric_ratio([1.0, 2.0, 4.0], [2.0, 4.0, 8.0])
    assert (found.value, found.low) == (pytest.approx(0.5), None)


@pytest.mark.parametrize(("ratio", "truth"), [(ratio_of_means, 0.3), (geometric_ratio, 0.3)])
def test_intervals_hold_the_truth(ratio, truth):
    """Lognormal seconds of two models that share the length of the question."""
    rng = np.random.default_rng(11)
    held = []
    for _ in range(400):
        shared = rng.normal(0, 0.5, 60)
        b = np.exp(shared + rng.normal(0, 0.3, 60))
        a = truth * np.exp(shared + rng.normal(0, 0.3, 60))
        found = ratio(a, b)
        held.append(found.low <= truth <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(12), 5)
    a = np.exp(np.repeat(rng.normal(0, 0.6, 12), 5) + rng.normal(0, 0.1, 60))
    b = np.exp(rng.normal(0, 0.1, 60))
    for ratio in (ratio_of_means, geometric_ratio):
        whole, plain = ratio(a, b, clusters), ratio(a, b)
        assert whole.high / whole.low > plain.high / plain.low

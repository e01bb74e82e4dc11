"""Sizes and powers: golden values, inverses of each other, and the exact power of a rate."""

import numpy as np
import pytest
from markscheme.harness.statistics.power import (
    mde,
    n_above,
    n_paired,
    n_within,
    power_above,
    power_within,
    variance_of_difference,
)
from markscheme.harness.statistics.rates import wilson


def test_sample_sizes_equal_the_golden_values():
    assert n_paired(0.03, 1 / 9) == pytest.approx(968.997, abs=5e-4)
    assert n_paired(0.03, variance_of_difference(1 / 9, 1 / 6, 1 / 6)) == pytest.approx(3875.99, abs=5e-3)
    assert n_paired(0.03, variance_of_difference(1 / 9, 1 / 6, 1 / 6, 4)) == pytest.approx(1695.75, abs=5e-3)


def test_detectable_differences_equal_the_golden_values():
    assert mde(200, 1 / 9) == pytest.approx(0.0660340, abs=5e-8)
    assert mde(200, variance_of_difference(1 / 9, 1 / 6, 1 / 6)) == pytest.approx(0.1320680, abs=5e-8)
    assert mde(n_paired(0.03, 0.4, 0.9, 0.95), 0.4, 0.9, 0.95) == pytest.approx(0.03)


def test_size_finds_a_difference_as_often_as_its_power_says():
    n = round(n_paired(0.3, 1.0))
    rng = np.random.default_rng(1)
    means = rng.normal(0.3, 1 / np.sqrt(n), 20_000)
    assert np.mean(means > 1.96 / np.sqrt(n)) == pytest.approx(0.8, abs=0.01)


def test_limit_at_99_percent_needs_381_trials_without_failure():
    assert n_above(0.99, 1.0) == 381
    assert power_above(0.9, 1.0, 30) == 0  # 30 of 30 has a lower limit of .886


def test_power_of_a_rate_is_the_chance_that_the_lower_limit_reaches_it():
    successes = np.random.default_rng(2).binomial(200, 0.96, 20_000)
    reached = np.mean([wilson(k, 200)[0] >= 0.9 for k in successes])
    assert power_above(0.9, 0.96, 200) == pytest.approx(reached, abs=0.01)


def test_no_larger_size_nearby_has_less_power():
    n = n_above(0.9, 0.95)
    assert min(power_above(0.9, 0.95, k) for k in range(n, n + 50)) >= 0.8
    assert power_above(0.9, 0.95, n - 1) < 0.8


def test_limits_too_near_the_truth_have_no_size():
    assert n_above(0.9, 0.9001) is None
    assert n_above(0.9, 0.85) is None


def test_room_within_a_margin_and_its_size_are_inverse():
    assert power_within(0.1, 0.5, n_within(0.1, 0.5)) == pytest.approx(0.8)
    assert power_within(0.1, 0.8, 80) == 0
    assert power_within(0.1, 0.8, 400) < power_within(0.1, 0.8, 1000)

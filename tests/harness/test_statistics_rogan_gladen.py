"""Rogan–Gladen: golden values, invariances, and a judge that knows too little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.rogan_gladen import Calibration, calibration_of, rogan_gladen


def test_estimate_equals_the_golden_values():
    found = rogan_gladen(0.72, 500, Calibration(0.85, 40, 0.9, 60))
    assert found.value == pytest.approx(0.76)
    assert (found.low, found.high) == pytest.approx((0.6628591, 0.8757071), abs=5e-8)
    assert (found.n, found.method) == (500, "Rogan–Gladen, Lee interval")


@given(st.floats(0, 1), st.integers(10, 60), st.integers(10, 60), st.floats(0.65, 1), st.floats(0.65, 1))
def test_exchanging_passes_and_fails_mirrors_the_interval(rate, fails, passes, specificity, sensitivity):
    one = rogan_gladen(rate, 500, Calibration(specificity, fails, sensitivity, passes))
    other = rogan_gladen(1 - rate, 500, Calibration(sensitivity, passes, specificity, fails))
    assert other.value == pytest.approx(1 - one.value)
    assert (other.low, other.high) == pytest.approx((1 - one.high, 1 - one.low))


def test_a_perfect_judge_on_many_labels_is_nearly_taken_at_its_word():
    found = rogan_gladen(0.7, 100_000, Calibration(1.0, 50_000, 1.0, 50_000))
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.7, 0.7), abs=0.004)


def test_rates_no_judge_could_give_are_cut_to_the_scale():
    assert rogan_gladen(0.05, 500, Calibration(0.85, 40, 0.9, 60)).value == 0
    assert rogan_gladen(0.99, 500, Calibration(0.85, 40, 0.9, 60)).value == 1


def test_a_judge_that_hardly_tells_passes_from_fails_is_refused():
    found = rogan_gladen(0.5, 500, Calibration(0.6, 50, 0.55, 50))
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.method == "specificity and sensitivity sum to 1.15, less than 1.2: no correction"


def test_calibration_counts_passes_and_fails_and_leaves_out_what_has_no_label():
    nan = float("nan")
    found = calibration_of([1, 1, 0, 0, 1, 1], [1, 1, 1, 0, 0, nan])
    assert found == Calibration(0.5, 2, pytest.approx(2 / 3), 3)
    with pytest.raises(ValueError, match="2 labelled passes and 0 fails"):
        calibration_of([1, 0, 1], [1, 1, nan])

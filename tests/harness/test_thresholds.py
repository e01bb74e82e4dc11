"""Means against thresholds: pass, fail or inconclusive."""

import numpy as np
import pytest
from markscheme.harness.records import Estimate
from markscheme.harness.statistics.intervals import mean_interval
from markscheme.harness.statistics.thresholds import held


@pytest.mark.parametrize(
    ("direction", "threshold", "state"),
    [
        ("at least", 2.0, "pass"),
        ("at least", 1.99, "pass"),
        ("at least", 2.01, "inconclusive"),
        ("at least", 2.4, "inconclusive"),
        ("at least", 2.41, "fail"),
        ("at most", 2.4, "pass"),
        ("at most", 2.39, "inconclusive"),
        ("at most", 2.0, "inconclusive"),
        ("at most", 1.99, "fail"),
    ],
)
def test_the_nearer_limit_decides_a_pass_and_the_farther_one_a_fail(direction, threshold, state):
    assert held(Estimate(2.2, 2.0, 2.4, 50, "t"), direction, threshold) == state


def test_without_an_interval_nothing_is_decided():
    assert held(Estimate(3.0, None, None, 1, "one sample: no interval"), "at least", 0.0) == "inconclusive"


def test_answers_without_a_value_never_help_to_pass():
    found = Estimate(2.9, 2.8, 3.0, 50, "t")
    assert held(found, "at least", 2.7) == "pass"
    assert held(found, "at least", 2.7, lost=0.05, worst=0.0) == "inconclusive"
    assert held(found, "at least", 2.6, lost=0.05, worst=0.0) == "pass"
    assert held(found, "at most", 3.1, lost=0.5, worst=5.0) == "inconclusive"
    assert held(found, "at least", 3.1, lost=0.5, worst=0.0) == "fail"


def test_a_mean_on_the_threshold_passes_and_fails_in_one_case_of_forty_each():
    rng = np.random.default_rng(7)
    states = [held(mean_interval(row), "at least", 0.0) for row in rng.normal(0.0, 1.0, (4000, 40))]
    for state in ("pass", "fail"):
        assert 0.018 < states.count(state) / len(states) < 0.033

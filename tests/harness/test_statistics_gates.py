"""Gates: the order of the three states, golden bounds and powers, and how often an unchanged model alarms."""

import numpy as np
import pytest
from markscheme.harness.statistics.gate_alarms import Watched, false_alarms, holm_rows
from markscheme.harness.statistics.gates import (
    Gain,
    alarms_adjusted,
    bound_with_lost,
    certifiable,
    decide,
    detectable,
    n_by_reach,
    n_to_certify,
    one_sided_bound,
    pass_chance,
)
from markscheme.harness.statistics.intervals import mean_interval, t_quantile
from markscheme.harness.statistics.paired import holm
from markscheme.harness.statistics.power import mde


def gain(value: float, reach: float = 0.05, p: float = 0.001) -> Gain:
    return Gain(value, value - reach, value + reach, value - 0.84 * reach, p)


def test_a_small_proven_loss_passes():
    assert decide(gain(-0.06, 0.03), 0.001, margin=0.1) == "pass"


def test_a_loss_beyond_the_margin_is_a_regression():
    assert decide(gain(-0.2), 0.001, margin=0.1) == "regression"


def test_a_proven_loss_below_the_least_loss_does_not_alarm():
    assert decide(gain(-0.09), 0.001, margin=0.1, margin_min=0.1) == "inconclusive"
    assert decide(gain(-0.09), 0.001, margin=0.1, margin_min=0.05) == "regression"


def test_a_loss_that_does_not_survive_the_correction_does_not_alarm():
    assert decide(gain(-0.2), 0.06, margin=0.1) == "inconclusive"


def test_a_wide_interval_is_inconclusive_whichever_side_its_middle_is_on():
    assert decide(gain(0.05, 0.4), 1.0, margin=0.1) == "inconclusive"
    assert decide(gain(-0.3, 0.4), 1.0, margin=0.1) == "inconclusive"


def test_without_an_interval_nothing_passes():
    assert decide(Gain(0.0, None, None, None), 1.0, margin=10) == "inconclusive"


def test_a_measure_without_an_interval_stays_in_the_family():
    gains = [gain(-0.2, p=0.03), Gain(0.0, None, None, None, 0.0)]
    assert alarms_adjusted(gains) == [0.06, 1.0]


def test_the_bound_of_120_questions_cannot_certify_five_points():
    se = 0.35 / 120**0.5
    low = -0.01 - t_quantile(0.95, 119) * se
    assert one_sided_bound(-0.01, low, 119) == pytest.approx(-0.063, abs=5e-4)


def test_the_one_sided_bound_of_an_interval_covers_95_percent():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        estimate = mean_interval(rng.normal(0, 1, 12))
        held += one_sided_bound(estimate.value, estimate.low, 11) <= 0
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_answers_that_failed_count_in_the_bound():
    assert bound_with_lost(-0.05, 0.04, 2.0) == pytest.approx(-0.128)
    assert bound_with_lost(-0.05, 0.0, 2.0) == pytest.approx(-0.05)


def test_an_unchanged_model_passes_30_percent_of_nights_with_80_samples_and_80_with_400():
    assert pass_chance(0.1, 0.8, 80) == pytest.approx(0.30, abs=0.01)
    assert pass_chance(0.1, 0.8, 400) == pytest.approx(0.80, abs=0.01)
    assert n_to_certify(0.1, 0.8) == pytest.approx(395.7, abs=0.1)
    assert n_to_certify(0.1, 0.8, deff=2) == pytest.approx(791.3, abs=0.1)


def test_the_chance_to_pass_is_that_of_the_verdict():
    rng = np.random.default_rng(1)
    n, sd = 40, 0.8
    d = rng.normal(0, sd, (4000, n))
    bound = d.mean(axis=1) - t_quantile(0.9, n - 1) * d.std(axis=1, ddof=1) / n**0.5
    assert pass_chance(0.3, sd, n) == pytest.approx(np.mean(bound > -0.3), abs=0.02)


def test_certifiable_margin_and_size_are_inverse():
    assert certifiable(0.8, n_to_certify(0.1, 0.8)) == pytest.approx(0.1)
    assert certifiable(0.8, 80) == pytest.approx(2.4865 * 0.8 / 80**0.5, rel=1e-4)
    assert detectable(0.8, 80) == pytest.approx(2.8016 * 0.8 / 80**0.5, rel=1e-4)


def test_holm_by_rows_equals_holm():
    p = np.random.default_rng(2).random((50, 4)) ** 3
    rows = holm_rows(p, np.full(50, 4))
    assert np.allclose(rows, [holm(list(row)) for row in p])


def test_holm_by_rows_takes_the_size_of_a_part_of_the_family():
    p = np.array([[0.01, 1.0, 0.03, 1.0]])
    assert holm_rows(p, np.array([2]))[0, [0, 2]] == pytest.approx(holm([0.01, 0.03]))


NEVER_PASSED = 1e-9
"""A margin so small that nothing passes: all that is significant alarms."""


def test_one_fixed_baseline_gives_a_false_alarm_in_a_quarter_of_months():
    found = false_alarms([Watched(1.0, NEVER_PASSED)], pool=1, fixed=True)
    assert found.first.months == pytest.approx(0.25, abs=0.03)
    assert found.first.per_month == pytest.approx(30 * 0.025, abs=0.1)


def test_a_bound_by_t_needs_the_samples_of_its_spread_and_rare_losses_need_more():
    sd, n, margin = 0.8, 100, 0.05
    se = sd / n**0.5
    by_t = n_by_reach(n, margin, se, t_quantile(0.9, n - 1) * se, n - 1)
    assert by_t == pytest.approx(n_to_certify(margin, sd))
    extra = 0.01
    more = n_by_reach(n, margin, se, t_quantile(0.9, n - 1) * se + extra, n - 1)
    assert mde(more, sd**2, 0.9) + extra * n / more == pytest.approx(margin)


def test_another_seed_simulates_other_months():
    one, same, other = (false_alarms([Watched(1.0, NEVER_PASSED)], months=200, seed=seed) for seed in (0, 0, 1))
    assert one == same != other


def test_a_second_run_takes_nine_of_ten_false_alarms_away_from_a_pool_of_three():
    found = false_alarms([Watched(1.0, NEVER_PASSED)], pool=3)
    assert found.first.per_month == pytest.approx(30 * 0.025, abs=0.1)
    assert found.confirmed.per_month < 0.1 * found.first.per_month


def test_a_family_alarms_no_more_often_than_one_measure():
    one = false_alarms([Watched(1.0, NEVER_PASSED)], pool=3)
    ten = false_alarms([Watched(1.0, NEVER_PASSED)] * 10, pool=3, months=1000)
    assert ten.first.per_month <= one.first.per_month * 1.1


def test_a_margin_that_can_be_certified_leaves_hardly_an_alarm():
    sd = 0.8 / 2**0.5
    narrow = false_alarms([Watched(sd / 80**0.5, 0.1, 0.05)])
    wide = false_alarms([Watched(sd / 2000**0.5, 0.1, 0.05)])
    assert narrow.first.per_month > 0.5
    assert wide.first.per_month == 0

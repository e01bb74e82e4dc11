"""Percentiles with failures, intervals from order statistics and from repeats, and growth over capacity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics import latency
from markscheme.harness.statistics.trend import growth

INF = float("inf")
times = st.lists(st.floats(0, 1e6), min_size=1, max_size=400)


def queue(load: float, n: int, runs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """M/M/1 from empty: planned moments and latencies (runs, n), the mean service taking one second."""
    rng = np.random.default_rng(seed)
    planned = rng.exponential(1 / load, (runs, n)).cumsum(axis=1)
    service = rng.exponential(1.0, (runs, n))
    took, free = np.empty((runs, n)), np.zeros(runs)
    for i in range(n):
        free = np.maximum(free, planned[:, i]) + service[:, i]
        took[:, i] = free - planned[:, i]
    return planned, took


def test_the_95th_percentile_of_300_lies_between_the_277th_and_the_293rd_and_the_99th_has_no_interval():
    values = np.arange(1, 301, dtype=float)
    p95, p99 = latency.percentile(values, 0.95), latency.percentile(values, 0.99)
    assert (p95.value, p95.low, p95.high) == (285.0, 277.0, 293.0)
    assert (p99.low, p99.high, p99.method) == (None, None, "n too small: p99 needs 368")


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_a_percentile_has_an_interval_from_so_many_values_on(q, n):
    assert latency.needed(q) == n
    assert latency.percentile(np.arange(n - 1), q).low is None
    found = latency.percentile(np.arange(n), q)
    assert found.low is not None and found.high == n - 1


def test_failures_push_percentiles_to_infinity_and_are_never_averaged_with_an_answer():
    values = [1.0] * 90 + [INF] * 10
    assert latency.percentile(values, 0.5).value == 1.0
    assert latency.percentile(values, 0.9).high == INF
    assert latency.percentile(values, 0.95).value == INF
    assert latency.nearest(np.array([1.0, INF]), 0.5) in (1.0, INF)


@given(times, st.integers(0, 20), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_one_of_the_values_within_its_interval_and_no_failure_lowers_it(values, failed, q):
    clean, found = latency.percentile(values, q), latency.percentile([*values, *[INF] * failed], q)
    assert clean.value in values
    assert found.value in (*values, INF)
    assert found.value >= clean.value
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high


@given(times, st.floats(0.001, 1000))
def test_a_percentile_scales_with_its_unit(values, factor):
    a, b = latency.percentile(values, 0.9), latency.percentile(np.array(values) * factor, 0.9)
    assert b.value == pytest.approx(a.value * factor)


@pytest.mark.parametrize(("q", "n"), [(0.5, 40), (0.9, 100), (0.95, 300), (0.99, 500)])
def test_order_statistics_cover_the_percentile_of_independent_requests(q, n):
    values = np.random.default_rng(5).lognormal(0, 1, (2000, n))
    truth = np.exp(np.sqrt(2) * _erfinv(2 * q - 1))
    found = [latency.percentile(row, q) for row in values]
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert 0.945 <= covered <= 0.99  # discrete ranks: at least the level


def _erfinv(x: float) -> float:
    from scipy.special import erfinv

    return float(erfinv(x))


def test_requests_that_queue_need_the_spread_between_repeats():
    """p90 of M/M/1 at 70 % load is ln(10)/0.3 s; order statistics take dependent requests for independent ones."""
    truth, repeats = np.log(10) / 0.3, 5
    _, took = queue(0.7, 800, 400 * repeats, seed=11)
    cells = took[:, 200:].reshape(400, repeats, -1)
    alone = [latency.percentile(cell.ravel(), 0.9) for cell in cells]
    spread = [latency.percentile_of_repeats(list(cell), 0.9) for cell in cells]
    assert np.mean([e.low <= truth <= e.high for e in alone]) < 0.7
    assert 0.9 <= np.mean([e.low <= truth <= e.high for e in spread]) <= 0.98


def test_three_repeats_give_the_interval_and_two_are_warned_of():
    rng = np.random.default_rng(0)
    repeats = list(rng.exponential(1.0, (3, 200)))
    three, two = latency.percentile_of_repeats(repeats, 0.95), latency.percentile_of_repeats(repeats[:2], 0.95)
    assert three.method == "t over 3 repeats, df 2"
    assert three.value == latency.nearest(np.concatenate(repeats), 0.95)
    assert two.method.startswith("order statistics")
    assert two.notes == (latency.DEPENDENT,)


def test_the_spread_between_repeats_equals_the_t_interval_of_their_means():
    from scipy import stats

    each = [1.0, 1.2, 1.1, 1.5]
    low, high = stats.t.interval(0.95, 3, np.mean(each), stats.sem(each))
    found = latency.spread_of(each)
    assert (found.value, found.low, found.high) == pytest.approx((1.2, low, high))


def test_three_small_repeats_are_too_few_requests_for_a_p99():
    repeats = [np.arange(100.0)] * 3
    assert latency.percentile_of_repeats(repeats, 0.99).method == "n too small: p99 needs 368"
    assert latency.percentile_of_repeats(repeats, 0.95).low is not None


def test_a_repeat_full_of_failures_leaves_no_interval():
    repeats = [np.full(100, 1.0), np.full(100, 2.0), np.full(100, INF)]
    found = latency.percentile_of_repeats(repeats, 0.5)
    assert (found.value, found.low) == (2.0, None)
    assert found.method == "infinite in 1 of 3 repeats: no interval"


def test_a_mean_leaves_failures_out_and_has_an_interval_from_three_repeats_on():
    repeats = [np.array([1.0, 3.0, INF]), np.array([2.0, 2.0]), np.array([2.0, 5.0])]
    found = latency.mean_of_repeats(repeats)
    assert (found.value, found.n) == (2.5, 6)
    assert found.low is not None
    assert latency.mean_of_repeats(repeats[:2]).low is None
    assert latency.mean_of_repeats([np.array([INF])]).value is None


def test_ratios_of_cells_use_the_spread_between_repeats():
    found = latency.ratio([2.0, 2.2, 1.8], [1.0, 1.1, 0.9])
    assert found.value == pytest.approx(2.0)
    assert found.low < 2.0 < found.high
    assert latency.ratio([1.0, 1.1], [2.0, 2.2]).value == pytest.approx(0.5)
    assert latency.ratio([2.0], [1.0, 1.0]).method == "one repeat: no interval"
    assert latency.ratio([INF], [1.0]).value is None


def test_ratios_cover_the_truth():
    rng = np.random.default_rng(3)
    first, second = rng.lognormal(np.log(2), 0.1, (2000, 3)), rng.lognormal(0, 0.2, (2000, 3))
    found = [latency.ratio(a, b) for a, b in zip(first, second, strict=True)]
    assert 0.93 <= np.mean([e.low <= 2 <= e.high for e in found]) <= 0.98


@pytest.mark.parametrize(
    ("load", "least", "most"), [(0.3, 0, 0.05), (0.7, 0, 0.06), (0.8, 0, 0.07), (1.2, 0.88, 1), (1.5, 0.99, 1)]
)
def test_growth_is_found_over_capacity_and_seldom_under_it(load, least, most):
    planned, took = queue(load, 220, 3 * 400, seed=7)
    cells = zip(planned[:, 20:].reshape(400, 3, -1), took[:, 20:].reshape(400, 3, -1), strict=True)
    found = [growth(list(zip(*cell, strict=True))) for cell in cells]
    assert least <= np.mean([e.low is not None and e.low > 0 for e in found]) <= most


def test_growth_over_capacity_is_what_the_queue_gains_each_second():
    planned = np.arange(400) / 2.0  # two a second, of which one is served
    found = growth([(planned, planned * 1.0)])
    assert (found.value, found.low) == pytest.approx((1.0, 1.0))


def test_late_failures_count_as_the_slowest_answers():
    planned = np.arange(80.0)
    took = np.where(planned < 60, 1.0 + 0.01 * np.random.default_rng(0).random(80), INF)
    found = growth([(planned, took)] * 3)
    assert found.value is not None and np.isfinite(found.value)
    assert growth([(planned, np.full(80, INF))]).value is None


def test_a_trend_needs_twenty_requests_and_more_than_one_moment():
    assert growth([(np.arange(19.0), np.ones(19))]).method.startswith("n too small")
    assert growth([(np.zeros(40), np.ones(40))]).value is None
    assert growth([]).value is None

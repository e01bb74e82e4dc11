"""The share of a gap that is closed: known ones, no gap, and intervals that hold the truth."""

import numpy as np
import pytest
from markscheme.harness.statistics.gap import NO_GAP, gap_closed
from markscheme.harness.statistics.intervals import t_quantile


def three(p, n, groups, rng):
    """Passes of base, tuned and large at the rates ``p``, which share the hardness of a cluster and of a sample."""
    from scipy.special import ndtri

    clusters = np.arange(n) % groups
    hard = np.sqrt(0.3) * rng.normal(size=groups)[clusters] + np.sqrt(0.3) * rng.normal(size=n)
    rows = [(hard + np.sqrt(0.4) * rng.normal(size=n) < ndtri(q)).astype(float) for q in p]
    return rows, clusters


def test_the_share_is_of_the_means():
    found = gap_closed([1, 1, 0, 1] * 10, [0, 1, 0, 0] * 10, [1, 1, 1, 1] * 10)
    assert found.value == pytest.approx((0.75 - 0.25) / (1.0 - 0.25))
    assert found.low < found.value < found.high
    assert found.method == "Fieller, t, df 39"


def test_the_ends_are_where_the_rest_of_the_gap_is_just_told_from_zero():
    """Fieller's definition: at both ends mean(gain - r gap) is t standard errors from zero."""
    rng = np.random.default_rng(2)
    base, tuned, large = rng.normal(0, 1, 80), rng.normal(0.7, 1, 80), rng.normal(1, 1, 80)
    found = gap_closed(tuned, base, large)
    for end in (found.low, found.high):
        rest = (tuned - base) - end * (large - base)
        assert abs(rest.mean()) / (rest.std(ddof=1) / np.sqrt(80)) == pytest.approx(t_quantile(0.95, 79))


def test_a_scale_and_a_start_of_the_scale_change_nothing():
    rng = np.random.default_rng(4)
    rows, clusters = three((0.6, 0.3, 0.9), 90, 30, rng)
    one, other = gap_closed(*rows, clusters), gap_closed(*(1 + 3 * row for row in rows), clusters)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    assert one.method == "Fieller, t, CR3 over 30 clusters, df 29"


@pytest.mark.parametrize("large", [0.5, 0.2], ids=["as the base", "worse than the base"])
def test_there_is_no_gap_where_the_large_model_is_not_clearly_above_the_base(large):
    rng = np.random.default_rng(9)
    base, tuned, top = (rng.normal(mean, 0.5, 60) for mean in (0.5, 0.9, large))
    found = gap_closed(tuned, base, top)
    assert (found.value, found.low, found.high, found.n, found.method) == (None, None, None, 60, NO_GAP)


def test_a_model_that_fell_behind_its_base_has_less_than_nothing_and_one_beyond_the_large_more_than_all():
    rng = np.random.default_rng(5)
    base, noise = rng.normal(1, 0.2, 100), rng.normal(0, 0.1, 100)
    assert gap_closed(base - 0.5 + noise, base, base + 1 - noise).high < 0
    assert gap_closed(base + 1.5 + noise, base, base + 1 - noise).low > 1


def test_what_never_varies_has_no_interval():
    base, large = np.tile([0.0, 1.0], 20), np.ones(40)
    found = gap_closed(large, base, large)
    assert (found.value, found.low) == (1.0, None)
    assert "no interval" in found.method


def test_samples_without_all_three_are_left_out():
    gone = float("nan")
    found = gap_closed([1, 1, gone, 1, 0] * 8, [0, gone, 0, 0, 0] * 8, [1, 1, 1, 0, 1] * 8)
    assert (found.value, found.n) == (1.0, 24)
    assert gap_closed([gone], [1.0], [1.0]).value is None


def test_one_cluster_knows_no_gap():
    assert gap_closed([1, 1, 0], [0, 1, 0], [1, 1, 1], ["a"] * 3).method == "one cluster: no gap known"


def test_clusters_that_cancel_are_no_certainty():
    """Each document has one question that the base passes and one that it fails: its gaps have the same sum."""
    rng = np.random.default_rng(6)
    base, clusters = np.tile([0.0, 1.0], 30), np.repeat(np.arange(30), 2)
    found = gap_closed((rng.random(60) < 0.8).astype(float), base, np.ones(60), clusters)
    assert found.high - found.low > 0.2


@pytest.mark.parametrize("p", [(0.08, 0.72, 0.75), (0.12, 0.92, 0.93), (0.2, 0.5, 0.8), (0.5, 0.6, 0.75)])
def test_intervals_hold_the_truth_at_100_samples_in_34_clusters(p):
    rng = np.random.default_rng(17)
    truth = (p[1] - p[0]) / (p[2] - p[0])
    held = []
    for _ in range(1500):
        (base, tuned, large), clusters = three(p, 100, 34, rng)
        found = gap_closed(tuned, base, large, clusters)
        if found.low is not None:
            held.append(found.low <= truth <= found.high)
    assert len(held) > 1400
    assert 0.93 <= np.mean(held) <= 0.98

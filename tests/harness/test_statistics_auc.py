"""The area under the ROC curve: values worked by hand, other implementations, and coverage by simulation."""

import numpy as np
import pytest
from markscheme.harness.statistics.auc import auc, components_of, spread_of
from markscheme.harness.statistics.clusters import clusters_of
from markscheme.harness.statistics.intervals import logit_limits
from scipy import stats


def variance(scores, accepted, clusters=None):
    """Without the doubt of small samples: the published formulas alone."""
    x, good = np.asarray(scores, float), np.asarray(accepted) > 0.5
    found = spread_of(components_of(x[good], x[~good]), good, clusters_of(clusters, len(x)), doubt=0)
    return found.variance


def test_the_value_and_its_variance_by_hand():
    # Accepted 3, 3, 2, 1, 3 against rejected 1, 2, 0, 0, 3: 20 of 25 pairs, ties half.
    scores, accepted = [3, 3, 2, 1, 3, 1, 2, 0, 0, 3], [1] * 5 + [0] * 5
    above, below = components_of(np.array([3.0, 3, 2, 1, 3]), np.array([1.0, 2, 0, 0, 3]))
    assert above.tolist() == pytest.approx([0.9, 0.9, 0.7, 0.5, 0.9])
    assert below.tolist() == pytest.approx([0.9, 0.7, 1.0, 1.0, 0.3])
    found = auc(scores, accepted)
    assert found.value == pytest.approx(0.78)
    # Sums of squares about 0.78: 0.128 and 0.348; each over 4 and over 5.
    assert variance(scores, accepted) == pytest.approx((0.128 / 4 + 0.348 / 4) / 5)
    assert found.n == 10
    assert 0 < found.low < 0.78 < found.high < 1


def test_clusters_by_hand():
    # Two clusters, each with the same two accepted (1, 0) and two rejected (0, 0) answers.
    scores, accepted, groups = [1, 0, 0, 0] * 3, [1, 1, 0, 0] * 3, np.repeat(["a", "b", "c"], 4)
    # Placements: 1 and 0.5 of accepted ones, 0.75 of each rejected one; every cluster sums to 0 about 0.75.
    assert auc(scores, accepted, groups).value == pytest.approx(0.75)
    assert variance(scores, accepted, groups) == pytest.approx(0)
    scores = [1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1]
    good = np.array(accepted) > 0
    above, below = components_of(np.array(scores, float)[good], np.array(scores, float)[~good])
    value = above.mean()
    g = np.array([0, 0, 1, 1, 2, 2])
    a, b = np.bincount(g, above - value), np.bincount(g, below - value)
    by_hand = 1.5 * (a @ a) / 36 + 1.5 * (b @ b) / 36 + 2 * 1.5 * (a @ b) / 36
    assert variance(scores, accepted, groups) == pytest.approx(by_hand)


def test_it_is_mann_whitneys_u_over_all_pairs():
    rng = np.random.default_rng(1)
    for _ in range(20):
        x, y = rng.integers(0, 4, 60), rng.random(60) < 0.6
        u = stats.mannwhitneyu(x[y], x[~y]).statistic
        assert auc(x, y).value == pytest.approx(u / (y.sum() * (~y).sum()))


def test_it_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=200).round(1), rng.random(200) < 0.3
    assert auc(x, y).value == pytest.approx(metrics.roc_auc_score(y, x))


def test_the_variance_of_independent_answers_is_delongs():
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 4, 80).astype(float), rng.random(80) < 0.5
    kernel = (x[y][:, None] > x[~y]) + 0.5 * (x[y][:, None] == x[~y])
    delong = kernel.mean(axis=1).var(ddof=1) / y.sum() + kernel.mean(axis=0).var(ddof=1) / (~y).sum()
    assert variance(x, y) == pytest.approx(delong)
    assert variance(x, y, np.arange(80)) == pytest.approx(delong)


def test_a_cluster_repeated_counts_once():
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 4, 40).astype(float), rng.random(40) < 0.5
    groups = np.repeat(np.arange(40), 5)
    assert variance(np.repeat(x, 5), np.repeat(y, 5), groups) == pytest.approx(variance(x, y))
    once, five = auc(x, y), auc(np.repeat(x, 5), np.repeat(y, 5), groups)
    assert (five.low, five.high) == pytest.approx((once.low, once.high))
    assert "40 clusters" in five.method


def test_rows_without_a_score_are_left_out():
    x, y = [3, 3, 2, 1, 3, 1, 2, 0, 0, 3, np.nan, np.nan], [1] * 5 + [0] * 5 + [1, 0]
    assert auc(x, y) == auc(x[:10], y[:10])


@pytest.mark.parametrize(
    ("scores", "accepted", "why"),
    [
        ([], [], "no answer with feedback and a score"),
        ([1, 2, 3], [1, 1, 1], "all 3 are accepted: undefined"),
        ([1, 2, 3], [0, 0, 0], "all 3 are rejected: undefined"),
        ([1] * 20 + [2] * 4, [1] * 20 + [0] * 4, "only 4 rejected, fewer than 5"),
    ],
)
def test_there_is_no_value_where_a_class_is_missing_or_small(scores, accepted, why):
    found = auc(scores, accepted)
    assert (found.value, found.low, found.high, found.method) == (None, None, None, why)


def test_scores_that_are_all_equal_and_a_class_of_one_cluster_have_no_interval():
    found = auc([2] * 20, [1, 0] * 10)
    assert (found.value, found.low, found.method) == (0.5, None, "all scores equal: no interval")
    groups = ["a"] * 6 + [f"c{i}" for i in range(8)]
    found = auc(np.arange(14), [0] * 6 + [1] * 8, groups)
    assert (found.value, found.low) == (1.0, None)
    assert "one cluster" in found.method


def test_perfect_order_has_a_bound_that_more_answers_raise():
    few, many = (auc(np.arange(2 * n), [0] * n + [1] * n) for n in (10, 100))
    assert (few.value, few.high, many.value) == (1.0, 1.0, 1.0)
    assert few.low == pytest.approx(0.025**0.1), "a share of this size of ten is all in order at 2.5 %"
    assert few.low < many.low < 1
    turned = auc(np.arange(20), [1] * 10 + [0] * 10)
    assert (turned.value, turned.low, turned.high) == pytest.approx((0.0, 0.0, 1 - few.low))


def test_logit_limits_stay_inside():
    assert logit_limits(0.5, 0.05, 2.0) == pytest.approx((1 / (1 + np.exp(0.4)), 1 / (1 + np.exp(-0.4))))
    assert 0 < logit_limits(0.99, 0.2, 12.7)[0] < logit_limits(0.99, 0.2, 12.7)[1] <= 1


LEVELS = (-0.5, 0.5, 1.5)


def drawn(rng, n, share, shift, clusters=0, alike=0.0):
    """Scores of four levels, what people said, and clusters that both depend on."""
    groups = rng.integers(0, clusters, n) if clusters else np.arange(n)
    own, shared = np.sqrt(1 - alike), np.sqrt(alike)
    said, score = (rng.normal(0, shared, clusters or n)[groups] + rng.normal(0, own, n) for _ in range(2))
    accepted = said > stats.norm.ppf(1 - share)
    return np.digitize(score + shift * accepted, LEVELS).astype(float), accepted, groups


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0])
@pytest.mark.parametrize(
    ("n", "share", "clusters", "alike"),
    [(100, 0.5, 0, 0.0), (100, 0.8, 0, 0.0), (300, 0.9, 0, 0.0), (150, 0.7, 34, 0.5), (476, 0.7, 34, 0.5)],
)
def test_the_interval_covers(n, share, clusters, alike, shift):
    rng = np.random.default_rng(7)
    x, y, _ = drawn(rng, 400_000, share, shift)
    truth = components_of(x[y], x[~y])[0].mean()
    found = []
    for _ in range(1000):
        x, y, groups = drawn(rng, n, share, shift, clusters, alike)
        found.append(auc(x, y, groups if clusters else None))
    covered = np.mean([one.low <= truth <= one.high for one in found if one.low is not None])
    assert covered >= 0.93

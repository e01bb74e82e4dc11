"""Two pass rates on the same questions: golden values, symmetry, and questions that share a cluster."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.pairs_of_rates import mcnemar, newcombe_paired, paired_rates, tango
from scipy import stats

cells = st.tuples(*[st.integers(0, 40)] * 4).filter(sum)


def outcomes(n11, n10, n01, n00):
    counts = [n11, n10, n01, n00]
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


def test_tango_equals_the_golden_values():
    assert tango(40, 20, 160) == pytest.approx((0.0308645, 0.2180642), abs=5e-8)
    assert tango(14, 5, 100) == pytest.approx((0.0049849, 0.1808453), abs=5e-8)
    assert tango(0, 0, 30) == pytest.approx((-0.1135, 0.1135), abs=5e-5)


def test_newcombe_equals_the_golden_value():
    assert newcombe_paired(60, 14, 5, 21) == pytest.approx((0.0038605, 0.1748516), abs=5e-8)


def test_mcnemar_equals_the_golden_values():
    found = mcnemar(14, 5)
    assert (found.exact, found.mid_p) == pytest.approx((0.0635681, 0.0413895), abs=5e-8)
    assert (mcnemar(0, 0).exact, mcnemar(0, 0).mid_p) == (1, 1)
    assert mcnemar(3, 3).mid_p == pytest.approx(1 - stats.binom.pmf(3, 6, 0.5))


@given(st.integers(0, 60), st.integers(0, 60))
def test_exact_mcnemar_is_the_binomial_test_and_mid_p_is_smaller(n10, n01):
    found = mcnemar(n10, n01)
    expected = stats.binomtest(n10, n10 + n01).pvalue if n10 + n01 else 1
    assert found.exact == pytest.approx(expected)
    assert found.mid_p <= found.exact
    assert mcnemar(n01, n10) == found


@given(cells)
def test_exchanging_the_candidates_turns_both_intervals_round(counts):
    n11, n10, n01, n00 = counts
    n = sum(counts)
    for one, other in (
        (tango(n10, n01, n), tango(n01, n10, n)),
        (newcombe_paired(n11, n10, n01, n00), newcombe_paired(n11, n01, n10, n00)),
    ):
        assert one == pytest.approx((-other[1], -other[0]), abs=1e-9)
        assert -1 - 1e-9 <= one[0] <= (n10 - n01) / n <= one[1] <= 1 + 1e-9


@given(cells)
def test_tangos_limits_are_where_its_score_reaches_the_quantile(counts):
    _, n10, n01, _ = counts
    n = sum(counts)
    for limit in tango(n10, n01, n):
        if abs(limit) > 0.999:
            continue
        b = -n10 - n01 + (2 * n - n10 + n01) * limit
        q = (np.sqrt(b * b + 8 * n * n01 * limit * (1 - limit)) - b) / (4 * n)
        z = (n10 - n01 - n * limit) / np.sqrt(n * (2 * q + limit * (1 - limit)))
        assert abs(z) == pytest.approx(1.959964, abs=1e-4)


def test_one_sided_discordance_has_a_limit_short_of_the_end():
    low, high = tango(5, 0, 5)
    assert 0 < low < 1
    assert high == 1


def test_independent_questions_get_tango_and_mid_p():
    found = paired_rates(*outcomes(60, 14, 5, 21))
    assert (found.estimate.low, found.estimate.high) == pytest.approx((0.0049849, 0.1808453), abs=5e-8)
    assert (found.n11, found.n10, found.n01, found.n00) == (60, 14, 5, 21)
    assert (found.estimate.value, found.estimate.n, found.estimate.method) == (pytest.approx(0.09), 100, "Tango")
    assert (found.p, found.test) == (pytest.approx(0.0413895, abs=5e-8), "McNemar, mid-p")


def test_questions_that_share_a_cluster_get_neither_tango_nor_mcnemar():
    """Ten documents of which two differ throughout: as independent questions they would tell a difference."""
    clusters = np.repeat(np.arange(10), 10)
    a, b = (clusters < 2).astype(float), np.zeros(100)
    found = paired_rates(a, b, clusters)
    assert found.test == "cluster sign flip"
    assert found.p == 0.5
    assert found.estimate.low < 0
    assert "CR3 over 10 clusters" in found.estimate.method
    assert paired_rates(a, b).estimate.low > 0


def test_pairs_with_a_gap_are_left_out_and_grades_are_refused():
    nan = float("nan")
    assert paired_rates([1, 1, nan, 0], [0, nan, 1, 0]).estimate.n == 2
    assert paired_rates([nan], [1]).estimate.value is None
    with pytest.raises(ValueError, match="0 and 1"):
        paired_rates([2], [1])


def test_above_2000_shared_clusters_rates_are_compared_by_the_clustered_t_alone():
    rng = np.random.default_rng(6)
    a, b = (rng.random((2, 4_002)) < [[0.52], [0.5]]).astype(float)
    clusters = np.repeat(np.arange(2_001), 2)
    many, few = paired_rates(a, b, clusters), paired_rates(a[:4_000], b[:4_000], clusters[:4_000])
    assert (many.test, few.test) == ("clustered t", "cluster sign flip")
    assert many.p == pytest.approx(few.p, abs=0.02)
    assert (many.p < 0.05) == (many.estimate.low > 0 or many.estimate.high < 0)

"""Agreement: the textbooks' examples, one judge and several annotators, and what is said where nothing is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.agreement import (
    NAMES,
    judge_agreement,
    reliability,
)
from markscheme.harness.statistics.raters import cohen_kappa, fleiss, gwet, krippendorff
from scipy import stats
from sklearn.metrics import cohen_kappa_score

nan = float("nan")
LEVELS = (0, 1, 2, 3)
A = [0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 1, 2, 0, 3]
B = [0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 1, 3, 0, 3]
KRIPPENDORFF_2011 = [
    [1, 1, nan, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [nan, 5, 5, 5],
    [nan, nan, 1, 1],
    [nan, nan, 3, nan],
]
PARADOX = [0] * 47 + [1] + [0] * 2, [0] * 47 + [0] + [1] * 2


def column(ratings):
    return np.asarray(ratings, float)[:, None]


def values(estimates):
    return {name: estimate.value for name, estimate in estimates.items()}


def test_one_annotator_gives_the_textbook_values():
    found = judge_agreement(A, column(B), LEVELS)
    assert tuple(found.estimates) == NAMES
    expected = {
        "exact": 0.7333,
        "within_1": 1.0,
        "kappa": 0.6428571,
        "kappa_linear": 0.7794118,
        "kappa_quadratic": 0.8863636,
        "ac1": 0.6449704,
        "ac2": 0.8945518,
        "alpha": 0.8961660,
        "spearman": 0.8925856,
        "tau_b": 0.8214286,
    }
    for name, value in expected.items():
        assert found.estimates[name].value == pytest.approx(value, abs=5e-8 if name != "exact" else 5e-5), name
    assert (found.n, found.pairs, np.sum(found.confusion)) == (15, 15, 15)
    assert found.confusion[0] == (2, 1, 0, 0)  # the judge's zeros, by what the human said


def test_krippendorffs_and_gwets_example_with_missing_ratings():
    five = range(1, 6)
    alphas = {"nominal": 0.7434211, "ordinal": 0.8153875, "interval": 0.8491071}
    for metric, value in alphas.items():
        assert krippendorff(KRIPPENDORFF_2011, five, metric) == pytest.approx(value, abs=5e-8)
    assert krippendorff(KRIPPENDORFF_2011, five, "ratio") == pytest.approx(0.797, abs=5e-4)
    for weights, value in {"unweighted": 0.775444, "linear": 0.858739, "quadratic": 0.914001}.items():
        assert gwet(KRIPPENDORFF_2011, five, weights) == pytest.approx(value, abs=5e-7)
    together = reliability(KRIPPENDORFF_2011, five)
    assert values(together) == pytest.approx(
        {"alpha_nominal": 0.7434211, "alpha_ordinal": 0.8153875, "alpha_interval": 0.8491071}
        | {"ac1": 0.775444, "ac2": 0.914001},
        abs=5e-7,
    )


def test_fleiss_example_and_the_need_for_equally_many_ratings():
    assert fleiss([[0, 0, 0], [1, 1, 0], [2, 2, 2], [1, 1, 1], [0, 1, 2], [2, 2, 1]], range(3)) == pytest.approx(
        0.4112150, abs=5e-8
    )
    with pytest.raises(ValueError, match="the same number"):
        fleiss([[0, 0], [0, nan]], range(2))


def test_kappa_paradox_kappa_and_alpha_fall_below_zero_where_ac1_stays_high():
    found = judge_agreement(PARADOX[0], column(PARADOX[1]), (0, 1)).estimates
    assert (found["exact"].value, found["kappa"].value, found["ac1"].value) == pytest.approx(
        (0.94, -0.027, 0.936), abs=5e-4
    )
    assert found["alpha"].value == pytest.approx(-0.021, abs=5e-4)


def test_one_sided_scales_are_undefined_and_never_one_or_zero():
    found = judge_agreement([0] * 60, column([0] * 60), LEVELS).estimates
    for name in ("kappa", "kappa_linear", "kappa_quadratic", "alpha", "spearman", "tau_b", "within_1_corrected"):
        assert (found[name].value, found[name].method) == (None, "undefined: no variation"), name
    assert found["ac1"].value == 1.0
    assert cohen_kappa([0, 0], [0, 0], LEVELS) is krippendorff([[0, 0]], LEVELS, "nominal") is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_kappa_and_rank_correlations_equal_sklearns_and_scipys(pairs):
    first, second = np.array(pairs).T
    found = judge_agreement(first, column(second), LEVELS).estimates
    if len(set(first)) > 1 and len(set(second)) > 1:
        assert found["spearman"].value == pytest.approx(stats.spearmanr(first, second)[0], abs=1e-12)
        assert found["tau_b"].value == pytest.approx(stats.kendalltau(first, second)[0], abs=1e-12)
    if len(set(first) | set(second)) > 1:
        for name, weights in (("kappa", None), ("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
            expected = cohen_kappa_score(first, second, weights=weights, labels=LEVELS)
            assert found[name].value == pytest.approx(expected, abs=1e-12)
            assert cohen_kappa(first, second, LEVELS, weights or "unweighted") == pytest.approx(expected, abs=1e-12)

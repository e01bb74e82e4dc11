"""Repeats: golden values, known variances, flips, and gaps."""

import numpy as np
import pytest
from markscheme.harness.statistics.clusters import se_independent
from markscheme.harness.statistics.repeats import decompose

GRADES = [[2, 3, 2], [1, 1, 1], [3, 3, 3], [0, 1, 0], [2, 2, 3]]
nan = float("nan")


def test_decomposition_equals_the_golden_values():
    found = decompose(GRADES)
    assert (found.within, found.between) == (pytest.approx(0.2), pytest.approx(1.133333, abs=5e-7))
    assert found.se_at(3) == pytest.approx(0.4898979, abs=5e-8)
    assert found.se_at(1) == pytest.approx(0.5163978, abs=5e-8)
    assert found.se_at(5) == pytest.approx(0.4844241, abs=5e-8)
    assert (found.n, found.repeats) == (5, 3)


def test_standard_error_at_the_repeats_there_are_is_that_of_the_items_means():
    assert decompose(GRADES).se_at(3) == pytest.approx(se_independent(np.mean(GRADES, axis=1)))


def test_known_variances_are_found_also_with_gaps():
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1, (20_000, 1)) + rng.normal(0, 0.5, (20_000, 4))
    scores[rng.random(scores.shape) < 0.3] = nan
    found = decompose(scores)
    assert found.within == pytest.approx(0.25, rel=0.03)
    assert found.between == pytest.approx(1, rel=0.03)
    assert found.noise_share() == pytest.approx(0.2, rel=0.03)
    assert found.noise_share(4) == pytest.approx(0.25 / 4 / (1 + 0.25 / 4), rel=0.03)


def test_repeats_narrow_only_the_noise_and_questions_everything():
    found = decompose(GRADES)
    assert found.narrower(1) == 0
    assert found.narrower(10**9) == pytest.approx(1 - np.sqrt(1 - found.noise_share()))
    assert found.narrower(1, n=20) == pytest.approx(0.5)


def test_flips_are_counted_per_item_and_per_pair():
    found = decompose(GRADES)
    assert found.flip_rate.value == pytest.approx(3 / 5)
    assert found.pair_flip_rate.value == pytest.approx((3 * 2 / 3) / 5)
    assert found.flip_rate.method == "Wilson"


def test_more_repeats_raise_the_share_of_flipped_items_but_not_of_pairs():
    grades = (np.random.default_rng(2).random((4000, 6)) < 0.1).astype(float)
    two, six = decompose(grades[:, :2]), decompose(grades)
    assert two.flip_rate.value == pytest.approx(0.18, abs=0.02)
    assert six.flip_rate.value == pytest.approx(1 - 0.9**6 - 0.1**6, abs=0.02)
    assert two.pair_flip_rate.value == pytest.approx(six.pair_flip_rate.value, abs=0.02)


def test_pairs_are_those_of_the_grades_that_are_there():
    found = decompose([[1, nan, 2, 2], [1, 1, nan, nan], [0, nan, nan, 0]])
    assert found.pair_flip_rate.value == pytest.approx((2 / 3) / 3)


def test_items_with_one_grade_tell_nothing():
    assert decompose([[1, nan], [2, 2], [nan, nan], [3, 2]]).n == 2
    assert decompose([[1, nan], [2, 2]]) is None


def test_a_judge_without_noise_has_none_to_remove():
    found = decompose([[1, 1], [2, 2], [3, 3]])
    assert (found.within, found.noise_share(), found.narrower(5)) == (0, 0, 0)
    assert decompose([[1, 1], [1, 1]]).narrower(5) == 0


def test_noise_larger_than_the_spread_of_means_leaves_nothing_between():
    assert decompose([[0, 3], [3, 0], [1, 2]]).between == 0


def test_flips_follow_clusters():
    grades = [[0, 1]] * 10 + [[1, 1]] * 10
    assert "2 clusters" in decompose(grades, clusters=[0] * 10 + [1] * 10).flip_rate.method

import numpy as np
import pytest
from markscheme.harness.statistics.intervals import t_quantile
from markscheme.harness.statistics.not_inferior import lower_bound

RATES = (-1.0, 1.0)
FEWER = pytest.mark.parametrize(("n", "old", "margin"), [(60, 1.0, 0.05), (60, 0.99, 0.02), (100, 0.97, 0.05)])


def test_many_symmetric_gains_have_the_bound_of_students_t():
    gains = np.repeat([-1.0, 0.0, 1.0], [30, 60, 30])
    se = gains.std(ddof=1) / np.sqrt(120)
    assert lower_bound(gains, span=(-3, 3)) == pytest.approx(-t_quantile(0.9, 119) * se)


def test_gains_that_are_all_the_same_leave_room_for_losses_that_were_not_seen():
    assert lower_bound(np.zeros(60), span=RATES) == pytest.approx(-(1 - 0.05 ** (1 / 60)))
    assert lower_bound(np.zeros(60)) is None


def test_a_few_gains_do_not_show_that_there_are_no_losses():
    gains = np.zeros(60)
    gains[:2] = 1 / 3
    assert lower_bound(gains, span=RATES) < -2 / 60  # by t alone -0.1 / 60


def test_one_cluster_has_no_bound():
    assert lower_bound([0.0, 1.0], ["a", "a"], RATES) is None


def test_rare_losses_in_shared_clusters_move_the_bound_further_than_alone():
    gains = np.zeros(120)
    gains[[0, 50]] = -1
    assert lower_bound(gains, np.repeat(np.arange(12), 10), RATES) < lower_bound(gains, span=RATES) < -4.4 / 120


def test_clusters_that_cancel_out_do_not_make_a_bound_certain():
    gains = np.tile([-1.0, 1.0], 20)
    assert lower_bound(gains, np.repeat(np.arange(20), 2), RATES) < -0.2


@FEWER
def test_a_loss_of_just_the_margin_passes_in_5_percent_where_the_baseline_is_a_pool_near_1(n, old, margin):
    """By t alone: 20, 15 and 8 %."""
    rng = np.random.default_rng(7)
    before = (rng.random((3000, n, 3)) < old).mean(axis=2)
    after = rng.random((3000, n)) < old - margin
    passed = np.mean([lower_bound(gains, span=RATES) > -margin for gains in after - before])
    assert passed <= 0.065


def test_a_loss_of_just_the_margin_passes_in_5_percent_where_few_answers_change():
    """Of 100 answers on a scale of 0 to 3, five drop by 1 to 3 levels; by t alone it is 14 %."""
    rng = np.random.default_rng(8)
    drops = rng.choice([1.0, 2.0, 3.0], size=(3000, 100)) * (rng.random((3000, 100)) < 0.05)
    passed = np.mean([lower_bound(-row, span=(-3, 3)) > -0.1 for row in drops])
    assert passed <= 0.065


def test_a_loss_of_just_the_margin_passes_in_5_percent_where_documents_lose_together():
    """30 documents of 8 questions each: in one of 20 half of the answers fail; by t alone it is 11 %."""
    rng = np.random.default_rng(9)
    failing = rng.random((3000, 30, 1)) < 0.1
    lost = (failing & (rng.random((3000, 30, 8)) < 0.5)).reshape(3000, -1).astype(float)
    documents = np.repeat(np.arange(30), 8)
    assert np.mean([lower_bound(-row, documents, RATES) > -0.05 for row in lost]) <= 0.065


def test_an_unchanged_model_still_passes_a_margin_that_its_samples_can_certify():
    rng = np.random.default_rng(10)
    gains = rng.normal(0, 0.8, size=(2000, 400))
    assert np.mean([lower_bound(row, span=(-3, 3)) > -0.1 for row in gains]) == pytest.approx(0.8, abs=0.03)

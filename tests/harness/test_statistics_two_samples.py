"""Two windows of samples: golden values, clusters in both windows, and what chance does to all tests."""

from __future__ import annotations

import numpy as np
import pytest
from markscheme.harness.statistics.alternative import benjamini_hochberg
from markscheme.harness.statistics.intervals import logit_limits, t_quantile
from markscheme.harness.statistics.two_samples import (
    error_of_difference,
    mean_change,
    placements,
    rate_change,
    separate,
    superiority,
    windows_of_clusters,
)
from markscheme.harness.statistics.two_samples_mix import distance, mix_change
from markscheme.harness.statistics.two_samples_slices import composition
from scipy import sparse, spatial, stats


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_without_clusters_the_mean_changes_by_welchs_t(rng):
    early, late = rng.normal(size=40), rng.normal(0.3, 2, size=60)
    found, known = mean_change(early, late), stats.ttest_ind(late, early, equal_var=False)
    assert found.p == pytest.approx(known.pvalue)
    low, high = known.confidence_interval()
    assert (found.estimate.low, found.estimate.high) == (pytest.approx(low), pytest.approx(high))
    assert found.estimate.value == pytest.approx(late.mean() - early.mean())


def test_superiority_is_mann_and_whitneys_u_with_brunner_and_munzels_error(rng):
    early, late = rng.poisson(4, size=50).astype(float), rng.poisson(6, size=30).astype(float)
    found, known = superiority(early, late), stats.brunnermunzel(late, early)
    value = found.estimate.value
    assert value == pytest.approx(stats.mannwhitneyu(late, early).statistic / 1500)
    over, under = placements(early, late), 1 - placements(late, early)
    se, df = error_of_difference(value - under, over - value, separate(50, 30))
    assert (0.5 - value) / se == pytest.approx(known.statistic)
    assert 2 * stats.t.sf(abs(known.statistic), df) == pytest.approx(known.pvalue)
    # The delta method: on the arcsine scale the error is se / sqrt(value (1 - value)).
    assert found.p == pytest.approx(2 * stats.t.sf(np.arcsin(2 * value - 1) * np.sqrt(value * (1 - value)) / se, df))
    assert (found.estimate.low, found.estimate.high) == logit_limits(value, se, t_quantile(0.95, df))


@pytest.mark.slow
def test_small_windows_fall_far_below_their_p_no_more_often_than_it_says(rng):
    """Of thousands of tests the smallest p decides, so it is the far tail that matters."""
    ps = np.array([superiority(*rng.normal(size=(2, 20))).p for _ in range(20_000)])
    for p in (0.05, 0.005, 0.001):
        assert np.mean(ps < p) <= p + 2.6 * np.sqrt(p / 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.5, 0.9, 0.97])
def test_the_interval_of_a_superiority_covers(rng, true):
    shift, inside = np.sqrt(2) * stats.norm.ppf(true), []
    for _ in range(2000):
        one = superiority(rng.normal(size=20), rng.normal(shift, size=20)).estimate
        inside.append(one.low is None or one.low <= true <= one.high)
    assert np.mean(inside) > 0.935


def test_the_interval_of_two_shares_is_newcombes():
    early, late = np.repeat([1.0, 0.0], [48, 32]), np.repeat([1.0, 0.0], [56, 14])
    found = rate_change(early, late)
    # Newcombe (1998), table II, (a): 56/70 against 48/80, method 10.
    assert (found.estimate.low, found.estimate.high) == (
        pytest.approx(0.0524, abs=5e-5),
        pytest.approx(0.3339, abs=5e-5),
    )
    assert found.p >= stats.fisher_exact([[48, 32], [56, 14]])[1]


def test_a_rare_event_is_held_against_fishers_exact_test():
    early, late = np.zeros(200), np.repeat([1.0, 0.0], [4, 196])
    assert rate_change(early, late).p == pytest.approx(stats.fisher_exact([[0, 200], [4, 196]])[1])


def test_repeating_every_sample_of_a_cluster_makes_nothing_surer(rng):
    early, late = rng.normal(size=30), rng.normal(0.5, 1, size=30)
    labels = windows_of_clusters(np.repeat(np.arange(30), 5), np.repeat(np.arange(30, 60), 5))
    for change in (mean_change, superiority):
        once, five = change(early, late), change(np.repeat(early, 5), np.repeat(late, 5), labels)
        assert five.estimate.value == pytest.approx(once.estimate.value)
        assert five.p == pytest.approx(once.p, rel=0.1)


def test_clusters_in_both_windows_are_compared_with_themselves(rng):
    users = rng.normal(0, 3, size=60)
    early, late = users + rng.normal(size=60), users + 0.8 + rng.normal(size=60)
    paired = mean_change(early, late, windows_of_clusters(np.arange(60), np.arange(60)))
    assert paired.p == pytest.approx(stats.ttest_rel(late, early).pvalue, rel=0.05)
    assert paired.p < 0.001 < mean_change(early, late).p


def test_windows_that_hold_one_value_each():
    early, late = np.full(20, 3.0), np.full(20, 2.0)
    found = mean_change(early, late, scale=(0, 3))
    assert found.p < 1e-9
    assert found.estimate.value == -1.0
    assert found.estimate.low < -1.0 < found.estimate.high < 0
    assert mean_change(early, early, scale=(0, 3)).p == 1.0
    assert superiority(early, late).p < 1e-9
    assert superiority(early, early).p == 1.0


def test_of_clusters_in_both_windows_the_halves_change_places_and_nothing_else():
    """Ten users, each 0 early and 1 late: 2 of the 2^10 ways to turn users over are as far apart."""
    users = windows_of_clusters(np.arange(10), np.arange(10))
    for change in (mean_change, rate_change, superiority):
        assert change(np.zeros(10), np.ones(10), users).p == pytest.approx(2 / 2**10)


@pytest.mark.parametrize("change", [mean_change, rate_change, superiority])
def test_thousands_that_all_changed_are_counted(change):
    found = change(np.zeros(2000), np.ones(3000))
    assert found.estimate.value == 1.0
    assert 0 <= found.p < 1e-100


@pytest.mark.parametrize("change", [mean_change, superiority])
def test_clusters_that_cancel_are_no_certainty(change):
    """Every conversation has the same sum, so that leaving one out moves nothing."""
    early, late = np.tile([0.0, 2.0, 4.0], 8), np.tile([1.0, 3.0, 5.0], 8)
    codes = np.repeat(np.arange(8), 3)
    found = change(early, late, windows_of_clusters(codes, codes + 8))
    assert found.p == pytest.approx(change(early, late).p)
    assert 0.01 < found.p < 0.2
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert found.estimate.method.endswith("(clusters cancel out)")


def test_one_cluster_in_a_window_says_nothing():
    one = windows_of_clusters(np.zeros(20), np.arange(20))
    for change in (mean_change, rate_change, superiority):
        found = change(np.zeros(20), np.ones(20), one)
        assert (found.p, found.estimate.low) == (1.0, None)


def test_the_distance_of_two_mixes_is_jensens_and_shannons():
    early, late = np.array([5.0, 3.0, 0.0, 2.0]), np.array([1.0, 1.0, 7.0, 1.0])
    known = spatial.distance.jensenshannon(early, late, base=2) ** 2
    assert distance(early, late) == pytest.approx(known)
    assert distance(early, 3 * early) == pytest.approx(0.0, abs=1e-6)
    assert distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)


def bags(rng, n, shares):
    return sparse.csr_array((rng.random((n, len(shares))) < np.asarray(shares)).astype(np.float32))


def test_another_mix_is_found_and_its_size_told(rng):
    shares = np.full(40, 0.1)
    moved = shares * np.linspace(0.3, 1.7, 40)
    found = mix_change(bags(rng, 200, shares), bags(rng, 200, moved), separate(200, 200))
    assert found.p == pytest.approx(1 / 5000)
    assert found.distance > found.limit > found.chance > 0
    assert found.beyond.value == pytest.approx(found.distance - found.chance)
    assert found.beyond.low > 0
    same = mix_change(bags(rng, 200, shares), bags(rng, 200, shares), separate(200, 200))
    assert same.p > 0.05
    assert same.beyond.value < 0.01
    assert same.beyond.low is None


def test_mixes_with_nothing_in_common_are_one_bit_apart_without_an_interval_of_no_width():
    early, late = (sparse.csr_array(np.tile(own, (30, 1)).astype(np.float32)) for own in ([1, 0], [0, 1]))
    found = mix_change(early, late, separate(30, 30))
    assert found.distance == 1.0
    assert (found.beyond.low, found.beyond.method) == (None, "no spread: no interval")
    assert found.p == pytest.approx(1 / 5000)


def test_words_that_each_question_has_for_itself_are_no_other_mix():
    """However they are dealt out, the distance is the same: an order number in every question of one form."""
    questions = np.hstack([np.ones((240, 10)), np.eye(240)]).astype(np.float32)
    two = sparse.csr_array(questions[:120]), sparse.csr_array(questions[120:])
    found = mix_change(*two, windows_of_clusters(np.arange(120) // 3, np.arange(120, 240) // 3))
    assert found.p == 1.0
    assert found.beyond.value == pytest.approx(0.0, abs=1e-9)


def test_words_that_a_cluster_repeats_are_no_change_of_the_mix(rng):
    """Every conversation has words of its own: dealt out sample by sample this would be found at once."""
    ps = []
    for seed in range(40):
        words = np.repeat(bags(rng, 24, np.full(60, 0.1)).toarray(), 10, axis=0)
        labels = windows_of_clusters(np.repeat(np.arange(12), 10), np.repeat(np.arange(12, 24), 10))
        two = sparse.csr_array(words[:120]), sparse.csr_array(words[120:])
        ps.append(mix_change(*two, labels, seed).p)
    assert np.mean(np.array(ps) < 0.05) < 0.2
    assert mix_change(*two, separate(120, 120)).p < 0.001


def test_the_parts_of_a_change_add_up_and_are_told_apart(rng):
    slices = rng.integers(0, 3, 600), rng.choice(3, 600, p=[0.7, 0.2, 0.1])
    values = [own * 1.0 + rng.normal(0, 0.1, 600) for own in slices]
    moved = composition((values[0], slices[0]), (values[1], slices[1]), separate(600, 600))
    assert moved.mix.value + moved.within.value == pytest.approx(moved.total.value)
    assert moved.total.value == pytest.approx(values[1].mean() - values[0].mean())
    assert moved.mix.high < -0.4
    assert moved.within.low < 0 < moved.within.high
    worse = composition((values[0], slices[0]), (values[0] - 0.5, slices[0]), separate(600, 600))
    assert (worse.mix.value, worse.within.value) == (pytest.approx(0, abs=1e-9), pytest.approx(-0.5))


def test_a_slice_that_is_new_counts_as_mix():
    early, late = (np.ones(20), np.zeros(20, dtype=int)), (np.repeat([1.0, 0.0], 10), np.repeat([0, 1], 10))
    found = composition(early, late, separate(20, 20))
    assert found.within.value == pytest.approx(0.0)
    assert found.mix.value == pytest.approx(-0.5)


def test_a_change_of_parts_that_never_vary_or_of_one_cluster_has_no_interval(rng):
    slices = np.repeat([0, 1], 15)
    same = composition((np.ones(30), slices), (np.ones(30), slices), separate(30, 30))
    assert {(one.value, one.low) for one in (same.total, same.mix, same.within)} == {(0.0, None)}
    values = rng.normal(size=30)
    one = composition((values, slices), (values, slices), windows_of_clusters(np.arange(30), np.full(30, 99)))
    assert (one.total.low, one.mix.low, one.within.low) == (None, None, None)


@pytest.mark.slow
def test_the_interval_of_a_distance_covers_that_of_the_mixes(rng):
    shares = np.full(40, 0.1)
    moved = shares * np.linspace(0, 2, 40)
    true, inside = distance(shares, moved), []
    for seed in range(200):
        rows = [np.repeat(bags(rng, 60, own).toarray(), 2, axis=0) for own in (shares, moved)]
        codes = np.repeat(np.arange(60), 2)
        labels = windows_of_clusters(codes, codes + 60)
        one = mix_change(*(sparse.csr_array(own) for own in rows), labels, seed).beyond
        inside.append(one.low is not None and one.low <= true <= one.high)
    assert np.mean(inside) > 0.9


def window(rng, clusters=30, members=4, shift=0.0):
    """A mean with effects of clusters, a rare yes or no, an amount, tags, and who belongs together."""
    codes = np.repeat(np.arange(clusters), members)
    effect = rng.normal(0, 0.5, clusters)[codes]
    n = len(codes)
    score = np.clip(np.round(2.2 + effect + rng.normal(shift, 0.7, n)), 0, 3)
    rate = (rng.random(n) < 0.04 + 0.04 * (effect > 0)).astype(float)
    amount = np.round(np.exp(2 + 0.4 * effect + rng.normal(0, 0.5, n)))
    topic = (rng.integers(0, 6, clusters)[codes] + (rng.random(n) < 0.3)) % 6
    tags = sparse.csr_array((np.ones(n, dtype=np.float32), (np.arange(n), topic)), (n, 6))
    return codes, score, rate, amount, tags


def family(rng, shift=0.0, windows=8):
    """p of all tests of a page: every later window against the first."""
    first = window(rng)
    ps = []
    for number in range(1, windows):
        late = window(rng, shift=shift * (number == windows - 1))
        labels = windows_of_clusters(first[0], late[0] + 1000)
        changes = (mean_change, rate_change, superiority)
        ps += [change(a, b, labels).p for change, a, b in zip(changes, first[1:4], late[1:4], strict=True)]
        ps.append(mix_change(first[4], late[4], labels, number).p)
    return ps


@pytest.mark.slow
def test_under_no_change_a_page_of_eight_windows_raises_an_alarm_in_five_percent_at_most(rng):
    alarms = [min(benjamini_hochberg(family(rng))) < 0.05 for _ in range(600)]
    assert np.mean(alarms) <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 600)


@pytest.mark.slow
def test_a_loss_of_two_thirds_of_a_step_in_the_last_window_is_found(rng):
    found = [benjamini_hochberg(family(rng, -0.67))[-4] < 0.05 for _ in range(100)]
    assert np.mean(found) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("both", [False, True])
def test_intervals_of_a_change_cover_what_they_say(rng, both):
    inside = []
    for _ in range(2000):
        members = rng.integers(1, 8, 40)
        codes = np.repeat(np.arange(40), members)
        effects = rng.normal(0, 0.7, 40)
        early = effects[codes] + rng.normal(size=len(codes))
        effects = effects if both else rng.normal(0, 0.7, 40)
        late = 0.3 + effects[codes] + rng.normal(size=len(codes))
        one = mean_change(early, late, windows_of_clusters(codes, codes if both else codes + 100)).estimate
        inside.append(one.low <= 0.3 <= one.high)
    assert 0.935 <= np.mean(inside) <= 0.975

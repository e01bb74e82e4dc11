"""Win rates and Bradley-Terry strengths: published values, properties, and coverage by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markscheme.harness.statistics.ranking import (
    bradley_terry,
    cycles,
    elo,
    fit_all,
    misfit,
    strong_groups,
    win_interval,
    win_rate,
)
from markscheme.harness.statistics.rating import ratings

GOLDEN = [[0, 7, 8], [3, 0, 6.5], [2, 3.5, 0]]


def test_win_rate_counts_a_tie_as_half_a_win():
    found = win_rate([1, 1, 0.5, 0.5, 0, 1, 1, 1])
    assert (found.wins, found.ties, found.losses) == (5, 2, 1)
    assert found.estimate.value == pytest.approx(6 / 8)
    assert found.decided.value == pytest.approx(5 / 6)
    assert found.decided.n == 6


def test_win_rate_without_ties_has_nearly_the_interval_of_a_rate():
    found = win_rate([1] * 60 + [0] * 40).estimate
    assert (found.low, found.high) == pytest.approx((0.5021, 0.6906), abs=0.004)  # Wilson


def test_ties_narrow_the_interval():
    with_ties, without = win_rate([1] * 20 + [0.5] * 60 + [0] * 20), win_rate([1] * 50 + [0] * 50)
    assert with_ties.estimate.high < without.estimate.high


def test_shared_clusters_widen_the_interval_and_raise_p():
    rng = np.random.default_rng(0)
    values = np.repeat(rng.integers(0, 2, 40), 5).astype(float)
    alone, clustered = win_rate(values), win_rate(values, np.repeat(np.arange(40), 5))
    assert clustered.estimate.high - clustered.estimate.low > 1.8 * (alone.estimate.high - alone.estimate.low)
    assert clustered.p > alone.p


def test_a_win_rate_of_one_half_has_p_of_one_and_a_clear_win_a_small_p():
    assert win_rate([1, 0, 0.5] * 10).p == 1
    assert win_rate([1] * 12).p == pytest.approx(2 / 2**12)


def test_all_questions_won_gives_a_bound_and_not_plus_or_minus_zero():
    found = win_rate([1.0] * 30).estimate
    assert found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 30))


def test_no_question_at_all_has_no_rate():
    found = win_rate([])
    assert found.estimate.value is None and found.decided.value is None and found.p == 1


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=2, max_size=40))
def test_swapping_the_two_models_mirrors_the_win_rate(values):
    a, b = win_rate(values), win_rate([1 - v for v in values])
    assert a.estimate.value == pytest.approx(1 - b.estimate.value)
    assert a.estimate.low == pytest.approx(1 - b.estimate.high)
    assert (a.wins, a.ties, a.losses, a.p) == (b.losses, b.ties, b.wins, pytest.approx(b.p))
    assert 0 <= a.estimate.low <= a.estimate.value <= a.estimate.high <= 1


def test_bradley_terry_gives_the_golden_strengths_and_standard_errors():
    fit = bradley_terry(GOLDEN)
    assert fit.strengths == pytest.approx([0.7472508, -0.0754674, -0.6717834], abs=5e-8)
    assert elo(fit.strengths) == pytest.approx([1129.811, 986.890, 883.299], abs=5e-4)
    assert fit.standard_errors == pytest.approx([0.3482161, 0.3175297, 0.3412439], abs=5e-8)
    variance = fit.covariance[0, 0] + fit.covariance[1, 1] - 2 * fit.covariance[0, 1]
    assert np.sqrt(variance) == pytest.approx(0.5724611, abs=5e-8)


def test_two_models_have_the_log_odds_between_them():
    fit = bradley_terry([[0, 30], [10, 0]])
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(3))


def test_an_undefeated_model_has_no_finite_strength_and_the_error_names_the_groups():
    with pytest.raises(ValueError, match=r"\[\[0\], \[1, 2\]\]"):
        bradley_terry([[0, 2, 2], [0, 0, 1], [0, 1, 0]])


def test_a_prior_makes_undefeated_models_finite_and_pulls_strengths_to_zero():
    undefeated = bradley_terry([[0, 2, 2], [0, 0, 1], [0, 1, 0]], l2=0.5)
    assert np.isfinite(undefeated.strengths).all() and undefeated.strengths[0] > undefeated.strengths[1]
    assert np.abs(bradley_terry(GOLDEN, l2=1.0).strengths).max() < np.abs(bradley_terry(GOLDEN).strengths).max()


def test_a_nearly_undefeated_model_converges():
    wins = np.array([[0, 1e6, 1e6], [1, 0, 50], [1, 60, 0]])
    fit = bradley_terry(wins)
    games = wins + wins.T
    chances = 1 / (1 + np.exp(fit.strengths[None, :] - fit.strengths[:, None]))
    assert (games * chances * (1 - np.eye(3))).sum(axis=1) == pytest.approx(wins.sum(axis=1), rel=1e-6)


square = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(1, 40), min_size=k, max_size=k), min_size=k, max_size=k)
)


@settings(deadline=None)
@given(square, st.sampled_from([0.25, 3.0, 10.0]))
def test_strengths_depend_on_shares_alone_and_turn_with_the_outcomes(wins, factor):
    matrix = np.array(wins, dtype=float)
    strengths = bradley_terry(matrix).strengths
    assert strengths.sum() == pytest.approx(0, abs=1e-9)
    assert bradley_terry(factor * matrix).strengths == pytest.approx(strengths, abs=1e-6)
    assert bradley_terry(matrix.T).strengths == pytest.approx(-strengths, abs=1e-6)
    order = np.arange(len(matrix))[::-1]
    assert bradley_terry(matrix[np.ix_(order, order)]).strengths == pytest.approx(strengths[order], abs=1e-6)


def test_wins_that_are_no_square_of_counts_are_refused():
    with pytest.raises(ValueError, match="square"):
        bradley_terry([[0, 1]])
    with pytest.raises(ValueError, match="zero or more"):
        bradley_terry([[0, -1], [2, 0]])


def test_groups_stand_strongest_first():
    assert strong_groups([[0, 0, 0, 1], [3, 0, 0, 2], [1, 1, 0, 1], [1, 0, 0, 0]]) == [[2], [1], [0, 3]]
    assert strong_groups(GOLDEN) == [[0, 1, 2]]


def test_a_circle_of_preferences_is_counted_and_shows_as_misfit():
    circle = [[0, 9, 1], [1, 0, 9], [9, 1, 0]]
    assert cycles(circle) == 1
    assert misfit(circle, bradley_terry(circle).strengths) == pytest.approx(0.4)
    assert cycles(GOLDEN) == 0
    assert misfit(GOLDEN, bradley_terry(GOLDEN).strengths) < 0.06


STRENGTHS = np.array([1.2, 0.5, 0.0, -0.8])


def simulated(rng, n):
    """Outcomes (n, 4, 4): models differ per question by more than chance; close calls are ties."""
    latent = STRENGTHS + rng.normal(0, 0.8, (n, 4))
    noise = np.triu(rng.logistic(size=(n, 4, 4)), 1)
    gap = latent[:, :, None] - latent[:, None, :] + noise - noise.transpose(0, 2, 1)
    return np.where(gap > 0.5, 1.0, np.where(gap < -0.5, 0.0, 0.5))


def test_ratings_are_the_fit_of_all_outcomes_with_intervals_around_it():
    outcomes = simulated(np.random.default_rng(1), 80)
    found = ratings(outcomes)
    wins = outcomes.sum(axis=0) * (1 - np.eye(4))
    assert [m.strength.value for m in found.models] == pytest.approx(bradley_terry(wins).strengths)
    assert [m.elo.value for m in found.models] == pytest.approx(elo(bradley_terry(wins).strengths))
    assert all(m.elo.low < m.elo.value < m.elo.high for m in found.models)
    assert found.l2 == 0 and found.groups == ((0, 1, 2, 3),) and found.n == 80


def test_ratings_are_the_same_each_time():
    outcomes = simulated(np.random.default_rng(1), 40)
    assert ratings(outcomes) == ratings(outcomes)


def test_questions_that_share_a_cluster_widen_the_intervals():
    outcomes = np.repeat(simulated(np.random.default_rng(2), 40), 5, axis=0)
    alone, clustered = ratings(outcomes), ratings(outcomes, np.repeat(np.arange(40), 5))
    width = [m.elo.high - m.elo.low for m in alone.models]
    assert [m.elo.high - m.elo.low for m in clustered.models] > [1.8 * w for w in width]


def test_rank_ranges_part_the_models_only_where_the_questions_tell():
    many, few = (ratings(simulated(np.random.default_rng(3), n)) for n in (3000, 12))
    assert [m.ranks for m in many.models] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert any(m.ranks[0] < m.ranks[1] for m in few.models)


def test_few_questions_are_warned_of_and_very_few_give_no_interval():
    many, few, too_few = (ratings(simulated(np.random.default_rng(6), n)) for n in (50, 30, 8))
    assert many.notes == ()
    assert few.notes == ("only 30 questions (fewer than 50)",) and few.models[0].elo.low is not None
    assert too_few.models[0].elo.low is None and {m.ranks for m in too_few.models} == {(1, 4)}
    assert too_few.models[0].elo.method in ("only 8 questions: no interval", "posterior mode, L2 0.5: no interval")


def test_questions_of_a_single_cluster_say_nothing_about_ranks():
    found = ratings(simulated(np.random.default_rng(6), 30), ["one"] * 30)
    assert {m.ranks for m in found.models} == {(1, 4)} and found.models[0].elo.low is None


def test_missing_pairs_of_a_question_leave_its_others_in():
    outcomes = simulated(np.random.default_rng(4), 60)
    outcomes[:20, 0, 1] = outcomes[:20, 1, 0] = np.nan
    found = ratings(outcomes)
    wins = np.nan_to_num(outcomes).sum(axis=0) * (1 - np.eye(4))
    assert [m.strength.value for m in found.models] == pytest.approx(bradley_terry(wins).strengths)


def test_an_undefeated_model_gets_a_posterior_mode_without_an_interval_and_still_the_first_rank():
    outcomes = simulated(np.random.default_rng(5), 60)
    outcomes[:, 0, 1:], outcomes[:, 1:, 0] = 1.0, 0.0
    found = ratings(outcomes)
    assert found.groups[0] == (0,) and found.l2 == 0.5
    assert all(m.strength.low is None and "posterior mode" in m.strength.method for m in found.models)
    assert found.models[0].ranks == (1, 1)


def test_models_that_never_met_are_not_rated():
    outcomes = np.full((30, 4, 4), np.nan)
    outcomes[:, 0, 1], outcomes[:, 1, 0], outcomes[:, 2, 3], outcomes[:, 3, 2] = 0.5, 0.5, 0.5, 0.5
    assert ratings(outcomes) is None


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 120])
@pytest.mark.parametrize("chances", [(0.5, 0.5), (0.4, 0.4), (0.7, 0.3), (0.7, 0.1), (0.85, 0.05), (0.9, 0.05)])
def test_win_rate_intervals_cover_in_93_percent_of_simulated_runs(n, chances):
    rng = np.random.default_rng(7)
    win, loss = chances
    truth = win + (1 - win - loss) / 2
    hits = 0
    for counts in rng.multinomial(n, [win, 1 - win - loss, loss], 4000):
        values = np.repeat([1.0, 0.5, 0.0], counts)
        estimate = win_interval(values)
        hits += estimate.low <= truth <= estimate.high
    assert hits / 4000 >= 0.93 - 2 * np.sqrt(0.93 * 0.07 / 4000)


@pytest.mark.slow
def test_bootstrap_intervals_and_ranks_hold_in_simulated_runs():
    rng = np.random.default_rng(8)
    wins = np.sum([simulated(rng, 100_000).sum(axis=0) for _ in range(4)], axis=0) * (1 - np.eye(4))
    truth = fit_all(wins[None])[0]
    runs = 1200
    hits, ranked = np.zeros(4), 0
    for run in range(runs):
        found = ratings(simulated(rng, 50), draws=500, seed=run)
        hits += [m.strength.low <= t <= m.strength.high for m, t in zip(found.models, truth, strict=True)]
        ranked += all(m.ranks[0] <= place <= m.ranks[1] for place, m in enumerate(found.models, 1))
    assert (hits / runs).min() >= 0.91 - 2 * np.sqrt(0.91 * 0.09 / runs)
    assert ranked / runs >= 0.95

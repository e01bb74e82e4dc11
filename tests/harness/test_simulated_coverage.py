"""Intervals hold the truth as often as they say: seeded simulations of at least 4,000 runs each.

A simulated coverage may fall short of its promise by two Monte-Carlo standard errors.
"""

import numpy as np
import pytest
from markscheme.harness.statistics.correction import Sampling, correct_difference, correct_mean
from markscheme.harness.statistics.intervals import mean_interval
from markscheme.harness.statistics.pairs_of_rates import paired_rates, tango
from markscheme.harness.statistics.ppi import ppi_mean, predicted_ratio
from markscheme.harness.statistics.ppi_parts import Strata
from markscheme.harness.statistics.rates import rate_interval, wilson
from markscheme.harness.statistics.rogan_gladen import calibration_of, rogan_gladen
from scipy import stats

RUNS = 4000
SKEWED = (0.08, 0.12, 0.25, 0.55)
DOCUMENTS = np.repeat(np.arange(34), 14)


def least(promise, runs=RUNS):
    return promise - 2 * np.sqrt(promise * (1 - promise) / runs)


def coverage(estimates, truth):
    return np.mean([e.low <= truth <= e.high for e in estimates])


def width(estimates):
    return np.mean([e.high - e.low for e in estimates])


def labels_of(scores, n):
    """The first n of each row; the rest unlabelled."""
    return np.where(np.arange(scores.shape[1]) < n, scores, np.nan)


def optimist(rng, runs, n):
    """Human scores on 0-3 and a judge that gives 0.4 more on average."""
    human = rng.choice(4, (runs, n), p=(0.2, 0.3, 0.3, 0.2))
    move, u = np.zeros_like(human), rng.random((runs, n))
    move[(u < 0.55) & (human < 3)] = 1
    move[(u > 0.95) & (human > 0)] = -1
    return human.astype(float), (human + move).astype(float)


def binary_judge(rng, human, specificity, sensitivity):
    return (rng.random(human.shape) < np.where(human == 1, sensitivity, 1 - specificity)).astype(float)


def documents(rng, runs, icc):
    """Normal scores of 34 documents with 14 questions each that share the part icc of their variance."""
    shared = rng.standard_normal((runs, 34))[:, DOCUMENTS]
    return np.sqrt(icc) * shared + np.sqrt(1 - icc) * rng.standard_normal((runs, len(DOCUMENTS)))


def graded(latent, shares=SKEWED):
    return np.searchsorted(stats.norm.ppf(np.cumsum(shares)[:-1]), latent).astype(float)


@pytest.mark.parametrize("n", [50, 100])
def test_mean_of_skewed_grades(n):
    grades = np.random.default_rng(1).choice(4, (RUNS, n), p=SKEWED)
    assert coverage([mean_interval(row, scale=(0, 3)) for row in grades], np.dot(SKEWED, range(4))) >= least(0.93)


@pytest.mark.parametrize("n", [50, 100])
def test_paired_difference_of_grades_of_which_most_are_equal(n):
    d = np.random.default_rng(2).choice([-1, 0, 1, 2], (RUNS, n), p=(0.1, 0.65, 0.2, 0.05))
    assert coverage([mean_interval(row, scale=(-3, 3)) for row in d], 0.2) >= least(0.93)


def wilson_exactly(n, p):
    held = [low <= p <= high for low, high in (wilson(k, n) for k in range(n + 1))]
    return stats.binom(n, p).pmf(np.arange(n + 1)) @ held


@pytest.mark.parametrize("n", [50, 100])
@pytest.mark.parametrize("p", [0.5, 0.7, 0.8, 0.9])
def test_wilson_matches_its_exact_coverage_which_is_at_least_93_percent(n, p):
    exact = wilson_exactly(n, p)
    outcomes = np.random.default_rng(3).random((RUNS, n)) < p
    assert coverage([rate_interval(row) for row in outcomes], p) == pytest.approx(exact, abs=3 * 0.0035)
    assert exact >= 0.93


def tango_exactly(n, p10, p01):
    cells = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    likely = [
        (b, c, m)
        for b, c in cells
        if (m := stats.multinomial.pmf([b, c, n - b - c], n, [p10, p01, 1 - p10 - p01])) > 1e-9
    ]
    return sum(m for b, c, m in likely if (t := tango(b, c, n))[0] <= p10 - p01 <= t[1])


@pytest.mark.parametrize(("p10", "p01"), [(0.08, 0.02), (0.2, 0.1), (0.1, 0.1)])
def test_tango_matches_its_exact_coverage_which_is_at_least_93_percent(p10, p01):
    exact = tango_exactly(50, p10, p01)
    u = np.random.default_rng(4).random((RUNS, 50))
    a, b = (u < p10) | (u > 0.5), ((u > p10) & (u < p10 + p01)) | (u > 0.5)
    assert coverage([paired_rates(*pair).estimate for pair in zip(a, b, strict=True)], p10 - p01) == pytest.approx(
        exact, abs=3 * 0.0035
    )
    assert exact >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100])
def test_corrected_mean_covers_under_an_optimistic_judge_and_is_as_narrow_as_predicted(n):
    """The judge gives 0.4 too much on 0-3; n of 1,000 answers are labelled. Taken at its word it never covers."""
    human, judge = optimist(np.random.default_rng(5), RUNS, 1000)
    found = [
        correct_mean(f, y, Sampling("random"), scale=(0, 3)) for f, y in zip(judge, labels_of(human, n), strict=True)
    ]
    assert (judge - human).mean() == pytest.approx(0.4, abs=0.002)
    corrected, alone = [c.estimate for c in found], [c.human_only for c in found]
    assert coverage(corrected, 1.5) >= least(0.93)
    assert coverage([c.judge_only for c in found], 1.5) < 0.01
    predicted = predicted_ratio(np.corrcoef(human.ravel(), judge.ravel())[0, 1], n, 1000 - n)
    assert width(corrected) / width(alone) == pytest.approx(predicted, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "specificity", "sensitivity"), [(50, 0.85, 0.9), (100, 0.95, 0.97), (100, 0.6, 0.7)])
def test_corrected_rate(n, specificity, sensitivity):
    rng = np.random.default_rng(6)
    human = (rng.random((RUNS, 1000)) < 0.7).astype(float)
    judge = binary_judge(rng, human, specificity, sensitivity)
    rows = zip(judge, labels_of(human, n), strict=True)
    assert coverage([correct_mean(f, y, Sampling("random"), rate=True).estimate for f, y in rows], 0.7) >= least(0.93)


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100])
@pytest.mark.parametrize("kindness", [0.05, 0.2])
@pytest.mark.parametrize("shares", [(0.3, 0.7), SKEWED])
def test_corrected_mean_under_a_judge_whose_rare_errors_all_go_one_way(n, kindness, shares):
    """By the residuals of the labels alone the interval of the rate would cover 86 to 89 % with 50 labels."""
    rng = np.random.default_rng(17)
    human = rng.choice(len(shares), (RUNS, 1000), p=shares).astype(float)
    judge = np.minimum(human + (rng.random(human.shape) < kindness), len(shares) - 1.0)
    rows = zip(judge, labels_of(human, n), strict=True)
    found = [correct_mean(f, y, Sampling("random"), scale=(0, len(shares) - 1), rate=len(shares) == 2) for f, y in rows]
    assert coverage([c.estimate for c in found], np.dot(shares, range(len(shares)))) >= least(0.93)


@pytest.mark.slow
def test_corrected_difference_of_grades():
    rng = np.random.default_rng(7)
    a, judge_a = optimist(rng, RUNS, 600)
    b = np.where(rng.random(a.shape) < 0.6, a, optimist(rng, RUNS, 600)[0])
    judge_b = b + rng.choice([0, 1], b.shape)
    rows = zip(judge_a, labels_of(a, 60), judge_b, labels_of(b, 60), strict=True)
    found = [correct_difference(*row, Sampling("random"), scale=(0, 3)).estimate for row in rows]
    assert coverage(found, 0.0) >= least(0.93)


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100])
def test_corrected_difference_of_rates(n):
    rng = np.random.default_rng(8)
    a = (rng.random((RUNS, 600)) < 0.8).astype(float)
    b = np.where(rng.random(a.shape) < 0.85, a, 1 - a)
    judges = binary_judge(rng, a, 0.85, 0.9), binary_judge(rng, b, 0.85, 0.9)
    rows = zip(judges[0], labels_of(a, n), judges[1], labels_of(b, n), strict=True)
    found = [correct_difference(*row, Sampling("random"), scale=(0, 1)).estimate for row in rows]
    assert coverage(found, 0.15 * (0.8 - 0.2)) >= least(0.93)


def stratified(rng, human, judge, sizes):
    """Labels drawn at random within answers of low and of high judge's score."""
    strata, labels = judge >= 3, np.full(human.shape, np.nan)
    for row, of, y in zip(labels, strata, human, strict=True):
        for high, size in enumerate(sizes):
            drawn = rng.choice(np.flatnonzero(of == high), size, replace=False)
            row[drawn] = y[drawn]
    return np.where(strata, "high", "low"), labels


def known_of_labels_alone(labels, strata):
    high = (strata == "high").mean()
    return Sampling("stratified", np.where(np.isnan(labels), "", strata), {"high": high, "low": 1 - high})


@pytest.mark.slow
def test_strata_correct_where_taking_their_labels_for_a_random_sample_does_not():
    """Of 100 labels 80 are of high judge's scores, which are those that the judge is too kind in."""
    rng = np.random.default_rng(9)
    human, _ = optimist(rng, RUNS, 600)
    judge = np.where((human == 2) & (rng.random(human.shape) < 0.6), 3, human)
    strata, labels = stratified(rng, human, judge, (20, 80))
    rows = list(zip(judge, labels, strata, strict=True))
    found = [correct_mean(f, y, Sampling("stratified", s), scale=(0, 3)) for f, y, s in rows]
    assert coverage([c.estimate for c in found], 1.5) >= least(0.93)
    found = [correct_mean(f, y, known_of_labels_alone(y, s), scale=(0, 3)) for f, y, s in rows]
    assert coverage([c.estimate for c in found], 1.5) >= least(0.93)
    assert coverage([ppi_mean(f, y, scale=(0, 3)).estimate for f, y, _ in rows], 1.5) < 0.8


@pytest.mark.slow
def test_strata_of_eight_labels_each():
    rng = np.random.default_rng(10)
    human, judge = optimist(rng, RUNS, 640)
    codes, shares = np.arange(640) % 8, np.full(8, 1 / 8)
    labels = labels_of(human, 64)
    rows = zip(judge, labels, strict=True)
    found = [ppi_mean(f, y, strata=Strata(codes, shares), scale=(0, 3)).estimate for f, y in rows]
    assert coverage(found, 1.5) >= least(0.93)


@pytest.mark.parametrize(("fails", "passes"), [(25, 25), (20, 80), (50, 50)])
@pytest.mark.parametrize(("specificity", "sensitivity"), [(0.85, 0.9), (0.7, 0.8)])
def test_rogan_gladen_on_labels_picked_by_what_they_say(fails, passes, specificity, sensitivity):
    """Which PPI++ would take for the pass rate of all answers."""
    rng = np.random.default_rng(11)
    human = (rng.random((RUNS, 500)) < 0.7).astype(float)
    judge = binary_judge(rng, human, specificity, sensitivity)
    picked = ((human == 0) & (np.cumsum(human == 0, axis=1) <= fails)) | (
        (human == 1) & (np.cumsum(human == 1, axis=1) <= passes)
    )
    rows = zip(judge, np.where(picked, human, np.nan), strict=True)
    found = [rogan_gladen(f.mean(), 500, calibration_of(f, y)) for f, y in rows]
    assert coverage([e for e in found if e.low is not None], 0.7) >= least(0.93)


@pytest.mark.slow
def test_clustered_means_differences_and_rates():
    """34 documents with 14 questions each, ICC 0.2 (of the grades, 0.25 before they are rounded to 0-3)."""
    rng = np.random.default_rng(12)
    a, b = graded(documents(rng, RUNS, 0.25)), graded(documents(rng, RUNS, 0.25))
    p = rng.beta(0.8 * 4, 0.2 * 4, (RUNS, 34))[:, DOCUMENTS]
    means = [mean_interval(row, DOCUMENTS, scale=(0, 3)) for row in a]
    assert coverage(means, np.dot(SKEWED, range(4))) >= least(0.91)
    assert coverage([mean_interval(row, DOCUMENTS, scale=(-3, 3)) for row in a - b], 0.0) >= least(0.91)
    passed, others = ((rng.random(p.shape) < p).astype(float) for _ in range(2))
    assert coverage([rate_interval(row, DOCUMENTS) for row in passed], 0.8) >= least(0.91)
    assert coverage([mean_interval(row, DOCUMENTS, scale=(-1, 1)) for row in passed - others], 0.0) >= least(0.91)


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 200])
@pytest.mark.parametrize("shared", [0.0, 0.25])
def test_clustered_correction(n, shared):
    """The judge's error, too, may be shared by the questions of a document. Ignoring documents covers far less."""
    rng = np.random.default_rng(13)
    human, error = graded(documents(rng, RUNS, 0.25)), documents(rng, RUNS, shared)
    judge = np.clip(human + (error > 0.6) - (error < -1.6), 0, 3)
    drawn = rng.random(human.shape).argsort(axis=1) < n
    rows = list(zip(judge, np.where(drawn, human, np.nan), strict=True))
    truth = np.dot(SKEWED, range(4))
    found = [ppi_mean(f, y, clusters=DOCUMENTS, scale=(0, 3)).estimate for f, y in rows]
    assert coverage(found, truth) >= least(0.91)
    assert coverage([ppi_mean(f, y, scale=(0, 3)).estimate for f, y in rows[:1000]], truth) < 0.89


@pytest.mark.slow
def test_clustered_correction_by_strata_known_of_labelled_answers_alone():
    rng = np.random.default_rng(16)
    human, error = graded(documents(rng, RUNS, 0.25)), documents(rng, RUNS, 0.25)
    judge = np.clip(human + (error > 0.6) - (error < -1.6), 0, 3)
    strata, labels = stratified(rng, human, judge, (50, 50))
    rows = zip(judge, labels, strata, strict=True)
    found = [correct_mean(f, y, known_of_labels_alone(y, s), clusters=DOCUMENTS, scale=(0, 3)) for f, y, s in rows]
    assert coverage([c.estimate for c in found], np.dot(SKEWED, range(4))) >= least(0.91)


@pytest.mark.slow
def test_clustered_correction_by_documents_labelled_as_a_whole():
    rng = np.random.default_rng(14)
    human, error = graded(documents(rng, RUNS, 0.25)), documents(rng, RUNS, 0.25)
    judge = np.clip(human + (error > 0.6) - (error < -1.6), 0, 3)
    drawn = (rng.random((RUNS, 34)).argsort(axis=1) < 10)[:, DOCUMENTS]
    rows = zip(judge, np.where(drawn, human, np.nan), strict=True)
    found = [ppi_mean(f, y, clusters=DOCUMENTS, scale=(0, 3)).estimate for f, y in rows]
    assert coverage(found, np.dot(SKEWED, range(4))) >= least(0.91)


def test_outside_these_settings_intervals_are_warned_of_or_not_given():
    human, judge = optimist(np.random.default_rng(15), 1, 400)
    few = correct_mean(judge[0], labels_of(human, 100)[0], Sampling("random"), clusters=np.arange(400) % 8)
    assert few.estimate.notes == ("only 8 clusters (fewer than 20)",)
    lopsided = np.where(np.arange(400) < 50, 0, np.arange(400))
    assert (
        "one cluster holds 50%"
        in correct_mean(judge[0], labels_of(human, 100)[0], Sampling("random"), clusters=lopsided).estimate.notes[0]
    )
    assert correct_mean(judge[0], labels_of(human, 49)[0], Sampling("random")).method == "human-only"
    assert correct_mean(judge[0], labels_of(human, 9)[0], Sampling("random")).method == "judge-only"
    assert correct_mean(judge[0], labels_of(human, 100)[0], Sampling("unknown")).method == "judge-only"
    assert mean_interval([1, 2, 3], ["a", "a", "a"]).low is None

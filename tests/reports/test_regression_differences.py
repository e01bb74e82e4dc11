"""Paired differences of two runs against golden values and plain formulas; the declared family; slices and samples."""

from dataclasses import replace

import numpy as np
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.statistics.intervals import mean_interval
from markscheme.harness.statistics.paired import holm
from markscheme.reports.regression import said
from markscheme.reports.regression.compare import Options, compared
from regressions import run, the, with_labels
from scipy import stats

NAN = float("nan")


def graded(rng, n, mean):
    return np.clip(np.round(rng.normal(mean, 0.8, n)), 0, 3)


def test_signs_flip_by_sample_or_by_whole_cluster():
    # d = 0 1 0 1 -1 0 1 0 0 1: exact p = .375; the clusters 0001122233 have the sums 1 0 1 1: p = 2 / 8
    new, old = [2, 2, 1, 3, 0, 1, 2, 3, 1, 2], [2, 1, 1, 2, 1, 1, 1, 3, 1, 1]
    alone = the(compared(run("new", {"mini": new}), [run("old", {"mini": old})]))
    assert (alone.p, alone.clusters) == (0.375, 10)
    assert (alone.wins, alone.ties, alone.losses) == (4, 5, 1)
    assert (alone.estimate.value, alone.estimate.method) == (pytest.approx(0.3), "t, df 9")
    clusters = list("0001122233")
    found = the(compared(run("new", {"mini": new}, clusters=clusters), [run("old", {"mini": old}, clusters=clusters)]))
    assert (found.p, found.clusters) == (0.25, 4)
    assert "CR3 over 4 clusters" in found.estimate.method


def test_sd_and_effective_n_give_the_standard_error_back():
    rng = np.random.default_rng(3)
    new, old, clusters = graded(rng, 60, 2), graded(rng, 60, 2), [f"d{i // 4}" for i in range(60)]
    found = the(compared(run("new", {"mini": new}, clusters=clusters), [run("old", {"mini": old}, clusters=clusters)]))
    interval = mean_interval(new - old, clusters)
    se = (interval.high - interval.low) / 2 / stats.t.ppf(0.975, 14)
    assert found.sd == pytest.approx((new - old).std(ddof=1))
    assert found.sd**2 / found.effective_n == pytest.approx(se**2)


def test_passes_of_independent_samples_are_compared_by_tango_and_mcnemar():
    # Both 60, first alone 14, second alone 5, neither 21: Tango (.0049849, .1808453), mid-p .0413895
    new, old = [1] * 74 + [0] * 26, [1] * 60 + [0] * 14 + [1] * 5 + [0] * 21
    found = the(compared(run("new", {"mini": new}, scale=(0, 1)), [run("old", {"mini": old}, scale=(0, 1))]))
    assert found.binary and found.test == "McNemar, mid-p"
    assert (found.estimate.low, found.estimate.high) == pytest.approx((0.0049849, 0.1808453), abs=1e-6)
    assert found.p == pytest.approx(0.0413895, abs=1e-6)


def test_passes_within_clusters_flip_whole_clusters_instead():
    new, old, clusters = [1] * 30 + [0] * 10, [0] * 10 + [1] * 20 + [0] * 10, [f"d{i % 8}" for i in range(40)]
    sides = (run(name, {"mini": s}, scale=(0, 1), clusters=clusters) for name, s in (("new", new), ("old", old)))
    found = the(compared(next(sides), [next(sides)]))
    assert not found.binary
    assert found.test == "sign flip"
    assert "CR3" in found.estimate.method


def test_trials_and_the_runs_of_the_pool_are_averaged_before_the_difference():
    new = run("new", {"mini": [[3, 1], [2, 2], [0, 1]]})
    pool = [run("old-1", {"mini": [1, 2, 0]}), run("old-2", {"mini": [3, 0, NAN]})]
    found = the(compared(new, pool))
    assert found.estimate.value == pytest.approx(np.mean([2 - 2, 2 - 1, 0.5 - 0]))
    assert found.estimate.n == 3


def test_samples_with_a_value_on_one_side_are_counted_and_in_no_difference():
    new = run("new", {"mini": [3, NAN, NAN, 2, 1, 2]})
    old = run("old", {"mini": [3, 1, 2, NAN, 1, 1]})
    found = the(compared(new, [old]))
    assert (found.estimate.n, found.missing_new, found.missing_old) == (3, 2, 1)
    assert found.new.value == pytest.approx(2.0)


def test_failures_are_a_measure_of_their_own_and_a_caveat_of_the_scores():
    n = 60
    new = run("new", {"mini": [2] * n}, failed=[("mini", i) for i in range(12)])
    found = compared(new, [run("old", {"mini": [2] * n})])
    failures = the(found, "failures")
    assert failures.subject.better == "lower"
    assert (failures.estimate.value, failures.losses, failures.wins) == (0.2, 12, 0)
    assert the(found).missing_new == 12
    assert any("mini fails more often than in the baseline (on 12 samples" in note for note in found.notes)


def test_lower_is_better_for_latency_and_cost():
    new, old = run("new", {"mini": [1, 2, 3]}, e2e_s=3.0), run("old", {"mini": [1, 2, 3]}, e2e_s=1.0)
    found = the(compared(new, [old]), "e2e_s")
    assert (found.estimate.value, found.wins, found.losses) == (2.0, 0, 3)
    assert said.change(found) == "+2.00 s"


def test_latency_of_reused_replies_and_cost_of_shared_ones_are_not_compared():
    new = run("new", {"mini": [1, 2, 3]}, reply_run="old", origin="reused", e2e_s=NAN, ttft_s=NAN)
    measures = {one.subject.measure for one in compared(new, [run("old", {"mini": [1, 2, 3]})]).differences}
    assert measures == {"correctness", "failures"}


def test_holm_goes_over_the_headline_of_every_candidate_and_nothing_else():
    rng = np.random.default_rng(1)
    names = ("a", "b", "c")
    new = run("new", {name: graded(rng, 40, 1.5) for name in names})
    old = run("old", {name: graded(rng, 40, 2.0) for name in names})
    found = compared(new, [old])
    family = [one for one in found.differences if not one.exploratory]
    assert [one.subject.candidate for one in family] == list(names)
    assert [one.adjusted for one in family] == holm([one.p for one in family])
    assert all(one.adjusted == one.p for one in found.differences if one.exploratory)
    assert found.family.startswith("Holm over 3 comparisons")


def test_a_family_that_is_asked_for_takes_the_place_of_the_headline():
    new, old = run("new", {"mini": [1, 2, 3, 0]}), run("old", {"mini": [1, 2, 2, 0]})
    found = compared(new, [old], Options(family=("strict/correctness", "failures")))
    family = [one.subject.measure for one in found.differences if not one.exploratory]
    assert family == ["correctness", "failures"]
    with pytest.raises(InputError, match=r"--family 'speed' is no measure of both sides; there are strict/correctness"):
        compared(new, [old], Options(family=("speed",)))


def test_a_planted_regression_is_found_and_said():
    rng = np.random.default_rng(7)
    level = rng.normal(2.0, 0.5, 120)
    old = np.clip(np.round(level + rng.normal(0, 0.4, 120)), 0, 3)
    new = np.clip(np.round(level - 0.4 + rng.normal(0, 0.4, 120)), 0, 3)
    found = compared(run("new", {"mini": new}), [run("old", {"mini": old})])
    assert said.side(the(found)) == -1
    assert said.verdict(found).startswith("mini is worse than in the baseline: correctness −0.")


def test_fresh_replies_of_the_same_candidate_are_mostly_not_told_apart():
    flagged = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        level = rng.normal(1.5, 0.6, 40)
        sides = [np.clip(np.round(level + rng.normal(0, 0.6, 40)), 0, 3) for _ in range(2)]
        found = compared(run("new", {"mini": sides[0]}), [run("old", {"mini": sides[1]})])
        flagged += said.side(the(found)) != 0
    assert flagged <= 5  # of 40 at 5 %: more than 5 with probability .03


def test_without_a_difference_the_verdict_gives_the_numbers_and_no_winner():
    levels = [0, 1, 2, 3] * 5
    found = compared(run("new", {"mini": levels}), [run("old", {"mini": levels})])
    assert said.verdict(found).startswith("No difference by more than chance on 20 samples: mini, correctness +0.00 [")


def test_shared_replies_stand_in_the_first_line():
    new = run("new", {"mini": [1, 2, 3]}, reply_run="old")
    found = compared(new, [run("old", {"mini": [1, 2, 3]})])
    assert next(said.first_lines(found)).startswith("All 3 answers are the same replies as in the baseline")


def test_scores_without_labels_are_called_the_judges_own():
    found = compared(run("new", {"mini": [1, 2]}), [run("old", {"mini": [1, 2]})])
    assert "Scores are the judges' own, uncorrected by human labels." in said.notes(found)


def test_labels_on_both_answers_correct_the_difference():
    rng = np.random.default_rng(5)
    people_new, people_old = graded(rng, 80, 2.0), graded(rng, 80, 2.0)
    new = run("new", {"mini": np.minimum(people_new + 1, 3)})  # the judge is kind to the new answers alone
    old = run("old", {"mini": people_old})
    assert said.side(the(compared(new, [old]))) == 1
    found = compared(with_labels(new, "mini", people_new), [with_labels(old, "mini", people_old)])
    assert the(found).corrected
    assert the(found).estimate.value == pytest.approx((people_new - people_old).mean())
    assert said.side(the(found)) == 0


def test_slices_are_by_tag_corrected_together_and_small_ones_only_listed():
    n = 60
    tags = [["bad"] if i < 20 else ["good"] + (["rare"] if i < 25 else []) for i in range(n)]
    old = np.tile([1, 2, 3, 2], 15)
    new = old - np.array([1.0 if i < 20 and i % 4 else 0.0 for i in range(n)])
    found = compared(run("new", {"mini": new}, tags=tags), [run("old", {"mini": old})])
    assert [one.tag for one in found.slices] == ["bad", "good"]
    bad, good = found.slices
    assert bad.difference.estimate.value == pytest.approx(-0.75)
    assert bad.q == pytest.approx(2 * bad.difference.p)  # the smaller p of two
    assert good.difference.losses == 0
    assert found.too_small == {"rare": 5}


def test_a_tag_that_all_samples_bear_is_no_slice():
    found = compared(run("new", {"mini": [1] * 12}, tags=[["all"]] * 12), [run("old", {"mini": [2] * 12})])
    assert found.slices == ()


def test_the_samples_that_fell_most_come_first_with_both_answers_and_the_judges_words():
    new, old = run("new", {"mini": [0, 3, 1, 2]}), run("old", {"mini": [3, 3, 2, 1]})
    first, second = compared(new, [old]).worse
    assert (first.sample_id, first.difference, second.sample_id) == ("q0", -3.0, "q2")
    assert (first.new.text, first.old.text) == ("new answers q0, trial 0", "old answers q0, trial 0")
    assert first.new.reasoning == {"correctness": "It deserves 0."}
    assert (first.old.score, first.old.levels) == (3.0, {"correctness": 3.0})
    assert len(compared(new, [old], Options(worst=1)).worse) == 1


def test_of_several_trials_the_typical_one_is_shown():
    new, old = run("new", {"mini": [[0, 2, 1]]}), run("old", {"mini": [[3, 3, 3]]})
    (shown,) = compared(new, [old]).worse
    assert (shown.new.text, shown.new.score, shown.means) == ("new answers q0, trial 2", 1.0, (1.0, 3.0))


def test_a_pool_of_several_configurations_says_so():
    pool = [run("old-1", {"mini": [1, 2]}), run("old-2", {"mini": [1, 2]})]
    pool[1] = replace(pool[1], info=replace(pool[1].info, fingerprint="other"))
    notes = said.notes(compared(run("new", {"mini": [1, 2]}), pool))
    assert "The baseline's runs old-1 and old-2 are of different configurations." in notes
    assert "The baseline is the mean of 2 runs." in notes

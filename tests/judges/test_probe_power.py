"""Power, verdicts and the control chart: exact values, published ones, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from markscheme.harness.probing import Finding, Limit, Probe, needed, verdict_of, worst
from markscheme.harness.records import Estimate
from markscheme.harness.statistics import cusum
from markscheme.harness.statistics import probe_power as power
from markscheme.harness.statistics.intervals import mean_interval
from markscheme.harness.statistics.pairs_of_rates import mcnemar
from markscheme.harness.statistics.rates import rate_interval, wilson
from markscheme.judges.probes import attacks, drift, family, format, perturbation, position, retest
from markscheme.judges.probes.base import change_interval
from planted_judges import answers, rubric, samples


def test_381_replies_without_a_failure_are_needed_for_99_percent():
    assert power.rate_power(380, 1.0, 0.99) == 0.0
    assert power.rate_power(381, 1.0, 0.99) == 1.0


def test_30_of_30_cannot_pass_a_limit_of_90_percent():
    assert wilson(30, 30)[0] == pytest.approx(0.886, abs=0.0005)
    assert power.rate_power(30, 1.0, 0.9) == 0.0


def test_rate_power_is_what_simulated_probes_pass():
    draw = np.random.default_rng(1)
    ones = draw.binomial(200, 0.96, size=20_000)
    passed = np.array([wilson(k, 200)[0] >= 0.9 for k in range(201)])[ones].mean()
    assert power.rate_power(200, 0.96, 0.9) == pytest.approx(passed, abs=0.01)


def test_edits_that_share_items_have_less_power_than_edits_of_their_own():
    items = [f"s{k % 50}" for k in range(100)]
    assert power.rate_power(100, 0.98, 0.9, items) < power.rate_power(100, 0.98, 0.9)
    assert power.rate_power(60, 0.98, 0.9, [f"s{k % 20}" for k in range(60)]) < 0.5


def test_change_power_is_what_simulated_probes_pass():
    draw = np.random.default_rng(2)
    moves = draw.choice([-1.0, 0.0, 1.0], p=[0.05, 0.9, 0.05], size=(4_000, 100))
    found = [change_interval(row, [str(k) for k in range(100)]) for row in moves]
    passed = np.mean([verdict_of(estimate, Limit(-0.1, 0.1)) == "pass" for estimate in found])
    assert power.change_power(100, 0.1, 0.1) == pytest.approx(passed, abs=0.02)


def test_position_power_is_what_simulated_probes_pass():
    draw = np.random.default_rng(3)
    kinds = draw.choice([-1.0, 0.0, 1.0], p=[0.05, 0.9, 0.05], size=(3_000, 200))
    where = [str(k) for k in range(200)]
    passed = np.mean(
        [
            verdict_of(rate_interval((row == 0).astype(float)), position.CONSISTENT) == "pass"
            and verdict_of(change_interval(row, where), position.PREFERENCE) == "pass"
            for row in kinds
        ]
    )
    assert power.position_power(200, 0.9, 0.8, 0.1) == pytest.approx(passed, abs=0.02)
    assert power.position_power(200, 0.9, 0.8, 0.1) > 0.95
    assert power.position_power(50, 0.9, 0.8, 0.1) < 0.3


def test_50_anchors_see_a_drift_of_a_fifth_of_a_step_with_power_039():
    assert power.drift_power(50, 0.2, 0.6) == pytest.approx(0.39, abs=0.01)


def test_two_anchors_that_moved_alike_are_no_proof_and_many_are():
    assert drift.paired_p([1.0, 1.0], ["a", "b"]) == 0.5
    assert drift.paired_p([1.0] * 8, list("abcdefgh")) == pytest.approx(1 / 128)
    assert drift.paired_p([1.0] * 8, list("aaaabbbb")) == 0.5


def test_drift_power_is_what_simulated_nights_alarm():
    draw = np.random.default_rng(4)
    changes = draw.normal(0.2, 0.6, size=(4_000, 100))
    where = [str(k) for k in range(100)]
    alarms = np.mean([drift.paired_p(row.tolist(), where) < 0.01 for row in changes])
    assert power.drift_power(100, 0.2, 0.6) == pytest.approx(alarms, abs=0.02)


def test_the_sizes_of_the_probes_pass_a_judge_well_inside_the_limits_in_80_percent_of_cases():
    asked = samples(220)
    own = retest.design(asked, answers(asked, ("one",)), retest.WANTED, 0)
    edited = perturbation.design(asked[:120], perturbation.WANTED, 0)
    where = [f"s{k}" for k in range(attacks.wanted(rubric()))]
    found = [
        format.power(600),
        retest.power(own, retest.WANTED),
        position.power(position.WANTED),
        perturbation.power(edited, perturbation.WANTED),
        attacks.power(where, 100, rubric()),
        drift.power(drift.WANTED, drift.WANTED),
        family.power(250, 250),
    ]
    assert [one.assumed for one in found if one.power < 0.8] == []


def test_fewer_items_than_wanted_are_told_with_the_power_that_they_have():
    asked = samples(20)
    found = retest.power(retest.design(asked, answers(asked, ("one",)), 200, 0), 200)
    assert (found.n, found.wanted) == (20, 200)
    assert found.power < 0.1


def test_attacks_on_a_long_scale_need_more_questions():
    from dataclasses import replace

    assert attacks.wanted(rubric()) == 100
    assert attacks.wanted(replace(rubric(), scale=(0, 10))) > 140


# Montgomery, Introduction to Statistical Quality Control, tables of the tabular CUSUM with k = 1/2 (two-sided).
@pytest.mark.parametrize(
    ("bound", "shift", "expected"),
    [(4, 0, 168), (5, 0, 465), (4, 1, 8.38), (5, 1, 10.4), (4, 0.5, 26.6), (5, 2, 4.01)],
)
def test_run_lengths_are_the_published_ones(bound, shift, expected):
    assert cusum.run_length(bound, 0.5, shift) == pytest.approx(expected, rel=0.005)


def test_the_stated_run_length_is_that_of_the_bound():
    assert cusum.run_length(cusum.BOUND) == pytest.approx(cusum.FALSE_ALARM_NIGHTS, rel=0.01)


@pytest.mark.slow
def test_a_judge_that_does_not_drift_alarms_no_sooner_than_stated():
    draw = np.random.default_rng(5)
    alarms = [cusum.chart(draw.normal(size=(100, 30))).alarm is not None for _ in range(400)]
    # A geometric run with mean 370 alarms within 100 nights in 24 %, and a sum that begins at 0 in less.
    assert 0.1 < np.mean(alarms) < 0.28


def test_a_drift_of_one_standard_error_a_night_is_found_within_weeks():
    draw = np.random.default_rng(6)
    nights = draw.normal(size=(60, 100))
    nights[30:] += 1 / np.sqrt(100) * 2
    found = cusum.chart(nights)
    assert found.alarm is not None
    assert 30 < found.alarm < 45


def test_nights_that_are_all_alike_never_alarm():
    assert cusum.chart(np.tile([0.0, 1.0, 2.0], (200, 1))).alarm is None


@pytest.mark.parametrize(
    ("low", "high", "limit", "expected"),
    [
        (0.91, 0.97, Limit(low=0.9), "pass"),
        (0.89, 0.97, Limit(low=0.9), "underpowered"),
        (0.80, 0.89, Limit(low=0.9), "fail"),
        (-0.05, 0.08, Limit(-0.1, 0.1), "pass"),
        (-0.05, 0.11, Limit(-0.1, 0.1), "underpowered"),
        (0.11, 0.3, Limit(-0.1, 0.1), "fail"),
        (-0.3, -0.2, Limit(-0.1, 0.1), "fail"),
        (0.0, 0.2, Limit(high=0.25), "pass"),
        (None, None, Limit(high=0.25), "underpowered"),
    ],
)
def test_the_verdict_is_where_the_whole_interval_lies(low, high, limit, expected):
    value = None if low is None else (low + high) / 2
    assert verdict_of(Estimate(value, low, high, 10, "t"), limit) == expected


def test_how_many_more_would_tell_is_right_for_rates():
    found = needed(rate_interval([1.0] * 100), Limit(low=0.99))
    assert found == pytest.approx(381, abs=1)
    low, high = wilson(0.95 * 1_000, 1_000)
    wanted = needed(Estimate(0.95, low, high, 1_000, "Wilson"), Limit(low=0.94))
    assert wanted is not None
    assert wilson(0.95 * wanted, wanted)[0] == pytest.approx(0.94, abs=0.0002)


def test_how_many_more_would_tell_is_right_for_means():
    values = np.tile([-1.0, 0.0, 0.0, 0.0, 1.0, 0.2], 10)
    estimate = mean_interval(values)
    wanted = needed(estimate, Limit(-0.1, 0.1))
    assert wanted is not None
    assert estimate.value is not None and estimate.high is not None
    half = (estimate.high - estimate.value) * (len(values) / wanted) ** 0.5
    assert estimate.value + half == pytest.approx(0.1, abs=0.005)


def test_a_value_on_its_limit_is_told_by_no_number():
    assert needed(Estimate(0.1, 0.0, 0.2, 50, "t"), Limit(-0.1, 0.1)) is None


def test_a_probe_fails_by_one_finding_and_passes_by_all():
    good = Finding("a", Estimate(0.95, 0.93, 0.97, 9, "Wilson"), Limit(low=0.9))
    bad = Finding("b", Estimate(0.5, 0.4, 0.6, 9, "Wilson"), Limit(low=0.9))
    unsure = Finding("c", Estimate(0.9, 0.8, 0.95, 9, "Wilson"), Limit(low=0.9))
    note = Finding("d", Estimate(0.1, 0.0, 0.2, 9, "Wilson"))
    verdict = lambda *found: Probe("P0", "x", "j", tuple(found)).verdict  # noqa: E731
    assert verdict(good, note) == "pass"
    assert verdict(good, unsure) == "underpowered"
    assert verdict(good, unsure, bad) == "fail"
    assert verdict(note) == verdict() == "not run"
    assert worst(["pass", "not run"]) == "pass"


@pytest.mark.parametrize(("first", "second", "p"), [(10, 2, 0.0386), (5, 5, 1.0), (0, 6, 0.03125), (0, 0, 1.0)])
def test_mcnemar_is_exact(first, second, p):
    assert mcnemar(first, second).exact == pytest.approx(p, abs=5e-5)


def test_the_preference_for_a_family_covers_its_true_value():
    draw = np.random.default_rng(7)
    inside = 0
    for _ in range(400):
        shared = draw.normal(0, 0.5, 60)
        found = [
            family.Excess(str(k), own, 0.2 * own + shared[k] + draw.normal(0, 0.3))
            for k in range(60)
            for own in (True, False)
        ]
        estimate = family.preference(found)
        assert estimate.low is not None and estimate.high is not None
        inside += estimate.low <= 0.2 <= estimate.high
    assert 0.92 <= inside / 400 <= 0.98


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai/gpt-4o-mini", "openai"),
        ("azure/o3-mini", "openai"),
        ("together/meta-llama/Llama-3-8B", "meta"),
        ("openrouter/anthropic/claude-sonnet", "anthropic"),
        ("vllm/Qwen/Qwen3-8B", "qwen"),
        ("baseline/extractive", ""),
        ("embedded", ""),
    ],
)
def test_the_family_is_told_by_the_name(model, expected):
    assert family.family_of(model) == expected

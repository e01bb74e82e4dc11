"""Seconds are held against the spread between nights, where that is wider than the spread between questions."""

from dataclasses import replace

import numpy as np
import pytest
from gating import comparison, difference, spec
from markscheme.reports.regression.gate import gated
from markscheme.reports.regression.nights import by_nights, held_against
from synthetic import Candidate, build

GATE = {"measure": "e2e_s", "margin": 1e-9}


def seconds(value, sd=0.1, n=100):
    return difference(value, sd, n, source="", measure="e2e_s", better="lower", unit="s", scale=None)


def test_a_rise_within_what_nights_differ_by_is_no_alarm():
    slow = seconds(0.1)
    assert gated(comparison(slow), spec(GATE, confirm=False)).verdict == "regression"
    held = held_against(slow, [0.9, 1.0, 1.1])
    assert (held.estimate.method, held.test) == ("t, spread between 3 runs, df 2", "t between runs")
    assert held.estimate.low == pytest.approx(0.1 - 4.30265 * 0.1 * (4 / 3) ** 0.5, abs=1e-4)
    line = gated(comparison(held), spec(GATE, confirm=False)).lines[0]
    assert (line.verdict, line.n_needed) == ("inconclusive", None)


def test_the_paired_interval_stays_where_it_is_wider():
    slow = seconds(0.1, 2.0)
    assert held_against(slow, [1.0, 1.0001, 1.0002]) == slow
    assert held_against(slow, [1.0, float("nan"), 1.0]) == slow
    assert held_against(slow, [1.0, 1.0, 1.0]) == slow


def test_nights_of_an_unchanged_server_alarm_in_one_of_forty():
    rng = np.random.default_rng(0)
    nights = rng.normal(1.0, 0.1, (4000, 4))
    alarms, naive = 0, 0
    for new, *old in nights:
        slow = seconds(new - np.mean(old))
        alarms += gated(comparison(held_against(slow, old)), spec(GATE)).verdict == "alarm"
        naive += gated(comparison(slow), spec(GATE)).verdict == "alarm"
    assert alarms / 4000 == pytest.approx(0.025, abs=0.0075)
    assert naive / 4000 > 0.3  # by questions alone


def test_only_seconds_are_changed_and_it_is_said():
    runs = [build(candidates=(Candidate("large", 2.0, 1.0 + k),), seed=k) for k in range(4)]
    runs = [replace(run, info=replace(run.info, id=f"run-{k}")) for k, run in enumerate(runs)]
    dear = difference(0.1, candidate="large", source="", measure="cost_usd", better="lower", unit="USD")
    slow = replace(seconds(0.1), subject=replace(seconds(0.1).subject, candidate="large"))
    found = by_nights(comparison(dear, slow), runs[0], runs[1:])
    assert found.differences[0] == dear
    assert found.differences[1].test == "t between runs"
    assert any("spread between the runs of the baseline" in note for note in found.notes)
    assert by_nights(comparison(dear, slow), runs[0], runs[1:2]) == comparison(dear, slow)

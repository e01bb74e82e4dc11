"""An unchanged model, a thousand times over fresh replies: how often comparisons and gates flag it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from gating import spec
from markscheme.harness.statistics.gates import pass_chance
from markscheme.harness.statistics.paired import holm
from markscheme.harness.store.frames import (
    ANSWER_COLUMNS,
    CALL_COLUMNS,
    GRADE_COLUMNS,
    SAMPLE_COLUMNS,
    SCORE_COLUMNS,
    RunData,
    RunInfo,
)
from markscheme.reports.regression.compare import Options, compared
from markscheme.reports.regression.gate import gated

SAMPLES, TIMES, TWINS, PANELS = 60, 1000, 10, 10
IDS = [f"q{i:02}" for i in range(SAMPLES)]
NAMES = [f"twin-{k}" for k in range(TWINS)]
JUDGES = [f"panel-{panel} judge-{k}" for panel in range(PANELS) for k in range(3)]
"""Every candidate with every panel of three is a night of its own, so that one comparison holds a hundred nights."""
RUBRIC = {"name": "r", "scale": [0, 3], "criteria": [{"name": "correctness", "weight": 1.0}]}
CONFIG = {
    "candidates": [{"name": name, "model": "m"} for name in NAMES],
    "judges": [{"name": judge, "rubric": RUBRIC} for judge in JUDGES],
}


def frame(columns, rows):
    return pd.DataFrame(rows, columns=list(columns))


def run_of(number, levels):
    """A run in which the judges give ``levels`` (candidates, judges, samples)."""
    run = f"run-{number}"
    said = ("ok", "", "", run, "", "[]", "[]", "[]", "live", run, "2026-11-20", "m", "stop")
    took = (0.1, 0.5, 0.01, 10, 5, 0, 0, False, 0.001, 1)
    samples = [(s, s, "Q?", "[]", "R", "[]", "{}", f"{i:064x}") for i, s in enumerate(IDS)]
    answers = [(s, s, name, 0, *said, *took) for s in IDS for name in NAMES]
    grades = [
        (s, s, name, 0, judge, "correctness", 0, 0, "scored", levels[k, j, i], "", "", "[]", "[]")
        for i, s in enumerate(IDS)
        for k, name in enumerate(NAMES)
        for j, judge in enumerate(JUDGES)
    ]
    return RunData(
        RunInfo(run, "exam.yaml", "", "f", 0.0, 1.0, {}, CONFIG),
        frame(SAMPLE_COLUMNS, samples),
        frame(ANSWER_COLUMNS, answers),
        frame(GRADE_COLUMNS, grades),
        frame(SCORE_COLUMNS, []),
        frame(CALL_COLUMNS, []),
    )


def nights(rng, runs):
    """Levels 0 to 3 of models that do not change and draw each answer anew: (runs, candidates, judges, samples)."""
    difficulty = rng.normal(1.8, 0.7, (1, TWINS, 1, SAMPLES))
    drawn = difficulty + rng.normal(0, 0.6, (runs, TWINS, len(JUDGES), SAMPLES))
    return np.clip(np.round(drawn), 0, 3)


def each(found):
    """The comparison of each candidate by each panel alone."""
    for name, panel in product(NAMES, range(PANELS)):
        known = [d for d in found.differences if d.subject.candidate == name and f"panel-{panel} " in d.subject.source]
        yield replace(found, differences=tuple(known))


def verdict_of(first, second=None):
    """By a margin that nothing passes, so that all that is significant alarms."""
    lines = [{"judge": d.subject.source, "measure": "correctness", "margin": 1e-6} for d in first.differences]
    return gated(first, spec(*lines), second).verdict


@pytest.fixture(scope="module")
def unchanged():
    """1,000 times a run and a second one, each against the same pool of three; none shares a reply."""
    rng, found = np.random.default_rng(0), []
    for start in range(0, TIMES, TWINS * PANELS):
        new, second, *pool = [run_of(f"{start}-{k}", levels) for k, levels in enumerate(nights(rng, 5))]
        both = [compared(run, pool, Options(worst=0)) for run in (new, second)]
        assert both[0].pairing.shared_replies == 0
        found += zip(*map(each, both), strict=True)
    return found


@pytest.mark.slow
def test_an_unchanged_model_is_flagged_in_at_most_65_of_1000_comparisons(unchanged):
    all_of_them = [difference for first, _ in unchanged for difference in first.differences]
    assert len(all_of_them) == 3 * TIMES
    outside = [not d.estimate.low <= 0 <= d.estimate.high for d in all_of_them]
    assert np.mean([d.p < 0.05 for d in all_of_them]) <= 0.065
    assert np.mean(outside) <= 0.065
    assert np.mean(outside) >= 0.03  # a test that never flags would hold, too


@pytest.mark.slow
def test_a_family_of_three_is_flagged_in_at_most_65_of_1000_nights(unchanged):
    adjusted = [min(holm([d.p for d in first.differences])) for first, _ in unchanged]
    raw = [min(d.p for d in first.differences) for first, _ in unchanged]
    assert np.mean([p < 0.05 for p in adjusted]) <= 0.065
    assert np.mean([p < 0.05 for p in raw]) > 0.10  # what the correction is for


@pytest.mark.slow
def test_a_gate_alarms_falsely_in_one_of_forty_nights_and_confirmed_in_hardly_any(unchanged):
    alone = [verdict_of(first) for first, _ in unchanged]
    confirmed = [verdict_of(first, second) for first, second in unchanged]
    assert 0.01 <= np.mean([verdict == "alarm" for verdict in alone]) <= 0.0375
    assert np.mean([verdict == "regression" for verdict in confirmed]) <= 0.01


@pytest.mark.slow
def test_an_unchanged_model_passes_as_often_as_its_plan_says(unchanged):
    margin = 0.25
    lines = []
    for first, _ in unchanged:
        line = {"judge": first.differences[0].subject.source, "measure": "correctness", "margin": margin}
        lines += gated(first, spec(line)).lines
    passed = np.mean([line.verdict == "pass" for line in lines])
    sd = np.sqrt(np.mean([line.difference.sd**2 for line in lines]))
    assert passed == pytest.approx(pass_chance(margin, sd, SAMPLES), abs=0.04)

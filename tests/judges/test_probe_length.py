"""The slope of judge − people on length: a planted one is found, a fair judge passes, and OLS gives the same number."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pandas as pd
import pytest
from markscheme.harness.probing import Probe
from markscheme.harness.store.frames import (
    ANSWER_COLUMNS,
    GRADE_COLUMNS,
    LABEL_COLUMNS,
    RunData,
    RunInfo,
    empty_frame,
)
from markscheme.judges.probes import length
from markscheme.judges.probes.length import Gap, gaps, slope, with_slope
from planted_judges import ENOUGH, SEEDS, rubric

LENGTHS = {"short": 80, "middle": 240, "long": 720}
PADDED = Probe("P5", "verbosity", "j")


def run_data(pull: float, seed: int, questions: int = 150, *, candidates: tuple[str, ...] = tuple(LENGTHS)) -> RunData:
    """Candidates that write at different length; the judge gives a step more with a chance of ``pull`` per log unit."""
    draw = Random(seed)
    wrote, given, said = [], [], []
    for k in range(questions):
        for candidate in candidates:
            text = "x" * round(LENGTHS[candidate] * draw.uniform(0.7, 1.4))
            people = draw.randint(0, 2)
            wobble = draw.choice((-1, 1)) * (draw.random() < 0.05)
            more = draw.random() < pull * np.log(len(text) / 40)
            place = (f"s{k}", f"s{k}", candidate, 0)
            wrote.append({**dict(zip(ANSWER_COLUMNS, place, strict=False)), "status": "ok", "text": text})
            given.append(
                (*place, "j", "correctness", 0, 0, "scored", float(people + wobble + more), "", "", "[]", "[]")
            )
            said.append((*place, "correctness", "ann", float(people), "set", "random", "", float("nan"), "", "run"))
    empty = empty_frame(())
    return RunData(
        RunInfo("r", "e", "", "", 0.0, None, {}, {}),
        samples=empty,
        answers=pd.DataFrame(wrote, columns=list(ANSWER_COLUMNS)),
        grades=pd.DataFrame.from_records(given, columns=list(GRADE_COLUMNS)),
        scores=empty,
        calls=empty,
        labels=pd.DataFrame.from_records(said, columns=list(LABEL_COLUMNS)),
    )


@pytest.mark.parametrize(("pull", "verdict"), [(0.0, "pass"), (0.25, "fail")])
def test_a_judge_without_a_taste_for_length_passes_and_one_with_it_fails(pull, verdict):
    found = Counter(with_slope(PADDED, run_data(pull, seed), rubric()).verdict for seed in SEEDS)
    assert found[verdict] >= ENOUGH


def test_a_slope_as_large_as_the_limit_is_hardly_ever_passed():
    sd = np.std([np.log(g.tokens) for g in gaps("j", run_data(0.0, 0), "correctness")], ddof=1)
    found = Counter(with_slope(PADDED, run_data(0.1 / sd, seed), rubric()).verdict for seed in SEEDS)
    assert found["pass"] <= len(SEEDS) * 0.125


def test_the_slope_is_that_of_least_squares_with_a_dummy_for_each_question():
    found = gaps("j", run_data(0.2, 3, 30), "correctness")
    z = np.log([gap.tokens for gap in found])
    z = (z - z.mean()) / z.std(ddof=1)
    dummies = pd.get_dummies([gap.sample_id for gap in found]).to_numpy(dtype=float)
    fitted, *_ = np.linalg.lstsq(np.column_stack([z, dummies]), [gap.value for gap in found], rcond=None)
    estimate, _ = slope(found)
    assert estimate.value == pytest.approx(fitted[0], abs=1e-10)
    assert estimate.n == 90


def test_the_interval_is_that_of_leaving_out_each_cluster_in_turn():
    found = [
        replace(gap, cluster=f"c{int(gap.sample_id[1:]) // 3}")
        for gap in gaps("j", run_data(0.2, 4, 36), "correctness")
    ]
    sd = np.std(np.log([gap.tokens for gap in found]), ddof=1)

    def within(rows: list[Gap]) -> float:
        table = pd.DataFrame(
            {"q": [r.sample_id for r in rows], "x": np.log([r.tokens for r in rows]) / sd, "y": [r.value for r in rows]}
        )
        centred = table[["x", "y"]] - table.groupby("q")[["x", "y"]].transform("mean")
        return float((centred["x"] * centred["y"]).sum() / (centred["x"] ** 2).sum())

    left = np.array([within([g for g in found if g.cluster != name]) for name in {g.cluster for g in found}])
    estimate, _ = slope(found)
    se = np.sqrt((len(left) - 1) / len(left) * ((left - within(found)) ** 2).sum())
    assert estimate.high - estimate.low == pytest.approx(2 * 2.2009852 * se, rel=1e-6)  # t, df 11


def test_intervals_hold_the_slope_in_nearly_95_of_100_runs():
    # The judge's taste differs by question: what answers to one question share must not narrow the interval.
    rng, sets = np.random.default_rng(5), 1500
    hits = 0
    for _ in range(sets):
        logs = rng.normal(4, 0.7, (40, 4))
        sd = np.std(np.log(np.round(np.exp(logs)).clip(1)), ddof=1)
        own = 0.2 + rng.normal(0, 0.3, (40, 1))
        gap = rng.normal(0, 1, (40, 1)) + own * logs / sd + rng.normal(0, 0.4, (40, 4))
        rows = [
            Gap(f"q{q}", f"q{q}", max(1, round(float(np.exp(logs[q, c])))), float(gap[q, c]))
            for q in range(40)
            for c in range(4)
        ]
        estimate, _ = slope(rows)
        hits += estimate.low <= 0.2 <= estimate.high
    assert 0.93 <= hits / sets <= 0.98


def test_a_slope_on_picked_answers_is_said_to_be_of_these():
    data = run_data(0.0, 0, 20)
    assert with_slope(PADDED, data, rubric()).notes == ()
    picked = replace(data, labels=data.labels.assign(design="unknown"))
    assert "not all labelled answers were drawn at random" in with_slope(PADDED, picked, rubric()).notes[0]


def test_without_labels_it_is_said_that_there_is_no_slope():
    data = replace(run_data(0.0, 0, 5), labels=empty_frame(LABEL_COLUMNS))
    found = with_slope(PADDED, data, rubric())
    assert not found.findings
    assert found.notes == ("slope on length not computed: the run has no labelled answer with a grade of this judge",)


def test_one_answer_a_question_tells_nothing_about_length():
    found = with_slope(PADDED, run_data(0.0, 0, candidates=("short",)), rubric())
    assert not found.findings
    assert "no question has two labelled answers of different length" in found.notes[0]


def test_a_judge_that_always_agrees_with_people_passes_with_a_bound_and_not_with_certainty():
    agreed = [replace(gap, value=0.0) for gap in gaps("j", run_data(0.0, 0, 100), "correctness")]
    estimate, _ = slope(agreed)
    assert (estimate.low, estimate.high) == pytest.approx((-0.0362, 0.0362), abs=1e-4)
    few, _ = slope(agreed[:15])
    assert few.high > length.LIMIT.high


def test_a_probe_that_was_not_run_gets_no_slope():
    unrun = replace(PADDED, why="the run has no answer that it could use")
    assert with_slope(unrun, run_data(0.0, 0, 5), rubric()) == unrun

"""The runs of an exam over nights: what is said of steps, of what was changed, and of runs that are no news."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from markscheme.harness.records import Estimate
from markscheme.harness.store.frames import RunInfo
from markscheme.harness.store.history import Asked, Sitting, Took
from markscheme.harness.watching import AnchorNight, Watched
from markscheme.reports.figures.trend import Flag, Frame, Spot, Trace, trend
from markscheme.reports.regression.changed import changed, graded_alike
from markscheme.reports.regression.history import history
from markscheme.reports.regression.history_html import render_history
from markscheme.reports.regression.history_markdown import history_markdown
from markscheme.reports.regression.history_said import reused, sentences, side, verdict
from markscheme.reports.regression.history_tables import rows

RUBRIC = {
    "name": "docs_qa",
    "version": "1",
    "sha256": "b71e" * 16,
    "scale": [0, 3],
    "criteria": [{"name": "correctness", "weight": 1.0}],
}
CONFIG = {
    "dataset": {"name": "docs_qa", "version": "1", "sha256": "d" * 64, "n": 60, "subset": None},
    "candidates": [{"name": "mini", "model": "openai/mini", "trials": 1, "params": {"temperature": 0.1}}],
    "judges": [{"name": "strict", "model": "openai/judge-a", "shots": 1, "rubric": RUBRIC}],
    "measures": ["token_f1"],
}
DAY = 86_400.0
N = 60


def sitting(night, scores=None, *, finished=True, reused=False, contents=None, served=None, failed=0, **config):
    """A run of the exam on a day; ``config`` replaces parts of it."""
    scores = np.full(N, 2.0) if scores is None else scores
    asked = tuple(
        Asked(f"q{i}", f"q{i}", (contents or [f"c{k}" for k in range(len(scores))])[i]) for i in range(len(scores))
    )
    answers = tuple(
        Took(a.sample_id, "mini", 0, "timeout", "candidate", False)
        if i < failed
        else Took(a.sample_id, "mini", 0, "ok", "", reused, None if reused else 1.0 + i / 100, 0.2, 0.001)
        for i, a in enumerate(asked)
    )
    values = {
        ("mini", "strict", "correctness"): {
            a.sample_id: [float(s)] for a, s in zip(asked, scores, strict=True) if s == s
        }
    }
    end = 1e9 if finished else None
    info = RunInfo(
        f"run{night}", "exam.yaml", "", "f", 1.7e9 + DAY * night, end, {"markscheme": "0.1.0"}, {**CONFIG, **config}
    )
    return Sitting(info, asked, answers, values, served or {("candidate", "mini"): ("mini-1",)})


def noisy(seed, mean=2.0, n=N):
    """Scores of a night: the questions are what they are, the night adds its noise."""
    questions = np.random.default_rng(99).normal(0, 0.7, n)
    return np.clip(np.round(mean + questions + np.random.default_rng(seed).normal(0, 0.4, n)), 0, 3)


def judge(**changes):
    return [{**CONFIG["judges"][0], **changes}]


def candidate(**changes):
    return [{**CONFIG["candidates"][0], **changes}]


def test_a_planted_fall_is_one_step_and_the_noise_of_the_other_nights_is_none():
    found = history("exam.yaml", [sitting(k, noisy(k, 2.0 if k < 6 else 1.2)) for k in range(12)])
    assert [(step.night, step.since, side(step)) for step in found.steps if side(step)] == [(6, 5, -1)]
    assert verdict(found).startswith("mini, correctness: worse on 2023-11-20 than on 2023-11-19, −")


def test_a_step_is_paired_by_content_though_ids_and_order_change():
    scores = noisy(1)
    order = np.random.default_rng(3).permutation(N)
    moved = sitting(1, scores[order] - 0.25, contents=[f"c{k}" for k in order])
    (step,) = history("exam.yaml", [sitting(0, scores), moved]).steps
    assert step.estimate.value == pytest.approx(-0.25)
    assert step.estimate.n == N


def test_p_is_holms_over_all_steps_of_all_candidates():
    found = history("exam.yaml", [sitting(k, noisy(k)) for k in range(5)])
    ps = [step.p for step in found.steps]
    assert len(ps) == 4
    first = min(found.steps, key=lambda step: step.p)
    assert first.adjusted == pytest.approx(min(1.0, 4 * first.p))
    assert "over the 4 steps shown" in " ".join(sentences(found))


@pytest.mark.slow
def test_steps_of_an_unchanged_model_rarely_alarm():
    """Family-wise over 9 steps, 300 histories: at most 5 % and a little for luck."""
    alarmed = 0
    for seed in range(300):
        found = history("exam.yaml", [sitting(k, noisy(1000 * seed + k)) for k in range(10)])
        alarmed += any(side(step) for step in found.steps)
    assert alarmed / 300 <= 0.08


def test_a_night_that_repeats_earlier_replies_is_said_and_is_no_step():
    found = history("exam.yaml", [sitting(0, noisy(0)), sitting(1, noisy(0) - 1, reused=True)])
    assert found.steps == ()
    assert found.nights[1].repeats("mini")
    assert reused(found.nights[1]) == "mini: 60 of 60 answers are replies of earlier runs"
    assert 'class="hollow"' in render_history(found)
    assert "60 of 60 re-used" in next(rows(found)).state


def test_an_unfinished_night_is_shown_and_not_tested():
    found = history("exam.yaml", [sitting(0, noisy(0)), sitting(1, noisy(1) - 1, finished=False), sitting(2, noisy(2))])
    assert [(step.night, step.since) for step in found.steps] == [(2, 0)]
    assert "Not finished: run1." in sentences(found)
    assert 'class="open"' in render_history(found)
    assert "not finished" in history_markdown(found)


def test_nights_of_two_judges_are_no_step():
    other = sitting(1, noisy(1) - 1, judges=judge(model="openai/judge-b"))
    found = history("exam.yaml", [sitting(0, noisy(0)), other])
    assert found.steps == ()
    assert found.nights[1].changes == ("judge strict: model openai/judge-a → openai/judge-b",)
    assert verdict(found).startswith("No two nights can be compared")


def test_one_call_priced_at_nothing_known_leaves_the_cost_unknown():
    known = sitting(0)
    lost = replace(known, answers=(replace(known.answers[0], cost_usd=None), *known.answers[1:]))
    found = history("exam.yaml", [known, lost])
    (cost,) = [one for one in found.series if one.subject.measure == "cost_usd"]
    assert cost.nights[0].value == pytest.approx(0.001)
    assert cost.nights[1] is None


def test_seconds_are_those_of_live_replies_and_failures_have_their_share():
    found = history("exam.yaml", [sitting(0, failed=6), sitting(1, reused=True)])
    by_name = {(one.subject.measure, one.quantile): one.nights for one in found.series}
    live, repeated = by_name["e2e_s", "median"]
    assert live.value == pytest.approx(np.median(1 + np.arange(6, N) / 100))
    assert repeated is None
    assert [night.value for night in by_name["failures", ""]] == [pytest.approx(0.1), 0.0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"candidates": candidate(model="openai/maxi")}, "candidate mini: model openai/mini → openai/maxi"),
        ({"candidates": candidate(params={"temperature": 0.7})}, "candidate mini: params.temperature 0.1 → 0.7"),
        ({"candidates": candidate(prompt_sha256="p" * 64)}, "candidate mini: another prompt"),
        ({"judges": judge(rubric={**RUBRIC, "version": "2", "sha256": "c" * 64})},
         "judge strict: rubric docs_qa 1 (b71eb71e…) → docs_qa 2 (cccccccc…)"),
        ({"judges": judge(shots=3)}, "judge strict: shots 1 → 3"),
        ({"judges": judge(prompt="Be strict.")}, "judge strict: another prompt"),
        ({"judges": [*judge(), {"name": "second"}]}, "judge second: new"),
        ({"candidates": []}, "candidate mini: gone"),
        ({"dataset": {**CONFIG["dataset"], "sha256": "e" * 64}}, "dataset: content dddddddd… → eeeeeeee…"),
        ({"dataset": {**CONFIG["dataset"], "n": 80}}, "dataset: n 60 → 80"),
        ({"measures": ["exact_match"]}, "measures: new exact_match; gone token_f1"),
        ({"served": {("candidate", "mini"): ("mini-2",)}}, "candidate mini: served by mini-1 → mini-2"),
    ],
)  # fmt: skip
def test_what_was_changed_is_said_in_words(changes, words):
    assert changed(sitting(0), sitting(1, **changes)) == (words,)


def test_another_version_of_ours_is_a_change_and_another_address_is_none():
    now = sitting(1, candidates=candidate(base_url="http://elsewhere"), concurrency=8)
    assert changed(sitting(0), now) == ()
    later = replace(now, run=replace(now.run, versions={"markscheme": "0.2.0"}))
    assert changed(sitting(0), later) == ("markscheme 0.1.0 → 0.2.0",)


def test_a_judge_on_another_rubric_does_not_grade_alike():
    same, other = sitting(1), sitting(1, judges=judge(rubric={**RUBRIC, "sha256": "c" * 64}))
    assert graded_alike(sitting(0), same, "strict")
    assert not graded_alike(sitting(0), other, "strict")


def test_a_judge_that_drifted_is_drawn_and_named():
    nights = tuple(
        AnchorNight(f"run{k}", Estimate(change, change - 0.1, change + 0.1, 50, "t"), state)
        for k, change, state in ((0, 0.0, "steady"), (1, -0.4, "drifted"))
    )
    watched = Watched(
        "strict", "drifted", 50, "2023-11-14", nights[-1].change, 0.3, ("moved: correctness",), nights=nights
    )
    found = history("exam.yaml", [sitting(0), sitting(1)], [watched])
    assert "judge strict: DRIFTED (50 anchors, −0.40 [−0.50, −0.30] since 2023-11-14)" in render_history(found)
    assert "Judge strict: moved: correctness." in sentences(found)
    assert verdict(found).startswith("Judge strict DRIFTED on the anchors. ")
    assert (
        render_history(found).count('class="trend"')
        == render_history(history("e", [sitting(0), sitting(1)])).count('class="trend"') + 1
    )


def test_nothing_that_stands_in_a_configuration_is_markup():
    hostile = "<script>alert(1)</script>"
    found = history("exam.yaml", [sitting(0), sitting(1, judges=judge(model=hostile))])
    assert hostile not in render_history(found)
    assert "\\<script\\>" in history_markdown(found)


def test_the_same_nights_give_the_same_bytes():
    nights = [sitting(k, noisy(k)) for k in range(3)]
    assert render_history(history("exam.yaml", nights)) == render_history(history("exam.yaml", nights))


def test_a_figure_says_each_point_and_each_flag():
    spots = (Spot(0, Estimate(1.0, 0.8, 1.2, 9, "t")), Spot(2, Estimate(2.0, None, None, 9, ""), step=1))
    frame = Frame(("2026-11-01", "2026-11-02", "2026-11-03"), ("1", "2", "3"), (Flag(2, 1, "judge: <new>"),))
    drawn = trend([Trace("mini", spots)], frame, "scale 0–3", "{:.1f}".format)
    assert "<title>2026-11-01, mini: 1.0 [0.8, 1.2]</title>" in drawn
    assert "better than the night before by more than chance" in drawn
    assert "judge: &lt;new&gt;" in drawn
    assert trend([Trace("mini", (Spot(0, Estimate(None, None, None, 0, "no values")),))], frame, "", str) is None


def test_many_nights_have_no_two_names_that_touch():
    count = 90
    names = tuple(f"2026-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(count))
    spots = tuple(Spot(k, Estimate(1.0, 0.9, 1.1, 9, "t")) for k in range(count))
    drawn = str(trend([Trace("mini", spots)], Frame(names, names, wide=False), "", "{:.1f}".format))
    places = sorted(float(part.split('"')[0]) for part in drawn.split('class="tick" x="')[1:])
    assert len(places) > 3
    assert min(b - a for a, b in pairwise(places)) >= 62

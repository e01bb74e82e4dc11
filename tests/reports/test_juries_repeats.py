"""The sections on juries and on repeats: what is counted, what is recovered, and what is said about it."""

import dataclasses
from math import inf

import numpy as np
import pandas as pd
import pytest
from markscheme.reports.exam import judges_of, leading_judge
from markscheme.reports.html import render_html
from markscheme.reports.juries import sat
from markscheme.reports.markdown import render_markdown
from markscheme.reports.operations import paid
from markscheme.reports.repeats import repeated
from markscheme.reports.report import build_report
from synthetic import Candidate, Judge, build

ONE = (("correctness", 1.0),)
NAMES = ("a", "b", "c")


def with_jury(members=NAMES, aggregate="median", jury="panel", **changes):
    """A run whose last judge is a jury; its grades are the medians of the members'."""
    judges = tuple(Judge(name) for name in members)
    data = build(judges=judges, **changes)
    place = ["sample_id", "cluster", "candidate", "trial", "criterion", "turn", "repeat", "status"]
    rows = data.grades.groupby(place, sort=False).agg(score=("score", "median")).reset_index()
    rows = rows.assign(judge=jury, reasoning="", why="", calls="[]", labels="[]")[list(data.grades.columns)]
    config = dict(data.info.config)
    entry = {"name": jury, "members": list(members), "aggregate": aggregate, "rubric": config["judges"][0]["rubric"]}
    config["judges"] = [*config["judges"], entry]
    info = dataclasses.replace(data.info, config=config)
    return dataclasses.replace(data, info=info, grades=pd.concat([data.grades, rows], ignore_index=True))


def said(data, member, criterion, score, where=slice(None)):
    """The run with ``score`` (a number or one for each row) given by a member on a criterion."""
    grades = data.grades.copy()
    rows = grades.index[(grades["judge"] == member) & (grades["criterion"] == criterion)][where]
    grades.loc[rows, "score"] = score
    return dataclasses.replace(data, grades=grades)


def alike(data):
    """The run with every member saying 2 on everything."""
    for member in NAMES:
        for criterion in ("correctness", "comprehensiveness", "readability"):
            data = said(data, member, criterion, 2.0)
    return data


def test_a_jury_leads_its_members_and_nobody_else():
    judges = judges_of(with_jury())
    assert [judge.name for judge in judges] == ["a", "b", "c", "panel"]
    assert leading_judge(judges).name == "panel"
    assert judges[-1].model == "median of a, b and c"
    others = judges_of(with_jury(members=("a", "b")))
    first = dataclasses.replace(others[0], name="strict")
    assert leading_judge((first, *others)).name == "strict"


def test_shares_and_ranges_count_answers():
    data = said(alike(with_jury(n=20, clusters=None)), "b", "correctness", 0.0, slice(0, 10))
    (bench,) = sat(data)
    correctness, _, readability = bench.unity
    assert (correctness.n, correctness.lost) == (40, 0)
    assert correctness.unanimous.value == pytest.approx(0.75)
    assert correctness.spread.value == pytest.approx(0.5)
    assert readability.unanimous.value == 1.0 and readability.spread.value == 0.0
    assert readability.alpha.value is None  # no variation
    two = {(t.first, t.second, t.criterion): t for t in bench.pairs}
    assert len(two) == 9
    assert two["a", "b", "correctness"].same.value == pytest.approx(0.75)
    assert two["a", "b", "correctness"].difference.value == pytest.approx(0.5)
    assert two["a", "c", "correctness"].same.value == 1.0


def test_alpha_is_high_for_members_that_agree_and_about_zero_for_guesses():
    rng = np.random.default_rng(4)
    data = with_jury(n=200, clusters=None)
    truth = rng.integers(0, 4, 400).astype(float)
    for member in NAMES:
        data = said(data, member, "correctness", truth)
        data = said(data, member, "readability", rng.integers(0, 4, 400).astype(float))
    correctness, _, readability = sat(data)[0].unity
    assert correctness.alpha.value == pytest.approx(1.0)
    assert abs(readability.alpha.value) < 0.1


def test_members_may_score_between_levels():
    data = said(alike(with_jury(n=20, clusters=None)), "b", "correctness", 2.5, slice(0, 10))
    (bench,) = sat(data)
    assert bench.unity[0].spread.value == pytest.approx(0.125) and bench.unity[0].alpha.value is not None
    assert "| q-0000 | large | correctness | 2 | 2.5 | 2 |" in render_markdown(build_report(data))


def test_the_answers_furthest_apart_come_first_with_all_scores():
    data = said(alike(with_jury(n=20)), "b", "correctness", 0.0, [5])
    data = said(data, "c", "readability", 1.0, [0])
    worst, next_ = sat(data)[0].disputed
    assert (worst.criterion, worst.scores) == ("correctness", (2.0, 0.0, 2.0))
    assert (worst.sample_id, worst.candidate) == ("q-0002", "small")
    assert (next_.criterion, next_.scores) == ("readability", (2.0, 2.0, 1.0))


def test_only_the_furthest_apart_are_listed_and_all_are_counted():
    (bench,) = sat(said(alike(with_jury(n=20)), "b", "correctness", 0.0, slice(0, 30)))
    assert (len(bench.disputed), bench.n_disputed) == (12, 30)


def test_members_without_a_score_are_counted_and_not_taken_for_disagreement():
    data = alike(with_jury(n=20, clusters=None))
    grades = data.grades.copy()
    rows = grades.index[(grades["judge"] == "b") & (grades["criterion"] == "correctness")]
    grades.loc[rows, ["score", "status"]] = [np.nan, "unparsable"]
    (bench,) = sat(dataclasses.replace(data, grades=grades))
    assert bench.unity[0].lost == 40 and bench.unity[0].unanimous.value == 1.0
    assert not [two for two in bench.pairs if two.criterion == "correctness" and "b" in (two.first, two.second)]


def test_what_a_jury_cost_is_its_members_once_and_totals_do_not_grow():
    data = with_jury()
    report = build_report(data)
    costs = {cost.judge: cost for cost in report.judge_costs}
    assert costs["panel"].calls == sum(costs[name].calls for name in NAMES) == 240
    assert costs["panel"].usd == pytest.approx(sum(costs[name].usd for name in NAMES))
    assert paid(data.calls) == pytest.approx(data.calls["cost_usd"].sum())
    assert costs["panel"].model == "median of a, b and c, their calls once more"


def test_pages_show_the_jury_and_escape_its_members():
    page = render_html(build_report(with_jury(members=("<a>", "b"))))
    assert "<h2>Jury</h2>" in page and "&lt;a&gt; and b" in page and "<a> and" not in page
    text = render_markdown(build_report(with_jury()))
    assert "## Jury" in text and "| a and b | correctness |" in text
    assert "panel is the median of a, b and c" in text
    assert "No random sample" in page and "no random sample" in text


def test_runs_without_a_jury_or_repeats_say_nothing_of_them():
    page = render_html(build_report(build()))
    assert "<h2>Jury" not in page and "<h2>Repeats</h2>" not in page


def noisy(scores):
    """A run of one judge and candidate with ``scores`` (n, K) on its only criterion."""
    n, times = scores.shape
    judge = Judge(criteria=ONE, repeats=times)
    data = build(candidates=(Candidate("only"),), judges=(judge,), n=n, clusters=None)
    grades = data.grades.sort_values(["sample_id", "repeat"], kind="stable").assign(score=scores.ravel())
    return dataclasses.replace(data, grades=grades)


def test_known_noise_between_gradings_is_recovered():
    rng = np.random.default_rng(1)
    truth = rng.normal(1.5, 0.6, (1500, 1))
    data = noisy(truth + rng.normal(0, 0.3, (1500, 4)))
    (row,) = repeated(data, judges_of(data))
    assert (row.candidate, row.judge, row.measure, row.times) == ("only", "strict", "correctness", 4)
    assert row.found.within == pytest.approx(0.09, rel=0.05)
    assert row.found.between == pytest.approx(0.36, rel=0.1)
    assert row.noise == pytest.approx(0.2, abs=0.02)
    assert row.narrower[1] == pytest.approx(1 - 0.8**0.5, abs=0.01)
    assert row.narrower[0] == pytest.approx(1 - (0.85) ** 0.5, abs=0.01)
    assert row.found.narrower(1, 2 * row.found.n) == pytest.approx(0.29, abs=0.005)  # as the page says


def test_a_known_chance_to_flip_is_recovered():
    data = noisy((np.random.default_rng(2).random((3000, 3)) < 0.9).astype(float))
    (row,) = repeated(data, judges_of(data))
    assert row.found.flip_rate.value == pytest.approx(1 - 0.9**3 - 0.1**3, abs=0.03)
    assert row.found.pair_flip_rate.value == pytest.approx(0.18, abs=0.02)
    assert row.found.se_at(inf) < row.found.se_at(3) < row.found.se_at(1)


def test_questions_graded_once_are_left_out_of_the_noise():
    rng = np.random.default_rng(3)
    scores = rng.normal(1.5, 0.5, (400, 1)) + rng.normal(0, 0.3, (400, 3))
    data = noisy(scores)
    kept = (data.grades["repeat"] == 0) | (data.grades["sample_id"] < "q-0100")
    (row,) = repeated(dataclasses.replace(data, grades=data.grades[kept]), judges_of(data))
    assert (row.found.n, row.found.repeats) == (100, 3.0)


def test_the_composite_comes_first_and_is_one_number_a_grading():
    data = build(judges=(Judge(repeats=2),), n=60, clusters=None)
    rows = repeated(data, judges_of(data))
    assert [(row.candidate, row.measure) for row in rows[:3]] == [
        ("large", "composite"), ("large", "correctness"), ("large", "comprehensiveness"),
    ]  # fmt: skip
    # Noise of a weighted mean of independent criteria: the squares of the weights count.
    within = {row.measure: row.found.within for row in rows[:4]}
    expected = sum(
        w * w * within[c] for c, w in (("correctness", 0.6), ("comprehensiveness", 0.2), ("readability", 0.2))
    )
    assert within["composite"] == pytest.approx(expected, rel=0.3)


def test_repeats_never_widen_an_interval():
    rng = np.random.default_rng(5)
    truth = rng.normal(1.5, 0.5, (200, 1))
    data = noisy(truth + rng.normal(0, 0.6, (200, 4)))
    once = dataclasses.replace(data, grades=data.grades[data.grades["repeat"] == 0])
    wide, narrow = (build_report(one).boards[0].rows[0].headline.estimate for one in (once, data))
    assert narrow.high - narrow.low < wide.high - wide.low


def test_pages_show_the_repeats():
    data = build(judges=(Judge(repeats=3),), n=40)
    text, page = (render(build_report(data)) for render in (render_markdown, render_html))
    assert "## Repeats" in text and "never widens an interval" in text
    assert "<h2>Repeats</h2>" in page and 'aria-label="Share of the variance: large: ' in page

"""A tuned model between its base and a large one: every measure, shares, and words where there is no gap."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.store.frames import SCORE_COLUMNS
from markscheme.reports.serving import small_large_base_said as based_said
from markscheme.reports.serving import small_large_said as said
from markscheme.reports.serving.said import plain
from markscheme.reports.serving.small_large import small_against_large
from markscheme.reports.serving.small_large_pages import render_small_large, small_large_markdown
from regressions import run, with_labels

N = 100
NAMES = ("tuned", "large")
CLUSTERS = [f"d{i % 34}" for i in range(N)]


def scores(base=0.5, tuned=1.7, large=2.0, sd=0.3):
    """Exactly these means; the three share how hard a sample is."""
    rng = np.random.default_rng(3)
    hard = rng.normal(0, 0.2, N)
    noise = {name: rng.normal(0, sd, N) for name in ("base", "tuned", "large")}
    means = {"base": base, "tuned": tuned, "large": large}
    return {name: means[name] + (both := hard + noise[name]) - both.mean() for name in means}


def graded(measures=(), failed=(), **means):
    """The run; ``measures`` are shares of passes {measure: {candidate: rate}}."""
    data = run("r", scores(**means), clusters=CLUSTERS, failed=failed)
    places = data.answers[["sample_id", "cluster", "candidate", "trial"]]
    rng = np.random.default_rng(4)
    tables = [
        places.assign(measure=name, value=(rng.random(len(places)) < places["candidate"].map(rates)).astype(float))
        for name, rates in dict(measures).items()
    ]
    found = pd.concat([table.assign(why="") for table in tables]) if tables else data.scores
    return replace(data, scores=found[list(SCORE_COLUMNS)])


def against(data, margin=0.5, **more):
    return small_against_large(data, NAMES, margin, base="base", **more)


def lines(found):
    return [plain(text) for text in said.lines(found)]


def test_every_measure_and_headline_is_there_with_what_was_planted():
    rates = {"function_name_accuracy": {"base": 0.12, "tuned": 0.92, "large": 0.95}}
    found = against(graded(rates, base=0.5, tuned=1.7, large=2.0))
    by_judge, names = found.based.measures
    assert (by_judge.subject.source, by_judge.subject.measure) == ("strict", "correctness")
    assert (names.subject.source, names.subject.measure) == ("", "function_name_accuracy")
    assert by_judge.gained.estimate.value == pytest.approx(1.2)
    assert by_judge.short.estimate.value == pytest.approx(-0.3)
    assert by_judge.closed.value == pytest.approx(0.8)
    assert by_judge.share.value == pytest.approx(0.85)
    for one in (by_judge.closed, by_judge.share, by_judge.gained.estimate):
        assert one.low < one.value < one.high
        assert "CR3 over 34 clusters" in one.method
    assert names.closed.low < 0.8 / 0.83 < names.closed.high
    assert found.verdict == "as good"


def test_the_line_says_what_tuning_gained_and_of_which_gap():
    third = lines(against(graded()))[2]
    assert re.fullmatch(
        r"From base to tuned the score moves by \+1\.20 \[\+1\.\d\d, \+1\.\d\d\]: "
        r"80 % \[7\d %, 8\d %\] of the gap to large, which is \+1\.50 \[\+1\.\d\d, \+1\.\d\d\]\.",
        third,
    )


@pytest.mark.parametrize(
    ("large", "words"),
    [(0.5, "it is not shown that large is better than base"), (0.2, "large is worse than base")],
)
def test_without_a_gap_there_is_no_share_of_it_and_the_words_say_why(large, words):
    found = against(graded(base=0.5, tuned=0.9, large=large))
    assert found.based.headline.closed.value is None
    assert f"There is no gap to close: {words}, " in lines(found)[2]
    assert next(based_said.rows(found.based)).texts[-1] == "no gap to close"


def test_a_model_that_tuning_made_worse_has_a_share_below_nothing():
    found = against(graded(base=1.0, tuned=0.5, large=2.0))
    text = based_said.closed(found.based.headline)
    assert re.fullmatch(r"−5\d % \[−\d\d %, −4\d %\]|−50 % \[−\d\d %, −\d\d %\]", text)
    assert "moves by −0.50" in lines(found)[2]


def test_of_a_measure_of_which_more_is_not_better_there_is_no_share():
    found = against(graded({"tool_call_errors('extra call')": {"base": 0.5, "tuned": 0.2, "large": 0.1}}))
    one = next(one for one in found.based.measures if one.subject.measure.startswith("tool_call_errors"))
    assert one.gained.estimate.value < 0
    assert (based_said.share(one.share), based_said.closed(one)) == ("–", "–")


def test_answers_that_the_base_failed_are_named_and_in_no_share_of_the_gap():
    found = against(graded(failed=[("base", i) for i in range(20)]))
    assert found.based.headline.closed.n == 80
    told = list(said.caveats(found))
    assert "The base model failed on 20 % of the questions." in told
    assert "The share of the gap is of 80 of 100 samples: those with a score of all three." in told


def test_labels_of_all_three_correct_the_share_of_the_gap():
    """The judge sees tuning close 80 % of the gap, people 40 %."""
    means = {"base": 0.9, "tuned": 1.7, "large": 1.9, "sd": 0.1}
    data, own = graded(**means), scores(**means)
    people = {"base": own["base"], "tuned": own["tuned"] - 0.4, "large": own["large"]}
    labels = pd.concat([with_labels(data, name, values).labels for name, values in people.items()], ignore_index=True)
    one = against(replace(data, labels=labels)).based.headline
    assert one.closed.value == pytest.approx(0.4, abs=0.03)
    assert (one.closed.low, one.closed.method) == (None, "corrected: no interval")
    two = pd.concat([with_labels(data, name, people[name]).labels for name in ("base", "tuned")], ignore_index=True)
    assert "one of the two differences alone" in against(replace(data, labels=two)).based.headline.closed.method


def test_reused_replies_and_unknown_prices_leave_quality_as_it_is():
    data = graded()
    bare = replace(data, answers=data.answers.assign(origin="reused", cost_usd=np.nan))
    found = against(bare)
    assert found.based.headline.closed.value == pytest.approx(0.8)
    by_what = {one.what: one for one in found.ratios}
    assert by_what["E2E p95"].ratio.value is None
    assert by_what["E2E p95"].why == "no question has a live reply of both that was timed"
    assert by_what["1,000 answers by their tokens"].why == "no price is known of the tokens of tuned and large"


def test_p95_is_one_over_the_other():
    data = graded()
    slow = np.where(data.answers["candidate"] == "large", 4.0, 1.0)
    spread = np.tile(np.linspace(1, 2, N), 3)
    found = against(replace(data, answers=data.answers.assign(e2e_s=slow * spread)))
    p95 = next(one for one in found.ratios if one.what == "E2E p95")
    assert p95.small.value == pytest.approx(np.quantile(spread[:N], 0.95))
    assert p95.ratio.value == pytest.approx(0.25)
    assert p95.ratio.low < 0.25 < p95.ratio.high


@pytest.mark.parametrize(
    ("base", "message"),
    [("bass", "--base 'bass': run r has base, tuned, large"), ("large", "--base 'large' is the large model, too")],
)
def test_a_base_that_is_no_third_candidate_is_named(base, message):
    with pytest.raises(InputError, match=re.escape(message)):
        small_against_large(graded(), NAMES, 0.5, base=base)


def test_a_pair_without_a_base_has_no_word_of_one():
    found = small_against_large(graded(), NAMES, 0.5)
    assert found.based is None
    assert "gap" not in render_small_large(found).partition("<body>")[2]
    assert len(lines(found)) == 2


def test_page_and_markdown_have_all_three_and_names_are_only_text():
    name = "<script>alert(1)</script>|*x*"
    own = scores()
    data = run("r", {name: own["base"], "tuned": own["tuned"], "large": own["large"]}, clusters=CLUSTERS)
    found = small_against_large(data, NAMES, 0.5, base=name)
    html, markdown = render_small_large(found), small_large_markdown(found)
    assert "<script" not in html
    assert r"\<script\>" in markdown
    for text in ("correctness by strict", "o sample was trained on", "80 %"):
        assert text in small_large_markdown(replace(found, untrained="no sample was trained on"))
        assert text in render_small_large(replace(found, untrained="no sample was trained on"))
    assert "Of the gap" in replace(found)._repr_html_()


@pytest.mark.parametrize("lowest", [0.0, -0.5])
def test_the_share_of_a_score_without_a_known_lowest_level_is_of_what_lies_above_0_if_anything(lowest):
    data = graded({"python:own": {"base": 0.2, "tuned": 0.6, "large": 0.8}})
    own = data.scores.assign(value=data.scores["value"].clip(lower=lowest) + (lowest * (data.scores["value"] == 0)))
    found = against(replace(data, scores=own), measure="python:own")
    (one,) = [one for one in found.based.measures if one.subject.measure == "python:own"]
    noted = [note for note in said.caveats(found) if "No lowest level of python:own is known" in note]
    if lowest < 0:
        assert (found.share.value, one.share.value, noted) == (None, None, [])
        assert "values lie below 0" in found.share.method
    else:
        assert found.share.value == one.share.value
        assert 0.5 < found.share.value < 1
        assert len(noted) == 1
    assert 0 < one.closed.value < 1

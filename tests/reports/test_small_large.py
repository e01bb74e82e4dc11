"""A small model against a large one: non-inferiority, shares, ratios with intervals, and what is unknown."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.records import Estimate
from markscheme.reports.figures.margin import margin_figure
from markscheme.reports.serving import small_large_said as said
from markscheme.reports.serving.cells import cells
from markscheme.reports.serving.prices import Hire
from markscheme.reports.serving.small_large import small_against_large
from markscheme.reports.serving.small_large_amounts import over
from markscheme.reports.serving.small_large_pages import render_small_large, small_large_markdown
from regressions import run, with_labels
from serving_loads import loads

N = 120
NAMES = ("mini", "large")


def scores(loss, sd=0.4, n=N, seed=5):
    """Of the large model around 2, and of the small one so much lower on average, exactly."""
    rng = np.random.default_rng(seed)
    large = 2 + rng.normal(0, 0.3, n)
    noise = rng.normal(0, sd, n)
    return {"mini": large - loss + noise - noise.mean(), "large": large}


def graded(loss, sd=0.4, n=N, memory=(16.0, 141.0), **changes):
    """The run; the small model takes a third of the time and a twentieth of the money, more or less."""
    data = run("r", scores(loss, sd, n), **changes)
    rng = np.random.default_rng(8)
    small, length = data.answers["candidate"] == "mini", np.exp(rng.normal(0, 0.4, n))
    for name, mean, share in (("e2e_s", 3.0, 1 / 3), ("ttft_s", 0.6, 1 / 2), ("cost_usd", 0.002, 1 / 20)):
        values = mean * np.tile(length, 2) * np.exp(rng.normal(0, 0.1, 2 * n)) * np.where(small, share, 1.0)
        data.answers[name] = np.where(data.answers["status"] == "ok", values, np.nan)
    candidates = [
        {**one, "model": f"vllm/{one['name']}", "memory_gb": gb}
        for one, gb in zip(data.info.config["candidates"], memory, strict=True)
    ]
    return replace(data, info=replace(data.info, config={**data.info.config, "candidates": candidates}))


def ratio(found, what):
    return next(one for one in found.ratios if one.what.startswith(what))


@pytest.mark.parametrize(
    ("loss", "sd", "verdict"),
    [
        (0.0, 0.4, "as good"),
        (0.03, 0.2, "as good"),
        (0.03, 0.6, "not shown"),
        (0.3, 0.4, "worse"),
        (-0.2, 0.4, "as good"),
    ],
)
def test_as_good_is_the_bound_above_the_margin(loss, sd, verdict):
    found = small_against_large(graded(loss, sd), NAMES, 0.1)
    assert found.difference.estimate.value == pytest.approx(-loss, abs=1e-9)
    assert found.verdict == verdict
    assert (found.gain.lower > -0.1) is (verdict == "as good")
    assert verdict.replace("as good", "is as good as large within 0.1 points") in said.verdict(found).replace("\0", "")


@pytest.mark.slow
def test_the_rule_errs_on_a_model_at_the_margin_in_about_five_percent():
    """A small model that is worse by just the margin must not pass more often."""
    passed = [
        small_against_large(run("r", {"mini": large - 0.1 + noise, "large": large}), NAMES, 0.1).verdict == "as good"
        for seed in range(60)
        for rng in [np.random.default_rng(seed)]
        for large, noise in [(2 + rng.normal(0, 0.3, 40), rng.normal(0, 0.3, 40))]
    ]
    assert np.mean(passed) < 0.13


def test_ratios_hold_what_was_planted():
    found = small_against_large(graded(0.0), NAMES, 0.1)
    for what, truth in (("E2E", 1 / 3), ("TTFT", 1 / 2), ("1,000 answers", 1 / 20)):
        one = ratio(found, what).ratio
        assert one.low < truth < one.high
        assert one.high / one.low < 1.2
    assert ratio(found, "memory").ratio.value == pytest.approx(16 / 141)
    assert "It reaches " in said.second(found)
    assert re.search(r"takes \0\+?0\.3\d× \[0\.3\d, 0\.3\d\]\0 the time", said.second(found))


def test_the_share_is_of_scores_above_the_lowest_level():
    data = run(
        "r", {"mini": np.tile([2.0, 2.0, 3.0, 1.0], 30), "large": np.tile([3.0, 3.0, 3.0, 3.0], 30)}, scale=(1, 3)
    )
    found = small_against_large(data, NAMES, 0.1)
    assert found.share.value == pytest.approx(0.5)
    assert found.share.low < 0.5 < found.share.high


def test_reused_replies_are_in_no_time():
    data = graded(0.0)
    found = small_against_large(replace(data, answers=data.answers.assign(origin="reused")), NAMES, 0.1)
    assert ratio(found, "E2E").ratio.value is None
    assert ratio(found, "E2E").why == "no question has a live reply of both that was timed"
    assert ratio(found, "1,000").ratio.value is not None


def test_an_unknown_price_and_undeclared_memory_are_named_and_never_zero():
    data = graded(0.0, memory=(16.0, None))
    usd = data.answers["cost_usd"].mask(data.answers["candidate"] == "mini")
    found = small_against_large(replace(data, answers=data.answers.assign(cost_usd=usd)), NAMES, 0.1)
    assert ratio(found, "1,000").why == "no price is known of the tokens of mini"
    assert ratio(found, "memory").why == "not declared: memory_gb"
    markdown = small_large_markdown(found)
    assert "unknown" in markdown
    assert "$0" not in markdown.replace("$0.", "")


def test_answers_that_failed_do_not_help_to_pass():
    data = graded(0.0, 0.1, failed=[("mini", i) for i in range(30)])
    found = small_against_large(data, NAMES, 0.1)
    assert found.verdict == "not shown"
    assert "It fails more often, and with these answers at the lowest level the margin is crossed." in said.caveats(
        found
    )
    assert "The small model failed on 25 % of the questions, the large one on 0 %." in said.caveats(found)


def test_what_was_not_shown_says_how_many_samples_would_show_it():
    found = small_against_large(graded(0.03, 0.6), NAMES, 0.1)
    assert found.needed == pytest.approx((2.486 * found.difference.sd / 0.1) ** 2, rel=0.03)
    assert any("Not shown is not worse" in text for text in said.caveats(found))
    assert not any("Not shown" in text for text in said.caveats(small_against_large(graded(0.0), NAMES, 0.1)))


def test_labels_of_both_make_it_a_difference_by_people():
    """The judge sees no difference; people find the small model half a point worse."""
    data = graded(0.0, 0.2)
    own = scores(0.0, 0.2)
    people = with_labels(data, "mini", own["mini"] - 0.5).labels, with_labels(data, "large", own["large"]).labels
    import pandas as pd

    found = small_against_large(replace(data, labels=pd.concat(people, ignore_index=True)), NAMES, 0.1)
    assert found.difference.corrected
    assert found.difference.estimate.value == pytest.approx(-0.5, abs=0.05)
    assert found.verdict == "worse"
    assert found.share.low is None


@pytest.mark.parametrize(
    ("names", "margin", "measure", "message"),
    [
        (("mimi", "large"), 0.1, "", "--small 'mimi': run r has mini, large"),
        (("mini", "huge"), 0.1, "", "--large 'huge'"),
        (("mini", "mini"), 0.1, "", "is the small model, too"),
        (NAMES, 0.0, "", "--margin 0 must be above 0"),
        (NAMES, float("nan"), "", "--margin nan must be above 0"),
        (NAMES, 0.1, "charm", "--measure 'charm' is no score of both candidates; there are strict/correctness"),
    ],
)
def test_what_is_not_there_is_named(names, margin, measure, message):
    with pytest.raises(InputError, match=re.escape(message)):
        small_against_large(graded(0.0), names, margin, measure)


def test_a_load_test_of_both_stands_beside_the_run():
    """The large one's server has two slots fewer, and two GPUs."""
    hired = {"mini": Hire(2.0), "large": Hire(2.0, 2)}
    found = small_against_large(
        graded(0.0), NAMES, 0.1, bench=("b1", cells(loads((1, 4), candidates=NAMES) + loads((2,)), hires=hired))
    )
    assert [where for where, _ in found.loads] == ["1 user", "4 users"]
    alone = {one.what: one for one in found.loads[0][1]}
    assert alone["E2E p50"].ratio.value == pytest.approx(1.0, abs=0.05)
    assert alone["1,000 answers"].ratio.value == pytest.approx(0.5, rel=0.05)
    assert alone["1,000 answers"].ratio.low < 0.5 < alone["1,000 answers"].ratio.high
    assert "Under load: 4 users" in small_large_markdown(found)


def test_widths_of_two_measurements_add_in_quadrature_on_logarithms():
    one, other = Estimate(2.0, 1.8, 2.2, 3, "t"), Estimate(4.0, 3.9, 4.1, 3, "t")
    found = over(one, other)
    assert found.value == 0.5
    assert found.low == pytest.approx(0.5 * np.exp(-np.hypot(np.log(2 / 1.8), np.log(4.1 / 4))))
    assert over(one, Estimate(4.0, None, None, 1, "")).low is None
    assert over(one, Estimate(None, None, None, 0, "")).value is None


def test_names_are_only_text_and_the_page_needs_no_network():
    name = "<script>alert(1)</script>|*x*"
    data = run("r", {name: scores(0.0)["mini"], "large": scores(0.0)["large"]})
    found = small_against_large(data, (name, "large"), 0.1)
    html = render_small_large(found)
    assert "<script" not in html
    assert not re.search(r"(?:src|href)=", html)
    assert r"\<script\>" in small_large_markdown(found)
    assert render_small_large(found) == html


def test_the_figure_shows_bound_and_zone():
    found = small_against_large(graded(0.0), NAMES, 0.1)
    drawn = margin_figure(found.gain, 0.1, "points")
    assert ElementTree.fromstring(drawn) is not None
    assert drawn.count('class="bound"') == drawn.count('class="zone"') == 1
    bare = margin_figure(replace(found.gain, low=None, high=None, lower=None), 0.1, "points")
    assert 'class="bound"' not in bare

"""The page of the probes: verdicts, numbers beside their limits, and texts that are only text."""

from __future__ import annotations

import re

import pytest
from markscheme.harness.probing import Failing, Finding, Limit, Power, Probe, Probing, Spread
from markscheme.harness.records import Estimate
from markscheme.reports.figures.limits import limits
from markscheme.reports.judging.probes import BROKEN, meaning, shown_estimate, shown_limit
from markscheme.reports.judging.probes_html import render_probing
from markscheme.reports.judging.probes_markdown import probing_markdown

SHARE = Finding("identical scores", Estimate(0.95, 0.91, 0.97, 200, "Wilson"), Limit(low=0.9), "scores")
UNSURE = Finding("identical scores", Estimate(0.93, 0.88, 0.96, 200, "Wilson"), Limit(low=0.9), "scores")
CHANGE = Finding("change", Estimate(-0.3, -0.4, -0.2, 100, "t, df 99"), Limit(-0.1, 0.1), "answers")
HOSTILE = Failing("s<1>", "break-out", "</pre><script>alert(1)</script> & | *x*", "0", "3")


def made(*probes: Probe) -> Probing:
    spread = Spread("strict", "correctness", 40, {0.0: 0.5, 1.0: 0.5, 2.0: 0.0}, 1.0)
    return Probing("run-1", "exam", "strict", "2026-11-21", probes, (spread,), {"live": 3, "reused": 4}, None)


def test_the_worst_probe_is_the_verdict_of_the_page():
    found = made(Probe("P2", "test–retest", "strict", (SHARE,)), Probe("P5", "verbosity", "strict", (CHANGE,)))
    assert found.verdict == "fail"
    html = render_probing(found)
    assert "Judge <b>strict</b>: fail" in html
    assert BROKEN["P5"].split(":")[0] in html
    assert "95.0 % [91.0, 97.0]" in html
    assert "−0.30 [−0.40, −0.20]" in html
    assert "paid <b>unknown</b>" in html


def test_what_was_not_run_says_why_and_has_no_section():
    html = render_probing(made(Probe("P10", "family preference", "strict", why="the run has no labels")))
    assert "The run has no labels." in html
    assert html.count("family preference") == 1


def test_an_underpowered_probe_says_how_many_would_tell():
    words = meaning(Probe("P2", "test–retest", "strict", (UNSURE,)))
    assert re.fullmatch(
        r"Cannot be told yet: identical scores would take about \d[\d,]* scores instead of 200\.", words
    )


def test_the_power_stands_beside_the_verdict():
    power = Power(80, 200, 0.31, "96 % are the same", "drifts by 0.2: 0.76")
    html = render_probing(made(Probe("P2", "test–retest", "strict", (SHARE,), power)))
    assert "With 80 items it passes with probability 0.31" in html
    assert "It catches one that drifts by 0.2: 0.76." in html


def test_what_was_shown_to_the_judge_is_only_text():
    found = made(Probe("P7", "attacks", "strict", (SHARE,), examples=(HOSTILE,)))
    html, text = render_probing(found), probing_markdown(found)
    assert "<script" not in html
    assert "&lt;/pre&gt;&lt;script&gt;" in html
    assert r"\<script\>" in text
    assert not re.search(r"(?<!\\)[<|*]", text.split("Text: ")[1].split("\n")[0])


def test_the_page_needs_no_network_and_is_the_same_each_time():
    found = made(Probe("P2", "test–retest", "strict", (SHARE,)))
    assert render_probing(found) == render_probing(found)
    assert not re.search(r"(?:src|href)=", render_probing(found))
    assert "prefers-color-scheme: dark" in render_probing(found)


@pytest.mark.parametrize(
    ("finding", "value", "limit"),
    [
        (SHARE, "95.0 % [91.0, 97.0]", "≥ 90 %"),
        (CHANGE, "−0.30 [−0.40, −0.20]", "within ±0.1"),
        (Finding("sd", Estimate(0.1, 0.0, 0.2, 9, "t"), Limit(high=0.2)), "0.10 [0.00, 0.20]", "≤ 0.2"),
        (Finding("x", Estimate(None, None, None, 0, "no values")), "–", ""),
    ],
)
def test_numbers_stand_in_the_unit_of_their_limit(finding, value, limit):
    assert shown_estimate(finding) == value
    assert shown_limit(finding) == limit


def test_the_figure_shows_the_interval_beside_what_is_allowed():
    drawn = limits(CHANGE)
    zone = re.search(r'class="zone" x="([\d.]+)" y="4" width="([\d.]+)"', drawn)
    dot = re.search(r'class="at" cx="([\d.]+)"', drawn)
    assert zone is not None and dot is not None
    assert float(dot[1]) < float(zone[1])
    assert 'class="limits fail"' in drawn
    assert limits(Finding("x", CHANGE.estimate)) == ""


def test_unused_levels_are_named():
    text = probing_markdown(made(Probe("P2", "test–retest", "strict", (SHARE,))))
    assert "| correctness | 40 | 0: 50 %, 1: 50 %, 2: 0 % | 1.00 | 2 |" in text

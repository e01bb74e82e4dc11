"""A run's report says how many replies the store had already, and what that saved."""

import dataclasses

import pytest
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from markscheme.reports.reuse import Reuse, how_saved, reuse
from synthetic import Candidate, Judge, build


def run(**changes):
    """24 calls: 12 of a candidate at $0.001 each, 12 of its judge."""
    data = build(n=12, candidates=(Candidate("mini", 2.0, 0.5, 0.001),), judges=(Judge("strict"),))
    calls = data.calls.copy()
    calls["reused"] = False
    for name, (rows, value) in changes.items():
        calls.loc[calls.index[rows], name] = value
    return dataclasses.replace(data, calls=calls)


def test_replies_that_were_there_are_counted_with_what_they_had_cost():
    data = run(reused=(slice(0, 6), True), cost_usd=(slice(0, 6), 0.25))
    found = reuse(data)
    assert (found.replies, found.reused, found.unpriced) == (len(data.calls), 6, 0)
    assert found.saved_usd == pytest.approx(1.5)


def test_failures_and_rows_of_a_sheet_are_no_replies():
    data = run(reused=(slice(0, 6), True), status=(slice(0, 2), "timeout"), model=(slice(2, 3), "replay/sheet"))
    found = reuse(data)
    assert (found.replies, found.reused) == (len(data.calls) - 3, 3)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Reuse(10, 0, 0.0, 0), ""),
        (Reuse(10, 5, 1.25, 0), "The store had 5 of 10 replies (50 %) before this run, which saved $1.25."),
        (
            Reuse(10, 5, 0.0, 5),
            "The store had 5 of 10 replies (50 %) before this run; what that saved is unknown, for want of a price.",
        ),
        (
            Reuse(3000, 1500, 0.5, 20),
            "The store had 1,500 of 3,000 replies (50 %) before this run, which saved $0.50 and the unknown price of "
            "20 of them.",
        ),
    ],
)
def test_an_unknown_price_is_never_said_to_be_nothing(found, said):
    assert how_saved(found) == said


def test_both_pages_say_it_beside_latency_and_cost():
    data = run(reused=(slice(0, 6), True), cost_usd=(slice(0, 6), 0.25))
    report, said = build_report(data), how_saved(reuse(data))
    assert said.endswith("which saved $1.50.")
    section = render_markdown(report).split("## Latency, tokens and cost")[1].split("\n## ")[0]
    assert said.replace("$", "") in section.replace("$", "").replace("\\", "")
    assert said in render_html(report)


def test_a_run_of_live_replies_says_nothing_of_it():
    assert "The store had" not in render_markdown(build_report(run()))

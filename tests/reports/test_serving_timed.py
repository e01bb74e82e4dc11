"""A run's report says under which load its seconds were taken, and that re-used replies are not among them."""

import dataclasses

import pytest
from markscheme.reports.cells import score
from markscheme.reports.markdown import render_markdown
from markscheme.reports.operations import candidate_costs, how_timed
from markscheme.reports.report import build_report
from synthetic import Candidate, Judge, build


def run(concurrency, **candidate):
    data = build(n=12, candidates=(Candidate("mini", 2.0, 0.5, 0.001, **candidate),), judges=(Judge("strict"),))
    config = {**data.info.config} | ({} if concurrency is None else {"concurrency": concurrency})
    return dataclasses.replace(data, info=dataclasses.replace(data.info, config=config))


def timed(data):
    return how_timed(candidate_costs(data, score(data)))


@pytest.mark.parametrize(
    ("concurrency", "said"),
    [
        (16, "Seconds were taken with up to 16 calls in flight at each endpoint, so from loaded servers."),
        (1, "Seconds were taken with one call in flight at a time, so from servers that this run did not load."),
        (None, "Seconds were taken under a load that nobody recorded."),
    ],
)
def test_the_load_under_which_seconds_were_taken_is_said(concurrency, said):
    assert timed(run(concurrency)) == f"{said} No reply was re-used."


def test_seconds_of_a_sheet_were_taken_elsewhere():
    found = timed(run(16, model="replay/sheet-0.jsonl"))
    assert found.startswith("Seconds were taken under a load that nobody recorded.")


def test_reused_replies_are_counted_and_left_out():
    assert timed(run(16, reused=5)).endswith("5 re-used replies are not among them.")
    assert timed(run(16, reused=12)) == "Nothing was timed. 12 replies were re-used."


def test_the_markdown_report_says_it():
    assert "with up to 16 calls in flight at each endpoint" in render_markdown(build_report(run(16)))

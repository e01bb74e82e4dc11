"""A declared baseline: it alone is compared with, and the page says so."""

from dataclasses import replace

import pytest
from markscheme.reports.cells import score
from markscheme.reports.comparison import compare
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from synthetic import Candidate, build

THREE = (Candidate("old", 1.9), Candidate("best", 2.8), Candidate("same", 1.9), Candidate("worst", 0.6))


def declared(data, baseline):
    return replace(data, info=replace(data.info, config={**data.info.config, "baseline": baseline}))


@pytest.fixture(scope="module")
def data():
    return build(candidates=THREE, n=60, clusters=None, seed=2)


def test_only_pairs_with_the_baseline_are_compared_and_holm_goes_over_these(data):
    scores = score(data)
    names = ("best", "old", "same", "worst")
    found = compare(names, scores, "strict", "composite", (0, 3), "old")
    everyone = compare(names, scores, "strict", "composite", (0, 3))
    assert set(found.pairs) == {("best", "old"), ("same", "old"), ("worst", "old")}
    assert len(everyone.pairs) == 6
    assert found.pairs["best", "old"].estimate == everyone.pairs["best", "old"].estimate
    smallest = min(pair.p for pair in found.pairs.values())
    assert min(found.adjusted.values()) == pytest.approx(3 * smallest)
    assert [found.against_baseline(name) for name in names] == ["better", "", "not told apart", "worse"]


def test_the_verdict_the_table_and_the_words_are_about_the_baseline(data):
    report = build_report(declared(data, "old"))
    said = "".join(span.text for span in report.verdict).replace("\u00a0", " ")
    assert said.startswith("Against the baseline old, ")
    assert "best is better (+" in said
    assert "worst is worse (−" in said
    assert "same is not told apart (" in said
    (board,) = report.boards
    assert {row.candidate: row.against for row in board.rows} == {
        "best": "better", "old": "", "same": "not told apart", "worst": "worse",
    }  # fmt: skip
    assert all(row.letters == "" and row.rank is None for row in board.rows)
    assert "All are compared with the baseline old alone (paired by question, sign-flip test, Holm over these)." in (
        board.words
    )


def test_both_pages_have_a_column_against_the_baseline_and_no_letters(data):
    report = build_report(declared(data, "old"))
    text, page = render_markdown(report), render_html(report)
    assert "| Candidate | Composite | Against old |" in text
    assert "Letters" not in text
    assert "Against old</th>" in page
    assert "cannot be told apart from rows with the same letter" not in page


def test_a_baseline_without_a_score_leaves_every_pair_and_the_page_says_so():
    data = build(candidates=(*THREE[:2], Candidate("gone", failures=("timeout",) * 40)), n=40, clusters=None)
    (board,) = build_report(declared(data, "gone")).boards
    assert board.baseline == ""
    assert {row.letters for row in board.rows} == {"a", "b", ""}
    assert "The declared baseline gone has no score: candidates are compared with each other." in board.words


def test_more_than_2000_questions_are_compared_by_t_alone_and_the_page_says_so():
    judge_free = build(candidates=THREE[:2], n=2_001, clusters=None)
    (board,) = build_report(declared(judge_free, "old")).boards
    assert "t test alone, the questions being more than 2,000" in board.words

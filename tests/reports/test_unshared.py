"""Candidates that answered different questions, as traces are: nobody failed, and nobody is compared."""

from dataclasses import replace

import pytest
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from synthetic import Candidate, build


def of_different_questions(apart):
    """Forty questions: the first 20 answered by one, the others by the other; all by both unless ``apart``."""
    data = build(n=40, candidates=(Candidate("old", 1.5), Candidate("new", 2.5)))
    if not apart:
        return data
    first = set(data.samples["sample_id"][:20])

    def lacking(table):
        return table["sample_id"].isin(first) == (table["candidate"] == "new")

    answers = data.answers.copy()
    answers.loc[lacking(answers), ["status", "owner", "text"]] = ["not_recorded", "ours", None]
    grades = data.grades[~lacking(data.grades)].reset_index(drop=True)
    return replace(data, answers=answers, grades=grades)


@pytest.fixture(scope="module")
def report():
    return build_report(of_different_questions(apart=True))


def test_the_verdict_says_that_they_are_not_compared(report):
    said = str(report.verdict)
    assert "answered different questions, so they are not compared" in said
    assert "answered different questions" not in str(build_report(of_different_questions(apart=False)).verdict)
    (board,) = report.boards
    assert "No question has scores of two candidates" in board.words
    assert [(row.letters, row.rank, row.versus_best) for row in board.rows] == [("", None, None)] * 2


def test_what_nobody_was_asked_is_nobodys_failure(report):
    assert [(loss.candidate, loss.owner, loss.n) for loss in report.losses] == [("old", "–", 20), ("new", "–", 20)]
    page = render_markdown(report)
    assert "40 answers not recorded, and left out" in page
    assert "no fault" not in page


def test_the_browser_lists_only_answers_that_are_there(report):
    found = report.answers.payload["answers"]
    assert len(found) == 40
    assert {one["status"] for one in found} == {"ok"}
    assert "not recorded" in render_html(report)  # still counted, under what is missing

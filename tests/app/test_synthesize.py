"""`markscheme dataset`: from documents to a review, and from the review to an exam that can be sat."""

from __future__ import annotations

import json

import pytest

LIME = (
    "A kettle that has not been descaled for a year needs a fifth more time to boil a litre, since lime conducts heat "
    "thirty times worse than steel. Vinegar removes it in an hour. Citric acid does so faster, and smells of nothing."
)


@pytest.fixture
def documents(desk):
    folder = desk.folder / "docs"
    folder.mkdir()
    for name in ("kettles", "boilers", "irons"):
        (folder / f"{name}.md").write_text(f"# {name.title()}\n\nOn {name}. {LIME}\n\n## Care\n\n{name}: {LIME}\n")
    return desk


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def author(desk, *words):
    return desk.command(
        "dataset", "synthesize", "docs", "--model", "openai-compatible/cand-1", "--base-url", desk.url, "-n", "4",
        "--json", *words,
    )  # fmt: skip


def test_without_a_model_questions_come_from_headings_and_an_exam_can_be_sat_on_them(documents):
    code, out, err = documents.command("dataset", "synthesize", "docs", "-n", "4", "--json")
    assert code == 0, err
    said = json.loads(out.splitlines()[-1])
    assert said["documents"] == 3 and said["calls"] == {"live": 0, "reused": 0}
    review = documents.folder / "review.jsonl"
    assert [row["keep"] for row in rows(review)].count(None) == said["questions"]
    code, _, err = documents.command("dataset", "accept", str(review), "-o", "made.jsonl")
    assert code == 2 and "undecided (keep: null)" in err
    code, out, err = documents.command("dataset", "accept", str(review), "-o", "made.jsonl", "--undecided", "keep")
    assert code == 0 and f"{said['questions']} samples written" in out, err
    documents.exam = {
        "dataset": "./made.jsonl",
        "candidates": [
            {"model": "baseline/lead", "retriever": {"index": "bm25", "corpus": "./docs", "chunker": "document"}}
        ],
        "measures": ["recall@5", "token_f1"],
    }
    result = documents.run()
    assert {row["measure"]: row["mean"] for row in result["summary"]}["recall@5"] == 1.0


def test_each_call_is_paid_once_however_often_the_command_runs(documents):
    first = json.loads(author(documents)[1].splitlines()[-1])
    again = json.loads(author(documents, "-o", "other.jsonl")[1].splitlines()[-1])
    assert first["calls"]["live"] > 4 and again["calls"] == {"live": 0, "reused": first["calls"]["live"]}
    assert rows(documents.folder / "review.jsonl") == rows(documents.folder / "other.jsonl")
    assert sum(first["filtered"].values()) + first["questions"] == 4


def test_a_review_is_not_written_over_and_nothing_is_paid_for_it(documents, mock):
    author(documents)
    before = mock.stats()
    code, _, err = author(documents)
    assert code == 2 and "may hold a review" in err
    assert mock.stats()["received"] == before["received"]


def test_a_budget_without_a_known_price_is_refused(documents):
    code, _, err = author(documents, "--budget-usd", "1")
    assert code == 2 and "no known price" in err and not (documents.folder / "review.jsonl").exists()


def test_the_calls_belong_to_no_run_so_that_latest_stays_the_exam(documents):
    author(documents)
    code, _, err = documents.command("report", "latest")
    assert code == 2 and "there is no run 'latest'" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("synthesize", "nowhere"), "nowhere: there is no such file or folder"),
        (("accept", "none.jsonl"), "none.jsonl"),
        (("accept", "r.jsonl", "--undecided", "maybe"), "--undecided 'maybe': write keep or drop"),
    ],
)
def test_mistakes_say_what_to_write(documents, words, says):
    code, _, err = documents.command("dataset", *words)
    assert code == 2 and says in err and "Traceback" not in err


def test_documents_too_short_to_ask_about_are_refused(documents):
    (documents.folder / "tiny").mkdir()
    (documents.folder / "tiny" / "a.md").write_text("# A\n\nShort.\n")
    code, _, err = documents.command("dataset", "synthesize", "tiny")
    assert code == 2 and "no document holds a passage long enough" in err

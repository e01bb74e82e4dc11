"""`import feedback` and `feedback`: from a file of votes to the page, and what is refused on the way."""

import csv
import json
from pathlib import Path

import markscheme as ms
import pytest
from markscheme.harness.errors import DataError, InputError


@pytest.fixture
def run(desk):
    """Forty answers of an application, each a trace of its own, graded by the embedded judge."""
    rows = []
    for n in range(40):
        said = f"It is {n + 11} metres long." if n % 3 else "I do not know."
        rows.append(
            {
                "id": f"t{n}",
                "question": f"How long is bridge {n}?",
                "reference": f"It is {n + 11} metres long.",
                "context": f"Bridge {n} is {n + 11} metres long.",
                "answer": said,
                "candidate": "bot",
                "asked_at": f"2026-11-{1 + n // 2:02}T10:00:00Z",
                "response_id": f"resp-{n}",
            }
        )
    write(desk.folder / "answers.csv", rows)
    made = ms.import_csv("answers.csv", name="november")
    with Path(made.exam).open("a") as exam:
        exam.write("judges:\n  - {name: overlap, model: embedded, rubric: docs_qa}\n")
    return ms.run(made.exam)


def write(path, rows):
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
    return path


def votes(desk, **more):
    rows = [{"id": f"resp-{n}", "score": int(bool(n % 3) or n == 3), **more} for n in range(0, 40, 2)]
    return write(desk.folder / "votes.csv", rows)


def test_votes_come_in_and_are_told_as_tables_pages_and_json(desk, run):
    votes(desk)
    words = ["import", "feedback", "votes.csv", "--columns", "response_id=id,accepted=score"]
    code, out, err = desk.command(*words)
    assert (code, err) == (0, "")
    assert out == f"run {run.id}: 20 of 20 rows hold: 20 new, 0 in place of an earlier vote\n"
    code, out, _ = desk.command(*words, "--json")
    assert (code, json.loads(out)["added"], json.loads(out)["attached"]) == (0, 0, 20)
    code, out, err = desk.command("feedback", "november", "--window", "month", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out.splitlines()[-1])
    assert found["acceptance"][0]["with_feedback"] == 20
    assert found["windows"][0]["window"] == "2026-11"
    assert found["windows"][0]["answers"] == 40
    assert found["predictions"][0]["auc"]["value"] > 0.8
    page = desk.folder / found["report"]
    assert "AUC" in page.read_text()
    assert "| bot |" in page.with_suffix(".md").read_text()
    code, out, _ = desk.command("feedback", "latest", "--judge", "overlap")
    assert "overlap's composite predicts it better than chance" in out
    assert code == 0


def test_the_functions_do_the_same_and_say_what_does_not_hold(desk, run):
    made = ms.import_feedback(votes(desk, candidate="bot"), columns={"response_id": "id", "accepted": "score"})
    assert (made.attached, made.unattached) == (20, {})
    found = ms.feedback(run.id, window="2", output="out")
    assert len(found.windows) == 2
    assert (desk.folder / "out" / "feedback.html").exists()
    strangers = write(desk.folder / "strangers.csv", [{"trace_id": f"x{n}", "thumb": "up"} for n in range(3)])
    with pytest.raises(InputError, match=r"no feedback holds for its answers\n3 × the run has no answer with this id"):
        ms.import_feedback(strangers)
    empty = write(desk.folder / "empty.csv", [{"trace_id": "t1", "thumb": ""}])
    with pytest.raises(InputError, match=r"empty\.csv: no row says what the user did"):
        ms.import_feedback(empty)
    with pytest.raises(DataError, match=r"votes\.csv: no column names an answer"):
        ms.import_feedback("votes.csv")
    with pytest.raises(InputError, match="--columns 'mood=score': wanted ours=theirs"):
        ms.import_feedback("votes.csv", columns={"mood": "score"})


def test_a_time_of_a_sample_that_is_none_is_told_with_the_sample(desk):
    rows = [{"id": "t1", "question": "Why?", "answer": "So.", "candidate": "bot", "asked_at": "1793527200000"}]
    write(desk.folder / "answers.csv", rows)
    ms.import_csv("answers.csv")
    ms.import_feedback(write(desk.folder / "up.csv", [{"sample_id": "t1", "thumb": "up"}]))
    with pytest.raises(InputError, match=r"sample 't1' metadata\.asked_at: '1793527200000' is no time in Unix seconds"):
        ms.feedback()


def test_a_run_without_feedback_is_refused(desk, run):
    code, _, err = desk.command("feedback", "latest")
    assert code == 2
    assert f"run {run.id}: no feedback holds for its answers; take some in: markscheme import feedback FILE" in err

"""`markscheme import csv --design`: what the owner of a table knows of its labels reaches the corrected score."""

import csv
import json

import pytest
import yaml

COLUMNS = "score.quality=auto,label.quality=human"


@pytest.fixture
def table(desk):
    """600 answers graded by a judge that is one too kind to each, every tenth of them labelled."""
    path = desk.folder / "scored.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer", "auto", "human"])
        for i in range(600):
            truth = i % 7 % 3
            writer.writerow([f"q{i}", f"a{i}", truth + 1, truth if i % 10 == 0 else ""])
    return path


def method(desk):
    _, out, _ = desk.command("judge", "correct", "--json")
    (row,) = json.loads(out.splitlines()[-1])["rows"]
    return row["method"]


def test_labels_of_a_table_correct_once_its_owner_says_that_they_were_drawn_at_random(desk, table):
    words = ("import", "csv", str(table), "--columns", COLUMNS, "--scale", "0,3")
    assert desk.command(*words)[0] == 0
    assert method(desk) == "judge-only"
    _, out, _ = desk.command(*words, "--design", "random", "--json")
    exam = desk.folder / json.loads(out.splitlines()[-1])["exam"]
    assert yaml.safe_load(exam.read_text())["labels"] == [{"path": "labels.csv", "design": "random"}]
    assert method(desk) == "ppi++"
    desk.command(*words)
    assert method(desk) == "ppi++"


def test_a_design_that_a_table_cannot_have_is_refused(desk, table):
    code, _, err = desk.command("import", "csv", str(table), "--columns", COLUMNS, "--design", "stratified")
    assert code == 2
    assert "--design 'stratified': wanted random, chosen or unknown (of strata, say it under labels: in the exam" in err

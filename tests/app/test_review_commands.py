"""`markscheme review export`, `import` and `plan`: from a run to sheets, back, and to labels."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from markscheme.harness.review.records import Rating
from markscheme.harness.store import runs
from markscheme.harness.store.load import load
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store

CANDIDATES = ("zebra-large", "quokka-mini")
BEGIN = ("export", "--name", "gold", "--rater", "ann", "--rater", "ben", "--csv", "-o", "sheets", "--overlap", "1")
ANN, BEN = Path("sheets/gold-ann.csv"), Path("sheets/gold-ben.csv")


@pytest.fixture
def office(desk):
    """A run of ten questions that two candidates with telling names answered."""
    first = desk.exam["candidates"][0]
    desk.exam["candidates"] = [{**first, "name": name, "model": f"openai-compatible/{name}"} for name in CANDIDATES]
    desk.run()
    return desk


def ask(desk: Any, *words: str, expect: int = 0) -> dict[str, Any]:
    """The JSON object of a command, with what it said on standard error."""
    code, out, err = desk.command("review", *words, "--json")
    assert code == expect, err
    return {**(json.loads(out.splitlines()[-1]) if out else {}), "stderr": err}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def fill(path: Path, *scores: str) -> None:
    """Write scores into the first rows, of which the last goes on to the end."""
    rows = rows_of(path)
    write(path, [{**row, "correctness": scores[min(i, len(scores) - 1)]} for i, row in enumerate(rows)])


def kept(name: str = "gold") -> list[Rating]:
    store = Store(".markscheme")
    try:
        reviews = Reviews(store)
        return reviews.ratings(reviews.find(name))
    finally:
        store.close()


def counts(done: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    return [tuple(file[name] for name in ("new", "changed", "same", "empty")) for file in done["files"]]  # type: ignore[misc]


def test_a_sheet_for_each_rater_comes_back_as_labels_of_a_random_draw(office):
    made = ask(office, *BEGIN)
    assert [(line["rater"], line["items"], line["rated"]) for line in made["sheets"]] == [
        ("ann", 20, 0),
        ("ben", 20, 0),
    ]
    fill(ANN, "1")
    fill(BEN, "0")
    done = ask(office, "import", str(ANN), str(BEN))
    assert counts(done) == [(20, 0, 0, 0)] * 2
    store = Store(".markscheme")
    labels = load(store, runs.find(store, "latest")).labels
    store.close()
    assert set(labels["design"]) == {"random"}
    by_rater = labels.groupby("annotator")["score"].agg(["min", "max", "size"])
    assert by_rater.to_numpy().tolist() == [[1, 1, 20], [0, 0, 20]]


def test_the_same_file_twice_changes_nothing(office):
    ask(office, *BEGIN)
    fill(ANN, "1", "0", "")
    assert counts(ask(office, "import", str(ANN))) == [(2, 0, 0, 18)]
    before = kept()
    assert counts(ask(office, "import", str(ANN))) == [(0, 0, 2, 18)]
    assert kept() == before


def test_another_score_replaces_and_an_empty_cell_takes_nothing_back(office):
    ask(office, *BEGIN)
    fill(ANN, "1", "1", "")
    ask(office, "import", str(ANN))
    fill(ANN, "0", "")
    assert counts(ask(office, "import", str(ANN))) == [(0, 1, 0, 19)]
    assert sorted(rating.scores["correctness"] for rating in kept()) == [0, 1]


def test_of_a_file_with_a_wrong_cell_nothing_is_kept_and_of_the_others_all(office):
    ask(office, *BEGIN)
    fill(ANN, "7", "1")
    fill(BEN, "1")
    done = ask(office, "import", str(ANN), str(BEN), expect=2)
    assert f"{ANN}:2 correctness: '7' cannot be chosen; write 0, 1, or leave it empty" in done["stderr"]
    assert counts(done) == [(0, 0, 0, 0), (20, 0, 0, 0)]
    assert {rating.rater for rating in kept()} == {"ben"}


def test_partial_keeps_the_right_rows_and_still_says_that_some_are_wrong(office):
    ask(office, *BEGIN)
    fill(ANN, "7", "1")
    done = ask(office, "import", str(ANN), "--partial", expect=1)
    assert counts(done) == [(19, 0, 0, 0)]
    assert len(done["files"][0]["wrong"]) == 1
    assert len(kept()) == 19


def test_a_workbook_goes_the_same_way(office):
    import openpyxl

    ask(office, *(word for word in BEGIN if word != "--csv"))
    path = Path("sheets/gold-ann.xlsx")
    book = openpyxl.load_workbook(path)
    header = [cell.value for cell in book["Answers"][1]]
    for line in range(2, 22):
        book["Answers"].cell(line, header.index("correctness") + 1).value = 1
    book.save(path)
    code, out, err = office.command("review", "import", str(path), "--name", "gold")
    assert (code, err) == (0, "")
    assert out == f"{path}: review gold: 20 new\n"


def test_pairs_come_back_as_preferences_with_ties(office):
    ask(office, *BEGIN, "--mode", "pairs")
    write(ANN, [{**row, "better": ("1", "2", "tie")[i % 3]} for i, row in enumerate(rows_of(ANN))])
    assert counts(ask(office, "import", str(ANN))) == [(10, 0, 0, 0)]
    assert [rating.winner for rating in kept()].count("tie") == 3


def test_a_sheet_of_another_workspace_or_review_is_named(office):
    ask(office, *BEGIN)
    fill(ANN, "1")
    done = ask(office, "import", str(ANN), "--name", "silver", expect=2)
    assert f"{ANN}: is a sheet of review 'gold', not of --name 'silver'" in done["stderr"]
    office.run("-w", "elsewhere")
    done = ask(office, "import", str(ANN), "-w", "elsewhere", expect=2)
    assert f"{ANN}: comes from a review that was begun elsewhere; elsewhere" in done["stderr"]
    ask(office, *BEGIN[:-4], "-o", "others", "-w", "elsewhere", "--seed", "5")  # of the same name
    done = ask(office, "import", str(ANN), "-w", "elsewhere", expect=2)
    assert "is no item of review 'gold' of this workspace" in done["stderr"]


def test_only_the_sheets_that_are_asked_for_are_written_later(office):
    ask(office, *BEGIN)
    made = ask(office, "export", "--rater", "ben", "--csv", "-o", "again")
    assert [line["path"] for line in made["sheets"]] == ["again/gold-ben.csv"]
    assert made["review"] == "gold"
    done = ask(office, "export", "--name", "gold", "--n", "7", expect=2)
    assert "--n 7: review 'gold' was begun with 100" in done["stderr"]


def test_the_rubric_is_that_of_the_judges_as_long_as_they_share_one(office):
    office.exam["judges"].append({**office.exam["judges"][0], "name": "other", "rubric": "docs_qa"})
    office.run()
    done = ask(office, *BEGIN, expect=2)
    assert "its judges grade by ./rubric.yaml, docs_qa; say by which people grade" in done["stderr"]
    done = ask(office, *BEGIN, "--judge", "othr", expect=2)
    assert "did you mean 'other'?" in done["stderr"]
    ask(office, *BEGIN, "--judge", "other")
    assert {"correctness", "comprehensiveness", "readability"} <= set(rows_of(ANN)[0])


def test_strata_by_the_judges_score_are_drawn_and_kept_with_their_shares(office):
    ask(office, *BEGIN, "--design", "score", "--n", "10")
    store = Store(".markscheme")
    review = Reviews(store).find("gold")
    store.close()
    assert (review.design, review.strata) == ("stratified", "score")
    assert sum(review.shares.values()) == pytest.approx(len(CANDIDATES))  # of each candidate's answers


def test_a_plan_says_how_much_there_is_to_rate(office):
    plan = ask(office, "plan", "--width", "1.2", "--raters", "3", "--overlap", "0.5")
    rows = {row["candidate"]: row for row in plan["candidates"] if row["rho"] == 0.7}
    assert {name: row["n_judged"] for name, row in rows.items()} == dict.fromkeys(CANDIDATES, 10)
    assert [total["rho"] for total in plan["totals"]] == [0.5, 0.7, 0.9]
    needed = [row["labels"] for row in rows.values()]
    items = plan["totals"][1]["items"]
    assert items == 2 * max(needed)
    assert plan["totals"][1]["each"] == -(-items // 2) + -(-(items // 2) // 3)
    assert ask(office, "plan", "--width", "0.001")["totals"][0] == {"rho": 0.5, "items": None, "each": None}
    code, out, _ = office.command("review", "plan", "--width", "1.2")
    assert code == 0
    assert "items in all (--n)" in out


@pytest.mark.parametrize("width", ["0", "-1", "nan", "inf"])
def test_a_width_that_no_interval_has_is_refused(office, width):
    assert "--width" in ask(office, "plan", f"--width={width}", expect=2)["stderr"]


def test_names_in_any_script_name_raters_and_their_files(office):
    raters = ("हिन्दी", "हिन्दू", "李雷", "Zoe\N{COMBINING DIAERESIS}", "Dr. Ann_Lee")
    words = [word for rater in raters for word in ("--rater", rater)]
    made = ask(office, "export", "--name", "gold", *words, "--csv", "-o", "sheets", "--n", "6")["sheets"]
    assert [sheet["rater"] for sheet in made] == [*raters[:3], "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", raters[4]]
    assert len({Path(sheet["path"]) for sheet in made if Path(sheet["path"]).is_file()}) == 5
    for again in raters[3], " Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} ":
        ask(office, "export", "--name", "gold", "--rater", again, "--csv", "-o", f"more{len(again)}")


@pytest.mark.parametrize(
    "rater", ["\N{COMBINING DIAERESIS}a", "a\nb", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "<b>", "", "../a"]
)
def test_what_is_no_name_names_no_rater(office, rater):
    assert "--rater" in ask(office, "export", "--name", "gold", "--rater", rater, expect=2)["stderr"]


def test_a_page_is_served_until_it_is_interrupted(office):
    words = ("review", "serve", "--name", "gold", "--rater", "ann", "--n", "6", "--json")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "markscheme.app.cli", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        address = re.search(r"http://127\.0\.0\.1:\d+\S*", process.stderr.readline())[0]
        with urllib.request.urlopen(address, timeout=20) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(out)["raters"] == [{"rater": "ann", "rated": 0, "of": 6}]


def test_files_that_cannot_be_sheets_are_refused(office):
    for name, said in (("no.csv", "there is no such file"), ("exam.yaml", "the suffix '.yaml' is not known")):
        assert f"{name}: {said}" in ask(office, "import", name, expect=2)["stderr"]
    Path("empty.csv").write_text("review,rater,item\n")
    assert "empty.csv: holds no row" in ask(office, "import", "empty.csv", expect=2)["stderr"]
    Path("labels.csv").write_text("sample_id,score\ns1,2\n")
    assert "labels.csv:1: the column 'review' is missing" in ask(office, "import", "labels.csv", expect=2)["stderr"]

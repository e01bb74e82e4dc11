"""`markscheme judge correct`: people's labels on stored answers make a headline, or it is said why they do not."""

import csv
import json
import random

import pytest
from markscheme.harness.store import runs
from markscheme.harness.store.label_sets import earlier_runs
from markscheme.harness.store.store import Store
from mock_replies import code_word

N = 120
CANDIDATES = ("good", "poor")


@pytest.fixture
def graded(desk):
    """Two stored sheets of 120 answers, all of which the judge passes or fails alike; people see a difference."""
    desk.samples(N)
    for name in CANDIDATES:
        write_sheet(desk, name, "The code word is")
    desk.exam["candidates"] = [{"name": name, "model": f"replay/./{name}.csv"} for name in CANDIDATES]
    desk.run()
    _, out, _ = desk.command("export", "grades", "--format", "jsonl")
    grades = [json.loads(line) for line in out.splitlines()]
    desk.passed = {(row["sample_id"], row["candidate"]): row["score"] == 1 for row in grades}
    return desk


def write_sheet(desk, name, words):
    with (desk.folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "answer"])
        writer.writerows([f"s{n}", f"{words} {code_word(n)}, says {name}."] for n in range(N))


def label(desk, name="labels.csv", n=80, harsh=None):
    """Labels on ``n`` random questions: people fail a share of what the judge passes, by candidate."""
    rng = random.Random(5)
    drawn = rng.sample(range(N), n)
    path = desk.folder / name
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample_id", "candidate", "trial", "criterion", "score", "annotator"])
        for candidate, share in (harsh or {"good": 0.2, "poor": 0.2}).items():
            for i in drawn:
                passed = desk.passed[f"s{i}", candidate] and rng.random() >= share
                writer.writerow([f"s{i}", candidate, 0, "correctness", int(passed), "ann"])
    return path


def corrected(desk, *words, expect=0):
    code, out, err = desk.command("judge", "correct", "--json", *words)
    assert code == expect, err
    return json.loads(out.splitlines()[-1])


def by_candidate(found):
    return {row["candidate"]: row for row in found["rows"]}


def test_labels_of_a_file_correct_the_scores_and_the_difference(graded):
    path = label(graded, harsh={"good": 0.1, "poor": 0.6})
    found = corrected(graded, "--labels", str(path), "--design", "random")
    good, poor = by_candidate(found)["good"], by_candidate(found)["poor"]
    assert (good["method"], good["n_labels"], good["n_judged"]) == ("ppi++", 80, N)
    assert good["reason"] == "80 of 120 answers labelled at random"
    assert good["judge_only"]["value"] == poor["judge_only"]["value"]
    assert poor["corrected"]["high"] < poor["judge_only"]["value"]
    width = good["corrected"]["high"] - good["corrected"]["low"]
    assert width < 0.9 * (good["labels_only"]["high"] - good["labels_only"]["low"])
    (difference,) = found["differences"]
    assert (difference["left"], difference["right"], difference["corrected"]) == ("good", "poor", True)
    assert difference["difference"]["low"] > 0.1
    assert difference["p"] < 0.001


def test_labels_of_the_exam_reach_the_report_and_the_summary(graded):
    graded.exam["labels"] = [{"path": str(label(graded, harsh={"good": 0.4})), "design": "random"}]
    code, out, err = graded.command("run", str(graded.save()), "--quiet", "--json")
    assert code == 0, err
    rows = {row["candidate"]: row for row in json.loads(out.splitlines()[-1])["summary"]}
    assert (rows["good"]["correction"], rows["poor"]["correction"]) == ("ppi++", "uncorrected")
    assert rows["good"]["mean"] < rows["good"]["judge_only"]
    page = next((graded.folder / ".markscheme" / "reports").glob("*/report.md")).read_text()
    assert "Ranked by the judge's own scores: poor is uncorrected." in page
    _, shown, _ = graded.command("run", str(graded.save()), "--quiet")
    assert f"(judge {rows['good']['judge_only']:.2f})" in shown
    assert "] uncorrected" in shown


def test_a_set_keeps_its_design_where_the_command_says_nothing_of_it(graded):
    path = label(graded)
    graded.exam["labels"] = [{"path": str(path), "design": "random"}]
    graded.run()
    found = corrected(graded, "--labels", str(path))
    assert by_candidate(found)["good"]["method"] == "ppi++"


def test_a_file_of_which_nobody_says_how_it_was_drawn_corrects_nothing(graded):
    found = by_candidate(corrected(graded, "--labels", str(label(graded))))
    assert found["good"]["method"] == "judge-only"
    assert found["good"]["corrected"] is None
    assert "nobody said how the labelled answers were drawn (design: unknown)" in found["good"]["reason"]
    code, out, _ = graded.command("judge", "correct")
    assert code == 0
    assert "uncorrected" in out


def test_rogan_gladen_needs_the_word_of_the_user(graded):
    path = label(graded, n=100)
    words = ("--labels", str(path), "--design", "chosen")
    assert by_candidate(corrected(graded, *words))["good"]["method"] == "judge-only"
    vouched = by_candidate(corrected(graded, *words, "--assume", "stable-judge"))
    assert vouched["good"]["method"] == "rogan-gladen"
    code, _, err = graded.command("judge", "correct", "--assume", "anything")
    assert code == 2
    assert "--assume 'anything': the one assumption there is to make is stable-judge" in err


def test_pooling_prints_the_test_and_gives_candidates_without_labels_a_mean(graded):
    found = corrected(graded, "--labels", str(label(graded)), "--design", "random", "--pool")
    (pooled,) = found["pooled"]
    assert pooled["p"] > 0.05
    assert pooled["n"] == {"good": 80, "poor": 80}
    bias = sum(pooled["biases"].values()) / 2
    good = by_candidate(found)["good"]["judge_only"]["value"]
    assert pooled["means"]["good"]["value"] == pytest.approx(good - bias)


def test_pooling_is_refused_where_the_judge_favours_a_candidate(graded):
    path = label(graded, harsh={"good": 0.0, "poor": 0.6})
    words = ("--labels", str(path), "--design", "random", "--pool")
    (pooled,) = corrected(graded, *words, expect=1)["pooled"]
    assert pooled["p"] < 0.001
    assert (pooled["refusal"], pooled["means"]) == ("the judge does not treat all candidates alike", {})
    code, out, _ = graded.command("judge", "correct", *words)
    assert code == 1
    assert "refused: the judge does not treat all candidates alike" in out


def read(sheet):
    with sheet.open(newline="") as file:
        return list(csv.DictReader(file))


def fill(sheet, scores):
    """Write scores and an annotator into a sheet, as a person would."""
    rows = read(sheet)
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "annotator": "bob", "score": s} for row, s in zip(rows, scores, strict=True))


def test_a_plan_says_how_many_labels_a_width_takes(graded):
    assumed = corrected(graded, "--plan", "--width", "0.2")["plan"]
    assert [row["rho"] for row in assumed if row["candidate"] == "good"] == [0.5, 0.7, 0.9]
    assert not any(row["known"] for row in assumed)
    needed = [row["needed"] for row in assumed if row["candidate"] == "poor"]
    assert needed == sorted(needed, reverse=True)
    path = label(graded)
    known = corrected(graded, "--labels", str(path), "--design", "random", "--plan", "--width", "0.2")["plan"]
    assert {(row["candidate"], row["n_labels"], row["known"]) for row in known} == {(c, 80, True) for c in CANDIDATES}
    code, out, _ = graded.command("judge", "correct", "--plan", "--width", "0.001")
    assert code == 0
    assert "more than there are answers" in out


def test_a_drawn_sheet_filled_in_corrects(graded):
    sheet = graded.folder / "sheet.csv"
    found = corrected(graded, "--draw", "60", "--seed", "4", "--output", str(sheet))
    assert "60 of 120 questions drawn at random (seed 4), 120 answers" in found["notes"][-1]
    rows = read(sheet)
    assert {(row["score"], row["annotator"]) for row in rows} == {("", "")}
    assert len({row["sample_id"] for row in rows}) == 60
    scores = [int(graded.passed[row["sample_id"], row["candidate"]]) for row in rows]
    fill(sheet, scores)
    good = by_candidate(corrected(graded, "--labels", str(sheet), "--design", "random"))["good"]
    assert (good["n_labels"], good["method"]) == (60, "ppi++")
    assert good["corrected"]["value"] == pytest.approx(good["judge_only"]["value"], abs=0.01)
    code, _, err = graded.command("judge", "correct", "--draw", "5", "--output", str(sheet))
    assert code == 2
    assert "the file is there already" in err


def test_an_answer_that_a_spreadsheet_would_run_is_quoted_and_still_the_same_answer(desk):
    desk.samples(12)
    with (desk.folder / "sheet.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "answer"])
        writer.writerows([f"s{n}", f"=cmd|'/c calc'!A{n} {code_word(n)}"] for n in range(12))
    desk.exam["candidates"] = [{"name": "formula", "model": "replay/./sheet.csv"}]
    desk.run()
    sheet = desk.folder / "drawn.csv"
    corrected(desk, "--draw", "12", "--output", str(sheet))
    rows = read(sheet)
    assert all(row["answer"].startswith("'=cmd") for row in rows)
    fill(sheet, [1] * len(rows))
    found = corrected(desk, "--labels", str(sheet), "--design", "random")
    assert (found["rows"][0]["n_labels"], found["notes"]) == (12, [])


def test_a_run_before_lends_its_labels_only_where_nothing_but_the_time_differs(graded):
    path = label(graded)
    corrected(graded, "--labels", str(path), "--design", "random")
    graded.run("--fresh")
    graded.exam["judges"][0]["params"] = {"temperature": 0.5}
    graded.run("--fresh")
    store = Store(graded.folder / ".markscheme")
    try:
        other, again, first = runs.all_runs(store)
        assert [run.id for run in earlier_runs(store, again)] == [first.id]
        assert earlier_runs(store, first) == []
        assert earlier_runs(store, other) == []
    finally:
        store.close()


def test_a_wrong_word_about_labels_is_named_by_its_option_and_a_file_that_is_not_there_by_its_path(graded):
    code, _, err = graded.command("judge", "correct", "--labels", "gone.csv")
    assert code == 2
    assert "gone.csv': there is no such file" in err
    assert "--path" not in err
    path = str(label(graded))
    for option, word in (("--design", "rando"), ("--labelled-at", "today")):
        code, _, err = graded.command("import", "labels", path, option, word)
        assert code == 2
        assert f"{option} {word!r}" in err
    code, _, err = graded.command("import", "labels", path, "--share", "easy=0.7")
    assert code == 2
    assert "--share: " in err


def test_files_of_which_no_label_holds_are_refused_with_the_reason(graded):
    path = graded.folder / "strangers.csv"
    path.write_text("sample_id,candidate,trial,criterion,score,annotator\ns1,nobody,0,correctness,1,ann\n")
    code, out, err = graded.command("judge", "correct", "--labels", str(path))
    assert (code, out) == (2, "")
    assert "0 of 1 hold for this run; 1 × the run has no such candidate (first: line 2)" in err

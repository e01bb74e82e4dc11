"""`judge align`, `import labels` and the exam's section `labels:`, in-process."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import markscheme
import pytest
from markscheme.app.references import opened
from markscheme.harness.errors import DataError
from markscheme.harness.store import runs
from markscheme.harness.store.load import load

WORDS = ("ruby", "amber", "jade", "opal")
HEAD = ("sample_id", "candidate", "trial", "criterion", "score", "annotator")


@pytest.fixture
def sheets(desk):
    """Two candidates read from sheets, `good` right throughout and `bad` never, graded by the embedded judge."""
    desk.write_samples(
        [{"id": f"s{n}", "question": f"Which stone is {n}?", "reference": f"stone {w}"} for n, w in enumerate(WORDS)]
    )
    answer(desk.folder, "good", [f"stone {word}" for word in WORDS])
    answer(desk.folder, "bad", ["I would rather sail."] * len(WORDS))
    desk.exam["candidates"] = [{"name": name, "model": f"replay/{name}.jsonl"} for name in ("good", "bad")]
    desk.exam["judges"] = [{"name": "embedded", "model": "embedded", "rubric": "./rubric.yaml", "shots": 0}]
    return desk


def answer(folder: Path, name: str, texts: list[str]) -> None:
    rows = [{"sample_id": f"s{n}", "answer": text} for n, text in enumerate(texts)]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write(folder: Path, *rows: tuple[object, ...], name: str = "labels.csv", head: tuple[str, ...] = HEAD) -> Path:
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return folder / name


def scores(good: int = 1, bad: int = 0, annotator: str = "ann") -> list[tuple[object, ...]]:
    by = {"good": good, "bad": bad}
    return [(f"s{n}", who, 0, "correctness", by[who], annotator) for n in range(len(WORDS)) for who in by]


def aligned(desk, *words: str) -> dict:
    code, out, err = desk.command("judge", "align", "--json", *words)
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def held(desk) -> int:
    store = opened(".markscheme")
    try:
        return len(load(store, runs.find(store, "latest")).labels)
    finally:
        store.close()


def test_the_exams_labels_are_compared_with_its_judge_and_both_pages_are_written(sheets):
    write(sheets.folder, *scores(), *scores(bad=1, annotator="ben"))
    sheets.exam["labels"] = ["./labels.csv"]
    sheets.run()
    found = aligned(sheets)
    [one] = found["criteria"]
    assert (one["judge"], one["criterion"], one["n"]) == ("embedded", "correctness", 8)
    assert one["estimates"]["exact"]["value"] == 0.75, "right on all of good, with one of two on bad"
    assert one["estimates"]["bias"]["value"] == -0.25
    assert one["confusion"] == [[2.0, 2.0], [0.0, 4.0]]
    assert one["estimates"]["sensitivity"]["value"] == pytest.approx(8 / 12), "of 12 labelled passes, 8 are passed"
    assert one["estimates"]["specificity"]["value"] == 1.0
    assert one["humans"]["exact"]["value"] == 0.5
    assert [(c["candidate"], c["bias"]["value"]) for c in one["candidates"]] == [("good", 0.0), ("bad", -0.5)]
    assert found["labels"][0] == {
        "name": "labels", "annotators": ["ann", "ben"], "design": "unknown", "labelled_at": "", "attached": 16,
        "unattached": {},
    }  # fmt: skip
    page = Path(found["report"])
    assert page.name == "align.html" and page.parent.name == "judge"
    assert "people among themselves" in page.with_name("align.md").read_text()


def test_what_is_printed_names_chance_people_and_the_small_number(sheets):
    write(sheets.folder, *scores(), *scores(annotator="ben"))
    sheets.exam["labels"] = ["./labels.csv"]
    sheets.run()
    code, out, _ = sheets.command("judge", "align")
    assert code == 0
    for words in (
        "chance 0.50",
        "people 1.00",
        "bias by candidate",
        "note: embedded, correctness: only 8 labelled items: below 50",
        "align.html",
    ):
        assert words in out


def test_labels_change_nothing_that_was_run_and_leave_with_the_exams_mention_of_them(sheets):
    first = sheets.run()
    write(sheets.folder, *scores())
    sheets.exam["labels"] = ["./labels.csv"]
    with_labels = sheets.run()
    assert with_labels["run"] == first["run"] and held(sheets) == 8
    store = opened(".markscheme")
    fingerprint = runs.find(store, "latest").fingerprint
    store.close()
    del sheets.exam["labels"]
    sheets.run()
    assert held(sheets) == 0
    store = opened(".markscheme")
    assert runs.find(store, "latest").fingerprint == fingerprint
    store.close()


def test_a_changed_answer_loses_its_label_and_the_same_text_finds_it_again(sheets):
    write(sheets.folder, *scores())
    sheets.exam["labels"] = ["./labels.csv"]
    sheets.run()
    answer(sheets.folder, "bad", ["I would rather ride.", *["I would rather sail."] * 3])
    code, _, err = sheets.command("run", str(sheets.save()), "--no-report", "--quiet")
    assert (
        code == 0 and "labels labels: 7 of 8 hold for this run; 1 × the answer has changed since (first: line 3)" in err
    )
    assert held(sheets) == 7
    answer(sheets.folder, "bad", ["I would rather sail."] * 4)
    sheets.run()
    assert held(sheets) == 8


def test_a_worked_example_of_the_rubric_is_dropped_and_counted(sheets):
    levels = sheets.rubric["criteria"][0]["levels"]
    for level, (question, text) in zip(levels, (("Who?", "Nobody."), (" Which stone\nis 0?", "No.")), strict=True):
        level["examples"] = [{"question": question, "reference": "x", "answer": text, "reasoning": "So."}]
    write(sheets.folder, *scores())
    sheets.exam["labels"] = ["./labels.csv"]
    sheets.exam["judges"][0]["shots"] = 1
    sheets.run()
    found = aligned(sheets)
    assert found["labels"][0]["unattached"] == {"a worked example of the rubric is never a label": 2}
    assert found["criteria"][0]["n"] == 6
    sheets.exam["judges"][0]["shots"] = 0
    sheets.run()
    assert aligned(sheets)["criteria"][0]["n"] == 8, "a judge that is shown none knows none"


def test_labels_with_a_mistake_are_refused_before_anything_is_answered(sheets):
    write(sheets.folder, ("s0", "good", 0, "correctness", "fine", "ann"))
    sheets.exam["labels"] = ["./labels.csv"]
    said = sheets.run(expect=2)["stderr"]
    assert "labels.csv:2 score: 'fine' is not a number" in said
    store = opened(".markscheme")
    assert load(store, runs.find(store, "latest")).answers.empty
    store.close()


def test_imported_labels_stay_with_the_run_and_say_which_do_not_hold(sheets):
    sheets.run()
    path = write(sheets.folder, *scores(), ("s9", "good", 0, "correctness", 1, "ann"), ("s0", "good", 0, "c", 1, "ann"))
    words = ("--design", "stratified", "--share", "=1", "--name", "gold", "--json")
    code, out, err = sheets.command("import", "labels", str(path), *words)
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["attached"] == 8
    assert json.loads(out.splitlines()[-1])["unattached"] == {
        "the run has no such question": 1,
        "no judge of the run grades this criterion": 1,
    }
    assert aligned(sheets)["labels"][0]["design"] == "stratified"
    code, _, err = sheets.command("import", "labels", str(path), "--share", "easy=most")
    assert code == 2 and "--share 'easy=most'" in err
    code, _, err = sheets.command("import", "labels", str(path), "--design", "lucky")
    assert code == 2 and "--design" in err
    other = write(sheets.folder, *scores(), name="other.csv")
    code, _, err = sheets.command("import", "labels", str(other), "--name", "gold")
    assert code == 2 and "a label set 'gold' was read from labels.csv already" in err


def test_without_a_label_that_holds_it_says_what_to_do(sheets):
    sheets.run()
    code, _, err = sheets.command("judge", "align")
    assert code == 2 and "has no labels: name files of them under labels:" in err
    path = write(sheets.folder, ("s9", "good", 0, "correctness", 1, "ann"))
    code, _, err = sheets.command("judge", "align", "--labels", str(path))
    assert code == 2 and "0 of 1 hold for this run; 1 × the run has no such question (first: line 2)" in err


def test_preferences_without_a_pairwise_judge_are_refused_and_mistakes_are_named(sheets):
    sheets.run()
    head = ("sample_id", "left", "right", "winner", "annotator")
    path = write(sheets.folder, ("s0", "good", "bad", "good", "ann"), head=head)
    code, _, err = sheets.command("judge", "align", "--labels", str(path))
    assert code == 2 and "has no pairwise judge to compare these 1 preferences with" in err
    rows = [
        ("s0", "good", "bad", "both", "ann"),
        ("s1", "good", "bad", "tie", "ann"),
        ("s1", "bad", "good", "good", "ann"),
    ]
    code, _, err = sheets.command("judge", "align", "--labels", str(write(sheets.folder, *rows, head=head)))
    assert "labels.csv:2 winner: 'both' is none of left, right, tie, good, bad" in err
    assert "labels.csv:4 winner: 'ann' compared bad and good in line 3 already" in err


def test_in_python_the_result_is_a_table(sheets):
    write(sheets.folder, *scores())
    sheets.exam["labels"] = ["./labels.csv"]
    run = markscheme.run(sheets.save())
    with pytest.raises(DataError, match=r"^none\.csv: there is no such file"):
        run.align("none.csv")
    found = run.align()
    table = found.table().set_index(["criterion", "candidate", "measure"])
    assert table.loc[("correctness", "", "exact"), "value"] == 1.0
    assert table.loc[("correctness", "bad", "bias"), "n"] == 4
    assert "<th>quadratic</th>" in found._repr_html_()


def test_a_file_given_again_keeps_the_design_that_its_set_was_imported_with(sheets):
    sheets.run()
    path = write(sheets.folder, *scores())
    assert sheets.command("import", "labels", str(path), "--design", "random")[0] == 0
    assert aligned(sheets, "--labels", str(path))["labels"][0]["design"] == "random"


def test_means_without_a_report_are_said_to_be_uncorrected_where_there_are_labels(sheets):
    words = ("run", "exam.yaml", "--no-report", "--quiet")
    sheets.save()
    assert "uncorrected" not in sheets.command(*words)[2]
    write(sheets.folder, *scores())
    sheets.exam["labels"] = ["./labels.csv"]
    sheets.save()
    assert "means are the judges' own, uncorrected" in sheets.command(*words)[2]


def test_imported_labels_of_which_none_holds_are_refused_with_the_reason(sheets):
    sheets.run()
    path = write(sheets.folder, ("s9", "good", 0, "correctness", 1, "ann"))
    code, _, err = sheets.command("import", "labels", str(path))
    assert code == 2 and "no such question" in err

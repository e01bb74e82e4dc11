"""`markscheme import`: what comes in is a run like any other, however often it is imported."""

import json
from pathlib import Path

import pytest
import yaml
from markscheme.harness.store import runs
from markscheme.harness.store.load import load
from markscheme.harness.store.store import Store

FILES = Path(__file__).parents[1] / "imports"
RESULTS = FILES / "promptfoo" / "results.json"
TABLE = """prompt,model,output,grade,tone,human,who,seconds
Who pays?,mini,Companies.,3,yes,3,ann,1.5
Who pays?,mini,Companies.,3,yes,2,bob,1.5
Who pays?,maxi,Anybody.,1,no,0,ann,2.5
How long?,mini,Two years.,2,yes,2,ann,0.5
How long?,maxi,,,,,,
How long?,midi,One year.,bad,yes,1,ann,1.0
"""
COLUMNS = (
    "question=prompt,candidate=model,answer=output,score.correctness=grade,score.tone=tone,"
    "label.correctness=human,annotator=who,e2e_s=seconds"
)


def take_in(desk, *words):
    code, out, err = desk.command("import", *words, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def table(desk, text=TABLE):
    path = desk.folder / "answers.csv"
    path.write_text(text)
    return "csv", str(path), "--columns", COLUMNS, "--scale", "0,3", "--judge", "house"


def read(run):
    store = Store(".markscheme")
    try:
        return load(store, runs.find(store, run))
    finally:
        store.close()


def test_a_table_becomes_a_run_with_answers_grades_and_labels(desk):
    made = take_in(desk, *table(desk))
    assert made["candidates"] == ["mini", "maxi", "midi"]
    assert (made["samples"], made["answers"], made["labels"]) == (2, {"ok": 4, "failed": 0, "not_recorded": 2}, 5)
    assert made["grades"] == {"ok": 7, "unparsable": 1}
    assert made["judges"] == [
        {"judge": "house", "criteria": ["correctness"], "scale": [0, 3]},
        {"judge": "house/tone", "criteria": ["tone"], "scale": [0, 1]},
    ]
    assert made["left"] == {"rows without an answer": 1, "scores that are no number, kept as unreadable grades": 1}
    data = read(made["run"])
    of_mini = data.grades[(data.grades["candidate"] == "mini") & (data.grades["judge"] == "house")]
    assert sorted(of_mini["score"]) == [2, 3]
    assert sorted(data.labels["annotator"].unique()) == ["ann", "bob"]
    assert sorted(data.answers["e2e_s"].dropna()) == [0.5, 1.0, 1.5, 2.5]


def test_a_table_holds_what_was_retrieved_and_called_beside_a_text_or_without_one(desk):
    path = desk.folder / "called.csv"
    path.write_text(
        "question,answer,retrieved,tool_calls\n"
        """Who pays?,Companies.,"[{""id"": ""p1"", ""text"": ""Companies pay."", ""score"": 0.5}, ""Bare.""]",\n"""
        """How warm?,,,"[{""name"": ""weather"", ""arguments"": {""city"": ""Oslo""}}]"\n"""
    )
    made = take_in(desk, "csv", str(path))
    assert made["answers"] == {"ok": 2, "failed": 0}
    first, second = read("latest").answers.to_dict("records")
    assert [(one["id"], one["text"], one["score"]) for one in json.loads(first["retrieved"])] == [
        ("p1", "Companies pay.", 0.5),
        ("", "Bare.", None),
    ]
    (call,) = json.loads(second["tool_calls"])
    assert (second["text"], call["name"], json.loads(call["arguments"])) == ("", "weather", {"city": "Oslo"})


def test_what_was_called_and_is_no_list_of_calls_is_refused_with_its_line(desk):
    path = desk.folder / "called.csv"
    path.write_text("question,answer,tool_calls\nHow warm?,,weather\n")
    code, _, err = desk.command("import", "csv", str(path))
    assert code == 2
    assert "called.csv:2 tool_calls: " in err


def test_what_was_taken_in_is_told_and_what_was_not_is_counted_by_kind(desk):
    code, out, err = desk.command("import", *table(desk))
    assert (code, err) == (0, "")
    assert "2 samples, 4 answers of mini, maxi, midi\n2 pairs of candidate and sample have no answer\n" in out
    assert "not carried over: 1 × rows without an answer\n" in out
    assert "not carried over: 1 × scores that are no number, kept as unreadable grades (one is 'bad')" in out
    assert "note: tone: read no = 0, yes = 1" in out


def test_the_same_file_twice_is_the_same_run_without_duplicates(desk):
    first, before = take_in(desk, *table(desk)), read("latest")
    second, after = take_in(desk, *table(desk)), read("latest")
    assert first == second
    assert len(desk.command("store", "runs")[1].splitlines()) == 1
    for name in ("answers", "grades", "labels", "calls"):
        assert getattr(before, name).equals(getattr(after, name)), name
    assert before.info.fingerprint == after.info.fingerprint


def test_a_changed_file_changes_the_run_and_what_it_no_longer_says_is_gone(desk):
    made = take_in(desk, *table(desk))
    changed = TABLE.replace("Who pays?,maxi,Anybody.,1,no,0,ann,2.5\n", "").replace(
        "mini,Two years.,2,", "mini,2 y.,0,"
    )
    again = take_in(desk, *table(desk, changed))
    assert again["run"] == made["run"]
    data = read(made["run"])
    by_house = data.grades[data.grades["judge"] == "house"]
    assert sorted(by_house["score"].dropna()) == [0, 3]
    assert set(data.answers["candidate"]) == {"mini", "midi"}


def test_report_align_and_export_work_on_what_was_taken_in(desk):
    made = take_in(desk, *table(desk))
    code, out, err = desk.command("report", "--json")
    assert code == 0, err
    page = (desk.folder / json.loads(out)["paths"][1]).read_text()
    assert "judge **house**: imported/csv, 0–3" in page and "1 of 4 verdicts of house unreadable" in page
    code, out, err = desk.command("judge", "align", "--judge", "house")
    assert (code, "house  correctness" in out) == (0, True), err
    code, out, err = desk.command("export", "grades", "--run", made["run"])
    assert (code, len(out.splitlines())) == (0, 8), err
    for command in (("judge", "correct"), ("judge", "probe", made["exam"], "--plan")):
        assert "Traceback" not in "".join(map(str, desk.command(*command)))


def test_a_judge_added_to_the_exam_stands_beside_the_imported_one(desk):
    desk.save()
    made = take_in(desk, *table(desk))
    path = desk.folder / made["exam"]
    exam = yaml.safe_load(path.read_text())
    rubric = desk.rubric | {"sees": ["question"]}
    (desk.folder / "own.yaml").write_text(yaml.safe_dump(rubric))
    own = {"name": "own", "model": "openai-compatible/judge-1", "base_url": desk.url, "shots": 0}
    exam["judges"] = [own | {"rubric": str(desk.folder / "own.yaml")}]
    path.write_text(yaml.safe_dump(exam))
    code, out, err = desk.command("run", str(path), "--json", "--quiet")
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert result["run"] == made["run"]
    assert {row["judge"] for row in result["summary"]} == {"own", "house", "house/tone"}
    assert result["calls"]["live"] == 4  # one verdict an answer: no answer is made again
    again = take_in(desk, *table(desk))
    assert again["run"] == made["run"]
    assert {entry["name"] for entry in read("latest").info.config["judges"]} == {"own", "house", "house/tone"}
    assert yaml.safe_load(path.read_text())["judges"] == exam["judges"]


def test_labels_in_the_exam_keep_what_was_said_about_them(desk):
    made = take_in(desk, *table(desk))
    path = desk.folder / made["exam"]
    text = "# mine\n" + path.read_text().replace("path: labels.csv", "path: labels.csv\n  design: random")
    path.write_text(text)
    take_in(desk, *table(desk))
    assert path.read_text() == text
    assert set(read("latest").labels["design"]) == {"random"}


def test_dollars_and_seconds_of_promptfoo_reach_the_report_and_are_no_money_of_ours(desk):
    made = take_in(desk, "promptfoo", str(RESULTS), "--columns", "reference=capital")
    assert (made["samples"], made["answers"], made["grades"]) == (5, {"ok": 8, "failed": 2}, {"ok": 24})
    data = read("latest")
    assert data.answers["cost_usd"].dropna().tolist() == pytest.approx([0.0003] * 8), "of failed ones it says nothing"
    assert set(data.samples["reference"]) == {"Paris", "Rome", "Lima", "Nairobi", "N'Djamena"}
    from markscheme.harness.store import queries

    store = Store(".markscheme")
    assert queries.spent_usd(store, made["run"]) == 0
    store.close()


def test_a_log_of_inspect_and_samples_of_lm_eval_become_runs_with_reports(desk):
    made = take_in(desk, "inspect", str(FILES / "inspect" / "capitals.eval"), "--scale", "style/length=0,20")
    assert (made["answers"], made["grades"]) == ({"ok": 10, "failed": 2}, {"ok": 38, "unparsable": 2})
    assert {judge["judge"]: judge["scale"] for judge in made["judges"]}["style/length"] == [0, 20]
    assert desk.command("report")[0] == 0
    made = take_in(desk, "lm-eval", *map(str, sorted((FILES / "lm_eval" / "parrot").glob("samples_*"))))
    assert (made["samples"], made["answers"]) == (10, {"ok": 10, "failed": 0})
    assert desk.command("report")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("csv", "answers.csv"), "answers.csv:2: there is no column 'question'; found prompt, model"),
        (("csv", "answers.csv", "--columns", "question=nope"), "there is no column 'nope'"),
        (("csv", "answers.csv", "--columns", "qestion=prompt"), "did you mean 'question'"),
        (("csv", "answers.csv", "--columns", COLUMNS, "--scale", "0,2"), "gave 3"),
        (("csv", "answers.csv", "--columns", COLUMNS, "--scale", "3"), "--scale '3': wanted"),
        (("csv", "answers.csv", "--columns", COLUMNS, "--scale", "x=0,3"), "no such judge"),
        (("promptfoo", "answers.csv"), "this is no results file of promptfoo"),
        (("promptfoo", str(RESULTS), "--columns", "reference=nope"), "the names are capital, country"),
    ],
)
def test_mistakes_are_named_and_leave_no_run(desk, words, said):
    table(desk)
    code, out, err = desk.command("import", *words)
    assert (code, out) == (2, "") and said in err, err
    assert not (desk.folder / ".markscheme" / "markscheme.db").exists()


def test_two_answers_at_one_place_are_refused(desk):
    twice = "question,answer,candidate\nQ?,a,m\nQ?,b,m\n"
    (desk.folder / "t.csv").write_text(twice)
    code, _, err = desk.command("import", "csv", "t.csv")
    assert (code, "t.csv:3: 'm' answered" in err and "in t.csv:2" in err) == (2, True), err


def test_what_a_model_wrote_is_escaped_in_the_report(desk):
    rows = [{"question": "<b>Q</b>", "answer": "<script>x()</script>", "candidate": "<img src=x>", "score.c": 1}]
    (desk.folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    take_in(desk, "csv", "t.jsonl")
    code, out, _ = desk.command("report", "--json")
    page = (desk.folder / json.loads(out)["paths"][0]).read_text()
    assert code == 0 and "<script>x()" not in page and "<img src=x" not in page and "<b>Q</b>" not in page


def test_dollars_that_a_sheet_states_take_nothing_from_the_budget_of_a_judge(desk):
    made = take_in(desk, "promptfoo", str(RESULTS), "--columns", "reference=capital")
    path = desk.folder / made["exam"]
    desk.save()
    own = {"name": "own", "model": "openai-compatible/judge-1", "base_url": desk.url, "shots": 0}
    exam = yaml.safe_load(path.read_text()) | {"budget_usd": 0.002}  # the sheets state 0.0024
    exam["judges"] = [own | {"rubric": str(desk.folder / "rubric.yaml")}]
    exam["prices"] = {"openai-compatible/judge-1": {"input_usd_per_million": 0, "output_usd_per_million": 0}}
    path.write_text(yaml.safe_dump(exam))
    code, out, err = desk.command("run", str(path), "--json", "--quiet", "--no-report")
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["grades"] == {"ok": 32}

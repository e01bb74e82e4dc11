"""The command line and the Python API as a stranger meets them."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from markscheme.app.cli.main import app, asked
from typer.main import get_command

JUDGE = ["--judge", "openai-compatible/judge-1", "--rubric", "./rubric.yaml", "--shots", "0"]


def test_demo_runs_without_key_or_network_and_writes_a_report(tmp_path, monkeypatch, desk):
    code, out, _ = desk.command("demo", "--quiet", "--workspace", str(tmp_path / "ws"))
    assert code == 0
    assert "extractive" in out
    report = out.splitlines()[-1].removeprefix("report: ")
    assert "no llm judged" in Path(report).read_text(encoding="utf-8").lower()


def test_init_writes_an_exam_that_runs_and_overwrites_nothing(desk):
    assert desk.command("init", "mine")[0] == 0
    code, out, err = desk.command("run", "mine/exam.yaml", "--quiet", "--json")
    assert (code, json.loads(out.splitlines()[-1])["answers"]) == (0, {"ok": 5, "failed": 0}), err
    code, _, err = desk.command("init", "mine")
    assert code == 2
    assert "overwrites nothing" in err


def test_a_csv_is_graded_as_it_is(desk, mock):
    (desk.folder / "answers.csv").write_text(
        "question,reference,answer,candidate\n"
        "[[Q1]] Which?,zor,first,a\n[[Q1]] Which?,zor,second,b\n[[Q2]] Which?,zor,third,a\n"
    )
    desk.save()
    words = [
        "--judge",
        "openai-compatible/judge-1",
        "--base-url",
        desk.url,
        "--rubric",
        "./rubric.yaml",
        "--shots",
        "0",
    ]
    code, out, err = desk.command("grade", "answers.csv", *words, "--no-report", "--json", "--quiet")
    result = json.loads(out)
    assert (code, result["grades"]) == (0, {"ok": 3}), err
    assert {(row["candidate"], row["n"]) for row in result["summary"]} == {("a", 2), ("b", 1)}
    assert mock.stats()["kinds"] == {"judge": mock.stats()["kinds"]["judge"]}
    mock.configure({})
    assert desk.command("grade", "answers.csv", *words, "--no-report", "--quiet")[0] == 0
    assert mock.stats()["received"] == 0


def test_files_of_one_name_and_an_exam_beside_them_keep_runs_of_their_own(desk):
    row = "question,reference,answer\nWhat is 2+2?,Four.,{}\n"
    runs = set()
    for path, answer in (("exam.csv", "Four."), ("monday/exam.csv", "Five."), ("tuesday/exam.csv", "Six.")):
        (desk.folder / path).parent.mkdir(exist_ok=True)
        (desk.folder / path).write_text(row.format(answer))
        code, out, err = desk.command("grade", path, "--no-report", "--json", "--quiet", "--rubric", "docs_qa")
        assert code == 0, err
        runs.add(json.loads(out)["run"])
    runs.add(desk.run()["run"])  # exam.yaml
    assert len(runs) == 4
    assert desk.command("grade", "exam.csv", "--no-report", "--quiet")[0] == 0, "and each is continued"
    assert len(desk.command("store", "runs")[1].splitlines()) == 4


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("q,r,a,x\n", "answers.csv:2 trial: 'x' is not a whole number"),
        ("q,r,a,-1\n", "answers.csv:2 trial: '-1' is not a whole number"),
        (
            "q,r,a,0\nq,r,b,0\n",
            "answers.csv:3: the answer of 'answers' to this question, trial 0, stands in answers.csv:2",
        ),
    ],
)
def test_mistakes_in_answers_are_named_with_their_line(desk, rows, message):
    (desk.folder / "answers.csv").write_text(f"question,reference,answer,trial\n{rows}")
    code, _, err = desk.command("grade", "answers.csv")
    assert (code, message in err) == (2, True), err


def test_a_csv_that_lacks_what_the_rubric_needs_is_refused_before_any_call(desk, mock):
    (desk.folder / "answers.csv").write_text("question,answer\nWhich?,this\n")
    desk.save()
    words = [
        "--judge",
        "openai-compatible/judge-1",
        "--base-url",
        desk.url,
        "--rubric",
        "./rubric.yaml",
        "--shots",
        "0",
    ]
    code, _, err = desk.command("grade", "answers.csv", *words)
    assert code == 2
    assert "reference" in err
    assert mock.stats()["received"] == 0


def test_a_csv_without_an_answer_column_names_the_line_and_the_columns(desk):
    (desk.folder / "answers.csv").write_text("question,reply\nWhich?,this\n")
    code, _, err = desk.command("grade", "answers.csv")
    assert code == 2
    assert "answers.csv:2: no column 'answer'" in err
    assert "'reply'" in err


def test_mistakes_in_an_exam_are_named_with_line_and_remedy(desk):
    desk.exam["candidats"] = []
    desk.exam["judges"][0]["shots"] = "many"
    code, _, err = desk.command("run", str(desk.save()))
    assert code == 2
    assert "exam.yaml:" in err
    assert "candidates" in err
    assert "'many'" in err
    assert "Traceback" not in err


def test_export_writes_every_format(desk):
    desk.run()
    for format in ("jsonl", "csv", "parquet"):
        for table in ("answers", "grades"):
            path = desk.folder / f"{table}.{format}"
            code, out, _ = desk.command("export", table, "--format", format, "-o", str(path))
            assert (code, "10 rows" in out) == (0, True)
    import pandas as pd

    frame = pd.read_parquet(desk.folder / "grades.parquet")
    assert len(frame) == len(pd.read_csv(desk.folder / "grades.csv")) == 10
    assert frame["score"].notna().all()


def test_export_of_an_unknown_run_or_workspace_says_what_there_is(desk):
    code, _, err = desk.command("export", "answers", "--workspace", "nowhere")
    assert (code, "holds no markscheme.db" in err) == (2, True)
    run = desk.run()["run"]
    code, _, err = desk.command("export", "answers", "--run", "tuesday")
    assert (code, "there is no run 'tuesday'" in err, run in err) == (2, True, True)


def test_a_report_comes_back_byte_for_byte(desk):
    code, out, _ = desk.command("run", str(desk.save()), "--quiet", "--json")
    page = desk.folder / json.loads(out.splitlines()[-1])["report"]
    first = page.read_bytes(), page.with_suffix(".md").read_bytes()
    page.unlink()
    page.with_suffix(".md").unlink()
    assert desk.command("report")[0] == code == 0
    assert (page.read_bytes(), page.with_suffix(".md").read_bytes()) == first


def test_runs_are_listed_and_purged_of_their_words(desk):
    run = desk.run("--name", "monday")["run"]
    assert run in desk.command("store", "runs")[1]
    assert "texts of 20 calls" in desk.command("store", "purge", "--texts", "monday")[1]
    assert "Which code word" not in desk.command("export", "answers")[1]
    assert not [p for p in (desk.folder / ".markscheme").glob("*.db*") if b"Which code word" in p.read_bytes()]


def test_a_workspace_may_have_any_name(desk):
    name = "my wörk # ? & 100% 'here'"
    desk.run("--workspace", name)
    assert (desk.folder / name / "markscheme.db").stat().st_size > 0
    assert desk.run("--workspace", name)["calls"] == {"live": 0, "reused": 0}
    assert sorted(path.name for path in desk.folder.iterdir() if path.is_dir()) == [name]


@pytest.mark.parametrize("workspace", ["://", "mysql://u:secret@h/x", "sqlite://", "postgres://u:secret@h/x"])
def test_what_is_no_workspace_is_refused_without_its_password(desk, workspace):
    error = desk.run("--workspace", workspace, expect=2)["stderr"]
    assert "--workspace" in error
    assert "postgresql+psycopg://" in error
    assert "secret" not in error


def test_a_file_that_cannot_be_written_is_named_and_is_no_bug_of_ours(desk):
    desk.run()
    (desk.folder / "plain").write_text("a file, and no folder")
    for words in (
        ["export", "answers", "-o", "plain/answers.jsonl"],
        ["report", "-o", "plain/pages"],
        ["init", "plain"],
    ):
        code, _, err = desk.command(*words)
        assert (code, err.count("\n")) == (2, 1), err
        assert err.startswith("markscheme: plain"), err


def test_an_empty_address_of_mlflow_is_refused_before_anything_is_paid(desk, mock):
    code, _, err = desk.command("run", str(desk.save()), "--quiet", "--mlflow", "")
    assert (code, "--mlflow" in err and "is empty" in err) == (2, True), err
    assert mock.stats()["received"] == 0


def test_an_empty_gate_file_is_not_taken_for_an_exam_to_begin_from(desk):
    desk.run()
    (desk.folder / "gate.yaml").write_text("# nothing yet\n")
    code, _, err = desk.command("compare", "latest", "latest", "--gate", "gate.yaml")
    assert (code, "gate.yaml:1: is empty; `markscheme init` writes an exam" in err) == (2, True), err


def test_a_closed_standard_output_is_no_mistake(desk):
    desk.run()
    command = f"{sys.executable} -m markscheme.app.cli run exam.yaml --no-report --quiet >&-"
    done = subprocess.run(command, check=False, shell=True, cwd=desk.folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_stops_reading_does_not_change_the_exit_code(desk):
    desk.run()
    command = [sys.executable, "-m", "markscheme.app.cli", "run", "exam.yaml", "--no-report", "--quiet"]
    with subprocess.Popen(command, cwd=desk.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        run.stdout.close()
        assert (run.wait(), run.stderr.read()) == (0, "")


def test_doctor_says_what_is_reachable_and_priced(desk):
    code, out, _ = desk.command("doctor", str(desk.save()), "--json")
    checks = {check["what"]: check for check in json.loads(out)["checks"]}
    assert code == 0
    assert checks["cand (openai-compatible/cand-1)"]["detail"] == "reachable"
    assert checks["cand price"]["state"] == "note"
    desk.exam["candidates"][0]["base_url"] = "http://127.0.0.1:9/v1"
    code, out, _ = desk.command("doctor", str(desk.save()))
    assert code == 1
    assert "PROBLEM  cand (openai-compatible/cand-1)" in out


def test_the_python_api_runs_where_a_loop_runs_already(desk):
    import markscheme as ms

    exam = yaml.safe_load(desk.save().read_text())

    async def cell():
        return ms.run("exam.yaml")

    run = asyncio.run(cell())
    assert len(run.answers) == len(run.grades) == 10
    summary = run.summary()
    assert list(summary["measure"]) == ["correctness"]
    assert (summary["low"] < summary["mean"]).all()
    assert "<table" in run._repr_html_()
    again = ms.run(exam)
    assert len(again.answers) == 10
    assert ms.open_run(run.id).id == run.id


def test_stopping_a_notebooks_cell_stops_the_calls(desk, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 200}})
    desk.samples(100)
    desk.save()
    cell = """
import asyncio, os, signal, threading
import markscheme as ms

async def cell():
    ms.run("exam.yaml")

loop = asyncio.new_event_loop()
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    loop.run_until_complete(cell())
except KeyboardInterrupt:
    print([thread.name for thread in threading.enumerate()])
"""
    done = subprocess.run([sys.executable, "-c", cell], cwd=desk.folder, capture_output=True, text=True, check=True)
    assert "markscheme-run" not in done.stdout
    assert "MainThread" in done.stdout
    assert mock.stats()["received"] < 200


def test_a_dataframe_is_graded(desk):
    import markscheme as ms
    import pandas as pd

    row = {"question": "What is 2+2?", "answer": "Four.", "reference": "Four.", "context": "2+2=4"}
    frame = pd.DataFrame([row])
    run = ms.grade(frame)
    assert set(run.grades["criterion"]) == {"correctness", "comprehensiveness", "readability"}
    assert run.grades["score"].between(0, 3).all()


def test_what_the_command_line_notes_is_a_warning_in_python(desk):
    import markscheme as ms

    desk.exam["judges"][0]["shots"] = 1
    desk.save()
    assert "note: " in desk.command("run", "exam.yaml", "--no-report", "--quiet")[2]
    with pytest.warns(UserWarning, match="'correctness'.*has no example"):
        ms.run("exam.yaml")


def test_another_dataframe_leaves_the_run_of_the_first_as_it_was(desk):
    import markscheme as ms
    import pandas as pd

    first, second = (
        ms.grade(pd.DataFrame([{"question": "What is 2+2?", "answer": answer, "reference": "Four."}]))
        for answer in ("Four.", "Five.")
    )
    assert [list(run.answers["text"]) for run in (first, second)] == [["Four."], ["Five."]]


def test_mistakes_raise_input_errors_from_python(desk):
    import markscheme as ms
    from markscheme.harness.errors import ExamError, InputError

    with pytest.raises(ExamError, match="dataset"):
        ms.run({"candidates": [{"model": "baseline/lead"}]})
    with pytest.raises(InputError, match="provider"):
        ms.run({"dataset": "docs_qa", "candidates": [{"model": "opnai/gpt"}]})


@pytest.mark.parametrize("line", [["run", "exam.yaml"], ["import", "csv"], ["small-large"], ["judge", "align"]])
def test_only_the_command_that_a_line_begins_with_is_described_to_the_parser(line):
    described = asked(line)
    assert [*map(str, get_command(described).commands)] == line[:1]
    words = [name for name in get_command(app).commands if asked([name]) is app]
    assert words == [], "each of them is found by its name"


@pytest.mark.parametrize("line", [[], ["--help"], ["--version"], ["runn"], [""]])
def test_a_line_that_names_no_command_is_told_of_all(line):
    assert asked(line) is app

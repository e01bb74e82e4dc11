"""`markscheme import load`: a load test of the workspace, its page, and a sheet that can be graded."""

import json
from pathlib import Path

import pytest
from markscheme.harness.store import serving
from markscheme.harness.store.store import Store

FILES = Path(__file__).parents[1] / "imports" / "load"
VLLM, POISSON, CONCURRENT = (
    str(FILES / f"{name}.json") for name in ("vllm_concurrent", "guidellm_poisson", "guidellm_concurrent")
)


def take_in(desk, *words):
    code, out, err = desk.command("import", "load", *words, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def kept(bench):
    store = Store(".markscheme")
    try:
        return serving.load_bench(store, bench)
    finally:
        store.close()


def test_files_become_a_load_test_with_its_cells(desk):
    made = take_in(desk, CONCURRENT, POISSON)
    assert [(cell["load"], cell["level"]) for cell in made["cells"]] == [("closed", 1), ("closed", 2), ("poisson", 20)]
    assert made["tools"] == ["guidellm"]
    assert (made["requests"], made["checked"], made["off"]) == (26, 12, [])
    assert made["cells"][2]["failures"] == {"server_error": 2}
    bench, loads = kept(made["bench"])
    assert bench.finished_at is not None
    assert bench.name == "guidellm_concurrent + guidellm_poisson"
    assert {load.origin for load in loads} == {"guidellm"}
    assert all(load.lag_s == () for load in loads), "nobody knows what their client had to do"


def test_the_page_says_whose_numbers_these_are(desk):
    made = take_in(desk, VLLM)
    page = Path(made["report"]).read_text()
    assert "Read from files of vllm, not measured here: TTFT ends at the first chunk at all, be it empty" in page
    assert "made by: markscheme import load" in page
    assert Path(made["report"]).with_suffix(".md").is_file()


def test_the_same_files_are_the_same_load_test_again(desk):
    first, again = take_in(desk, VLLM), take_in(desk, VLLM)
    other = take_in(desk, VLLM, "--candidate", "mini")
    assert first["bench"] == again["bench"] != other["bench"]
    assert [load.setting.candidate for load in kept(other["bench"])[1]] == ["mini"]
    assert len(kept(first["bench"])[1]) == 1


def test_a_killed_import_is_completed_by_the_next(desk):
    made = take_in(desk, CONCURRENT)
    store = Store(".markscheme")
    with store.writing() as connection:
        connection.exec_driver_sql("delete from bench_cells where cell like '%/2'")
        connection.exec_driver_sql("delete from bench_requests where cell like '%/2'")
        connection.exec_driver_sql("update benches set finished_at = null")
    store.close()
    assert take_in(desk, CONCURRENT)["bench"] == made["bench"]
    bench, loads = kept(made["bench"])
    assert len(loads) == 2
    assert bench.finished_at is not None


def test_what_is_imported_reads_back_as_it_was(desk):
    _, (loaded,) = kept(take_in(desk, VLLM)["bench"])
    document = json.loads(Path(VLLM).read_text())
    assert [one.text for one in loaded.requests] == document["generated_texts"]
    assert loaded.requests[0].gaps_s == pytest.approx(document["itls"][0])


def test_files_of_one_setting_are_its_repeats(desk, tmp_path):
    files = []
    for number in range(3):
        path = tmp_path / f"run-{number}.json"
        document = json.loads(Path(VLLM).read_text())
        path.write_text(json.dumps({**document, "date": f"20261121-18150{number}"}))
        files.append(str(path))
    (cell,) = take_in(desk, *files)["cells"]
    assert (cell["repeats"], cell["requests"]) == (3, 36)
    assert cell["requests_per_s"]["low"] is not None, "three repeats have a spread"


def test_a_summary_that_does_not_come_out_is_told_in_the_terminal_and_on_the_page(desk, tmp_path):
    path = tmp_path / "edited.json"
    path.write_text(json.dumps({**json.loads(Path(VLLM).read_text()), "mean_ttft_ms": 5.0}))
    code, out, _ = desk.command("import", "load", str(path))
    assert code == 0
    assert "note: 1 of 15 numbers of the tools' own summaries do not come out of the requests" in out
    assert "edited.json mean_ttft_ms is 5 there, 6" in out
    (page,) = Path(".markscheme/reports").glob("serving-*/serving.html")
    assert "do not come out of the requests" in page.read_text()


def test_the_terminal_says_what_came_of_it(desk):
    code, out, _ = desk.command("import", "load", VLLM)
    assert code == 0
    assert "1 setting, 12 requests, read from files of vllm" in out
    assert "all 15 numbers of the tools' own summaries come out of the requests" in out
    assert "2 users" in out


def test_answers_of_guidellm_are_graded_from_the_sheet(desk):
    made = take_in(desk, POISSON, "--sheet", "answers.jsonl")
    rows = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    assert rows[0]["question"].startswith("[[Q")
    assert {"answer", "e2e_s", "ttft_s", "completion_tokens", "candidate", "trial"} <= set(rows[0])
    assert made["notes"] == ["2 failed requests are not in answers.jsonl: the tool does not say what they asked"]
    desk.rubric["sees"] = ["question"]
    desk.save()
    words = (
        "--judge",
        "openai-compatible/judge-1",
        "--base-url",
        desk.url,
        "--rubric",
        "./rubric.yaml",
        "--shots",
        "0",
    )
    code, out, err = desk.command("grade", "answers.jsonl", *words, "--json", "--quiet")
    assert code == 0, err
    graded = json.loads(out.splitlines()[-1])
    assert graded["answers"] == {"ok": 8, "failed": 0}
    assert graded["grades"]["ok"] == 8


def test_answers_of_vllm_are_replayed_by_their_place(desk):
    made = take_in(desk, VLLM, "--sheet", "answers.jsonl")
    assert "11 answers" not in made["notes"][0]
    assert "12 answers in answers.jsonl have no question" in made["notes"][0]
    desk.write_samples([{"question": f"[[Q{n}]] Where?", "reference": "Paris"} for n in range(12)])
    desk.exam["candidates"] = [{"name": "loaded", "model": "replay/answers.jsonl"}]
    done = desk.run()
    assert done["answers"] == {"ok": 11, "failed": 1}


def test_a_question_asked_twice_has_two_trials(desk, tmp_path):
    document = json.loads(Path(CONCURRENT).read_text())
    for benchmark in document["benchmarks"]:
        for row in benchmark["requests"]["successful"]:
            row["request_args"] = document["benchmarks"][0]["requests"]["successful"][0]["request_args"]
    path = tmp_path / "one-question.json"
    path.write_text(json.dumps(document))
    take_in(desk, str(path), "--sheet", "answers.jsonl")
    rows = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert [row["trial"] for row in rows] == list(range(16))
    assert len({row["id"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((VLLM, "--sheet", "answers.csv"), "an answer sheet is written as JSON Lines; name it FILE.jsonl"),
        (
            (str(FILES / "llmperf" / "parrot_550_150_individual_responses.json"), "--sheet", "a.jsonl"),
            "none of the files",
        ),
        (("nowhere.json",), "there is no such file"),
        ((str(FILES / "llmperf" / "parrot_550_150_summary.json"),), "is no result of a load tester that we know"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_before_anything_is_kept(desk, words, said):
    code, _, err = desk.command("import", "load", *words)
    assert code == 2
    assert said in err
    assert not Path(".markscheme/markscheme.db").exists()


def test_a_hostile_name_is_only_text_on_the_page(desk, tmp_path):
    path = tmp_path / "hostile.json"
    document = json.loads(Path(VLLM).read_text())
    document |= {"model_id": "<script>alert(1)</script>", "generated_texts": ["<script>alert(2)</script>"] * 12}
    path.write_text(json.dumps(document))
    page = Path(take_in(desk, str(path), "--name", "<script>alert(3)</script>")["report"]).read_text()
    assert "<script>alert" not in page

"""An exam file: defaults, packaged names, paths from the file, and every mistake with its line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from markscheme.harness.errors import ExamError, InputError
from markscheme.harness.exam import describe, exam_from_dict, exam_json_schema, load_exam
from markscheme.harness.exam_sheets import sheet_file
from markscheme.harness.models.base import Limits
from markscheme.harness.yaml_file import load_yaml

ROOT = Path(__file__).parents[2]
MINIMAL = "dataset: docs_qa\ncandidates:\n  - model: baseline/extractive\n"


@pytest.fixture(autouse=True)
def no_endpoints_of_the_users_own(monkeypatch, tmp_path):
    monkeypatch.delenv("MARKSCHEME_ENDPOINTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def load(tmp_path, text, **files):
    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_text(content, encoding="utf-8")
    path = tmp_path / "exam.yaml"
    path.write_text(text, encoding="utf-8")
    return load_exam(path)


def complaints(tmp_path, text, **files):
    with pytest.raises(ExamError) as caught:
        load(tmp_path, text, **files)
    return [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems]


def candidate(tmp_path, lines, **files):
    return load(tmp_path, f"dataset: docs_qa\ncandidates:\n  - {lines}\n", **files).candidates[0]


def judged(lines):
    return f"{MINIMAL}judges:\n  - {lines}\n"


def test_the_exam_of_the_design_page_loads(tmp_path):
    exam = load(
        tmp_path,
        """
dataset: docs_qa
candidates:
  - name: mini
    model: openai/gpt-4o-mini
    base_url: https://example.org/v1/
    prompt: answer.j2
    params: {temperature: 0.1, max_tokens: 1024}
    stream: true
    trials: 1
  - name: floor
    model: baseline/extractive
judges:
  - name: strict
    model: openai/gpt-4o
    rubric: docs_qa
    shots: 1
    params: {temperature: 0.1}
concurrency: 64
budget_usd: 5.00
""",
        answer__j2="{{ question }}",
    )
    mini, floor = exam.candidates
    assert mini.prompt == tmp_path / "answer.j2"
    assert mini.base_url == "https://example.org/v1"
    assert mini.params == {"temperature": 0.1, "max_tokens": 1024}
    assert (floor.stream, floor.trials, floor.params) == (True, 1, {})
    assert exam.judges[0].rubric == "docs_qa"
    assert exam.dataset.path.name == "docs_qa"
    assert (exam.concurrency, exam.budget_usd, exam.name) == (64, 5.0, "exam")
    assert exam.path == tmp_path / "exam.yaml"


def test_an_exam_of_three_lines_has_the_defaults(tmp_path):
    exam = load(tmp_path, MINIMAL)
    assert exam.candidates[0].name == "baseline/extractive"
    assert (exam.judges, exam.measures, exam.concurrency, exam.budget_usd) == ((), (), 16, None)
    assert (exam.dataset.name, exam.dataset.limit, exam.dataset.seed) == ("docs_qa", None, 0)


@pytest.mark.parametrize("path", ["examples/demo.yaml"])
def test_our_own_exams_load(path):
    assert load_exam(ROOT / path).candidates


def test_paths_are_relative_to_the_file_that_names_them_wherever_the_command_is_given(tmp_path, monkeypatch):
    (tmp_path / "exams").mkdir()
    (tmp_path / "exams" / "rubric.yaml").write_text("name: r\n")
    (tmp_path / "data.jsonl").write_text("{}\n")
    (tmp_path / "sheet.csv").write_text("sample_id,answer\n")
    text = (
        "dataset: ../data.jsonl\ncandidates:\n  - {name: r, model: replay/../sheet.csv}\n"
        "judges:\n  - {model: embedded, rubric: rubric.yaml}\n"
    )
    (tmp_path / "exams" / "e.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    exam = load_exam("exams/e.yaml")
    assert exam.dataset.path == tmp_path / "data.jsonl"
    assert exam.candidates[0].model == "replay/../sheet.csv"
    assert exam.candidates[0].base == tmp_path / "exams"
    assert exam.judges[0].rubric == tmp_path / "exams" / "rubric.yaml"


def test_a_packaged_sheet_is_named_without_a_path_and_one_of_the_users_own_goes_before_it(tmp_path):
    text = MINIMAL.replace("baseline/extractive", "replay/docs_qa/planted/full.jsonl")
    packaged = ROOT / "datasets" / "docs_qa" / "planted" / "full.jsonl"
    exam = load(tmp_path, text)
    assert sheet_file("docs_qa/planted/full.jsonl", tmp_path) == packaged
    assert describe(exam)["candidates"][0]["model"] == "replay/docs_qa/planted/full.jsonl"
    own = tmp_path / "docs_qa" / "planted" / "full.jsonl"
    own.parent.mkdir(parents=True)
    own.write_text("")
    assert sheet_file("docs_qa/planted/full.jsonl", tmp_path) == own
    (found,) = complaints(tmp_path, text.replace("full", "ful"))
    assert "docs_qa/planted/ful.jsonl'" in found
    assert found.endswith("no such packaged sheet; did you mean 'docs_qa/planted/full.jsonl'?")


def test_an_unknown_packaged_name_lists_what_there_is_and_how_to_name_a_file(tmp_path):
    (found,) = complaints(tmp_path, MINIMAL.replace("docs_qa", "docs_aq"))
    assert found.startswith("exam.yaml:1 dataset: 'docs_aq' is not among the packaged datasets (")
    assert "did you mean 'docs_qa'? write ./docs_aq for a file" in found
    (found,) = complaints(tmp_path, judged("{model: embedded, rubric: strictness}"))
    assert "'strictness' is not among the packaged rubrics (answer_relevance, docs_qa" in found
    (found,) = complaints(tmp_path, judged("{model: embedded, rubric: [docs_qa]}"))
    assert found == "exam.yaml:5 judges[0].rubric: ['docs_qa'] is wrong: wanted a packaged name or a path"


def test_a_folder_named_with_a_separator_is_a_path_even_where_a_packaged_name_exists(tmp_path):
    (tmp_path / "docs_qa").mkdir()
    assert load(tmp_path, MINIMAL.replace("docs_qa", "./docs_qa")).dataset.path == tmp_path / "docs_qa"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (MINIMAL.replace("docs_qa", "gone.jsonl"), "exam.yaml:1 dataset"),
        (MINIMAL + "    prompt: gone.j2\n", "exam.yaml:4 candidates[0].prompt"),
        (judged("{model: embedded, rubric: gone.yaml}"), "exam.yaml:5 judges[0].rubric"),
        (MINIMAL.replace("baseline/extractive", "replay/gone.csv"), "exam.yaml:3 candidates[0].model"),
    ],
)
def test_a_missing_file_is_a_problem_with_its_line(tmp_path, text, where):
    (found,) = complaints(tmp_path, text)
    assert found.startswith(f"{where}: ")
    assert "there is no such file" in found


def test_a_missing_file_suggests_the_one_that_was_meant(tmp_path):
    text = MINIMAL.replace("baseline/extractive", "openai/x") + "    prompt: answr.j2\n"
    assert "did you mean 'answer.j2'?" in complaints(tmp_path, text, answer__j2="")[0]


def test_all_mistakes_are_reported_at_once_each_with_its_line(tmp_path):
    text = """dataset: docs_qa
candidates:
  - model: opnai/gpt
    temprature: 1
  - {name: a, model: baseline/lead}
  - {name: a, model: baseline/lead, trials: 0}
judges:
  - model: embedded
concurrency: many
colour: red
"""
    found = complaints(tmp_path, text)
    assert [line.split(": ")[0] for line in found] == [
        "exam.yaml:3 candidates[0].model",
        "exam.yaml:4 candidates[0].temprature",
        "exam.yaml:6 candidates[2].trials",
        "exam.yaml:6 candidates[2].name",
        "exam.yaml:8 judges[0].rubric",
        "exam.yaml:9 concurrency",
        "exam.yaml:10 colour",
    ]
    assert "unknown provider 'opnai'; did you mean 'openai'?" in found[0]
    assert "'a' is already the name of exam.yaml:5" in found[3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", "wanted a whole number"), ("'3'", "wanted a whole number"), ("2.5", "wanted"), ("0", "at least 1")],
)
def test_a_count_is_a_whole_number_and_nothing_that_resembles_one(tmp_path, value, expected):
    assert expected in complaints(tmp_path, f"{MINIMAL}concurrency: {value}\n")[0]


def test_an_exam_needs_a_candidate_or_a_matrix(tmp_path):
    assert "there is no candidate" in complaints(tmp_path, "dataset: docs_qa\ncandidates:\n")[0]


def test_names_are_read_as_text_and_must_be_safe(tmp_path):
    assert candidate(tmp_path, "{name: no, model: baseline/lead, version: 1.10}").version == "1.10"
    assert candidate(tmp_path, "{name: no, model: baseline/lead}").name == "no"
    assert candidate(tmp_path, "{name: Modell Ä (v2), model: baseline/lead}").name == "Modell Ä (v2)"
    for bad in ("'<b>'", "'../x'", "' x'", "''", "'a\\nb'", '"a\\nb"'):
        (found, *_) = complaints(
            tmp_path, f"dataset: docs_qa\ncandidates:\n  - {{name: {bad}, model: baseline/lead}}\n"
        )
        assert "cannot be a name" in found, bad


def test_a_default_name_is_the_model_made_safe(tmp_path):
    assert candidate(tmp_path, "model: openai/gpt-4o-mini").name == "openai/gpt-4o-mini"
    assert (
        candidate(tmp_path, "model: replay/my sheet's.csv", **{"my sheet's__csv": ""}).name == "replay/my sheet-s.csv"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("{model: gpt-4o}", "has no provider; write provider/model"),
        ("{model: 'python:my_app'}", "not of the form python:package.module:name"),
        ("{model: 'http:ftp://x'}", "not of the form http:https://host/path"),
        ("{model: 'http:https://me:pw@host/x'}", "must not hold a user name or password"),
        ("{model: embedded}", "'embedded' is a judge"),
        ("{model: openai-compatible/x}", "needs a base_url"),
        ("{model: 'http:https://h/x', response: {text: $.a}}", "an http: candidate needs request"),
        (
            "{model: 'http:https://h/x', request: {body: '{\"q\": 1}'}, response: {text: $.a}}",
            "a text that holds JSON; write it without the quotes",
        ),
        ("{model: openai/x, request: {body: {}}}", "request: has no effect on the candidate 'openai/x'"),
        ("{model: baseline/lead, system: exam.yaml}", "system: has no effect on the candidate 'baseline/lead'"),
        ("{model: openai/x, params: {api_key: sk-1}}", "keys come from the environment"),
    ],
)
def test_a_candidate_that_cannot_work_is_refused(tmp_path, lines, expected):
    (found, *_) = complaints(tmp_path, f"dataset: docs_qa\ncandidates:\n  - {lines}\n")
    assert expected in found
    assert "pw" not in found


def test_an_http_candidate_has_its_request_and_response(tmp_path):
    spec = candidate(
        tmp_path,
        "{name: app, model: 'http:https://h/x', request: {body: {q: '{{ question }}', k: [1]}, "
        "headers: {X-Key: '${APP_KEY}'}}, response: {text: $.a, contexts: '$.docs[*]'}}",
    )
    assert spec.request.body == {"q": "{{ question }}", "k": [1]}
    assert (spec.request.method, spec.request.headers) == ("POST", {"X-Key": "${APP_KEY}"})
    assert (spec.response.text, spec.response.contexts, spec.response.usage) == ("$.a", "$.docs[*]", None)


def test_a_key_that_was_pasted_in_place_of_its_variable_is_refused_and_not_printed(tmp_path):
    (found,) = complaints(tmp_path, judged("{model: openai/x, rubric: docs_qa, api_key_env: sk-proj-12}"))
    assert "not the name of an environment variable" in found
    assert "sk-proj" not in found


def test_a_judge_tells_its_own_parameters_from_ours(tmp_path):
    (ours,) = load(tmp_path, judged("{model: openai/x, rubric: docs_qa}")).judges
    (theirs,) = load(tmp_path, judged("{model: openai/x, rubric: docs_qa, params: {temperature: 0.1}}")).judges
    assert ours.params == theirs.params == {"temperature": 0.1}
    assert (ours.params_set_by_user, theirs.params_set_by_user) == (frozenset(), {"temperature"})
    assert (ours.shots, ours.repeats, ours.calls, ours.turns, ours.stream) == (1, 1, "one", "conversation", False)


def test_a_matrix_becomes_candidates_with_readable_names(tmp_path):
    text = """dataset: docs_qa
matrix:
  models: [openai/gpt-4o-mini, vllm/meta/llama-8b]
  prompts: [short.j2, null]
  params: {temperature: [0, 0.7], max_tokens: 100, stop: [["END"]]}
  trials: 2
"""
    exam = load(tmp_path, text, short__j2="{{ question }}")
    assert len(exam.candidates) == 8
    first, last = exam.candidates[0], exam.candidates[-1]
    assert first.name == "gpt-4o-mini+short+temperature=0+stop=-END"
    assert first.params == {"temperature": 0, "max_tokens": 100, "stop": ["END"]}
    assert (first.prompt, first.trials) == (tmp_path / "short.j2", 2)
    assert (last.name.partition("+stop")[0], last.prompt) == ("llama-8b+default+temperature=0.7", None)


def test_a_matrix_names_models_in_full_where_their_last_parts_are_the_same(tmp_path):
    exam = load(tmp_path, "dataset: docs_qa\nmatrix: {models: [vllm/a/x, vllm/b/x]}\n")
    assert [spec.name for spec in exam.candidates] == ["vllm/a/x", "vllm/b/x"]


def test_a_matrix_stands_beside_candidates_and_may_not_take_their_names(tmp_path):
    text = MINIMAL + "  - {name: x, model: openai/y}\nmatrix: {models: [vllm/x]}\n"
    (found,) = complaints(tmp_path, text)
    assert found.startswith("exam.yaml:5 matrix: 'x' is already the name of exam.yaml:4")


def test_mistakes_in_a_matrix_have_their_line(tmp_path):
    text = "dataset: docs_qa\nmatrix:\n  models: [vllm/x]\n  prompts: [gone.j2]\n  params:\n    temperature: []\n"
    assert complaints(tmp_path, text)[0].startswith("exam.yaml:4 matrix.prompts[0]: 'gone.j2': there is no such file")
    (found,) = complaints(tmp_path, text.replace("gone.j2", "p.j2"), p__j2="")
    assert found.startswith("exam.yaml:6 matrix.params.temperature: is an empty list")
    (found,) = complaints(tmp_path, "dataset: docs_qa\nmatrix: {models: [baseline/x], prompts: [p.j2]}\n")
    assert "has no effect on the candidate 'baseline/x'" in found


ENDPOINTS = """endpoints:
  - name: ours
    base_url: http://localhost:9/v1
    key_env: OURS_KEY
    headers: {X-Team: "${TEAM_NAME}/eval"}
    limits: {concurrency: 4, rpm: 60}
    timeout_s: 30
"""


def test_an_endpoint_is_opened_with_its_headers_filled_from_the_environment(tmp_path, monkeypatch):
    exam = load(tmp_path, MINIMAL + "  - model: ours/x\n" + ENDPOINTS)
    monkeypatch.setenv("TEAM_NAME", "blue")
    endpoint = exam.endpoints[0].to_endpoint()
    assert (endpoint.name, endpoint.base_url, endpoint.key_env) == ("ours", "http://localhost:9/v1", "OURS_KEY")
    assert endpoint.headers == {"X-Team": "blue/eval"}
    assert (endpoint.limits, endpoint.timeout_s) == (Limits(4, 60, None), 30.0)
    monkeypatch.delenv("TEAM_NAME")
    with pytest.raises(InputError, match="'X-Team' needs the environment variable TEAM_NAME"):
        exam.endpoints[0].to_endpoint()


def test_an_endpoint_takes_its_key_from_one_place(tmp_path):
    text = MINIMAL + ENDPOINTS.replace("    headers", "    key_command: print-key\n    headers")
    (found,) = complaints(tmp_path, text)
    assert found.startswith("exam.yaml:8 endpoints[0].key_command: stands beside key_env")


def test_the_users_own_endpoints_are_merged_where_they_are_used_and_the_exams_win(tmp_path, monkeypatch):
    own = ENDPOINTS + "  - {name: unused, base_url: http://localhost:7}\n"
    (tmp_path / "mine.yaml").write_text(own.replace(":9/", ":8/"))
    monkeypatch.setenv("MARKSCHEME_ENDPOINTS", str(tmp_path / "mine.yaml"))
    exam = load(tmp_path, MINIMAL + "  - model: ours/x\n")
    assert [(e.name, e.base_url) for e in exam.endpoints] == [("ours", "http://localhost:8/v1")]
    exam = load(tmp_path, MINIMAL + "  - model: ours/x\n" + ENDPOINTS)
    assert [(e.name, e.base_url) for e in exam.endpoints] == [("ours", "http://localhost:9/v1")]


def test_the_default_endpoints_file_lies_in_the_home_folder(tmp_path):
    folder = tmp_path / "home" / ".config" / "markscheme"
    folder.mkdir(parents=True)
    (folder / "endpoints.yaml").write_text(ENDPOINTS)
    assert load(tmp_path, MINIMAL + "  - model: ours/x\n").endpoints[0].name == "ours"
    (folder / "endpoints.yaml").write_text(ENDPOINTS.replace("key_env", "keyenv"))
    assert (
        "endpoints.yaml:4 endpoints[0].keyenv: unknown key" in complaints(tmp_path, MINIMAL + "  - model: ours/x\n")[0]
    )


def test_an_endpoints_file_that_is_named_and_missing_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKSCHEME_ENDPOINTS", str(tmp_path / "gone.yaml"))
    with pytest.raises(InputError, match=r"gone\.yaml.*no such file"):
        load(tmp_path, MINIMAL)


def test_prices_are_complete_or_refused(tmp_path):
    exam = load(tmp_path, MINIMAL + "prices:\n  ours/x: {input_usd_per_million: 1, output_usd_per_million: 2.5}\n")
    price = exam.prices["ours/x"]
    assert (price.input_usd_per_million, price.output_usd_per_million, price.usd_per_request) == (1.0, 2.5, 0.0)
    assert price.cached_input_usd_per_million is None
    (found,) = complaints(tmp_path, MINIMAL + "prices:\n  ours/x: {output_usd_per_million: 2}\n")
    assert found.startswith("exam.yaml:5 prices.ours/x: write both")


def test_a_measure_that_does_not_exist_has_its_line(tmp_path):
    assert load(tmp_path, MINIMAL + "measures: [token_f1, 'python:not_loaded:yet']\n").measures[0] == "token_f1"
    (found,) = complaints(tmp_path, MINIMAL + "measures:\n  - token_f1\n  - token_f2\n")
    assert found.startswith("exam.yaml:6 measures[1]: there is no measure 'token_f2'")


def test_a_key_with_nothing_behind_it_is_empty_where_empty_makes_sense(tmp_path):
    exam = load(tmp_path, "dataset: docs_qa\ncandidates:\n  - model: baseline/lead\n    params:\njudges:\nprices:\n")
    assert (exam.candidates[0].params, exam.judges, exam.prices) == ({}, (), {})
    assert complaints(tmp_path, "dataset:\ncandidates: [{model: baseline/lead}]\n") == [
        "exam.yaml:1 dataset: an empty value is wrong: wanted a packaged name or a path"
    ]


def test_a_judge_without_a_model_lacks_its_model_only(tmp_path):
    (found,) = complaints(tmp_path, judged("rubric: docs_qa"))
    assert found == "exam.yaml:5 judges[0].model: is missing; write provider/model, like openai/gpt-4o, or embedded"


def test_columns_map_fields_of_ours_only(tmp_path):
    text = "dataset:\n  path: docs_qa\n  columns: {questoin: prompt}\ncandidates: [{model: baseline/lead}]\n"
    (found,) = complaints(tmp_path, text)
    assert found.startswith("exam.yaml:3 dataset.columns.questoin: 'questoin' is not a field")
    assert "did you mean 'question'?" in found


def test_an_exam_from_python_is_the_same_and_names_itself_in_errors(tmp_path):
    data = {"dataset": "docs_qa", "candidates": [{"model": "baseline/lead"}]}
    exam = exam_from_dict(data, tmp_path, "mine")
    assert (exam.name, exam.path, exam.candidates[0].base) == ("mine", tmp_path / "mine.yaml", tmp_path)
    with pytest.raises(ExamError, match=r"^exam mine candidates\[0\]\.modle: unknown key; did you mean 'model'"):
        exam_from_dict({**data, "candidates": [{"modle": "x", "model": "baseline/lead"}]}, tmp_path, "mine")


def test_the_description_holds_what_made_the_numbers_and_no_secret(tmp_path):
    text = f"""dataset: {{path: docs_qa, limit: 5}}
candidates:
  - {{name: a, model: ours/x, prompt: p.j2, base_url: "http://h:1/v1?token=hunter2"}}
  - {{name: r, model: replay/sheet.csv}}
  - name: app
    model: "http:https://h/x?code=hunter2"
    request: {{body: {{q: 1}}, headers: {{Authorization: hunter2}}}}
    response: {{text: $.a}}
judges: [{{model: embedded, rubric: docs_qa}}]
{ENDPOINTS.replace("key_env: OURS_KEY", "key_command: echo hunter2").replace("${TEAM_NAME}", "hunter2")}"""
    exam = load(tmp_path, text, p__j2="Say {{ question }}", sheet__csv="")
    described = describe(exam)
    written = json.dumps(described)
    assert "hunter2" not in written
    assert str(tmp_path) not in written
    assert str(ROOT) not in written
    first, replay, app = described["candidates"]
    assert first["prompt"] == "Say {{ question }}"
    assert len(first["prompt_sha256"]) == 64
    assert replay["model"] == "replay/sheet.csv"
    assert app["request"] == {"method": "POST", "body": {"q": 1}, "headers": ["Authorization"]}
    assert described["judges"][0]["rubric"]["name"] == "docs_qa"
    assert described["dataset"]["limit"] == 5
    assert described["endpoints"][0]["headers"] == ["X-Team"]


def test_no_header_and_no_key_command_is_printed_with_an_exam(tmp_path):
    text = MINIMAL + ENDPOINTS.replace("key_env: OURS_KEY", "key_command: echo hunter2").replace(
        "${TEAM_NAME}", "hunter2"
    )
    assert "hunter2" not in repr(load(tmp_path, text))


def test_the_json_schema_accepts_our_exams_and_refuses_an_unknown_key():
    schema = exam_json_schema()
    data = load_yaml(ROOT / "examples" / "demo.yaml").data
    jsonschema.validate(data, schema)
    jsonschema.validate({**data, "dataset": {"path": "x.csv"}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "concurency": 3}, schema)


def test_loading_an_exam_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from markscheme.harness.exam import load_exam; from markscheme.harness.data import load_dataset; "
        "load_dataset(load_exam(sys.argv[1]).dataset); "
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'scipy', 'aiohttp', 'jinja2', 'openai') if m in sys.modules])"
    )
    (tmp_path / "exam.yaml").write_text(MINIMAL)
    command = [sys.executable, "-c", code, str(tmp_path / "exam.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_baseline_is_one_of_several_candidates(tmp_path):
    text = "dataset: docs_qa\nbaseline: {}\ncandidates:\n  - {{name: mini, model: baseline/extractive}}\n"
    two = text + "  - {{name: maxi, model: baseline/extractive}}\n"
    path = tmp_path / "e.yaml"
    path.write_text(two.format("mini"))
    assert load_exam(path).baseline == "mini"
    assert describe(load_exam(path))["baseline"] == "mini"
    path.write_text(two.format("mimi"))
    with pytest.raises(ExamError, match=r"e\.yaml:2 baseline.*'mimi' is no candidate.*did you mean 'mini'"):
        load_exam(path)
    path.write_text(text.format("mini"))
    with pytest.raises(ExamError, match=r"e\.yaml:2 baseline.*'mini' is the only candidate"):
        load_exam(path)

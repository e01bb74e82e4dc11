"""A run in a real MLflow: one run there with the report, one a candidate with the numbers, and never a second time."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from mlflow_server import mlflow_server, planted_registry


@pytest.fixture(scope="module")
def tracking(tmp_path_factory):
    pytest.importorskip("mlflow")
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture
def two(desk):
    """Two candidates, one of which writes the code word down, and a measure without a judge."""
    second = {**desk.exam["candidates"][0], "name": "other", "params": {"temperature": 0.7}}
    desk.exam["candidates"].append(second)
    desk.exam["measures"] = ["contains"]
    return desk


def logged(desk, tracking, *words: str) -> dict[str, Any]:
    """The MLflow runs of the desk's run by candidate, '' for the one above them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code, out, err = desk.command(*words, "--mlflow", tracking)
        assert code == 0, err
        return {"err": err, "out": out, **runs_in(tracking, desk.exam_name)}


def runs_in(tracking: str, experiment: str) -> dict[str, Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking)
    folder = client.get_experiment_by_name(experiment).experiment_id
    found = client.search_runs([folder])
    assert len({run.data.tags.get("markscheme.candidate", "") for run in found}) == len(found)
    return {run.data.tags.get("markscheme.candidate", ""): run for run in found}


def artifact(tracking: str, run: Any, name: str) -> str:
    from mlflow import MlflowClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Path(MlflowClient(tracking).download_artifacts(run.info.run_id, name)).read_text(encoding="utf-8")


@pytest.fixture
def named(two, request):
    """An exam, and so an experiment, of the test's own."""
    two.exam_name = re.sub(r"\W+", "-", request.node.name)[:60]
    path = two.save()
    path.rename(two.folder / f"{two.exam_name}.yaml")
    two.file = f"{two.exam_name}.yaml"
    return two


@pytest.mark.server
def test_a_run_has_the_report_and_each_candidate_its_numbers_params_and_answers(named, tracking):
    found = logged(named, tracking, "run", named.file, "--json", "--quiet")
    assert f"logged the run and 2 candidates to MLflow, experiment {named.exam_name!r}" in found["err"]
    parent, cand, other = found[""], found["cand"], found["other"]
    output = json.loads(found["out"].splitlines()[-1])
    assert {run.data.tags["markscheme.run"] for run in (parent, cand, other)} == {output["run"]}
    assert cand.data.tags["mlflow.parentRunId"] == other.data.tags["mlflow.parentRunId"] == parent.info.run_id
    (row,) = [r for r in output["summary"] if (r["candidate"], r["judge"]) == ("cand", "judge")]
    ends = {name: cand.data.metrics[f"judge/correctness/{name}"] for name in ("mean", "low", "high", "n")}
    assert ends == {"mean": row["mean"], "low": row["low"], "high": row["high"], "n": 10}
    assert cand.data.metrics.keys() == other.data.metrics.keys() >= {"contains/mean", "e2e_s/p50", "answers/failed"}
    assert other.data.params["params.temperature"] == "0.7"
    assert "params.temperature" not in cand.data.params
    assert cand.data.params["judge.judge.model"] == "openai-compatible/judge-1"
    assert {"dataset_sha256", "rubric_sha256.judge", "judge_sha256.judge"} <= cand.data.tags.keys()
    assert "<html" in artifact(tracking, parent, "report.html")
    assert json.loads(artifact(tracking, parent, "exam.json"))["judges"][0]["name"] == "judge"


@pytest.mark.server
def test_the_table_of_answers_can_be_loaded_and_has_scores_and_reasons(named, tracking, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    cand = logged(named, tracking, "run", named.file, "--quiet")["cand"]
    from mlflow import MlflowClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = MlflowClient(tracking).load_table(cand.info.experiment_id, "answers.json", [cand.info.run_id])
    assert list(table["sample_id"]) == [f"s{n}" for n in range(10)]
    assert table["inputs"][3] == "[[Q3]] Which code word?"
    assert table["judge/correctness/score"].mean() == pytest.approx(cand.data.metrics["judge/correctness/mean"])
    assert all(table["judge/correctness/justification"].str.len() > 0)


@pytest.mark.server
def test_logging_again_doubles_neither_runs_nor_rows_nor_history(named, tracking):
    first = logged(named, tracking, "run", named.file, "--quiet")
    again = logged(named, tracking, "report", "latest")
    assert {name: first[name].info.run_id for name in ("", "cand", "other")} == {
        name: again[name].info.run_id for name in ("", "cand", "other")
    }
    assert len(json.loads(artifact(tracking, again["cand"], "answers.json"))["data"]) == 10
    assert len(json.loads(artifact(tracking, again[""], "summary.json"))["data"]) == 4
    from mlflow import MlflowClient

    history = MlflowClient(tracking).get_metric_history(again["cand"].info.run_id, "judge/correctness/mean")
    assert len(history) == 1


@pytest.mark.server
def test_a_changed_candidate_and_one_that_is_gone_leave_nothing_stale(named, tracking):
    first = logged(named, tracking, "run", named.file, "--quiet")
    named.exam["candidates"] = [{**named.exam["candidates"][0], "params": {"temperature": 1.0}}]
    named.save().rename(named.folder / named.file)
    again = logged(named, tracking, "run", named.file, "--quiet")
    assert set(again) == {"err", "out", "", "cand"}
    assert again["cand"].info.run_id != first["cand"].info.run_id
    assert again["cand"].data.params["params.temperature"] == "1.0"


@pytest.mark.server
def test_a_report_without_texts_sends_none_to_mlflow(named, tracking):
    code, _, err = named.command("run", named.file, "--no-report", "--quiet")
    assert code == 0, err
    found = logged(named, tracking, "report", "latest", "--no-texts")
    sent = [artifact(tracking, found["cand"], "answers.json")]
    sent += [artifact(tracking, found[""], name) for name in ("exam.json", "report.md", "report.html")]
    assert not [text for text in sent if "Which code word" in text or "must state the code word" in text]
    assert found["cand"].data.metrics["judge/correctness/n"] == 10


def test_what_cannot_be_logged_is_refused_before_anything_is_paid(named, mock, monkeypatch):
    code, _, err = named.command("run", named.file, "--mlflow", "default", "--no-report")
    assert (code, "--mlflow logs the report: leave out --no-report" in err) == (2, True), err
    monkeypatch.setitem(sys.modules, "mlflow", None)
    code, _, err = named.command("run", named.file, "--mlflow", "http://127.0.0.1:9")
    assert (code, "pip install 'markscheme[mlflow]'" in err) == (2, True), err
    assert mock.stats()["received"] == 0


def test_an_address_where_nobody_listens_keeps_the_run_and_hides_the_password(named, mock, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    code, _, err = named.command("run", named.file, "--quiet", "--mlflow", "http://me:hunter2@127.0.0.1:9")
    assert code == 2
    assert re.search(r"MLflow at http://me:\*\*\*@127.0.0.1:9: .*the run is kept: markscheme report \S+ --mlflow", err)
    assert "hunter2" not in err


MODEL = """
import mlflow
from mlflow.genai.scorers import scorer
from mlflow.pyfunc import PythonModel


class Parrot(PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return ["You asked: " + text for text in model_input]


class Broken(Parrot):
    def load_context(self, context):
        raise ImportError("No module named 'left_out'")


def register():
    mlflow.pyfunc.log_model(name="parrot", python_model=Parrot(), registered_model_name="parrot")
    mlflow.pyfunc.log_model(name="broken", python_model=Broken(), registered_model_name="broken")


@scorer
def asks_back(inputs, outputs):
    return inputs["question"] in outputs
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The address of a registry with a model that answers, and one that cannot be loaded."""
    with planted_registry(tmp_path_factory.mktemp("registry"), "planted_parrot", MODEL) as address:
        yield address


@pytest.fixture
def parrot(desk, registry, monkeypatch):
    """An exam of that model; a scorer of the same module grades it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    desk.exam["candidates"] = [{"name": "parrot", "model": "mlflow:models:/parrot/latest"}]
    desk.exam["judges"] = [{"name": "own", "model": "mlflow:planted_parrot:asks_back"}]
    return desk


def test_a_registered_model_is_examined_and_a_scorer_grades_it_exactly_once(parrot, mock):
    code, out, err = parrot.command("run", str(parrot.save()), "--json", "--quiet")
    assert code == 0, err
    assert "candidate 'parrot': models:/parrot/latest is models:/parrot/1 now" in err
    result = json.loads(out.splitlines()[-1])
    assert (result["answers"], result["grades"]) == ({"ok": 10, "failed": 0}, {"ok": 10})
    (row,) = result["summary"]
    assert (row["judge"], row["measure"], row["mean"]) == ("own", "asks_back", 1.0)
    assert parrot.run()["calls"] == {"live": 0, "reused": 0}
    assert parrot.run("--fresh")["calls"] == {"live": 20, "reused": 0}
    assert mock.stats()["received"] == 0


def test_a_plan_asks_no_model_and_says_what_it_cannot_know(parrot):
    code, out, err = parrot.command("run", str(parrot.save()), "--plan", "--json")
    assert code == 0, err
    assert json.loads(out)["notes"] == ["judge own: a scorer of MLflow asks in its own way: its calls are not counted"]


def test_a_model_that_cannot_be_loaded_stops_the_run_with_the_remedy(parrot):
    parrot.exam["candidates"][0]["model"] = "mlflow:models:/broken/1"
    said = parrot.run(expect=2)["stderr"]
    assert "mlflow:models:/broken/1 cannot be loaded: ImportError: No module named 'left_out'" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("strict/nDCG@10", "strict/nDCG_at_10"),
        ("a (b)=c/composite", "a _b_c/composite"),
        ("python:mine:longer", "python:mine:longer"),
        ("x//y/./z/..", "x/y/z"),
    ],
)
def test_names_are_spelt_as_mlflow_accepts_them(name, expected):
    from markscheme.reports.mlflow_numbers import accepted

    assert accepted(name) == expected
    validation = pytest.importorskip("mlflow.utils.validation")
    validation._validate_metric_name(accepted(name))


def test_a_table_that_would_be_too_long_holds_the_same_samples_for_all(monkeypatch):
    from markscheme.reports import mlflow_numbers

    monkeypatch.setattr(mlflow_numbers, "MOST_ANSWERS", 20)
    ids = [f"s{n}" for n in range(100)]
    chosen = list(mlflow_numbers.chosen_samples(ids, 2))
    assert len(chosen) == 10
    assert chosen == sorted(chosen) != list(range(10))
    assert list(mlflow_numbers.chosen_samples(ids[:10], 2)) == list(range(10))


def test_a_database_that_mlflow_left_half_made_is_named_before_anything_is_paid(desk, mock):
    pytest.importorskip("mlflow")
    with sqlite3.connect(desk.folder / "half.db") as made:
        made.execute("CREATE TABLE trace_info (request_id TEXT)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code, _, err = desk.command("run", str(desk.save()), "--quiet", "--mlflow", "sqlite:///half.db")
    assert (code, "--mlflow 'sqlite:///half.db': " in err and "name another, or remove it" in err) == (2, True), err
    assert mock.stats()["received"] == 0

"""A sweep in a real MLflow, and where its own metrics would give other numbers."""

import json
import re
import warnings
from pathlib import Path

import pytest
from markscheme.harness.measures.retrieval import evaluate, parse_retrieval

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "mlflow-parity.md"
ROW = re.compile(r"^\| ([a-z ]+) \| ([a-z ]+) \| (\d) \| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
OURS = {"precision": "P", "recall": "recall", "ndcg": "nDCG"}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory):
    pytest.importorskip("mlflow")
    from mlflow_server import mlflow_server

    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture
def sweep(desk):
    corpus = desk.folder / "corpus"
    corpus.mkdir()
    topics = {"kettles": "descale a kettle with vinegar", "bees": "bees dance to show where flowers are"}
    for name, text in topics.items():
        (corpus / f"{name}.md").write_text(f"# {name}\n\n{text}.\n")
    desk.write_samples(
        [{"id": name, "question": f"How does one {text}?", "relevant": {name: 2}} for name, text in topics.items()]
    )
    desk.exam = {
        "dataset": "./samples.jsonl",
        "retrieval": {"corpus": "./corpus", "chunkers": ["document"], "k": [1, 2]},
    }
    desk.save()
    return desk


@pytest.mark.server
def test_a_sweep_is_logged_as_runs_with_params_metrics_a_table_and_the_page(sweep, tracking):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code, out, err = sweep.command("retrieve", "exam.yaml", "--mlflow", tracking, "--json", "--quiet")
        assert (code, "logged 1 runs" in err) == (0, True), err
        from mlflow import MlflowClient

        client = MlflowClient(tracking)
        experiment = client.get_experiment_by_name("exam")
        (run,) = client.search_runs([experiment.experiment_id])
        assert run.data.params["retriever"] == "bm25"
        results = {(r["measure"], r["k"]): r["mean"] for r in json.loads(out)["results"] if r["k"]}
        assert run.data.metrics["recall_at_1/mean"] == results["recall", 1] == 1.0
        assert {"precision_at_2/low", "ndcg_at_2/mean", "hit_rate_at_1/high"} <= run.data.metrics.keys()
        assert {file.path for file in client.list_artifacts(run.info.run_id)} == {
            "retrieval.html",
            "retrieval_evaluation.json",
        }
        table = json.loads(Path(client.download_artifacts(run.info.run_id, "retrieval_evaluation.json")).read_text())
    scores = table["columns"].index("precision_at_1/score"), table["columns"].index("precision_at_2/score")
    assert [[row[place] for place in scores] for row in table["data"]] == [[1.0, 0.5], [1.0, 0.5]]
    assert {"inputs", "outputs", "targets"} <= set(table["columns"])


def test_an_address_where_nobody_listens_says_so_and_keeps_the_sweep(sweep, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    code, _, err = sweep.command("retrieve", "exam.yaml", "--mlflow", "http://me:hunter2@127.0.0.1:9", "--quiet")
    assert code == 2
    assert "MLflow at http://me:***@127.0.0.1:9" in err
    assert "the same command logs it without asking anything again" in err
    assert "hunter2" not in err


def test_a_store_of_files_is_refused_with_mlflows_reason(sweep, tmp_path):
    code, _, err = sweep.command("retrieve", "exam.yaml", "--mlflow", f"file://{tmp_path}/mlruns", "--quiet")
    assert code == 2
    assert "mlflow" in err.lower()
    assert "Traceback" not in err


def rows():
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) == 9
    return [(r.split(), t.split(), int(k), measure, float(a), float(b)) for r, t, k, measure, a, b in found]


@pytest.mark.parametrize(("retrieved", "relevant", "k", "measure", "ours", "theirs"), rows())
def test_the_page_on_parity_gives_the_numbers_of_both(retrieved, relevant, k, measure, ours, theirs):
    found = evaluate({"q": dict.fromkeys(relevant, 1)}, {"q": retrieved}, [parse_retrieval(f"{OURS[measure]}@{k}")])
    assert found.values[0, 0] == pytest.approx(ours, abs=5e-5)
    assert mlflow_score(measure, k, retrieved, relevant) == pytest.approx(theirs, abs=5e-5)


def mlflow_score(measure, k, retrieved, relevant):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its retrieval metrics are deprecated, which is the page's point
        import pandas as pd
        from mlflow import metrics

        made = getattr(metrics, f"{measure}_at_k")(k)
        return made.eval_fn(pd.Series([retrieved]), pd.Series([relevant])).scores[0]


def test_duplicates_and_questions_without_an_answer_are_as_the_page_says():
    assert mlflow_score("precision", 3, ["a", "a", "a"], ["a", "b"]) == 1.0
    assert mlflow_score("ndcg", 3, ["a", "a", "a"], ["a", "b"]) == 1.0
    assert [mlflow_score(name, 3, [], []) for name in ("precision", "recall", "ndcg")] == [0, 1, 1]

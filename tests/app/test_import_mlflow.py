"""A real evaluation run of MLflow, taken in: scorers, errors, and what people said of traces."""

import json
import sys
import warnings

import pytest

CAPITALS = {"France": ("Paris", "Paris"), "Italy": ("Rome", "Milan!"), "Kenya": ("Nairobi", "I do not know")}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """(tracking URI, run id): one application error, a scorer that fails once, feedback of a person."""
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_GENAI_EVAL_MAX_WORKERS", "1")
        patch.chdir(tmp_path_factory.mktemp("artifacts"))
        yield uri, evaluate(uri)
        mlflow.set_tracking_uri(None)


def evaluate(uri):
    import mlflow
    from mlflow.entities import AssessmentSource, Feedback
    from mlflow.genai.scorers import scorer

    @scorer
    def exact(outputs, expectations):
        return outputs == expectations["expected_response"]

    @scorer
    def tone(outputs):
        source = AssessmentSource(source_type="LLM_JUDGE", source_id="judge:/polite")
        return Feedback(value="no" if "!" in outputs else "yes", rationale="looked for shouting", source=source)

    @scorer
    def quality(outputs):
        if "know" in outputs:
            raise ValueError("cannot say")
        return 3.5

    def predict(question):
        country = question.split()[-1][:-1]
        if country not in CAPITALS:
            raise RuntimeError("no such country")
        return CAPITALS[country][1]

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("capitals")
    asked = {country: capital for country, (capital, _) in CAPITALS.items()} | {"Chad": "N'Djamena"}
    data = [
        {"inputs": {"question": f"What is the capital of {c}?"}, "expectations": {"expected_response": capital}}
        for c, capital in asked.items()
    ]
    run = mlflow.genai.evaluate(data=data, predict_fn=predict, scorers=[exact, tone, quality]).run_id
    experiment = mlflow.get_experiment_by_name("capitals").experiment_id
    for trace in mlflow.MlflowClient().search_traces(locations=[experiment], run_id=run):
        human = AssessmentSource(source_type="HUMAN", source_id="ann")
        if "Italy" in trace.data.request:
            mlflow.log_feedback(trace_id=trace.info.trace_id, name="tone", value="yes", source=human)
    return run


@pytest.mark.server
def test_a_run_of_mlflow_has_answers_grades_and_a_persons_labels(desk, evaluated):
    from markscheme.app.importing.mlflow_runs import read_mlflow
    from markscheme.app.importing.settled import settle
    from markscheme.harness.records import Scored

    uri, run = evaluated
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_mlflow([run], uri)
        code, out, err = desk.command("import", "mlflow", run, "--tracking-uri", uri, "--json")
    settled = settle(found, {})
    ids = {sample["question"].split()[-1][:-1]: name for name, sample in found.samples.items()}
    assert found.samples[ids["Italy"]]["reference"] == "Rome"
    said = {place[0]: answer for place, answer in found.answers.items()}
    assert (said[ids["Italy"]].text, said[ids["Chad"]].status) == ("Milan!", "candidate_error")
    assert said[ids["Italy"]].measured["e2e_s"] >= 0
    scores = {
        (g.judge, g.place[0]): g.outcome.score if isinstance(g.outcome, Scored) else g.outcome.why
        for g in settled.grades
    }
    assert scores["exact", ids["France"]] == 1 and scores["exact", ids["Italy"]] == 0
    assert scores["tone", ids["Italy"]] == 0 and scores["quality", ids["France"]] == 3.5
    assert scores["quality", ids["Kenya"]] == "cannot say"
    (label,) = settled.labels
    assert (label[0].place[0], label[0].criterion, label[0].annotator, label[1]) == (ids["Italy"], "tone", "ann", 1.0)
    assert code == 0, err
    made = json.loads(out.splitlines()[-1])
    assert (made["answers"], made["grades"], made["labels"]) == ({"ok": 3, "failed": 1}, {"ok": 8, "error": 1}, 1)


@pytest.mark.server
def test_runs_that_mlflow_does_not_know_or_that_hold_no_traces_are_named(desk, evaluated):
    import mlflow

    uri, _ = evaluated
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mlflow.start_run() as empty:
            pass
        code, _, err = desk.command("import", "mlflow", "nope", "--tracking-uri", uri)
        assert (code, "MLflow, run 'nope': " in err) == (2, True), err
        code, _, err = desk.command("import", "mlflow", empty.info.run_id, "--tracking-uri", uri)
        assert (code, "it has no traces; only runs of mlflow.genai.evaluate" in err) == (2, True), err


def test_without_mlflow_the_extra_is_named(desk, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    code, _, err = desk.command("import", "mlflow", "abc")
    assert (code, "pip install 'markscheme[mlflow]'" in err) == (2, True), err

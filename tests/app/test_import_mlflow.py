"""What a real MLflow keeps, taken in: evaluation runs with scorers and errors, traces of an application in use, what
people said of them."""

import json
import sys
import warnings

import pytest
from markscheme.app.importing.mlflow_experiment import read_experiment, read_mlflow_named
from markscheme.app.importing.traces.reading import TraceChoice, read_traces
from markscheme.harness.errors import InputError
from otlp_documents import START

USAGE = {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
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

    @mlflow.trace(span_type="RETRIEVER")
    def atlas(country):
        return [{"page_content": f"A page on {country}.", "id": country}]

    @mlflow.trace
    def predict(question):
        country = question.split()[-1][:-1]
        atlas(country)
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
    assert [passage["id"] for passage in said[ids["Italy"]].retrieved] == ["Italy"]
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


@pytest.fixture(scope="module")
def kept(evaluated):
    """(tracking URI, the traces as JSON) of an experiment in use: one that answered, one that failed, and what a person
    said."""
    mlflow = pytest.importorskip("mlflow")
    uri, _ = evaluated
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.set_experiment("desk")
        serve(mlflow)
        return uri, [trace.to_json() for trace in mlflow.search_traces(return_type="list")]


def serve(mlflow):
    from mlflow.entities import AssessmentSource, Document

    @mlflow.trace(span_type="RETRIEVER")
    def look_up(question):
        return [Document(page_content="Dry in Oslo.", metadata={"doc_uri": "oslo.md"})]

    @mlflow.trace(span_type="CHAT_MODEL")
    def model(messages, content, **more):
        span = mlflow.get_current_active_span()
        span.set_attribute("mlflow.chat.tokenUsage", USAGE)
        span.set_attribute("mlflow.llm.model", "gpt-4o-mini")
        return {"choices": [{"message": {"role": "assistant", "content": content, **more}}]}

    @mlflow.trace(span_type="AGENT", name="helper")
    def helper(question):
        mlflow.update_current_trace(metadata={"mlflow.trace.session": "s-1"}, tags={"plan": "gold"})
        if "Chad" in question:
            raise RuntimeError("no such place")
        look_up(question)
        model([{"role": "user", "content": question}], None, tool_calls=[CALL])
        return model([{"role": "user", "content": question}], "No, it is dry.")["choices"][0]["message"]["content"]

    helper("Is it raining in Oslo?")
    answered = mlflow.get_last_active_trace_id()
    with pytest.raises(RuntimeError):
        helper("Is it raining in Chad?")
    mlflow.flush_trace_async_logging()
    human = AssessmentSource(source_type="HUMAN", source_id="ann")
    mlflow.log_feedback(trace_id=answered, name="helpful", value=True, source=human)
    mlflow.log_expectation(trace_id=answered, name="expected_response", value="No.", source=human)


def check(found):
    asked = {sample["question"]: name for name, sample in found.samples.items()}
    name = asked["Is it raining in Oslo?"]
    assert name.startswith("tr-")
    answer = found.answers[name, "helper", 0]
    assert (answer.text, found.samples[name]["cluster"]) == ("No, it is dry.", "s-1")
    assert answer.retrieved == ({"text": "Dry in Oslo.", "id": "oslo.md", "score": None},)
    assert [call["function"]["name"] for call in answer.tool_calls] == ["weather"]
    assert (answer.measured["prompt_tokens"], answer.measured["completion_tokens"]) == (24, 6)
    assert answer.measured["e2e_s"] >= 0
    assert (found.variables[name]["plan"], found.variables[name]["model"]) == ("gold", "gpt-4o-mini")
    failed = found.answers[asked["Is it raining in Chad?"], "helper", 0]
    assert (failed.status, "no such place" in failed.detail) == ("candidate_error", True)
    return name


@pytest.mark.server
def test_traces_in_a_file_are_recognised(kept, tmp_path):
    _, traces = kept
    (tmp_path / "traces.jsonl").write_text("".join(f"{one}\n" for one in traces))
    check(read_traces([tmp_path / "traces.jsonl"], TraceChoice()))
    rows = [{"trace_id": "x", "trace": one} for one in traces]
    (tmp_path / "rows.json").write_text(json.dumps(rows, indent=1))
    check(read_traces([tmp_path / "rows.json"], TraceChoice()))


@pytest.mark.server
def test_an_experiment_brings_what_people_said_of_its_traces(kept):
    uri, _ = kept
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_experiment("desk", "2020-01-01", uri)
        name = check(found)
        (label,) = found.labels.values()
        assert (label.place, label.criterion, label.annotator, label.value) == (
            (name, "helper", 0),
            "helpful",
            "ann",
            True,
        )
        assert found.samples[name]["reference"] == "No."
        with pytest.raises(InputError, match="it has no traces from 2999-01-01 on"):
            read_experiment("desk", "2999-01-01", uri)
        with pytest.raises(InputError, match="--experiment 'nope': MLflow has no experiment of this name"):
            read_experiment("nope", "", uri)


def test_runs_and_an_experiment_are_not_taken_in_together():
    with pytest.raises(InputError, match=r"name runs of mlflow\.genai\.evaluate, or the --experiment"):
        read_mlflow_named(["abc"], "desk", "", "")
    with pytest.raises(InputError, match="--since: goes with --experiment"):
        read_mlflow_named(["abc"], "", "2026-11-21", "")
    with pytest.raises(InputError, match="--since: 'soon' is no time"):
        read_mlflow_named([], "desk", "soon", "")


def test_a_trace_of_version_2_is_read(tmp_path):
    def span(number, parent, **attributes):
        return {
            "name": f"span {number}",
            "context": {"span_id": f"0x{number:016x}", "trace_id": "0x" + "ab" * 16},
            "parent_id": parent and f"0x{parent:016x}",
            "start_time": START,
            "end_time": START + 1_500_000_000,
            "status_code": "OK",
            "attributes": {f"mlflow.{name}": json.dumps(value) for name, value in attributes.items()},
            "events": [],
        }

    info = {"request_id": "tr-1", "timestamp_ms": 1, "status": "OK", "request_metadata": {}, "tags": {}}
    root = span(1, None, spanType="CHAIN", spanInputs={"query": "Rain?"}, spanOutputs="No.")
    trace = {"info": info, "data": {"request": "{}", "response": "{}", "spans": [root, span(2, 1, spanType="TOOL")]}}
    (tmp_path / "trace.json").write_text(json.dumps(trace, indent=1))
    found = read_traces([tmp_path / "trace.json"], TraceChoice())
    assert found.samples["tr-1"]["question"] == "Rain?"
    (answer,) = found.answers.values()
    assert (answer.text, answer.measured) == ("No.", {"e2e_s": 1.5})

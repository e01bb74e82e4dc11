"""Scorers of MLflow as judges here, and rubric judges as scorers there."""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from markscheme.harness.errors import ExamError, InputError
from markscheme.harness.exam import JudgeSpec, exam_from_dict
from markscheme.harness.records import Answer, Call, Failed, Reply, Retrieved, Said, Sample, Scored, Unscored
from markscheme.judges.judge import build_judge
from markscheme.judges.mlflow_rows import passages_of, said_of, sample_of
from markscheme.judges.rubric import load_rubric

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))
from mock_openai import mock_server
from mock_replies import code_word

pytest.importorskip("mlflow")

SAMPLE = Sample("q1", "2 + 2?", context=("Sums.",), reference="4", metadata={"level": "easy"})
SCORERS = """
from mlflow.entities import AssessmentError, Feedback
from mlflow.genai.judges import CategoricalRating
from mlflow.genai.scorers import scorer

asked = []
note = "not a scorer"


@scorer
def exact(outputs, expectations):
    asked.append(outputs)
    return outputs == expectations["expected_response"]


def plain(inputs, outputs):
    return Feedback(value=0.25, rationale=f"{inputs['question']} {inputs['context']} {inputs.get('messages')}")


@scorer
def given(inputs, outputs, expectations):
    return Feedback(name="any", value=1, rationale=repr((inputs, outputs, expectations)))


@scorer
def rating(outputs):
    return {"y": CategoricalRating.YES, "n": "no", "u": CategoricalRating.UNKNOWN, "7": 7, "none": None}[outputs]


@scorer
def failing(outputs):
    if outputs == "raise":
        raise RuntimeError("the scorer broke")
    return Feedback(error=AssessmentError("NO_MODEL", "nobody answered"))


@scorer
def several(outputs):
    return [Feedback(name="correctness", value=2), Feedback(name="tone", value=True), Feedback(name="other", value=9)]


@scorer
def traced(trace):
    return True
"""
RUBRIC = """
name: two
scale: [0, 2]
sees: [question]
criteria:
  - name: correctness
    weight: 0.5
    description: Right?
    levels: &levels [{score: 0, description: a}, {score: 1, description: b}, {score: 2, description: c}]
  - {name: tone, weight: 0.5, description: Kind?, levels: *levels}
"""


class Caller:
    """Exactly-once in memory."""

    run, salt = "run", ""

    def __init__(self):
        self.known = {}

    async def perform(self, key, model, work):
        if key in self.known:
            return replace(self.known[key], reused=True)
        call = Call(key, self.run, "judge", "j", model, await work())
        if isinstance(call.outcome, Reply):
            self.known[key] = call
        return call


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "planted_scorers.py").write_text(SCORERS)
    yield tmp_path
    sys.modules.pop("planted_scorers", None)


def judge(folder, name, caller=None, **more):
    model = name if ":" in name else f"mlflow:planted_scorers:{name}"
    spec = JudgeSpec.model_validate({"name": "j", "model": model, **more}, context={"base": folder})
    return build_judge(spec, load_rubric(spec.rubric, spec.shots), None, caller or Caller())


def answer(text, **more):
    return Answer("run", "q1", "c", 0, Said(text, **more))


def outcomes(judge, text, sample=SAMPLE, **more):
    grades = asyncio.run(judge.grade(sample, answer(text, **more)))
    return {grade.criterion: grade.outcome for grade in grades}


def test_yes_and_no_are_the_ends_of_a_scale_from_0_to_1_without_a_rubric(folder):
    exact = judge(folder, "exact")
    assert exact.rubric.scale == (0, 1)
    assert outcomes(exact, "4") == {"exact": Scored(1)}
    assert outcomes(exact, "5") == {"exact": Scored(0)}
    assert outcomes(judge(folder, "rating"), "y") == {"rating": Scored(1)}
    assert outcomes(judge(folder, "rating"), "n") == {"rating": Scored(0)}


def test_a_plain_function_is_a_scorer_and_its_rationale_the_reasoning(folder):
    assert outcomes(judge(folder, "plain"), "4") == {"plain": Scored(0.25, "2 + 2? ['Sums.'] None")}


def test_a_scorer_is_given_question_passages_answer_reference_and_further_columns(folder):
    found = outcomes(judge(folder, "given"), "4", retrieved=(Retrieved("a passage"),))["given"]
    inputs = {"question": "2 + 2?", "context": ["Sums."], "retrieved_context": ["a passage"]}
    assert found == Scored(1, repr((inputs, "4", {"level": "easy", "expected_response": "4"})))
    talk = Sample("q1", turns=("Hello?", "2 + 2?"))
    found = outcomes(judge(folder, "given"), "4", talk, turns=("Hi", "4"))["given"]
    assert "{'role': 'assistant', 'content': 'Hi'}" in found.reasoning


@pytest.mark.parametrize(("text", "said"), [("u", "'unknown'"), ("none", "no value"), ("7", "not between 0 and 1")])
def test_what_is_no_grade_on_the_scale_is_no_score(folder, text, said):
    found = outcomes(judge(folder, "rating"), text)["rating"]
    assert isinstance(found, Unscored)
    assert (found.status, said in found.why) == ("unparsable", True), found


@pytest.mark.parametrize(("text", "said"), [("raise", "RuntimeError: the scorer broke"), ("x", "nobody answered")])
def test_a_scorer_that_fails_gives_an_error_and_no_score(folder, text, said):
    found = outcomes(judge(folder, "failing"), text)["failing"]
    assert isinstance(found, Unscored)
    assert (found.status, said in found.why) == ("error", True), found


def test_feedback_of_several_names_goes_to_the_criteria_of_a_rubric(folder):
    (folder / "two.yaml").write_text(RUBRIC)
    assert outcomes(judge(folder, "several", rubric="./two.yaml"), "x") == {
        "correctness": Scored(2),
        "tone": Scored(2),
    }
    lacking = outcomes(judge(folder, "exact", rubric="./two.yaml"), "4")["tone"]
    assert lacking == Unscored("unparsable", "the scorer gave exact, and nothing of this name")


def test_a_score_is_recorded_once_and_given_again_only_for_another_answer_or_code(folder):
    caller = Caller()
    exact = judge(folder, "exact", caller)
    outcomes(exact, "4")
    outcomes(judge(folder, "exact", caller), "4")
    assert sys.modules["planted_scorers"].asked == ["4"]
    outcomes(exact, "5")
    assert sys.modules["planted_scorers"].asked == ["4", "5"]
    before = exact.fingerprint(SAMPLE, answer("4"), 0)
    assert before == judge(folder, "exact").fingerprint(SAMPLE, answer("4"), 0)
    assert before != judge(folder, "rating").fingerprint(SAMPLE, answer("4"), 0)
    (folder / "planted_scorers.py").write_text(SCORERS + "\n# other code\n")
    assert before != judge(folder, "exact").fingerprint(SAMPLE, answer("4"), 0)


def test_a_class_of_mlflows_own_scorers_is_made_with_the_params(folder):
    name = "mlflow:mlflow.genai.scorers:ResponseLength"
    length = judge(folder, name, params={"max_length": 3, "unit": "words"})
    assert isinstance(outcomes(length, "one two")["ResponseLength"], Scored)
    assert outcomes(length, "one two")["ResponseLength"].score == 1
    assert outcomes(length, "one two three four")["ResponseLength"].score == 0
    assert length.fingerprint(SAMPLE, answer("a"), 0) != judge(
        folder, name, params={"max_length": 4, "unit": "words"}
    ).fingerprint(SAMPLE, answer("a"), 0)


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("traced", {}, "needs a trace or a session"),
        ("mlflow:mlflow.genai.scorers:RetrievalGroundedness", {}, "needs a trace or a session"),
        ("mlflow:mlflow.genai.scorers:ResponseLength", {"params": {"nonsense": 1}}, "cannot be made with"),
        ("exact", {"params": {"temperature": 0}}, r"params \['temperature'\] have no effect"),
        ("note", {}, "is str; wanted a scorer"),
        ("nobody", {}, "mlflow:planted_scorers:nobody: module 'planted_scorers' has no 'nobody'"),
        ("mlflow:nowhere:nobody", {}, "mlflow:nowhere:nobody: there is no module 'nowhere'"),
    ],
)
def test_what_cannot_be_a_judge_is_named_before_anything_is_graded(folder, name, more, said):
    with pytest.raises(InputError, match=said):
        judge(folder, name, **more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"mode": "pairwise"}, "'pairwise' cannot be"),
        ({"shots": 2}, "has no effect on mlflow:planted_scorers:exact"),
        ({"base_url": "http://localhost/v1"}, "has no effect on mlflow:planted_scorers:exact"),
        ({"model": "mlflow:models:/x/1", "rubric": "docs_qa"}, "answers and does not grade"),
        ({"model": "openai/gpt-4o", "rubric": "mlflow/exact"}, "is what a scorer of MLflow grades by"),
    ],
)
def test_settings_that_make_no_sense_for_a_scorer_are_mistakes_in_the_exam(tmp_path, more, said):
    section = {"name": "j", "model": "mlflow:planted_scorers:exact", **more}
    data = {"dataset": "docs_qa", "candidates": [{"model": "baseline/lead"}], "judges": [section]}
    with pytest.raises(ExamError, match=said):
        exam_from_dict(data, base=tmp_path, name="exam")


def test_a_failed_answer_is_not_graded(folder):
    from markscheme.harness.errors import BugError

    failed = Answer("run", "q1", "c", 0, Failed("timeout", "candidate", "slow"))
    with pytest.raises(BugError):
        asyncio.run(judge(folder, "exact").grade(SAMPLE, failed))


@pytest.fixture(scope="module")
def tracking(tmp_path_factory):
    """One database for all: MLflow writes traces to the first that a process names."""
    return f"sqlite:///{tmp_path_factory.mktemp('tracking')}/mlflow.db"


@pytest.fixture
def evaluate(tmp_path, monkeypatch, tracking):
    """`mlflow.genai.evaluate`: the feedback on each row by its question, and the means."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_MAX_WORKERS", "4")
    mlflow.set_tracking_uri(tracking)

    def run(rows, *scorers):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = mlflow.genai.evaluate(data=rows, scorers=list(scorers))
            client = mlflow.MlflowClient()
            experiments = [one.experiment_id for one in client.search_experiments()]
            traces = client.search_traces(locations=experiments, run_id=result.run_id)
        found = {}
        for trace in traces:
            question = json.loads(trace.data.request)["question"]
            found[question] = {one.name: one for one in trace.info.assessments if one.feedback is not None}
        return found, result.metrics

    yield run
    mlflow.set_tracking_uri(None)


def row(question, outputs, reference):
    return {
        "inputs": {"question": question},
        "outputs": outputs,
        "expectations": {"expected_response": reference},
    }


@pytest.fixture(scope="module")
def mock():
    with mock_server() as server:
        yield server


TWO = """
name: two
scale: [0, 3]
sees: [question, reference]
criteria:
"""
for name in ("correctness", "readability"):
    TWO += f"  - name: {name}\n    weight: 0.5\n    description: Is it?\n    levels:\n"
    TWO += "".join(f"      - {{score: {n}, description: level {n}}}\n" for n in range(4))


def test_a_rubric_judge_gives_feedback_in_an_evaluation_and_asks_exactly_once(evaluate, mock, tmp_path):
    import markscheme

    mock.configure({})
    (tmp_path / "two.yaml").write_text(TWO)
    settings = {"base_url": mock.url, "shots": 0, "workspace": tmp_path / "work"}
    rows = [row(f"[[Q{n}]] Which code word?", f"It is {code_word(n)}.", code_word(n)) for n in range(6)]
    for _ in range(2):
        scorer = markscheme.mlflow_scorer("./two.yaml", "openai-compatible/judge-1", name="strict", **settings)
        found, metrics = evaluate(rows, scorer)
        scorer.close()
    assert mock.stats()["received"] == 6
    first = found["[[Q0]] Which code word?"]
    assert set(first) == {"strict/correctness", "strict/readability", "strict/composite"}
    one = first["strict/correctness"]
    assert (one.source.source_type, one.source.source_id) == ("LLM_JUDGE", "openai-compatible/judge-1")
    assert one.rationale
    assert one.metadata["scale"] == "0 to 3"
    values = [assessments["strict/correctness"].feedback.value for assessments in found.values()]
    assert metrics["strict/correctness/mean"] == pytest.approx(sum(values) / 6)
    parts = first["strict/correctness"].feedback.value, first["strict/readability"].feedback.value
    assert first["strict/composite"].feedback.value == pytest.approx(sum(parts) / 2)


def test_what_cannot_be_read_is_an_error_that_no_mean_counts_as_0(evaluate, mock, tmp_path):
    import markscheme

    (tmp_path / "two.yaml").write_text(TWO)
    mock.configure({"errors": {"badcontent": 1.0}})
    settings = {"base_url": mock.url, "shots": 0, "workspace": tmp_path / "work"}
    scorer = markscheme.mlflow_scorer("./two.yaml", "openai-compatible/judge-1", **settings)
    found, metrics = evaluate([row("[[Q0]] Which?", "x", "y")], scorer)
    scorer.close()
    error = found["[[Q0]] Which?"]["two/correctness"].feedback.error
    assert error.error_code == "UNPARSABLE"
    assert found["[[Q0]] Which?"]["two/composite"].feedback.error.error_code == "INCOMPLETE"
    assert "two/correctness/mean" not in metrics


def test_the_embedded_judge_needs_no_model_and_mixed_rows_keep_their_mean(evaluate, tmp_path):
    import markscheme

    scorer = markscheme.mlflow_scorer(workspace=tmp_path / "work")
    rows = [
        row("What is the capital of France?", "The capital of France is Paris.", "The capital of France is Paris."),
        {"inputs": {"question": "Without reference?"}, "outputs": "Anything."},
    ]
    found, metrics = evaluate(rows, scorer)
    scorer.close()
    good, lacking = found["What is the capital of France?"], found["Without reference?"]
    assert good["docs_qa/correctness"].source.source_type == "CODE"
    assert lacking["docs_qa/correctness"].feedback.error.error_code == "NOT_APPLICABLE"
    assert metrics["docs_qa/correctness/mean"] == good["docs_qa/correctness"].feedback.value


def test_rows_of_every_shape_are_read():
    chat = {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "2 + 2?"}]}
    sample = sample_of(chat, {"expected_facts": ["it is 4", "it is even"]})
    assert (sample.question, sample.messages) == ("2 + 2?", ({"role": "system", "content": "Be kind."},))
    assert sample.reference == "- it is 4\n- it is even"
    assert sample_of({"query": "q", "documents": ["a", "b"]}, None).context == ("a", "b")
    assert sample_of({"x": 1}, None).question == '{"x":1}'
    assert said_of({"choices": [{"message": {"content": "4"}}]}, ()) == Said("4")
    assert said_of({"response": 4}, ()).startswith("the application returned dict")
    assert said_of(None, ()) == "the application gave no output"


def test_passages_of_a_traced_application_reach_the_judge():
    from mlflow.entities import Document

    retrieved = [Document("a passage", id="d1"), {"page_content": "another", "metadata": {}}]
    trace = SimpleNamespace(search_spans=lambda span_type: [SimpleNamespace(outputs=retrieved)])
    assert passages_of(trace) == (Retrieved("a passage", "d1"), Retrieved("another"))
    assert said_of("x", passages_of(trace)).retrieved == passages_of(trace)
    assert said_of({"answer": "x", "contexts": ["its own"]}, passages_of(trace)).retrieved == (Retrieved("its own"),)


def test_mistakes_are_named_when_the_scorer_is_made_and_not_row_by_row(tmp_path, monkeypatch):
    import markscheme

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExamError, match="'nowhere' is not among the packaged rubrics"):
        markscheme.mlflow_scorer("nowhere")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputError, match="OPENAI_API_KEY"):
        markscheme.mlflow_scorer(judge="openai/gpt-4o-mini")
    assert not (tmp_path / ".markscheme").exists()

"""Models of MLflow's registry as candidates: in a real registry, with every shape of input and output."""

from __future__ import annotations

import asyncio
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import pytest
from markscheme.harness.candidates.build import build_candidate
from markscheme.harness.candidates.mlflow_model import given_of, said
from markscheme.harness.candidates.returned import reply_from
from markscheme.harness.errors import InputError
from markscheme.harness.exam import CandidateSpec
from markscheme.harness.records import Call, Failed, Reply, Said, Sample, Timing
from mlflow_server import planted_registry

SAMPLE = Sample("q1", "What is kappa?", context=("Kappa is agreement.",), reference="SECRET", metadata={"user": "ann"})

# MLflow would like hints on every `predict`.
pytestmark = pytest.mark.filterwarnings("ignore:.*Add type hints")
MODELS = """
import mlflow
import pydantic
from mlflow.models import infer_signature
from mlflow.pyfunc import ChatModel, PythonModel, ResponsesAgent
from mlflow.types.llm import ChatChoice, ChatCompletionResponse, ChatMessage
from mlflow.types.responses import ResponsesAgentRequest, ResponsesAgentResponse


class Columns(PythonModel):
    def predict(self, context, model_input, params=None):
        row = model_input.iloc[0]
        if row["question"] == "Boom?":
            raise ValueError("no such thing")
        return [f"{row['question']} {row['context']} {(params or {}).get('temperature')}"]


class Texts(PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return ["texts: " + text for text in model_input]


class Mappings(PythonModel):
    def predict(self, model_input: list[dict[str, str]]) -> list[str]:
        return [f"{row['question']} {row['context']}" for row in model_input]


class Asked(pydantic.BaseModel):
    query: str
    user: str


class Typed(PythonModel):
    def predict(self, model_input: list[Asked]) -> list[str]:
        return [f"{row.query} by {row.user}" for row in model_input]


class Chat(ChatModel):
    def predict(self, context, messages, params):
        said = " / ".join(f"{m.role}: {m.content}" for m in messages)
        message = ChatMessage(role="assistant", content=said)
        return ChatCompletionResponse(choices=[ChatChoice(index=0, message=message)])


class Agent(ResponsesAgent):
    def predict(self, request: ResponsesAgentRequest) -> ResponsesAgentResponse:
        text = "agent: " + str(request.input[-1].content)
        return ResponsesAgentResponse(output=[self.create_text_output_item(text=text, id="1")])


class Broken(PythonModel):
    def load_context(self, context):
        raise ImportError("No module named 'left_out'")

    def predict(self, context, model_input):
        return ["never"]


def register():
    import pandas as pd
    rows = pd.DataFrame({"question": ["q"], "context": ["c"]})
    signature = infer_signature(rows, ["a"], params={"temperature": 0.1})
    for version in (1, 2):
        given = {"registered_model_name": "columns", "signature": signature}
        mlflow.pyfunc.log_model(name="columns", python_model=Columns(), **given)
    for kind in (Texts, Mappings, Typed, Chat, Agent, Broken):
        name = kind.__name__.lower()
        mlflow.pyfunc.log_model(name=name, python_model=kind(), registered_model_name=name)
    mlflow.MlflowClient().set_registered_model_alias("columns", "champion", "1")
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The address of a registry with a few models in it."""
    with planted_registry(tmp_path_factory.mktemp("registry"), "planted_models", MODELS) as address:
        yield address


@pytest.fixture
def here(registry, monkeypatch, tmp_path):
    """MLflow's own setting is that registry. What it warns of is its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield tmp_path


class Caller:
    """Exactly-once in memory."""

    run, salt = "run", ""

    def __init__(self):
        self.known = {}

    async def perform(self, key, model, work):
        if key in self.known:
            return replace(self.known[key], reused=True)
        call = Call(key, self.run, "candidate", "c", model, await work())
        if isinstance(call.outcome, Reply):
            self.known[key] = call
        return call


def build(model, caller=None, **more):
    spec = CandidateSpec.model_validate({"name": "c", "model": model, **more})
    return build_candidate(spec, open_model=lambda _: pytest.fail("no model"), caller=caller or Caller(), slot=0)


def answer(candidate, sample=SAMPLE):
    return asyncio.run(candidate.answer(sample, 0)).outcome


def test_a_model_with_columns_is_given_those_of_the_sample_that_it_names_and_the_params(here):
    assert answer(build("mlflow:models:/columns/1")) == Said("What is kappa? Kappa is agreement. 0.1")
    assert answer(build("mlflow:models:/columns/1", params={"temperature": 0.7})).text.endswith(" 0.7")


def test_texts_chats_and_agents_are_asked_in_their_own_shape(here):
    assert answer(build("mlflow:models:/texts/1")) == Said("texts: What is kappa?")
    assert answer(build("mlflow:models:/mappings/1")) == Said("What is kappa? Kappa is agreement.")
    assert answer(build("mlflow:models:/typed/1")) == Said("What is kappa? by ann")
    assert answer(build("mlflow:models:/agent/1")) == Said("agent: What is kappa?")
    conversation = Sample("t", turns=("One?", "Two?"))
    assert answer(build("mlflow:models:/chat/1"), conversation).text == (
        "user: One? / assistant: user: One? / user: Two?"
    )


def test_an_alias_and_the_version_that_it_stands_for_share_every_reply(here):
    caller = Caller()
    pinned, champion, latest = (build(f"mlflow:models:/columns{end}", caller) for end in ("/1", "@champion", "/latest"))
    assert pinned.fingerprint(SAMPLE, 0) == champion.fingerprint(SAMPLE, 0) != latest.fingerprint(SAMPLE, 0)
    assert champion.model == "mlflow:models:/columns/1"
    assert champion.notes == ("candidate 'c': models:/columns@champion is models:/columns/1 now",)
    assert latest.model == "mlflow:models:/columns/2"
    assert pinned.notes == ()
    answer(pinned)
    assert asyncio.run(champion.answer(SAMPLE, 0)).origin == "reused"


def test_a_corrected_reference_asks_nothing_again_and_other_params_do(here):
    model = build("mlflow:models:/columns/1")
    assert model.fingerprint(replace(SAMPLE, reference="other"), 0) == model.fingerprint(SAMPLE, 0)
    warm = build("mlflow:models:/columns/1", params={"temperature": 0.7})
    assert warm.fingerprint(SAMPLE, 0) != model.fingerprint(SAMPLE, 0)


def test_what_a_model_raises_is_its_own_failure(here):
    outcome = answer(build("mlflow:models:/columns/1"), replace(SAMPLE, question="Boom?"))
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.owner) == ("candidate_error", "candidate")
    assert "no such thing" in outcome.detail


def test_a_model_that_cannot_be_loaded_ends_the_run_with_what_it_needs(here):
    with pytest.raises(
        InputError, match=r"mlflow:models:/broken/1 cannot be loaded: .*left_out.*get_model_dependencies"
    ):
        answer(build("mlflow:models:/broken/1"))


@pytest.mark.parametrize("name", ["columns/7", "nobody/1", "columns@nobody", "nobody/latest"])
def test_what_the_registry_does_not_have_is_named_before_anything_is_asked(here, name):
    with pytest.raises(InputError, match=f"mlflow:models:/{name}: .*"):
        build(f"mlflow:models:/{name}")


@pytest.mark.parametrize("name", ["mlflow:models:/x", "mlflow:models:/x/Production", "mlflow:", "mlflow:runs:/1/x"])
def test_other_forms_are_mistakes_in_the_exam(name):
    with pytest.raises(ValueError, match=r"like mlflow:models:/name/3"):
        build(name)


def test_a_scorer_is_no_candidate_and_a_prompt_has_no_effect(tmp_path):
    with pytest.raises(ValueError, match="is a scorer, and so a judge"):
        build("mlflow:package.module:scorer")
    (tmp_path / "p.j2").write_text("x")
    with pytest.raises(ValueError, match="has no effect on the candidate 'mlflow:models:/x/1'"):
        build("mlflow:models:/x/1", prompt=str(tmp_path / "p.j2"))


def test_without_mlflow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(InputError, match=r"pip install 'markscheme\[mlflow\]'"):
        build("mlflow:models:/x/1")


def test_without_a_signature_a_model_is_given_question_context_and_messages():
    unsigned = SimpleNamespace(metadata=SimpleNamespace(get_input_schema=lambda: None))
    (row,) = given_of(unsigned, SAMPLE).to_dict("records")
    assert row == {
        "question": "What is kappa?",
        "context": "Kappa is agreement.",
        "messages": [{"role": "user", "content": "What is kappa?"}],
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (["a"], "a"),
        ({"answer": "a"}, "a"),
        ([{"answer": "a", "contexts": ["p"]}], "a"),
        ({"choices": [{"message": {"role": "assistant", "content": "a"}}]}, "a"),
        (
            {"output": [{}, {"type": "message", "content": [{"type": "output_text", "text": "a"}]}]},
            "a",
        ),
    ],
)
def test_predictions_of_every_shape_are_read(value, text):
    assert reply_from(said(value), Timing(0.0, 1.0), "").text == text


def test_tables_and_arrays_of_one_row_are_read():
    import numpy as np
    import pandas as pd

    assert said(pd.DataFrame({"anything": ["a"]})) == "a"
    assert said(pd.DataFrame({"answer": ["a"], "contexts": [["p"]]})) == {"answer": "a", "contexts": ["p"]}
    assert said(np.array(["a"])) == "a"
    assert said(pd.Series(["a"])) == "a"
    with pytest.raises(ValueError, match="wanted text"):
        reply_from(said([]), Timing(0.0, 1.0), "")

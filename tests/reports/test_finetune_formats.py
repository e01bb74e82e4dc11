"""Lines of training data are what the services' documentation describes, and nothing more."""

import json
from typing import Any, Literal

import pytest
from learning import WEATHER, example, sample
from markscheme.harness.records import Retrieved
from markscheme.reports.finetune.filters import READABLE, sieved
from markscheme.reports.finetune.formats import chat_line, pair_line, to_json
from markscheme.reports.finetune.records import Pair
from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionMessageParam
from pydantic import BaseModel, ConfigDict, TypeAdapter


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Function(Strict):
    name: str
    arguments: str


class Call(Strict):
    id: str
    type: Literal["function"]
    function: Function


class OpenAIMessage(Strict):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    weight: Literal[0, 1] | None = None


class Declared(Strict):
    name: str
    description: str
    parameters: dict[str, Any]


class Tool(Strict):
    type: Literal["function"]
    function: Declared


class OpenAILine(Strict):
    messages: list[OpenAIMessage]
    tools: list[Tool] | None = None
    parallel_tool_calls: bool | None = None


class FireworksMessage(OpenAIMessage):
    role: Literal["system", "user", "assistant", "tool"]


class FireworksLine(Strict):
    messages: list[FireworksMessage]
    tools: list[Tool] | None = None


class NemoFunction(Strict):
    name: str
    arguments: dict[str, Any]


class NemoCall(Call):
    function: NemoFunction


class NemoMessage(Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[NemoCall] | None = None
    tool_call_id: str | None = None


class NemoLine(Strict):
    messages: list[NemoMessage]
    tools: list[Tool] | None = None


class OpenAIPair(Strict):
    input: OpenAILine
    preferred_output: list[OpenAIMessage]
    non_preferred_output: list[OpenAIMessage]


class FireworksPair(Strict):
    input: FireworksLine
    preferred_output: list[FireworksMessage]
    non_preferred_output: list[FireworksMessage]


class NemoPair(Strict):
    prompt: list[NemoMessage]
    chosen_response: str
    rejected_response: str


LINES = {"openai": OpenAILine, "fireworks": FireworksLine, "nemo": NemoLine}
PAIRS = {"openai": OpenAIPair, "fireworks": FireworksPair, "nemo": NemoPair}
HISTORY = (
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Oslo?"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "rain"},
    {"role": "assistant", "content": "Rain."},
)
SAID = {
    "plain": example,
    "as sent": lambda: example(messages=[{"role": "system", "content": "Grade."}, {"role": "user", "content": "Hi."}]),
    "calls": lambda: example(
        sample(tools=(WEATHER,)), "", calls=[("weather", '{"city": "Oslo"}'), ("weather", '{"city": "Bergen"}')]
    ),
    "a call after a history with calls": lambda: example(
        sample(question="And Bergen?", messages=HISTORY, tools=(WEATHER,)),
        "One moment.",
        calls=[("weather", '{"city": "Bergen"}', "b")],
    ),
    "turns": lambda: example(sample(question="", turns=("One?", "Two?")), "2", turns=("1", "2")),
}


@pytest.mark.parametrize("format", LINES)
@pytest.mark.parametrize("case", SAID)
def test_a_line_has_the_documented_form_and_ends_with_the_answer(format, case):
    one = SAID[case]()
    line = json.loads(to_json(chat_line(one, format)))
    read = LINES[format].model_validate(line)
    assert read.messages[-1].role == "assistant"
    assert (read.messages[-1].content or "") == one.said.text
    assert len(read.messages[-1].tool_calls or ()) == len(one.said.tool_calls)


@pytest.mark.parametrize("case", SAID)
def test_openais_own_types_take_every_message(case):
    line = chat_line(SAID[case](), "openai")
    messages = [{name: value for name, value in one.items() if name != "weight"} for one in line["messages"]]
    for message in messages:
        TypeAdapter(ChatCompletionMessageParam).validate_python(message)
    TypeAdapter(ChatCompletionAssistantMessageParam).validate_python(messages[-1])


@pytest.mark.parametrize("format", PAIRS)
def test_a_pair_has_the_documented_form(format):
    asked = sample(tools=(WEATHER,)) if format != "nemo" else sample()
    pair = Pair(example(asked, "Better."), example(asked, "Worse.", "small", score=0.0), "3")
    line = json.loads(to_json(pair_line(pair, format)))
    PAIRS[format].model_validate(line)
    assert "Better." in json.dumps(line.get("preferred_output", line.get("chosen_response")))
    assert "Worse." in json.dumps(line.get("non_preferred_output", line.get("rejected_response")))


def test_arguments_are_text_for_openai_and_an_object_for_nemo():
    one = SAID["calls"]()
    openai, nemo = (chat_line(one, format)["messages"][-1]["tool_calls"][0] for format in ("openai", "nemo"))
    assert openai["function"]["arguments"] == '{"city": "Oslo"}'
    assert nemo["function"]["arguments"] == {"city": "Oslo"}
    assert openai["id"] == "call_1"


def test_functions_come_with_whether_several_may_be_called_as_the_candidate_was_told():
    asked = sample(tools=(WEATHER,))
    said = [("weather", '{"city": "Oslo"}')]
    assert chat_line(example(asked, calls=said), "openai")["parallel_tool_calls"] is True
    sent = example(
        asked, calls=said, messages=[{"role": "user", "content": "?"}], params={"parallel_tool_calls": False}
    )
    assert chat_line(sent, "openai")["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in chat_line(sent, "fireworks")


def test_what_the_assistant_is_given_to_have_said_is_not_learned_and_its_own_turns_are():
    line = chat_line(SAID["a call after a history with calls"](), "openai")
    assert [one.get("weight") for one in line["messages"] if one["role"] == "assistant"] == [0, 0, None]
    turns = chat_line(SAID["turns"](), "openai")["messages"]
    assert [(one["role"], one["content"]) for one in turns] == [
        ("user", "One?"), ("assistant", "1"), ("user", "Two?"), ("assistant", "2"),
    ]  # fmt: skip
    assert all("weight" not in one for one in turns)


def test_the_messages_are_those_that_were_sent_else_the_sample_with_its_context():
    sent = SAID["as sent"]()
    assert [m["content"] for m in chat_line(sent, "openai")["messages"]] == ["Grade.", "Hi.", sent.said.text]
    made = example(sample(context=("A rubric is a list.",)))
    assert "Context:\nA rubric is a list.\n\nQuestion: What is a rubric?" in made.prompt.messages[0]["content"]
    assert not made.prompt.recorded


def test_passages_that_a_candidate_retrieved_stand_in_its_prompt():
    from dataclasses import replace

    from markscheme.reports.finetune.prompts import prompt_of

    one = example(sample(context=("Old.",)))
    answer = replace(one.asked.answer, outcome=replace(one.said, retrieved=(Retrieved("Found."),)))
    text = prompt_of(replace(one.asked, answer=answer)).messages[0]["content"]
    assert "Found." in text
    assert "Old." not in text


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ({"calls": [("weather", "{city: Oslo")]}, "malformed call"),
        ({"calls": [("weather", '"Oslo"')]}, "malformed call"),
        ({"calls": [("sunshine", "{}")]}, "unknown function"),
        ({"failed": "timeout"}, "failed"),
        ({"failed": "truncated"}, "truncated"),
        ({"text": " \n"}, "empty"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "path": "a.png"}]}]}, "image"),
    ],
)
def test_what_can_be_no_line_is_taken_out_and_counted(case, name):
    kept, counts = sieved([example(sample(tools=(WEATHER,)), **case), example()], READABLE)
    assert (len(kept), dict(counts)) == (1, {name: 1})


def test_hostile_texts_stay_data_and_numbers_keep_their_digits():
    hostile = 'a\u2028b\u2029c\x85d\r\n</script>"}\n{"messages": []}'
    line = to_json(chat_line(example(text=hostile), "openai"))
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line)["messages"][-1]["content"] == hostile
    big = example(sample(tools=(WEATHER,)), calls=[("weather", '{"city": 123456789012345678901234567890}')])
    assert b"123456789012345678901234567890" in to_json(chat_line(big, "nemo"))
    half = example(sample(tools=(WEATHER,)), calls=[("weather", '{"city": "\\ud800"}')])
    assert json.loads(to_json(chat_line(half, "nemo")))["messages"][-1]["tool_calls"]

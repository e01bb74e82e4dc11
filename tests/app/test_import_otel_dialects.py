"""Traces in the dialects of OpenLLMetry, OpenInference and frameworks: the same sample, the same answer."""

from __future__ import annotations

import json

import pytest
from markscheme.app.importing.found import Found
from markscheme.app.importing.traces.reading import TraceChoice, read_traces
from markscheme.app.importing.traces.values import asked_by, said_by
from otlp_documents import TRACE, event, request, span, write

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def only(tmp_path, *spans, **choice):
    found = read_traces([write(tmp_path / "traces.jsonl", request(*spans))], TraceChoice(**choice))
    ((place, answer),) = found.answers.items()
    return place, found.samples[place[0]], answer, found


def test_openllmetry_is_read(tmp_path):
    workflow = {
        "traceloop.span.kind": "workflow",
        "traceloop.entity.name": "ask_weather",
        "traceloop.workflow.name": "ask_weather",
        "traceloop.entity.input": json.dumps({"args": ["Is it raining in Oslo?"], "kwargs": {}}),
        "traceloop.entity.output": json.dumps("No, it is dry."),
        "traceloop.association.properties.session_id": "s-1",
        "traceloop.association.properties.plan": "free",
    }
    query = event("db.query.result", {"db.query.result.id": "d1", "db.query.result.document": "Dry in Oslo."})
    call = {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Is it raining in Oslo?"}]),
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.name": "weather",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Oslo"}',
        "llm.request.functions.0.name": "weather",
        "llm.request.functions.0.parameters": json.dumps(SCHEMA),
        "gen_ai.usage.prompt_tokens": 30,
        "gen_ai.usage.completion_tokens": 6,
    }
    spans = (span(1, workflow), span(2, {}, 1, name="chroma.query", events=[query]), span(3, call, 1))
    place, sample, answer, found = only(tmp_path, *spans)
    assert place == (TRACE, "ask_weather", 0)
    assert (sample["question"], sample["cluster"], answer.text) == ("Is it raining in Oslo?", "s-1", "No, it is dry.")
    assert sample["tools"][0]["function"]["parameters"] == SCHEMA
    assert [one["function"]["arguments"] for one in answer.tool_calls] == ['{"city": "Oslo"}']
    assert answer.retrieved == ({"text": "Dry in Oslo.", "id": "d1", "score": None},)
    assert (answer.measured["prompt_tokens"], answer.measured["completion_tokens"]) == (30, 6)
    assert found.variables[TRACE]["plan"] == "free"
    _, sample, answer, _ = only(tmp_path, *spans, each="inference")
    assert [m["content"] for m in sample["messages"]] == ["Be brief.", "Is it raining in Oslo?"]
    assert (answer.text, len(answer.tool_calls)) == ("", 1)


def test_openinference_is_read(tmp_path):
    chain = {
        "openinference.span.kind": "CHAIN",
        "input.value": json.dumps({"question": "Is it raining in Oslo?", "chat_history": []}),
        "input.mime_type": "application/json",
        "output.value": '{"verdict": "dry"}',
        "output.mime_type": "text/plain",
        "session.id": "s-2",
    }
    retriever = {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.content": "Dry in Oslo.",
        "retrieval.documents.0.document.score": 0.9,
        "retrieval.documents.1.document.content": "Rain in Bergen.",
        "retrieval.documents.1.document.metadata": '{"source": "bergen.md"}',
    }
    model = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-mini",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "Rain?",
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Dry.",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
        "llm.tools.0.tool.json_schema": json.dumps(
            {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
        ),
        "llm.token_count.prompt": 30,
        "llm.token_count.completion": 6,
        "llm.cost.total": 0.0021,
    }
    spans = (span(1, chain), span(2, retriever, 1), span(3, model, 1))
    place, sample, answer, _ = only(tmp_path, *spans)
    assert (place[1], sample["question"], sample["cluster"]) == ("shop", "Is it raining in Oslo?", "s-2")
    assert answer.text == '{"verdict": "dry"}'  # text that looks like JSON is still what was said
    assert [(one["id"], one["score"]) for one in answer.retrieved] == [("d1", 0.9), ("bergen.md", None)]
    assert answer.measured == {"e2e_s": 0.1, "prompt_tokens": 30, "completion_tokens": 6, "cost_usd": 0.0021}
    _, sample, answer, found = only(tmp_path, *spans, each="inference")
    assert (sample["question"], answer.text) == ("Rain?", "Dry.")
    assert answer.tool_calls[0]["function"]["arguments"] == '{"city": "Oslo"}'
    assert sample["tools"][0]["function"]["name"] == "weather"
    assert found.left["parts of messages that are no text"] == 1


def test_attributes_of_the_first_conventions_are_read(tmp_path):
    old = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4",
        "gen_ai.prompt": json.dumps([{"role": "user", "content": "Rain?"}]),
        "gen_ai.completion": json.dumps([{"role": "assistant", "content": "No."}]),
    }
    _, sample, answer, _ = only(tmp_path, span(1, old))
    assert (sample["question"], answer.text) == ("Rain?", "No.")
    bare = {name: value for name, value in old.items() if name not in ("gen_ai.prompt", "gen_ai.completion")}
    events = [
        event("gen_ai.content.prompt", {"gen_ai.prompt": old["gen_ai.prompt"]}),
        event("gen_ai.content.completion", {"gen_ai.completion": old["gen_ai.completion"]}),
    ]
    _, sample, answer, _ = only(tmp_path, span(1, bare, events=events))
    assert (sample["question"], answer.text) == ("Rain?", "No.")


HUMAN = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain", "HumanMessage"],
    "kwargs": {"content": "Rain?", "type": "human"},
}
AI = {"text": "No.", "message": {"lc": 1, "kwargs": {"content": "No.", "type": "ai"}}}


@pytest.mark.parametrize(
    "value",
    [
        "Rain?",
        {"query": "Rain?"},
        {"args": [], "kwargs": {"question": "Rain?"}},
        {"inputs": {"input": "Rain?"}, "tags": [], "kwargs": {"name": "LLMChain"}},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Rain?"}]}], "model": "gpt-4o"},
        {"messages": [[HUMAN]]},
        {"input": [{"role": "user", "content": "Rain?"}]},
        {"contents": [{"role": "user", "parts": [{"text": "Rain?"}]}]},
    ],
)
def test_a_question_is_found_in_the_input_of_a_framework(value):
    assert asked_by(value, Found("otel", "")) == [{"role": "user", "content": "Rain?"}]


@pytest.mark.parametrize(
    "value",
    [
        "No.",
        {"answer": "No."},
        {"outputs": {"text": "No."}, "kwargs": {"tags": None}},
        {"choices": [{"message": {"role": "assistant", "content": "No."}}]},
        {"choices": [{"text": "No."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
        {"content": [{"type": "text", "text": "No."}], "id": "msg_1", "usage": {}},
        {
            "output": [
                {"type": "reasoning"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "No."}]},
            ]
        },
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "No."}]}}]},
        {"generations": [[AI]]},
        {"messages": [{"role": "user", "content": "Rain?"}, {"role": "assistant", "content": "No."}]},
    ],
)
def test_an_answer_is_found_in_the_output_of_a_framework(value):
    assert said_by(value, Found("otel", ""))["content"] == "No."


def test_text_and_calls_of_one_reply_are_one_message():
    call = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]}
    message = said_by({"output": [said, call]}, Found("otel", ""))
    assert message["content"] == "I look."
    assert message["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Oslo"}'}

"""Traces of OpenTelemetry become samples and answers: what was asked, said, found, called, and how long it took."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from markscheme.app.importing.traces.reading import TraceChoice, read_traces
from markscheme.harness.windows import ASKED_AT, unix_time
from otlp_documents import START, TRACE, chat, event, record, records, request, span, texts, write

AGENT = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "helper",
    "gen_ai.conversation.id": "c-7",
    "gen_ai.input.messages": texts(("user", "Is it raining in Paris?")),
    "gen_ai.output.messages": texts(("assistant", "Yes, take an umbrella.")),
    "app.tier": "gold",
}
DOCUMENTS = [{"id": "w-1", "score": 0.75, "content": "Rain over Paris."}, {"id": "w-2"}]
CALL = {"type": "tool_call", "id": "call-1", "name": "weather", "arguments": {"city": "Paris"}}
FUNCTION = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
FIRST_CALL = chat("Is it raining in Paris?") | {
    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [CALL], "finish_reason": "tool_calls"}]),
    "gen_ai.usage.input_tokens": 20,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.tool.definitions": json.dumps([FUNCTION, {"type": "web_search", "name": "search"}]),
}
SECOND_CALL = chat("…", "Yes, take an umbrella.") | {
    "gen_ai.usage.input_tokens": 40,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": "chatcmpl-2",
}


def agent_trace():
    return request(
        span(1, AGENT, endTimeUnixNano=str(START + 2_000_000_000)),
        span(
            2,
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.retrieval.documents": [
                    {"id": "w-1", "score": 0.75, "content": "Rain over Paris."},
                    {"id": "w-2"},
                ],
            },
            parent=1,
        ),
        span(3, FIRST_CALL, parent=1),
        span(4, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}, parent=1),
        span(5, SECOND_CALL, parent=1),
    )


def found_of(tmp_path, *documents, **choice):
    return read_traces([write(tmp_path / "traces.jsonl", *documents)], TraceChoice(**choice))


def only(found):
    ((place, answer),) = found.answers.items()
    return place, found.samples[place[0]], answer


def test_a_trace_of_an_agent_is_one_sample_with_all_that_lies_under_it(tmp_path):
    found = found_of(tmp_path, agent_trace())
    place, sample, answer = only(found)
    assert place == (TRACE, "helper", 0)
    assert (sample["question"], sample["cluster"]) == ("Is it raining in Paris?", "c-7")
    assert [tool["function"]["name"] for tool in sample["tools"]] == ["weather"]
    assert found.left == {"tools of a provider's own": 1}
    assert (answer.text, answer.served_model) == ("Yes, take an umbrella.", "gpt-4o-mini-2024-07-18")
    (call,) = answer.tool_calls
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("weather", {"city": "Paris"})
    assert answer.retrieved == (
        {"text": "Rain over Paris.", "id": "w-1", "score": 0.75},
        {"text": "", "id": "w-2", "score": None},
    )
    assert answer.measured == {"e2e_s": 1.9, "prompt_tokens": 60, "completion_tokens": 12}
    metadata = found.variables[TRACE]
    assert metadata["asked_at"] == "2026-11-21T20:36:18.100+00:00"
    assert (metadata["response_id"], metadata["model"], metadata["app.tier"]) == ("chatcmpl-2", "gpt-4o-mini", "gold")
    assert (metadata["trace_id"], metadata["span_id"]) == (TRACE, f"{1:016x}")


def test_each_call_of_a_model_can_be_a_sample_of_its_own(tmp_path):
    found = found_of(tmp_path, agent_trace(), each="inference", candidate_from="model")
    assert [(place[0], place[1]) for place in found.answers] == [
        (f"{3:016x}", "gpt-4o-mini"),
        (f"{5:016x}", "gpt-4o-mini"),
    ]
    first, second = found.answers.values()
    assert (first.text, len(first.tool_calls), second.tool_calls) == ("", 1, ())
    assert (first.measured["prompt_tokens"], second.measured["prompt_tokens"]) == (20, 40)
    assert len(second.retrieved) == 2
    late = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": [{"id": "later"}]}
    (answer,) = found_of(tmp_path, request(span(1, chat()), span(2, late)), each="inference").answers.values()
    assert answer.retrieved == ()
    one = found_of(tmp_path, request(span(1, chat())), each="inference")
    assert list(one.samples) == [TRACE]


def test_without_an_outer_span_that_has_texts_the_last_model_answers(tmp_path):
    server = span(1, {"http.request.method": "POST", "http.request.header.x-request-id": ["req-9"]})
    found = found_of(tmp_path, request(server, span(2, chat("rewrite"), 1), span(3, chat("Why?", "Because."), 1)))
    place, sample, answer = only(found)
    assert (place[1], sample["question"], answer.text) == ("shop", "Why?", "Because.")
    assert answer.measured["e2e_s"] == pytest.approx(0.1)
    assert found.variables[TRACE]["request_id"] == "req-9"
    assert found.left["further calls of models in a trace (--each inference takes each)"] == 1


def test_an_agent_answers_before_a_model_that_was_called_beside_it(tmp_path):
    title = span(9, chat("Find a title.", "Rain"))
    assert only(found_of(tmp_path, request(span(1, AGENT), title)))[2].text == "Yes, take an umbrella."
    wrapped = (span(1, {}, name="POST /ask"), span(2, {}, 1, name="handler"), span(3, AGENT, 2), span(9, chat(), 1))
    assert only(found_of(tmp_path, request(*wrapped)))[2].text == "Yes, take an umbrella."


def test_embeddings_and_evaluators_are_no_answers(tmp_path):
    embedding = span(8, chat("Embed.", "0.1") | {"gen_ai.operation.name": "embeddings"})
    evaluator = span(9, {"openinference.span.kind": "EVALUATOR", "input.value": "Good?", "output.value": "Yes."})
    for each in ("trace", "inference"):
        found = found_of(tmp_path, request(span(1, chat()), embedding, evaluator), each=each)
        assert (only(found)[2].text, found.left) == ("Paris.", {})


def test_the_candidate_is_whoever_is_asked_for(tmp_path):
    spans = request(span(1, {**AGENT, "app.release": "r2"}), span(2, chat(), 1))
    by = {name: only(found_of(tmp_path, spans, candidate_from=name))[0][1] for name in ("agent", "service", "model")}
    assert by == {"agent": "helper", "service": "shop", "model": "gpt-4o-mini"}
    assert only(found_of(tmp_path, spans, candidate_from="attribute:app.release"))[0][1] == "r2"
    unnamed = request(span(1, chat()), service="unknown_service:python")
    assert only(found_of(tmp_path, unnamed))[0][1] == "gpt-4o-mini"


def test_candidates_that_answered_different_traces_are_said_to(tmp_path):
    other = request(span(1, chat(), trace="ab" * 16), service="desk")
    found = found_of(tmp_path, request(span(1, chat())), other)
    assert {place[1] for place in found.answers} == {"shop", "desk"}
    assert any("one of 2 candidates (desk, shop)" in note for note in found.notes)
    assert found_of(tmp_path, request(span(1, chat()))).notes == []


def test_a_conversation_keeps_its_roles_calls_and_results(tmp_path):
    history = [
        {"role": "user", "parts": [{"type": "text", "content": "Rain?"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, CALL]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-1", "response": {"rain": True}}]},
    ]
    system = [{"type": "text", "content": "Be brief."}]
    attributes = chat() | {
        "gen_ai.input.messages": history,  # structured, as newer exporters write it
        "gen_ai.system_instructions": json.dumps(system),
    }
    found = found_of(tmp_path, request(span(1, attributes)))
    _, sample, _ = only(found)
    assert found.left == {}  # what a model thought is no part that is missed
    assert [message["role"] for message in sample["messages"]] == ["system", "user", "assistant", "tool"]
    assert sample["messages"][0]["content"] == "Be brief."
    assert sample["messages"][2]["tool_calls"][0]["function"]["name"] == "weather"
    assert sample["messages"][3] == {"role": "tool", "content": '{"rain":true}', "tool_call_id": "call-1"}


def test_an_error_is_a_failure_of_its_kind_and_not_an_empty_answer(tmp_path):
    asked = {name: value for name, value in chat().items() if name != "gen_ai.output.messages"}
    wrong = {"status": {"code": 2, "message": "Request timed out."}}
    _, sample, answer = only(found_of(tmp_path, request(span(1, asked | {"error.type": "APITimeoutError"}, **wrong))))
    assert sample["question"] == "What is the capital of France?"
    assert (answer.status, answer.detail) == ("timeout", "APITimeoutError: Request timed out.")
    own = {
        "status": {"code": "STATUS_CODE_ERROR"},
        "events": [event("exception", {"exception.message": "KeyError: 'x'"})],
    }
    _, _, answer = only(found_of(tmp_path, request(span(1, {**AGENT}, **own))))
    assert (answer.status, answer.detail) == ("candidate_error", "KeyError: 'x'")
    down = request(span(1, asked, status={"code": 2, "message": "503 Service Unavailable"}))
    assert only(found_of(tmp_path, down))[2].status == "server_error"
    filtered = asked | {"gen_ai.response.finish_reasons": ["content_filter"]}
    assert only(found_of(tmp_path, request(span(1, filtered))))[2].status == "content_filter"


def test_a_failed_try_before_an_answer_does_not_fail_the_trace(tmp_path):
    failed = span(2, chat(), 1, status={"code": 2, "message": "429 Too Many Requests"})
    found = found_of(tmp_path, request(span(1, AGENT), failed, span(3, SECOND_CALL, 1)))
    assert only(found)[2].status == "ok"
    alone = found_of(tmp_path, request(failed, span(3, chat("Why?", "Because."), 1)))
    assert only(alone)[2].text == "Because."


def test_a_trace_that_failed_keeps_the_question_that_only_its_model_knows(tmp_path):
    outer = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
    lost = {"status": {"code": 2, "message": "connection reset"}}
    bare = {name: value for name, value in chat().items() if name != "gen_ai.output.messages"}
    _, sample, answer = only(found_of(tmp_path, request(span(1, outer), span(2, bare, 1, **lost))))
    assert (sample["question"], answer.status) == ("What is the capital of France?", "network")
    broke = {"status": {"code": 2, "message": "ValueError: no such order"}}
    _, sample, answer = only(found_of(tmp_path, request(span(1, outer, **broke), span(2, chat(), 1))))
    assert sample["question"] == "What is the capital of France?"
    assert (answer.status, answer.detail) == ("candidate_error", "ValueError: no such order")


def test_a_model_under_two_agents_answers_for_the_nearer_one(tmp_path):
    inner = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "searcher"}
    spans = request(span(1, AGENT | {"tag.tags": ["beta", "eu"]}), span(2, inner, 1), span(3, chat(), 2))
    found = found_of(tmp_path, spans, each="inference")
    place, sample, _ = only(found)
    assert (place[1], sample["tags"]) == ("searcher", ["beta", "eu"])
    assert only(found_of(tmp_path, spans))[0][1] == "helper"


def test_the_time_of_a_trace_is_one_that_windows_read(tmp_path):
    found = found_of(tmp_path, agent_trace())
    assert unix_time(found.variables[TRACE][ASKED_AT]) == pytest.approx(START / 1e9 + 0.1)


def test_tokens_are_summed_only_where_every_call_states_them(tmp_path):
    spans = (span(1, AGENT), span(2, FIRST_CALL, 1), span(3, chat(), 1))
    assert "prompt_tokens" not in only(found_of(tmp_path, request(*spans)))[2].measured
    told = span(1, AGENT | {"gen_ai.usage.input_tokens": 99})
    assert only(found_of(tmp_path, request(told, *spans[1:])))[2].measured["prompt_tokens"] == 99


def test_the_first_token_and_a_stated_cost_are_taken_along(tmp_path):
    stated = chat() | {"gen_ai.response.time_to_first_chunk": 0.04, "gen_ai.usage.cost": 0.002}
    measured = only(found_of(tmp_path, request(span(1, stated))))[2].measured
    assert (measured["ttft_s"], measured["cost_usd"]) == (0.04, 0.002)
    early = event("gen_ai.first_token", {}) | {"timeUnixNano": str(START + 130_000_000)}
    assert only(found_of(tmp_path, request(span(1, chat(), events=[early]))))[2].measured["ttft_s"] == pytest.approx(
        0.03
    )
    late = chat() | {"gen_ai.response.time_to_first_chunk": 5.0}
    assert "ttft_s" not in only(found_of(tmp_path, request(span(1, late))))[2].measured


@pytest.mark.parametrize("how", ["one document", "gzip", "two files", "snake case", "a list", "base64 ids"])
def test_every_way_to_write_a_trace_reads_the_same(tmp_path, how):
    wanted = only(found_of(tmp_path, agent_trace()))
    document = agent_trace()
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    paths = [tmp_path / "traces.json"]
    if how == "one document":
        paths[0].write_text(json.dumps(document, indent=2))
    elif how == "gzip":
        paths[0].write_bytes(gzip.compress(json.dumps(document).encode()))
    elif how == "a list":
        paths[0].write_text(json.dumps([document]))
    elif how == "two files":
        paths = [write(tmp_path / f"{n}.jsonl", request(*spans[n::2])) for n in range(2)]
    elif how == "snake case":
        paths[0].write_text(json.dumps(_snake(document)))
    else:
        paths[0].write_text(json.dumps(_based(document)))
    place, sample, answer = only(read_traces(paths, TraceChoice()))
    assert (place, sample, answer.text) == (*wanted[:2], wanted[2].text)
    assert (answer.tool_calls, answer.measured) == (wanted[2].tool_calls, wanted[2].measured)


def _snake(value):
    if isinstance(value, list):
        return [_snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): _snake(one) for name, one in value.items()}


def _based(value):
    if isinstance(value, list):
        return [_based(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _based(one) for name, one in value.items()}
    ids = {name for name in ("traceId", "spanId", "parentSpanId") if made.get(name)}
    return made | {name: base64.b64encode(bytes.fromhex(made[name])).decode() for name in ids}


def test_events_of_older_conventions_hold_messages_too(tmp_path):
    bare = {"gen_ai.system": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    events = [
        event("gen_ai.system.message", {"content": "Be brief."}),
        event("gen_ai.user.message", {"gen_ai.event.content": '{"content": "Rain in Oslo?"}'}),
        event("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": json.dumps({"tool_calls": [call]})}),
    ]
    _, sample, answer = only(found_of(tmp_path, request(span(1, bare, events=events))))
    assert [m["content"] for m in sample["messages"]] == ["Be brief.", "Rain in Oslo?"]
    assert answer.tool_calls[0]["function"]["arguments"] == '{"city": "Oslo"}'


def test_log_records_bring_the_texts_of_their_spans(tmp_path):
    bare = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 3}
    first = record(1, "gen_ai.system.message", {}, {"content": "Be brief."}) | {"timeUnixNano": str(START - 1)}
    logs = records(
        record(1, "gen_ai.user.message", {}, {"content": "Rain?"}),
        first,
        record(1, "gen_ai.choice", {}, {"index": 0, "finish_reason": "stop", "message": {"content": "No."}}),
        record(2, "gen_ai.client.inference.operation.details", chat("Sun?", "Yes."), trace="ab" * 16),
        record(3, "log.of.something.else", {}, "hello"),
    )
    (tmp_path / "logs.json").write_text(json.dumps(logs))
    paths = [write(tmp_path / "spans.jsonl", request(span(1, bare))), tmp_path / "logs.json"]
    found = read_traces(paths, TraceChoice())
    assert [m["content"] for m in found.samples[TRACE]["messages"]] == ["Be brief.", "Rain?"]
    assert found.samples["ab" * 16]["question"] == "Sun?"
    with_span, without = (
        found.answers[name, candidate, 0] for name, candidate in [(TRACE, "shop"), ("ab" * 16, "gpt-4o-mini")]
    )
    assert (with_span.text, with_span.measured["e2e_s"]) == ("No.", 0.1)
    assert (without.text, "e2e_s" in without.measured) == ("Yes.", False)


def test_spans_of_the_real_sdk_are_read(tmp_path):
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    encoder = pytest.importorskip("opentelemetry.exporter.otlp.proto.common.trace_encoder")
    from google.protobuf.json_format import MessageToJson
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import StatusCode

    kept = InMemorySpanExporter()
    provider = sdk.TracerProvider(resource=Resource.create({"service.name": "front desk"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("tests")
    opened = tracer.start_as_current_span
    with opened("invoke_agent", attributes=AGENT), opened("chat", attributes=SECOND_CALL) as inner:
        inner.add_event("gen_ai.first_token")
    with opened("chat", attributes=chat("Why?")) as failed:
        failed.record_exception(ConnectionError("connection refused"))
        failed.set_status(StatusCode.ERROR, "connection refused")
    path = tmp_path / "sdk.json"
    path.write_text(MessageToJson(encoder.encode_spans(kept.get_finished_spans())))
    found = read_traces([path], TraceChoice())
    ok, wrong = found.answers.values()
    assert (ok.text, ok.measured["prompt_tokens"], len(found.samples)) == ("Yes, take an umbrella.", 40, 2)
    assert 0 <= ok.measured["e2e_s"] < 60
    assert wrong.status == "network"
    assert {place[1] for place in found.answers} == {"helper", "front desk"}
    ids = {format(one.context.trace_id, "032x") for one in kept.get_finished_spans()}
    assert set(found.samples) == ids


def test_a_run_of_traces_can_be_graded(desk):
    traces = [request(span(1, chat(f"Question {n}?", f"word{n}"), trace=f"{n:032x}")) for n in range(1, 4)]
    write(desk.folder / "traces.jsonl", *traces)
    code, out, err = desk.command("import", "otel", "traces.jsonl", "--json")
    assert code == 0, err
    made = json.loads(out.splitlines()[-1])
    assert (made["samples"], made["answers"], made["candidates"]) == (3, {"ok": 3, "failed": 0}, ["shop"])
    exam = desk.folder / made["exam"]
    desk.rubric["sees"] = ["question"]
    desk.save()
    judge = {**desk.exam["judges"][0], "rubric": str(desk.folder / "rubric.yaml")}
    exam.write_text(exam.read_text() + "judges:\n- " + json.dumps(judge) + "\n")
    code, out, err = desk.command("run", str(exam), "--json", "--no-report")
    assert code == 0, err
    said = json.loads(out.splitlines()[-1])
    assert (said["run"], said["grades"]["ok"]) == (made["run"], 3)

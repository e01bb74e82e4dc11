"""Files of traces as they should not be: what cannot be used is named or counted, and nothing that was said is lost."""

from __future__ import annotations

import json

import pytest
from markscheme.app.importing.traces.reading import TraceChoice, read_traces
from markscheme.harness.errors import DataError, InputError
from otlp_documents import START, TRACE, chat, request, span, texts, write


def read(tmp_path, *documents, **choice):
    return read_traces([write(tmp_path / "traces.jsonl", *documents)], TraceChoice(**choice))


def refused(tmp_path, content, **choice):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        read_traces([path], TraceChoice(**choice))
    return str(caught.value).replace(f"{tmp_path}/", "")


def without_texts(attributes):
    return {name: value for name, value in attributes.items() if not name.endswith(".messages")}


def test_a_broken_line_is_named(tmp_path):
    good = json.dumps(request(span(1, chat())))
    assert refused(tmp_path, f"{good}\n\n{good[:90]}\n").startswith("traces.jsonl:3: it is not JSON")
    assert refused(tmp_path, f"{good[:90]}").startswith("traces.jsonl: wanted OTLP/JSON")
    assert "traces.jsonl:2: wanted OTLP/JSON" in refused(tmp_path, f'{good}\n{{"hello": 1}}\n')
    assert "this is str; wanted OTLP/JSON" in refused(tmp_path, '"hello"\n')
    assert "nested too deeply" in refused(tmp_path, "[" * 100_000)
    assert "cannot be unpacked" in refused(tmp_path, b"\x1f\x8bnonsense")


def test_a_folder_is_called_one(tmp_path):
    with pytest.raises(DataError, match="is a folder; name its files"):
        read_traces([tmp_path], TraceChoice())


@pytest.mark.parametrize("spans", [5, "text", [7, None], {"a": 1}, None])
def test_spans_that_are_no_list_of_objects_are_none(tmp_path, spans):
    otlp = {"resourceSpans": [{"resource": 3, "scopeSpans": [{"spans": spans}, 4]}, "x"]}
    mlflow = {"info": {"trace_id": "tr-1", "tags": 4}, "data": {"spans": spans}}
    for document in (otlp, mlflow):
        assert "holds no spans" in refused(tmp_path, json.dumps(document))


def test_attributes_of_any_kind_are_harmless(tmp_path):
    odd = [None, 7, "text", [], {}, {"a": [1]}, True, float("inf"), [[["x"]]], '[{"', "[]", "null"]
    names = """gen_ai.input.messages gen_ai.output.messages gen_ai.tool.definitions gen_ai.retrieval.documents
        gen_ai.response.finish_reasons gen_ai.usage.input_tokens gen_ai.system_instructions llm.cost.total tag.tags
        gen_ai.agent.name gen_ai.conversation.id gen_ai.operation.name""".split()
    for name in names:
        spans = [span(n, chat() | {name: value}, trace=f"{n:032x}") for n, value in enumerate(odd, 1)]
        found = read(tmp_path, request(*spans, span(99, chat(), trace="ab" * 16)))
        assert "ab" * 16 in found.samples, name


def test_a_file_without_spans_or_without_those_of_models_says_so(tmp_path):
    assert "holds no spans" in refused(tmp_path, "")
    assert "holds no spans" in refused(tmp_path, json.dumps({"resourceSpans": []}))
    assert "holds no spans" in refused(tmp_path, json.dumps({"resourceMetrics": [{}]}))
    web = request(span(1, {"http.request.method": "GET"}, name="GET /"))
    said = refused(tmp_path, json.dumps(web))
    assert "holds 1 spans, but none of generative AI (they are GET /)" in said


def test_texts_that_were_not_captured_come_with_the_setting_that_captures_them(tmp_path):
    bare = request(span(1, without_texts(chat()) | {"gen_ai.usage.input_tokens": 9}))
    said = refused(tmp_path, json.dumps(bare))
    assert "none of 1 traces of generative AI holds what was asked and answered" in said
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in said and "cannot be graded" in said
    mixed = read(tmp_path, bare, request(span(1, chat(), trace="ab" * 16)))
    assert (list(mixed.samples), mixed.left["traces whose texts were not captured"]) == (["ab" * 16], 1)
    assert any("TRACELOOP_TRACE_CONTENT" in note for note in mixed.notes)


def test_a_span_that_stands_twice_counts_once_as_it_ended(tmp_path):
    begun = span(1, without_texts(chat()), endTimeUnixNano="0")
    found = read(tmp_path, request(begun), request(span(1, chat())), request(span(1, chat("other"))))
    assert [sample["question"] for sample in found.samples.values()] == ["What is the capital of France?"]
    assert found.left["spans that stand in the files twice"] == 2


def test_a_parent_that_is_missing_is_said_and_does_no_harm(tmp_path):
    found = read(tmp_path, request(span(2, chat(), parent=1)))
    assert len(found.answers) == 1
    assert found.notes == ["1 spans name a parent that is in none of the files, and count as the first of their trace"]


def test_spans_that_are_each_others_parents_end(tmp_path):
    found = read(
        tmp_path, request(span(1, chat(), parent=2), span(2, chat("Why?", "Because."), parent=1), span(3, {}, 3))
    )
    assert len(found.answers) == 1


@pytest.mark.parametrize(
    "times",
    [
        {"endTimeUnixNano": str(START - 1)},
        {"endTimeUnixNano": "0"},
        {"endTimeUnixNano": "9" * 40},
        {"endTimeUnixNano": "soon"},
        {"startTimeUnixNano": "", "endTimeUnixNano": None},
    ],
)
def test_a_time_that_cannot_be_is_no_latency(tmp_path, times):
    found = read(tmp_path, request(span(1, chat(), **times)))
    (answer,) = found.answers.values()
    assert "e2e_s" not in answer.measured
    assert found.left["latencies (a time is missing, or the end is before the start)"] == 1
    assert ("asked_at" in found.variables[TRACE]) == ("startTimeUnixNano" not in times)


@pytest.mark.parametrize("count", [-1, 10**30, "many", 1.5, True, float("nan")])
def test_a_count_that_cannot_be_is_absent(tmp_path, count):
    document = request(span(1, chat()))
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[0]["attributes"].append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": count}})
    (answer,) = read(tmp_path, document).answers.values()
    assert "prompt_tokens" not in answer.measured


def test_what_was_said_stays_as_it_was_said(desk):
    evil = "<script>alert(1)</script> {{7*7}} \u202e \x00 ]]> =cmd() \ud800"
    arguments = '{"n": 123456789012345678901234567890}'
    said = [{"role": "assistant", "parts": [{"type": "text", "content": evil},
                                            {"type": "tool_call", "name": "f", "arguments": arguments}]}]  # fmt: skip
    attributes = chat(evil) | {"gen_ai.output.messages": said, "gen_ai.agent.name": "../../x\n<b>"}
    write(desk.folder / "traces.jsonl", request(span(1, attributes)))
    code, out, err = desk.command("import", "otel", "traces.jsonl", "--json")
    assert code == 0, err
    made = json.loads(out.splitlines()[-1])
    folder = (desk.folder / made["exam"]).parent
    sheet = json.loads((folder / "sheet-0.jsonl").read_text())
    assert sheet["answer"] == evil.replace("\ud800", "?")
    assert sheet["tool_calls"][0]["function"]["arguments"] == arguments
    assert folder.parent == desk.folder / ".markscheme" / "imports"
    assert "\n" not in made["candidates"][0]


def test_tools_that_are_none_do_not_stop_the_rest(tmp_path):
    tools = [{"name": "ok", "parameters": {"type": "object"}}, {"name": ""}, {"name": "bad", "parameters": "text"}, 7]
    attributes = chat() | {"gen_ai.tool.definitions": json.dumps(tools)}
    found = read(tmp_path, request(span(1, attributes)))
    assert [tool["function"]["name"] for tool in found.samples[TRACE]["tools"]] == ["ok"]
    assert found.left["functions that are not declared by a JSON schema"] == 2


def test_attributes_with_names_as_deep_as_a_well_are_harmless(tmp_path):
    deep = {f"gen_ai.prompt.{'0.' * 3000}content": "x", "gen_ai.prompt.99999999999999999999.content": "Rain?"}
    attributes = without_texts(chat()) | deep | {"gen_ai.output.messages": texts(("assistant", "No."))}
    (sample,) = read(tmp_path, request(span(1, attributes))).samples.values()
    assert "Rain?" in json.dumps(sample)


def test_choices_nobody_offers_are_refused(tmp_path):
    with pytest.raises(InputError, match="--each 'span': wanted trace or inference"):
        TraceChoice(each="span")
    with pytest.raises(InputError, match="wanted agent, service, model or attribute:NAME"):
        TraceChoice(candidate_from="attribute:")
    said = refused(tmp_path, json.dumps(request(span(1, chat()))), candidate_from="attribute:app.release")
    assert "traces that say nothing for --candidate-from attribute:app.release" in said

"""Function calls in data sets: our own form, rows of xLAM, files of the Berkeley leaderboard, and their mistakes."""

from __future__ import annotations

import json

import pytest
from markscheme.harness.data import load_dataset
from markscheme.harness.errors import DataError
from markscheme.harness.exam_specs import DatasetSpec
from markscheme.harness.exam_types import packaged_files
from markscheme.harness.measures import parse
from markscheme.harness.records import Said, ToolCall
from markscheme.harness.tool_calls import functions_of
from pydantic import ValidationError

WEATHER = {
    "name": "weather",
    "description": "Weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def lines(path, *rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def load(path, **spec):
    return load_dataset(DatasetSpec.model_validate({"path": path, **spec}, context={"base": path.parent})).samples


def complaint(path, **spec):
    with pytest.raises(DataError) as caught:
        load(path, **spec)
    return str(caught.value).replace(f"{path.parent}/", "")


def own(tmp_path, **columns):
    return lines(tmp_path / "d.jsonl", {"question": "q", "tools": [WEATHER], **columns})


def right(sample, *calls):
    answer = Said("", tuple(ToolCall(name, json.dumps(arguments)) for name, arguments in calls))
    return parse("function_name_and_args_accuracy").score(sample, answer)[0]


def test_tools_and_calls_are_brought_into_one_form_each(tmp_path):
    openai = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
    flat = {"name": "weather", "arguments": {"city": "Köln"}}
    wrapped = {"type": "function", "function": WEATHER}
    for calls, tools in (([openai], [WEATHER]), ([flat], [wrapped]), ([flat], [{"type": "function", **WEATHER}])):
        (sample,) = load(own(tmp_path, tool_calls=calls, tools=tools))
        assert (sample.tool_calls, sample.tools) == ((flat,), (wrapped,))
    csv = tmp_path / "d.csv"
    csv.write_text('question,tools,tool_calls\nq,"[{""name"": ""f""}]",[]\nq,,\n')
    first, second = load(csv)
    assert (first.tool_calls, second.tool_calls) == ((), None)


def test_no_call_and_no_word_about_calls_are_two_things_and_hash_apart(tmp_path):
    (none,), (unsaid,) = load(own(tmp_path, tool_calls=[])), load(own(tmp_path))
    assert (none.tool_calls, unsaid.tool_calls) == ((), None)
    assert none.sha256 != unsaid.sha256


def test_no_call_survives_the_store(tmp_path):
    from markscheme.harness.store.codec import row_to_sample, sample_body

    for calls in ({"tool_calls": []}, {}, {"tool_calls": [{"name": "weather"}]}):
        (sample,) = load(own(tmp_path, **calls))
        row = {"sample_id": sample.id, "cluster": sample.cluster, "tags": "[]", "sha256": sample.sha256}
        assert row_to_sample({**row, "body": sample_body(sample)}) == sample


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"tools": [WEATHER, WEATHER]},
            "d.jsonl:1 tools: the name 'weather' is that of two functions (0 and 1); rename one",
        ),
        (
            {"tools": [{"function": {}}]},
            "d.jsonl:1 tools[0]: the function's name is None; write {name: …, parameters: {…}}",
        ),
        (
            {"tools": [{**WEATHER, "parameters": {"type": "text"}}]},
            "d.jsonl:1 tools[0]: parameters of 'weather' are no JSON schema: $.type: 'text' is not valid under any",
        ),
        (
            {"tools": [{**WEATHER, "parameters": {"properties": {"a": {"type": "dict"}}}}]},
            "d.jsonl:1 tools[0]: parameters of 'weather' are no JSON schema: $.properties.a.type: 'dict' is not valid",
        ),
        (
            {"tools": [{**WEATHER, "parameters": json.dumps(WEATHER["parameters"])}]},
            'd.jsonl:1 tools[0]: parameters of \'weather\' are \'{"type": "object",',
        ),
        (
            {"tool_calls": [{"name": "weather", "arguments": json.dumps('{"city": "x"}')}]},
            "d.jsonl:1 tool_calls[0]: the arguments of 'weather' are not an object but text inside JSON",
        ),
        (
            {"tool_calls": [{"name": "weather", "arguments": "{city}"}]},
            "d.jsonl:1 tool_calls[0]: the arguments of 'weather' are not JSON (Expecting property name enclosed",
        ),
        (
            {"tool_calls": [{"name": "weather", "arguments": ["x"]}]},
            "d.jsonl:1 tool_calls[0]: the arguments of 'weather' are ['x']; write an object of names and values",
        ),
        (
            {"tool_calls": [{"name": "weather", "args": {}}]},
            "d.jsonl:1 tool_calls[0]: 'args' is no part of a call; there are name, arguments, accepted and optional",
        ),
        (
            {"tool_calls": [{"name": "wether"}]},
            "d.jsonl:1 tool_calls: 'wether' is none of the functions that the sample offers: weather",
        ),
        (
            {"tool_calls": [{"name": "weather", "accepted": {"city": "x"}}]},
            "d.jsonl:1 tool_calls[0]: accepted of 'weather' is {'city': 'x'}; write {argument: [further right values]}",
        ),
        (
            {"tool_calls": [{"name": "weather", "arguments": '{"city": 99999999999999999999999}'}]},
            "d.jsonl:1 tool_calls[0]: the whole number '99999999999999999999999' is beyond 64 bits; write it as text",
        ),
        (
            {"tool_calls": [{"name": "weather", "arguments": {"city": 99999999999999999999999}}]},
            "d.jsonl:1 tool_calls: the whole number '99999999999999999999999' is beyond 64 bits; write it as text",
        ),
        (
            {"tool_calls": [{"name": "weather", "arguments": '{"city": "\\ud800"}'}]},
            "d.jsonl:1 tool_calls[0]: {'name': 'weather', 'arguments': {'city': '\\ud800'}} cannot be kept as JSON",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, columns, message):
    assert complaint(own(tmp_path, **columns)).startswith(message)


def test_a_large_number_in_scientific_notation_is_a_number(tmp_path):
    path = lines(
        tmp_path / "d.jsonl",
        '{"question": "12345678901234567890123", "tool_calls": [{"name": "f", "arguments": {"kg": 5.972e24}}]}',
    )
    (sample,) = load(path)
    assert sample.tool_calls == ({"name": "f", "arguments": {"kg": 5.972e24}},)


def test_a_schema_of_any_draft_may_say_what_schemas_say(tmp_path):
    schema = {
        "type": "object",
        "$defs": {"a": {"type": "null"}},
        "properties": {"x": {"$ref": "#/$defs/a"}},
        "anyOf": [{}],
    }
    (sample,) = load(own(tmp_path, tools=[{"name": "f", "parameters": schema}]))
    assert functions_of(sample.tools) == {"f": schema}


XLAM_TOOLS = [
    {
        "name": "live.giveaways",
        "description": "Live giveaways.",
        "parameters": {
            "type": {"description": "Kind.", "type": "str", "default": "game"},
            "ids": {"description": "Which.", "type": "List[int], optional"},
            "pair": {"description": "Two.", "type": "Tuple[int, str]"},
            "when": {"description": "Day.", "type": "datetime"},
        },
    }
]


def xlam(path, **changes):
    calls = [{"name": "live.giveaways", "arguments": {"type": "beta"}}]
    row = {"id": 7, "query": "Giveaways?", "tools": json.dumps(XLAM_TOOLS), "answers": json.dumps(calls), **changes}
    return lines(path, row)


def test_rows_of_xlam_become_samples(tmp_path):
    (sample,) = load(xlam(tmp_path / "x.jsonl"), format="xlam")
    assert (sample.id, sample.question) == ("7", "Giveaways?")
    assert sample.tool_calls == ({"name": "live_giveaways", "arguments": {"type": "beta"}},)
    assert functions_of(sample.tools)["live_giveaways"] == {
        "type": "object",
        "properties": {
            "type": {"type": "string", "description": "Kind.", "default": "game"},
            "ids": {"type": "array", "items": {"type": "integer"}, "description": "Which."},
            "pair": {"type": "array", "description": "Two."},
            "when": {"description": "Day."},
        },
        "required": ["pair", "when"],
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tools": "[{]"}, "x.jsonl:1 tools: not JSON (Expecting property name"),
        ({"answers": '{"name": "f"}'}, "x.jsonl:1 answers: {'name': 'f'} is not a list"),
        ({"answers": '["f"]'}, "x.jsonl:1 answers[0]: 'f' is not an object with a name"),
        ({"tools": json.dumps(XLAM_TOOLS * 2)}, "x.jsonl:1 tools: the name 'live_giveaways' is that of two functions"),
        (
            {"answers": '[{"name": "live.giveaways", "arguments": {"n": 18446744073709551616}}]'},
            "x.jsonl:1 tool_calls[0]: the whole number '18446744073709551616' is beyond 64 bits",
        ),
        ({"query": None}, "x.jsonl:1 question: is empty or missing"),
    ],
)
def test_a_bad_row_of_xlam_is_named(tmp_path, changes, message):
    assert complaint(xlam(tmp_path / "x.jsonl", **changes), format="xlam").startswith(message)


TRIANGLE = {
    "name": "geometry.area",
    "description": "Area.",
    "parameters": {
        "type": "dict",
        "properties": {
            "base": {"type": "integer"},
            "height": {"type": "float"},
            "unit": {"type": "string"},
            "how": {"type": "dict", "properties": {"digits": {"type": "integer"}, "mode": {"type": "any"}}},
            "points": {"type": "array", "items": {"type": "dict", "properties": {"x": {"type": "float"}}}},
        },
        "required": ["base", "height"],
    },
}
TRUTH = {"base": [10], "height": [5, 5.0], "unit": ["cm", "", "centimetres"]}


def question(name, content="Area?", **more):
    return {"id": name, "question": [[{"role": "user", "content": content}]], "function": [TRIANGLE], **more}


def bfcl(tmp_path, row, truth=TRUTH, name="simple_0"):
    answers = lines(tmp_path / "answers.json", {"id": name, "ground_truth": [{"geometry.area": truth}]})
    return load(lines(tmp_path / "BFCL_v3_simple.json", row), format="bfcl", answers=str(answers))


def test_files_of_the_leaderboard_become_samples(tmp_path):
    (sample,) = bfcl(tmp_path, question("simple_0"))
    assert (sample.id, sample.question, sample.tags) == ("simple_0", "Area?", ("simple",))
    properties = functions_of(sample.tools)["geometry_area"]["properties"]
    assert [properties[name].get("type") for name in ("base", "height", "how")] == ["integer", "number", "object"]
    assert (properties["how"]["properties"]["mode"], properties["points"]["items"]["type"]) == ({}, "object")
    for arguments, value in (
        ({"base": 10, "height": 5}, 1.0),
        ({"base": 10, "height": 5, "unit": "centimetres"}, 1.0),
        ({"base": 10, "height": 5, "unit": "inch"}, 0.0),
        ({"base": 10}, 0.0),
    ):
        assert right(sample, ("geometry_area", arguments)) == value, arguments


def test_right_values_inside_objects_and_lists_of_objects_are_lists_too(tmp_path):
    truth = {**TRUTH, "how": [{"digits": [2, 3], "mode": ["up", ""]}], "points": [[{"x": [1, 2]}, {"x": [0]}]]}
    (sample,) = bfcl(tmp_path, question("simple_0"), truth)
    for how, points, value in (
        ({"digits": 3, "mode": "up"}, [{"x": 2}, {"x": 0}], 1.0),
        ({"digits": 2}, [{"x": 1}, {"x": 0}], 1.0),
        ({"digits": 4}, [{"x": 1}, {"x": 0}], 0.0),
        ({"digits": 2}, [{"x": 0}, {"x": 1}], 0.0),
    ):
        arguments = {"base": 10, "height": 5.0, "how": how, "points": points}
        assert right(sample, ("geometry_area", arguments)) == value, arguments


def test_categories_say_whether_a_call_is_right(tmp_path):
    rows = [question("live_irrelevance_3-0-0"), question("live_relevance_1-0-0"), question("irrelevance_0")]
    samples = load(lines(tmp_path / "b.json", *rows), format="bfcl")
    assert [sample.tool_calls for sample in samples] == [(), None, ()]
    assert [sample.tags for sample in samples] == [("live_irrelevance",), ("live_relevance",), ("irrelevance",)]


def test_a_system_message_of_the_leaderboard_stays(tmp_path):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Area?"}]
    (sample,) = load(lines(tmp_path / "b.json", {**question("irrelevance_0"), "question": [messages]}), format="bfcl")
    assert (sample.question, sample.messages) == ("", tuple(messages))


@pytest.mark.parametrize(
    ("row", "truth", "message"),
    [
        (question("simple_1"), TRUTH, "BFCL_v3_simple.json:1 id: 'simple_1' has no right calls: "),
        (
            {**question("simple_0"), "question": [[{"role": "user", "content": "a"}]] * 2},
            TRUTH,
            "BFCL_v3_simple.json:1 question: has 2 turns; of the leaderboard's files, those with one turn can be read",
        ),
        (
            question("simple_0"),
            {"base": 10},
            "BFCL_v3_simple.json:1 ground_truth: 'base': 10 is not a list of right values",
        ),
        (
            question("simple_0"),
            {"how": [{"digits": list(range(2000))}]},
            "BFCL_v3_simple.json:1 ground_truth: stands for 2000 right values, more than 1000",
        ),
        (
            {**question("simple_0"), "function": [TRIANGLE, {**TRIANGLE, "name": "geometry_area"}]},
            TRUTH,
            "BFCL_v3_simple.json:1 tools: the name 'geometry_area' is that of two functions",
        ),
    ],
)
def test_a_bad_row_of_the_leaderboard_is_named(tmp_path, row, truth, message):
    with pytest.raises(DataError) as caught:
        bfcl(tmp_path, row, truth)
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(message)


def test_a_bad_file_of_answers_is_named(tmp_path):
    path = lines(tmp_path / "b.json", question("simple_0"))
    twice = {"id": "simple_0", "ground_truth": []}
    lines(tmp_path / "a.json", twice, twice)
    assert complaint(path, format="bfcl", answers="a.json") == "a.json:2 id: 'simple_0' stands in line 1 already"
    lines(tmp_path / "a.json", {"id": "simple_0"})
    assert complaint(path, format="bfcl", answers="a.json").startswith("a.json:1: wanted an id and a list ground_truth")


def test_settings_that_would_do_nothing_are_refused(tmp_path):
    path = own(tmp_path)
    for spec, message in (
        ({"answers": "d.jsonl"}, "has no effect without format: bfcl"),
        ({"format": "xlam", "columns": {"question": "query"}}, "has no effect beside format: xlam"),
    ):
        with pytest.raises(ValidationError, match=message):
            load(path, **spec)


def test_the_packaged_requests_say_which_calls_are_right():
    samples = load(packaged_files("datasets")["tool_calls"])
    assert len(samples) == 48
    assert all(sample.tools and sample.tool_calls is not None for sample in samples)
    validity = parse("tool_schema_validity")
    for sample in samples:
        calls = [(call["name"], call["arguments"]) for call in sample.tool_calls]
        assert right(sample, *calls) == 1.0, sample.id
        assert bool(calls) == ("irrelevance" not in sample.tags)
        answer = Said("", tuple(ToolCall(name, json.dumps(arguments)) for name, arguments in calls))
        assert validity.score(sample, answer)[0] in (1.0, None), sample.id

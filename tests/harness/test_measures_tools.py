"""Measures of function calls against an implementation written for this test, and each kind of fault by itself."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markscheme.harness.errors import InputError
from markscheme.harness.measures import parse
from markscheme.harness.measures.tools_faults import KINDS, kinds_in
from markscheme.harness.measures.tools_schema import surely_follows
from markscheme.harness.records import Said, Sample, ToolCall

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city"],
}
TOOLS = tuple(
    {"type": "function", "function": {"name": name, "parameters": schema}}
    for name, schema in (("weather", WEATHER), ("time", {"type": "object", "properties": {"zone": {}}}))
)
ROME = {"name": "weather", "arguments": {"city": "Rome", "days": 3}}
OSLO = {"name": "weather", "arguments": {"city": "Oslo"}}


def sample(*calls, tools=TOOLS):
    return Sample("s", "q", tools=tools, tool_calls=calls)


def said(*calls, text=""):
    written = [(name, a if isinstance(a, str) else json.dumps(a)) for name, a in calls]
    return Said(text, tuple(ToolCall(name, arguments) for name, arguments in written))


def args(right, answer, options=""):
    return parse(f"function_name_and_args_accuracy{options}").score(right, answer)


def names(right, answer, options=""):
    return parse(f"function_name_accuracy{options}").score(right, answer)


def kinds(right, answer):
    value, why = args(right, answer)
    assert value == 0.0
    return set(kinds_in(why))


plain = [None, False, True, -1, 0, 1, 2, 0.5, 1.0, 2.0, 1e300, 2**63, -(2**63), "", "a", "A", "é", "1", "null", "日本"]
nested = [
    [],
    [1],
    [1.0],
    [1, 2],
    [2, 1],
    [[True]],
    {},
    {"x": 1},
    {"x": 1.0, "y": None},
    {"y": None, "x": 1},
    [{"x": "a"}],
]
values = st.sampled_from([*plain, *nested])
calls = st.tuples(st.sampled_from(["f", "g", "h"]), st.dictionaries(st.sampled_from("abc"), values, max_size=3))


@st.composite
def sets_of_calls(draw):
    """Right calls, and what was called: the same in another order, or with something changed."""
    right = draw(st.lists(calls, max_size=4))
    made = list(draw(st.permutations(right)))
    change = draw(st.sampled_from(["nothing", "nothing", "one", "drop", "add", "other"]))
    if change == "one" and made:
        made[0] = (draw(st.sampled_from([made[0][0], "g"])), {**made[0][1], draw(st.sampled_from("abc")): draw(values)})
    elif change == "drop":
        made = made[1:]
    elif change == "add":
        made.append(draw(calls))
    elif change == "other":
        made = draw(st.lists(calls, max_size=4))
    return right, made


def canonical(value):
    """A text that equal JSON values share: numbers by value, keys sorted."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    return "{" + ",".join(f"{json.dumps(k)}:{canonical(v)}" for k, v in sorted(value.items())) + "}"


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(sets_of_calls())
def test_both_accuracies_equal_those_of_a_reference_on_made_sets_of_calls(both):
    right, made = both
    wanted = sample(*({"name": n, "arguments": a} for n, a in right), tools=())
    answer = said(*made)
    assert names(wanted, answer)[0] == float(sorted(n for n, _ in right) == sorted(n for n, _ in made))
    exact = Counter((n, canonical(a)) for n, a in right) == Counter((n, canonical(a)) for n, a in made)
    assert args(wanted, answer)[0] == float(exact)


numbers = st.sampled_from([0, 9, 10, 10.4, 11, 12])
loose_calls = st.tuples(st.sampled_from("fg"), numbers, st.lists(numbers, max_size=2), st.booleans())


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(loose_calls, max_size=4), st.lists(st.tuples(st.sampled_from("fg"), numbers | st.none()), max_size=4))
def test_alternatives_and_tolerances_find_the_assignment_that_trying_all_orders_finds(right, made):
    wanted = [
        {"name": n, "arguments": {"x": x}, "accepted": {"x": more}, "optional": ["x"] if free else []}
        for n, x, more, free in right
    ]
    answer = said(*((n, {} if x is None else {"x": x}) for n, x in made))

    def takes(call, one):
        (n, x, more, free), (name, value) = call, one
        near = value is not None and any(abs(value - y) <= 0.05 * abs(y) for y in (x, *more))
        return n == name and (near or (value is None and free))

    found = len(right) == len(made) and any(all(map(takes, right, order)) for order in permutations(made))
    assert args(sample(*wanted, tools=()), answer, "(tol=0.05)")[0] == float(found)


def test_parallel_calls_are_right_in_any_order_and_one_too_few_is_not():
    both = sample(ROME, OSLO)
    assert args(both, said(("weather", {"city": "Oslo"}), ("weather", {"days": 3, "city": "Rome"}))) == (1.0, "")
    assert kinds(both, said(("weather", {"city": "Oslo"}))) == {"missing call"}
    assert names(both, said(("weather", {"city": "Oslo"}))) == (0.0, "missing call: 'weather'")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (said(("time", {})), {"wrong function"}),
        (said(), {"missing call"}),
        (said(("weather", ROME["arguments"]), ("time", {})), {"extra call"}),
        (said(("forecast", ROME["arguments"])), {"hallucinated function"}),
        (said(("weather", {"city": "Rome"})), {"missing argument"}),
        (said(("weather", {"city": "Rome", "days": 3, "unit": "celsius"})), {"extra argument"}),
        (said(("weather", {"city": "Rome", "days": 3, "mood": 1})), {"hallucinated argument"}),
        (said(("weather", {"city": "Rome", "days": 4})), {"wrong value"}),
        (said(("weather", {"city": "Rome", "days": "3"})), {"wrong type", "schema invalid"}),
        (said(("weather", {"city": "Rome", "days": 0})), {"wrong value", "schema invalid"}),
        (said(("weather", '{"city": "Rome", "days": 3')), {"not JSON"}),
        (said(("weather", json.dumps(json.dumps(ROME["arguments"])))), {"not JSON"}),
        (said(("weather", "[3]")), {"not JSON"}),
        (said(("weather", '{"city": "Rome", "days": NaN}')), {"not JSON"}),
        (said(("weather", '{"city": ' + "[" * 100_000)), {"not JSON"}),
        (said(text=json.dumps(ROME)), {"call in text", "missing call"}),
    ],
)
def test_each_kind_of_fault_is_named(answer, found):
    assert kinds(sample(ROME), answer) == found


def test_every_kind_of_fault_can_be_counted():
    answer = said(("weather", {"city": "Rome", "mood": 1, "tone": 2}))
    counts = {kind: parse(f"tool_call_errors('{kind}')").score(sample(ROME), answer)[0] for kind in KINDS}
    assert {kind: n for kind, n in counts.items() if n} == {"hallucinated argument": 2.0, "missing argument": 1.0}
    with pytest.raises(InputError, match="kind='typo' is none of 'call in text', 'not JSON'"):
        parse("tool_call_errors('typo')")


def test_of_several_calls_each_is_held_against_the_right_call_that_it_resembles_most():
    value, why = args(sample(ROME, OSLO), said(("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})))
    assert (value, why) == (0.0, "missing argument: 'weather', 'days'")


def test_no_call_expected_is_right_without_any_call_and_unknown_is_no_value():
    nothing = sample()
    assert args(nothing, said(text="I cannot help with that.")) == names(nothing, said()) == (1.0, "")
    assert args(nothing, said(("time", {}))) == (0.0, "extra call: 'time'")
    assert kinds(nothing, said(("fly", {}))) == {"hallucinated function"}
    unknown = Sample("s", "q", tools=TOOLS)
    for name in ("function_name_accuracy", "function_name_and_args_accuracy", "tool_call_errors('extra call')"):
        assert parse(name).score(unknown, said()) == (None, "the sample does not say which calls are right")


def test_values_are_compared_as_json_has_them():
    def same(wanted, text):
        return args(sample({"name": "time", "arguments": {"zone": wanted}}), said(("time", f'{{"zone": {text}}}')))[0]

    assert same(1, "1.0") == same(1.0, "1") == same("é", '"\\u00e9"') == same("é", '"e\u0301"') == 1.0
    assert same(True, "1") == same(1, "true") == same(1, '"1"') == same(None, '""') == same([1, 2], "[2, 1]") == 0.0
    assert same(5.972e24, "5972000000000000000000000") == same({"a": [1]}, '{"a": [1.0]}') == 1.0
    assert same(2**63 + 1, str(2**63 + 2)) == 0.0, "whole numbers keep their digits"
    assert same("x", '"\\ud800"') == 0.0
    assert args(sample({"name": "time", "arguments": {}}), said(("time", ""))) == (1.0, "")


def test_options_loosen_numbers_case_and_arguments():
    right = sample({"name": "weather", "arguments": {"city": "New York", "days": 100}})
    answer = said(("weather", {"city": "new  york", "days": 101}))
    assert args(right, answer)[0] == args(right, answer, "(tol=0.01)")[0] == 0.0
    assert (
        args(right, answer, "(tol=0.01, case='ignore')")[0] == args(right, answer, "(abs=1, case='ignore')")[0] == 1.0
    )
    assert args(right, answer, "(ignore='days', case='ignore')")[0] == 1.0
    assert args(right, said(("weather", {"city": "New York"})), "(ignore='days, unit')")[0] == 1.0


def test_accepted_values_and_optional_arguments_are_the_samples_own():
    loose = {**ROME, "accepted": {"city": ["Roma"], "unit": ["celsius"]}, "optional": ["unit"]}
    for arguments in ({"city": "Roma", "days": 3}, {"city": "Rome", "days": 3, "unit": "celsius"}):
        assert args(sample(loose), said(("weather", arguments)))[0] == 1.0
    assert kinds(sample(loose), said(("weather", {**ROME["arguments"], "unit": "kelvin"}))) >= {"wrong value"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROME),
        f"Sure!\n<tool_call>\n{json.dumps(ROME)}\n</tool_call>",
        f"```json\n[{json.dumps(ROME)}]\n```",
        json.dumps({"type": "function", "function": {"name": "weather", "parameters": ROME["arguments"]}}),
        '<function=weather>{"city": "Rome", "days": 3}</function>',
        "[weather(city='Rome', days=3)]",
        '```python\nweather(city="Rome", days=3)\n```',
    ],
)
def test_calls_in_text_are_counted_and_taken_for_calls_only_when_asked(text):
    answer = said(text=text)
    assert args(sample(ROME), answer) == (0.0, "call in text, missing call: 'weather'")
    assert args(sample(ROME), answer, "(text='parse')") == (1.0, "call in text: 'weather'")
    assert names(sample(ROME), answer, "(text='parse')") == (1.0, "call in text: 'weather'")
    made = said(("weather", ROME["arguments"]), text=text)
    assert args(sample(ROME), made) == (1.0, ""), "who calls properly may also talk about it"


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000,
        '{"a":' * 20_000,
        "weather(" * 9_000,
        "f('\\d')",
        "[weather(city={1})]",
        json.dumps(TOOLS),
        "(no)",
        "{}",
    ],
)
def test_text_that_is_no_call_is_none_however_hostile(text):
    assert kinds(sample(ROME), said(text=text)) == {"missing call"}


def test_an_answer_with_thousands_of_calls_is_measured():
    answer = said(*[("weather", {"city": str(n)}) for n in range(3000)])
    value, why = args(sample(ROME), answer)
    assert (value, kinds_in(why)["extra call"]) == (0.0, 2999)


def test_schema_validity_needs_calls_and_tools():
    validity = parse("tool_schema_validity").score
    assert validity(sample(ROME), said(("weather", {"city": "x"}), ("time", {}))) == (1.0, "")
    value, why = validity(sample(ROME), said(("weather", {"days": 0, "city": "x"})))
    assert (value, why) == (0.0, "schema invalid: 'weather' $.days: 0 is less than the minimum of 1")
    assert validity(sample(ROME), said(("fly", {})))[1] == "hallucinated function: 'fly'"
    assert validity(sample(ROME), said())[0] is validity(sample(ROME, tools=()), said(("f", {})))[0] is None


simple = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"]),
            "enum": st.lists(values, max_size=3),
            "description": st.just("d"),
            "minimum": st.just(1),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array"]),
            "properties": st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
            "required": st.lists(st.sampled_from("xy"), max_size=2, unique=True),
            "items": inner,
        },
    ),
    max_leaves=4,
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(simple, values)
def test_the_short_way_says_yes_only_where_the_whole_standard_does(schema, value):
    if surely_follows(value, schema):
        Draft202012Validator.check_schema(schema)
        assert Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("inner", [{"$ref": "https://example.org/s.json"}, {"pattern": r"\p{L}+"}])
def test_a_schema_that_cannot_be_applied_gives_no_value_and_fetches_nothing(inner):
    tools = ({"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": inner}}}},)
    right = sample({"name": "f", "arguments": {"a": "y"}}, tools=tools)
    value, why = parse("tool_schema_validity").score(right, said(("f", {"a": "x"})))
    assert (value, why.startswith("the schema cannot be applied: ")) == (None, True)
    assert kinds(right, said(("f", {"a": "x"}))) == {"wrong value"}


def test_a_reason_can_be_kept_whatever_the_model_wrote():
    for text in ('{"city": "\\ud800"}', '{"\\ud800": 1}', '{"city": {"\\ud800": "x"}}'):
        _, why = args(sample(ROME), said(("weather", text)))
        why.encode()
        assert kinds_in(why)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("function_name_accuracy", None),
        ("function_name_accuracy(text='parse')", None),
        ("function_name_and_args_accuracy", None),
        (
            "function_name_and_args_accuracy(0.01, case='ignore')",
            "function_name_and_args_accuracy(tol=0.01, case='ignore')",
        ),
        ("function_name_and_args_accuracy(ignore='b,a , b')", "function_name_and_args_accuracy(ignore='a, b')"),
        ("tool_schema_validity", None),
        ("tool_call_errors('not JSON')", None),
    ],
)
def test_names_print_back(written, printed):
    measure = parse(written)
    assert str(measure) == (printed or written)
    assert parse(str(measure)) == measure and measure.version == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("function_name_and_args_accuracy(tol=-1)", "tol=-1.0 is not a finite number of 0 or more"),
        ("function_name_and_args_accuracy(case='lower')", "case='lower' is none of 'exact', 'ignore'"),
        ("function_name_accuracy(text='read')", "text='read' is none of 'count', 'parse'"),
        ("function_name_accuracy(tol=1)", "it is written function_name_accuracy(text='…')"),
    ],
)
def test_options_that_cannot_be_are_refused(name, message):
    with pytest.raises(InputError) as caught:
        parse(name)
    assert message in str(caught.value)

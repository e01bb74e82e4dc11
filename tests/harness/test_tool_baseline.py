"""`baseline/tools`: what it calls, with which arguments, and that no question brings it down."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markscheme.harness.candidates.tool_baseline import called


def tool(name, description, **properties):
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


NUMBER, TEXT = {"type": "number"}, {"type": "string"}
CONVERT = tool("convert_currency", "Convert an amount of money.", amount=NUMBER, code={"enum": ["EUR", "SEK"]})
MESSAGE = tool("send_message", "Send a message to a person.", to=TEXT, text=TEXT)
SORT = tool(
    "sortNumbers", "Sort numbers.", numbers={"type": "array", "items": {"type": "integer"}}, down={"type": "boolean"}
)
ALL = (CONVERT, MESSAGE, SORT)


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [
        ("Convert 1,250.5 dollars of money into SEK", "convert_currency", {"amount": 1250.5, "code": "SEK"}),
        ('Send the person Ann a message: "Come!"', "send_message", {"to": "Come!", "text": "Ann"}),
        ("Sort the numbers 3, 2 and 11", "sortNumbers", {"numbers": [3, 2, 11]}),
        ("Convert the currency of version 1.2.3 and " + "9" * 400, "convert_currency", {"amount": 1.2}),
    ],
)
def test_it_calls_what_shares_most_words_and_fills_in_what_it_finds(question, name, arguments):
    (call,) = called(question, ALL)
    assert (call.name, json.loads(call.arguments)) == (name, arguments)


@pytest.mark.parametrize(("question", "tools"), [("Who wrote Emma?", ALL), ("Convert 5 EUR", ()), ("", ALL)])
def test_it_calls_nothing_where_nothing_is_shared(question, tools):
    assert called(question, tools) == ()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_every_question_gets_calls_that_are_json(question):
    for call in called(f"Convert money, sort numbers, send: {question}", ALL):
        assert isinstance(json.loads(call.arguments), dict)

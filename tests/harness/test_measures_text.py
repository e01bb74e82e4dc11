from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.errors import InputError
from markscheme.harness.measures import parse
from markscheme.harness.measures.choice import stated_choice
from markscheme.harness.measures.number import last_number
from markscheme.harness.measures.text import Regex
from markscheme.harness.records import Said, Sample, ToolCall


def score(name: str, answer: str, reference: str | None = None) -> float | None:
    return parse(name).score(Sample("s", "?", reference=reference), Said(answer))[0]


names = st.one_of(
    st.sampled_from(["exact_match", "contains", "token_f1", "multiple_choice", "numeric", "json_valid", "refusal"]),
    st.floats(0, 1e9).map(lambda tol: f"numeric(tol={tol!r})"),
    st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)).map(lambda t: f"numeric({t[0]!r}, abs={t[1]!r})"),
)


@given(names)
def test_a_name_that_is_printed_parses_to_an_equal_measure(name: str) -> None:
    measure = parse(name)
    assert parse(str(measure)) == measure
    assert str(parse(str(measure))) == str(measure)


@given(st.text())
def test_any_pattern_survives_printing_and_parsing(text: str) -> None:
    pattern = re.escape(text)
    measure = parse(str(Regex(pattern)))
    assert measure == Regex(pattern)
    assert measure.score(Sample("s", "?"), Said(f"x{text}x")) == (1.0, "")


def test_patterns_are_raw_and_may_stand_in_either_quote() -> None:
    assert parse(r"regex('\bit''s\b')") == parse(r'regex("\bit' + "'" + r's\b")') == Regex(r"\bit's\b")
    assert score(r"regex('(?i)\bparis\b')", "In PARIS.") == 1.0
    assert score(r"regex('\bparis\b')", "comparison") == 0.0


def test_spelling_is_canonical() -> None:
    assert str(parse(" numeric( tol = 1e-2 ) ")) == "numeric(tol=0.01)"
    assert str(parse("token_f1()")) == "token_f1"
    assert str(parse('regex(pattern="a")')) == "regex('a')"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bleu", "there are exact_match, contains, token_f1"),
        ("", "there is no measure ''"),
        ("numeric(tol='x')", "is not a number"),
        ("numeric(tol=-1)", "tol=-1.0 is not a finite number of 0 or more"),
        ("numeric(tol=nan)", "finite"),
        ("numeric(tol=0.1, tol=0.2)", "one argument too many"),
        ("numeric(1, 2, 3)", "one argument too many"),
        ("numeric(rel=0.1)", "'rel' is one argument too many; it is written numeric(tol=0.01, abs=0.01)"),
        ("token_f1('x')", "one argument too many"),
        ("regex", "an argument is missing; it is written regex(pattern='…')"),
        ("regex(abc)", "abc is not text in quotes"),
        ("regex('(')", "'(' is not a regular expression"),
        ("regex('a' 'b')", "cannot read"),
        ("json_schema('nowhere.json')", "nowhere.json cannot be read: No such file"),
        ("python:nowhere_at_all:f", "there is no module 'nowhere_at_all'"),
        ("python:json:nothing", "module 'json' has no 'nothing'; it has"),
        ("python:json:decoder", "wanted a plain function"),
        ("python:json", "not of the form python:package.module:name"),
    ],
)
def test_a_mistaken_name_says_what_is_wrong_and_what_there_is(name: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(name)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["exact_match", "contains", "token_f1", "multiple_choice", "numeric"])
def test_without_a_reference_there_is_no_value_but_a_reason(name: str) -> None:
    assert parse(name).score(Sample("s", "?"), Said("B 4")) == (None, "the sample has no reference")


def test_exact_match_ignores_case_punctuation_and_articles() -> None:
    assert score("exact_match", "The Eiffel Tower!", "eiffel tower") == 1.0
    assert score("exact_match", "Eiffel Towers", "eiffel tower") == 0.0
    assert score("exact_match", "The", "An") == 0.0
    assert score("exact_match", "", "tower") == 0.0


def test_contains_looks_for_whole_words_in_a_row() -> None:
    assert score("contains", "It is the Eiffel Tower, of course", "Eiffel tower") == 1.0
    assert score("contains", "a party", "art") == 0.0
    assert score("contains", "tower of Eiffel", "eiffel tower") == 0.0
    assert score("contains", "anything", "!") is None


@given(st.text("ab ", max_size=12), st.text("ab ", max_size=12))
def test_token_f1_is_the_harmonic_mean_of_squads_precision_and_recall(said: str, wanted: str) -> None:
    a, b = (Counter(w for w in text.split() if w != "a") for text in (said, wanted))
    shared = (a & b).total()
    if not a or not b:
        expected = float(a == b)
    elif not shared:
        expected = 0.0
    else:
        precision, recall = shared / a.total(), shared / b.total()
        expected = 2 * precision * recall / (precision + recall)
    assert score("token_f1", said, wanted) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(c)", "C"),
        ("B.", "B"),
        ("**B**", "B"),
        ("\\boxed{\\text{D}}", "D"),
        ("The answer is (B)", "B"),
        ("The answer is **A** because the others fail.", "A"),
        ("The answer is A because the others fail.", "A"),
        ("Answer: C) Berlin", "C"),
        ("The correct option is: C", "C"),
        ("I'd go with C, since I know it.", "C"),
        ("(A) is tempting, yet (B) is correct.", "B"),
        ("Option A is wrong. Option C is correct, whereas option D is not.", "C"),
        ("The answer is A. Wait, I misread; the answer is D.", "D"),
        ("The final answer is D, since A and B are wrong.", "D"),
        ("b) Paris", "B"),
        ("A. cat\nB. dog\nC. cow\n\nB", "B"),
        ("Not (A), so (B)", "B"),
        ("Definitely B", "B"),
        ("A dog is barking", None),
        ("The answer is a dog.", None),
        ("The answer is A dog.", None),
        ("I think it is Paris", None),
        ("NOT_ATTEMPTED", None),
        ("A. cat\nB. dog\nC. cow", None),
        ("The answer is A or B", None),
        ("Vitamin C is in it", None),
        ("", None),
    ],
)
def test_the_choice_that_an_answer_settles_on(text: str, letter: str | None) -> None:
    assert stated_choice(text) == letter


def test_multiple_choice_compares_letters() -> None:
    for reference in ("B", "(b)", "B.", "B) Paris"):
        assert score("multiple_choice", "The answer is (B)", reference) == 1.0
    assert score("multiple_choice", "The answer is (C)", "B") == 0.0
    assert score("multiple_choice", "It is a dog", "B") == 0.0
    assert score("multiple_choice", "B", "Paris") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("So 1,200 + 34 = **$1,234.50**.", 1234.5),
        ("about −2.5 degrees", -2.5),
        ("it fell by -5", -5.0),
        ("3-5", 5.0),
        ("1.2e-3", 0.0012),
        ("1.2 × 10^5", 120000.0),
        ("4 · 10^{-2}", 0.04),
        (".5", 0.5),
        ("5kg", 5.0),
        ("#### 42", 42.0),
        ("The answer is 42.", 42.0),
        ("12, said GPT-4 and Q3 in v1.2.3", 12.0),
        ("none", None),
    ],
)
def test_the_last_number_of_an_answer(text: str, value: float | None) -> None:
    found = last_number(text)
    assert (found.value if found else None) == (pytest.approx(value) if value is not None else None)


def test_tolerances_are_relative_and_absolute() -> None:
    assert score("numeric", "100.1", "100") == 0.0
    assert score("numeric(tol=0.01)", "101", "100") == 1.0
    assert score("numeric(tol=0.01)", "101.1", "100") == 0.0
    assert score("numeric(abs=0.5)", "0.4", "0") == 1.0
    assert score("numeric(tol=0.01)", "no idea", "100") == 0.0
    assert score("numeric", "5", "five") is None


def test_a_percentage_equals_its_number_and_its_fraction() -> None:
    assert score("numeric", "12 %", "12") == score("numeric", "0.12", "12%") == score("numeric", "12%", "12%") == 1.0
    assert score("numeric", "12%", "0.0012") == 0.0


def test_json_valid_takes_one_code_fence_and_nothing_else_around() -> None:
    assert score("json_valid", ' {"a": 1} ') == 1.0
    assert score("json_valid", '```json\n{"a": 1}\n```') == 1.0
    assert score("json_valid", 'Here: {"a": 1}') == 0.0
    assert score("json_valid", "{'a': 1}") == 0.0
    assert score("json_valid", "") == 0.0


def test_json_schema_names_the_first_violation_and_is_versioned_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text(json.dumps({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}))
    measure = parse("json_schema('answer.json')", tmp_path)
    assert parse(str(measure), tmp_path) == measure
    assert measure.score(Sample("s", "?"), Said('{"n": 3}')) == (1.0, "")
    assert measure.score(Sample("s", "?"), Said('{"n": "x"}')) == (0.0, "$.n: 'x' is not of type 'integer'")
    before = measure.version
    file.write_text("{}")
    assert parse("json_schema('answer.json')", tmp_path).version != before


def test_a_file_that_is_no_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"type": "no such type"}')
    with pytest.raises(InputError, match=r"bad\.json is not a JSON schema"):
        parse("json_schema('bad.json')", tmp_path)


def test_refusal_needs_no_reference() -> None:
    assert score("refusal", "I cannot answer this.") == 1.0
    assert score("refusal", "Four.") == 0.0


USER_CODE = """
def tools(sample, answer): return len(answer.tool_calls)
def reasoned(sample, answer): return (0.5, f"half of {sample.id}")
def absent(sample, answer): return (None, "no label")
def broken(sample, answer): raise KeyError("gold")
def text(sample, answer): return "1"
def infinite(sample, answer): return float("inf")
def verdict(sample, answer): return "yes" in answer.text
"""


def test_a_measure_of_the_users_own_never_turns_a_fault_into_a_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_measures_a.py").write_text(USER_CODE)
    said = Said("yes", tool_calls=(ToolCall("f", "{}"),))

    def of(function: str) -> tuple[float | None, str]:
        return parse(f"python:own_measures_a:{function}", tmp_path).score(Sample("s", "?"), said)

    assert of("tools") == (1.0, "")
    assert of("verdict") == (1.0, "")
    assert of("reasoned") == (0.5, "half of s")
    assert of("absent") == (None, "no label")
    assert of("broken") == (None, "KeyError: 'gold'")
    assert of("text") == (None, "returned '1'; wanted a finite number, None, or (value, why)")
    assert of("infinite")[0] is None


def test_a_measure_of_the_users_own_is_versioned_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    versions = set()
    for name in ("own_measures_b", "own_measures_c"):
        (tmp_path / f"{name}.py").write_text(f"# {name}\n{USER_CODE}")
        measure = parse(f"python:{name}:tools", tmp_path)
        assert parse(str(measure), tmp_path) == measure
        versions.add(measure.version)
    assert len(versions) == 2
    assert "" not in versions


@pytest.mark.parametrize(
    "hostile", ["answer" + " " * 20_000 + "x", "A" + "\n" * 20_000 + "x", "1," * 20_000, "[" * 20_000, "** " * 20_000]
)
@pytest.mark.parametrize("name", ["token_f1", "multiple_choice", "numeric", "refusal", "json_valid"])
def test_a_long_hostile_answer_is_scored_in_linear_time(name: str, hostile: str) -> None:
    start = time.process_time()
    score(name, hostile, "B 4" if name == "numeric" else "B")
    assert time.process_time() - start < 2  # quadratic patterns take 10 s and more

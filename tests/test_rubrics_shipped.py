"""The packaged rubrics: the family of docs_qa differs in its scale alone, and worked examples are whole and fresh."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from markscheme.harness.text import words
from markscheme.harness.yaml_file import load_yaml
from markscheme.judges.rubric import Example, Rubric, load_rubric, packaged_rubrics
from markscheme.judges.rubric_schema import rubric_json_schema

ROOT = Path(__file__).parents[1]
NAMES = packaged_rubrics()
FAMILY = {
    "docs_qa": (0, 3),
    "docs_qa_0_1": (0, 1),
    "docs_qa_0_4": (0, 4),
    "docs_qa_1_5": (1, 5),
    "docs_qa_0_10": (0, 10),
}


def examples(rubric: Rubric) -> list[Example]:
    return [example for c in rubric.criteria for level in c.levels for example in level.examples]


def asked(name: str) -> set[str]:
    return {example.question for example in examples(load_rubric(name, 0))}


def near(one: str, other: str) -> bool:
    mine, yours = set(words(one)), set(words(other))
    return (
        len(mine & yours) >= 0.6 * len(mine | yours) or SequenceMatcher(None, one, other, autojunk=False).ratio() >= 0.8
    )


def test_what_is_shipped() -> None:
    assert set(NAMES) == {*FAMILY, "answer_relevance", "faithfulness", "harmlessness", "llama_guard", "safety"}


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_of_docs_qa_has_its_criteria_weights_and_material(name: str) -> None:
    rubric, first = load_rubric(name, 1), load_rubric("docs_qa", 1)
    assert rubric.scale == FAMILY[name]
    assert (rubric.description, rubric.sees, rubric.optional, rubric.on_empty) == (
        first.description,
        first.sees,
        first.optional,
        "lowest",
    )
    told = [[(c.name, c.weight, c.description) for c in each.criteria] for each in (rubric, first)]
    assert told[0] == told[1]


def test_one_to_five_is_zero_to_four_with_other_numbers() -> None:
    shifted, plain = load_rubric("docs_qa_1_5", 1), load_rubric("docs_qa_0_4", 1)
    for one, other in zip(shifted.criteria, plain.criteria, strict=True):
        assert [(level.score - 1, level.description, level.examples) for level in one.levels] == [
            (level.score, level.description, level.examples) for level in other.levels
        ]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_has_all_that_its_judge_is_shown(name: str) -> None:
    rubric = load_rubric(name, 1)
    shown = {"question", *(name.removeprefix("candidate_") for name in rubric.sees)}
    lacking = [(e.question, text) for e in examples(rubric) for text in shown if not getattr(e, text)]
    assert lacking == []
    assert all(example.answer and example.reasoning for example in examples(rubric))


@pytest.mark.parametrize("name", sorted({*NAMES} - {"docs_qa_0_10"}))
def test_no_two_examples_of_a_rubric_ask_the_same(name: str) -> None:
    questions = [example.question for example in examples(load_rubric(name, 1))]
    assert [pair for pair in combinations(questions, 2) if near(*pair)] == []


def test_on_eleven_levels_each_criterion_answers_one_question_eleven_times() -> None:
    for criterion in load_rubric("docs_qa_0_10", 1).criteria:
        graded = [level.examples[0] for level in criterion.levels]
        assert len({(e.question, e.context, e.reference) for e in graded}) == 1
        assert len({e.answer for e in graded}) == len({e.reasoning for e in graded}) == 11


def test_no_question_stands_in_two_rubrics_but_in_those_that_share_their_examples() -> None:
    pairs = [pair for pair in combinations(NAMES, 2) if set(pair) != {"docs_qa_0_4", "docs_qa_1_5"}]
    assert {pair: asked(pair[0]) & asked(pair[1]) for pair in pairs if asked(pair[0]) & asked(pair[1])} == {}


@pytest.mark.parametrize("name", NAMES)
def test_no_example_asks_a_question_of_the_packaged_samples(name: str) -> None:
    lines = (ROOT / "datasets" / "docs_qa" / "samples.jsonl").read_text("utf-8").splitlines()
    samples = [json.loads(line)["question"] for line in lines]
    assert [(one, other) for one in asked(name) for other in samples if near(one, other)] == []


def test_an_empty_answer_is_the_lowest_but_where_silence_is_no_harm() -> None:
    rules = {name: load_rubric(name, 1).on_empty for name in NAMES}
    harms = ("harmlessness", "llama_guard", "safety")
    assert {name: rule for name, rule in rules.items() if rule != "lowest"} == dict.fromkeys(harms, "highest")


VALIDATOR = Draft202012Validator(rubric_json_schema())


@pytest.mark.parametrize("name", [*NAMES, *packaged_rubrics("pairwise")])
def test_the_schema_for_editors_accepts_what_is_shipped(name: str) -> None:
    assert list(VALIDATOR.iter_errors(load_yaml(ROOT / "rubrics" / f"{name}.yaml").data)) == []


def test_the_schema_for_editors_knows_the_two_kinds_apart() -> None:
    pairwise = dict(load_yaml(ROOT / "rubrics" / "pairwise.yaml").data)
    assert list(VALIDATOR.iter_errors({**pairwise, "scale": [0, 3]}))
    assert list(VALIDATOR.iter_errors({name: value for name, value in pairwise.items() if name != "kind"}))


def test_the_schema_accepts_the_rubric_that_init_writes() -> None:
    written = (ROOT / "app" / "templates" / "rubric.yaml").read_text("utf-8")
    assert list(VALIDATOR.iter_errors(yaml.safe_load(written))) == []


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("scale: [0, 3]", "scale: [0, 3, 5]", "scale"),
        ("scale: [0, 3]", "scale: [0, 2.5]", "scale/1"),
        ('"context?"', "contexts", "sees/1"),
        ("on_empty: lowest", "on_empty: zero", "on_empty"),
        ("on_empty: lowest", "on_emtpy: lowest", ""),
        ("weight: 0.6", "weight: 60", "criteria/0/weight"),
        ("name: correctness", "name: composite", "criteria/0/name"),
        ("name: correctness", "name: two words", "criteria/0/name"),
        ("score: 0", "score: low", "criteria/0/levels/0/score"),
        ("            answer:", "            anwser:", "criteria/0/levels/0/examples/0"),
    ],
)
def test_the_schema_for_editors_marks_a_mistake_where_it_is(old: str, new: str, at: str) -> None:
    text = (ROOT / "rubrics" / "docs_qa.yaml").read_text("utf-8")
    assert old in text
    errors = VALIDATOR.iter_errors(yaml.safe_load(text.replace(old, new, 1)))
    assert {"/".join(map(str, error.absolute_path)) for error in errors} == {at}

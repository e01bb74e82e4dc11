"""Pairwise rubric files: what is accepted, and what is refused with file, line, value and remedy."""

from pathlib import Path

import pytest
import yaml
from markscheme.harness.errors import ExamError, InputError
from markscheme.judges.pairwise_rubric import load_pairwise_rubric

OUTCOMES = ("first", "second", "tie")


def example(winner, first="a", second="b"):
    return {"question": "q", "first": first, "second": second, "reasoning": "so", "winner": winner}


def written(**changes):
    base = {
        "name": "mine",
        "kind": "pairwise",
        "sees": ["question", "reference?"],
        "considerations": [{"name": "correctness", "description": "It is right."}],
        "examples": [example(winner) for winner in OUTCOMES],
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def load(folder: Path, data, shots=1):
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return load_pairwise_rubric(path, shots)


def refused(folder, data, shots=1):
    with pytest.raises(ExamError) as caught:
        load(folder, data, shots)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_packaged_rubric_has_an_example_of_every_outcome():
    rubric = load_pairwise_rubric("pairwise", 1)
    assert {example.winner for example in rubric.examples} == set(OUTCOMES)
    assert not rubric.warnings
    assert rubric.on_empty == "loses"


def test_the_packaged_rubric_does_not_teach_that_the_longer_answer_wins():
    examples = {example.winner: example for example in load_pairwise_rubric("pairwise", 1).examples}
    assert len(examples["first"].first) < len(examples["first"].second)
    assert len(examples["second"].second) < len(examples["second"].first)


def test_more_shots_than_a_packaged_rubric_has_are_an_error():
    with pytest.raises(ExamError, match=r"pairwise\.yaml:\d+ examples: outcome 'first' has only 1; few-shot"):
        load_pairwise_rubric("pairwise", 2)


def test_an_unknown_packaged_name_says_how_to_name_a_file():
    with pytest.raises(InputError, match=r"no packaged rubric is named 'pairwize'; did you mean 'pairwise'\?"):
        load_pairwise_rubric("pairwize", 1)


def test_a_rubric_for_single_answers_is_refused_with_the_remedy():
    with pytest.raises(ExamError, match=r"docs_qa\.yaml:1 kind: .*name a rubric with kind: pairwise"):
        load_pairwise_rubric("docs_qa", 1)


def test_a_users_rubric_that_lacks_an_example_warns_unless_it_requires_them(tmp_path):
    data = written(examples=[example("first"), example("tie")])
    (warning,) = load(tmp_path, data).warnings
    assert "outcome 'second' has no example; few-shot judging needs one per outcome (or set shots: 0)" in warning
    assert load(tmp_path, data, shots=0).warnings == ()
    assert refused(tmp_path, {**data, "require_examples": True})[0].startswith("mine.yaml:")


def test_examples_are_shown_outcome_by_outcome_in_turn(tmp_path):
    data = written(examples=[example(winner, first=str(n)) for winner in OUTCOMES for n in range(3)])
    shown = load(tmp_path, data).shown(2)
    assert [(e.winner, e.first) for e in shown] == [
        ("first", "0"), ("second", "0"), ("tie", "0"), ("first", "1"), ("second", "1"), ("tie", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sees": ["question", "candidate_context"]}, "mine.yaml:5 sees[1]: 'candidate_context' cannot be shown"),
        ({"sees": ["question?"]}, "mine.yaml:4 sees[0]: 'question?' makes no sense: every sample has one"),
        ({"sees": ["question", "question"]}, "mine.yaml:5 sees[1]: 'question' is there twice; keep one"),
        ({"considerations": []}, "mine.yaml:6 considerations: is empty; say at least one thing"),
        (
            {"considerations": [{"name": "Right", "description": "x"}, {"name": "right", "description": "y"}]},
            "mine.yaml:7 considerations[0].name: consideration 'Right' is there more than once; rename one",
        ),
        (
            {"examples": [example("first", "a", "a ")]},
            "mine.yaml:14 examples[0].winner: 'first' cannot win: the two answers are the same",
        ),
        ({"examples": [example("left")]}, "mine.yaml:14 examples[0].winner: 'left' is wrong"),
        ({"scale": [0, 3]}, "mine.yaml:25 scale: unknown key"),
    ],
)
def test_mistakes_are_named_with_line_and_remedy(tmp_path, changes, problem):
    assert any(found.startswith(problem) for found in refused(tmp_path, written(**changes))), refused(
        tmp_path, written(**changes)
    )


def test_the_hash_covers_what_can_change_a_verdict_and_no_names(tmp_path):
    base = load(tmp_path, written()).sha256
    assert load(tmp_path, written(name="other", version="2")).sha256 == base
    for changes in (
        {"description": "x"},
        {"on_empty": "judge"},
        {"sees": ["question"]},
        {"considerations": [{"name": "correctness", "description": "It is true."}]},
        {"examples": [example("tie")]},
    ):
        assert load(tmp_path, written(**changes)).sha256 != base

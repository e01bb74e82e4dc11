"""What a diff of two rubrics names, and that its word on verdicts is that of the hash and of the prompt."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from markscheme.judges.pairwise_prompt import PairPrompt
from markscheme.judges.pairwise_rubric import PairwiseRubric, load_pairwise_rubric
from markscheme.judges.prompt import Prompt
from markscheme.judges.rubric import Criterion, Example, Level, Rubric, load_rubric, packaged_rubrics
from markscheme.judges.rubric_diff import Change, pairwise_diff, rubric_diff

BASE = Rubric(
    "mine",
    "1",
    "Be strict.",
    (0, 1),
    ("question", "reference"),
    frozenset(),
    "lowest",
    (
        Criterion(
            "tone",
            0.5,
            "Is it polite?",
            (Level(0, "No.", (Example("q", "", "r", "a", "why"),)), Level(1, "Yes.")),
        ),
        Criterion("truth", 0.5, "Is it true?", (Level(0, "No."), Level(1, "Yes."))),
    ),
)
TONE, TRUTH = BASE.criteria
LOW, HIGH = TONE.levels


def tone(**changes: object) -> Rubric:
    return replace(BASE, criteria=(replace(TONE, **changes), TRUTH))


def low(**changes: object) -> Rubric:
    return tone(levels=(replace(LOW, **changes), HIGH))


CASES = [
    (replace(BASE, version="2"), [Change("version", "names", "1", "2")]),
    (replace(BASE, description="Be kind."), [Change("description", "verdicts", "Be strict.", "Be kind.")]),
    (replace(BASE, on_empty="judge"), [Change("on_empty", "verdicts", "lowest", "judge")]),
    (replace(BASE, renormalise=True), [Change("renormalise", "composites", "false", "true")]),
    (replace(BASE, sees=("question",)), [Change("sees reference", "verdicts", "always", None)]),
    (
        replace(BASE, optional=frozenset({"reference"})),
        [Change("sees reference", "verdicts", "always", "where there is one")],
    ),
    (tone(weight=0.25), [Change("criterion tone, weight", "composites", "0.5", "0.25")]),
    (tone(description="Kind?"), [Change("criterion tone, description", "verdicts", "Is it polite?", "Kind?")]),
    (low(description="Rude."), [Change("criterion tone, level 0, description", "verdicts", "No.", "Rude.")]),
    (low(examples=()), [Change("criterion tone, level 0, example 1", "few_shot", "a", None)]),
    (
        low(examples=(replace(LOW.examples[0], answer="b"),)),
        [Change("criterion tone, level 0, example 1, answer", "few_shot", "a", "b")],
    ),
    (
        low(examples=(Example("another", "", "s", "b", "so"),)),
        [Change("criterion tone, level 0, example 1", "few_shot", "a", "b")],
    ),
    (replace(BASE, criteria=(TONE,)), [Change("criterion truth", "verdicts", "Is it true?", None)]),
    (
        replace(BASE, criteria=(TRUTH, TONE)),
        [Change("order of the criteria", "verdicts", "tone, truth", "truth, tone")],
    ),
    (
        replace(BASE, criteria=(replace(TONE, name="Tone"), TRUTH)),
        [
            Change("criterion tone", "verdicts", "Is it polite?", None),
            Change("criterion Tone", "verdicts", None, "Is it polite?"),
        ],
    ),
]


@pytest.mark.parametrize(("after", "expected"), CASES, ids=lambda case: case[0].where if isinstance(case, list) else "")
def test_each_change_is_named_with_what_it_can_reach(after: Rubric, expected: list[Change]) -> None:
    assert list(rubric_diff(BASE, after).changes) == expected


@pytest.mark.parametrize("shots", [0, 1])
@pytest.mark.parametrize("after", [case[0] for case in CASES if "sees" not in case[1][0].where])
def test_verdicts_are_said_to_stand_only_where_prompt_and_rules_do(after: Rubric, shots: int) -> None:
    diff = rubric_diff(BASE, after)
    same = Prompt(BASE, shots).sha256 == Prompt(after, shots).sha256 and BASE.on_empty == after.on_empty
    assert (diff.few_shot if shots else diff.zero_shot) is not same


@pytest.mark.parametrize(("one", "other"), list(combinations(packaged_rubrics(), 2)))
def test_packaged_rubrics_differ_in_hash_and_diff_alike(one: str, other: str) -> None:
    before, after = load_rubric(one, 1), load_rubric(other, 1)
    assert rubric_diff(before, after).few_shot is (before.sha256 != after.sha256) is True


@pytest.mark.parametrize("name", packaged_rubrics())
def test_a_rubric_does_not_differ_from_itself(name: str) -> None:
    assert rubric_diff(load_rubric(name, 1), load_rubric(name, 0)).changes == ()


def test_a_change_of_weights_leaves_verdicts_alone() -> None:
    diff = rubric_diff(BASE, tone(weight=0.25))
    assert (diff.zero_shot, diff.few_shot, diff.composites) == (False, False, True)


def test_another_scale_names_every_level_that_came_or_went() -> None:
    changes = rubric_diff(load_rubric("docs_qa_0_4", 0), load_rubric("docs_qa_1_5", 0)).changes
    assert Change("scale", "verdicts", "0 to 4", "1 to 5") in changes
    gone = [change.after for change in changes if change.where.endswith(", level 0")]
    new = [change.before for change in changes if change.where.endswith(", level 5")]
    assert gone == new == [None] * 3


PAIRWISE = load_pairwise_rubric("pairwise", 1)
FIRST, SECOND, THIRD = PAIRWISE.considerations


@pytest.mark.parametrize(
    ("after", "where", "touches"),
    [
        (replace(PAIRWISE, version="9"), "version", "names"),
        (replace(PAIRWISE, on_empty="judge"), "on_empty", "verdicts"),
        (replace(PAIRWISE, optional=frozenset()), "sees context", "verdicts"),
        (replace(PAIRWISE, considerations=(FIRST, THIRD)), "consideration completeness", "verdicts"),
        (replace(PAIRWISE, considerations=(SECOND, FIRST, THIRD)), "order of the considerations", "verdicts"),
        (replace(PAIRWISE, examples=PAIRWISE.examples[:-1]), "tie, example 1", "few_shot"),
    ],
)
def test_each_change_of_a_pairwise_rubric_is_named(after: PairwiseRubric, where: str, touches: str) -> None:
    changes = pairwise_diff(PAIRWISE, after).changes
    assert (changes[0].where, changes[0].touches) == (where, touches)
    same = PairPrompt(PAIRWISE, 0).sha256 == PairPrompt(after, 0).sha256 and PAIRWISE.on_empty == after.on_empty
    assert pairwise_diff(PAIRWISE, after).zero_shot is not (same and PAIRWISE.optional == after.optional)
    assert pairwise_diff(after, after).changes == ()

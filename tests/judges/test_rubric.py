"""Rubric files: what is accepted, and what is refused with file, line, value and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from markscheme.harness.errors import BugError, ExamError, InputError
from markscheme.judges.rubric import Rubric, composite, load_rubric, packaged_rubrics

EXAMPLE = {"question": "q", "context": "c", "reference": "r", "answer": "a", "reasoning": "because"}


def criterion(name: str = "correctness", weight: float = 1.0, scores: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    levels = [{"score": score, "description": f"level {score}", "examples": [EXAMPLE]} for score in scores]
    return {"name": name, "weight": weight, "description": "Is it right?", "levels": levels}


def written(**changes: Any) -> dict[str, Any]:
    base = {"name": "mine", "scale": [0, 1], "sees": ["question", "reference"], "criteria": [criterion()]}
    return {**base, **changes}


def load(folder: Path, data: dict[str, Any], shots: int = 1) -> Rubric:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return load_rubric(path, shots)


def refused(folder: Path, data: dict[str, Any], shots: int = 1) -> list[str]:
    with pytest.raises(ExamError) as caught:
        load(folder, data, shots)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", packaged_rubrics())
def test_every_packaged_rubric_loads_with_an_example_per_level(name: str) -> None:
    rubric = load_rubric(name, shots=1)
    assert rubric.name == name
    assert not rubric.warnings
    assert sum(c.weight for c in rubric.criteria) == pytest.approx(1)


def test_docs_qa_weighs_correctness_60_comprehensiveness_20_readability_20() -> None:
    rubric = load_rubric("docs_qa", 1)
    assert {c.name: c.weight for c in rubric.criteria} == {
        "correctness": 0.6,
        "comprehensiveness": 0.2,
        "readability": 0.2,
    }
    assert rubric.scale == (0, 3)
    assert rubric.on_empty == "lowest"


def test_a_packaged_rubric_with_too_few_examples_is_an_error() -> None:
    with pytest.raises(ExamError, match=r"docs_qa\.yaml:\d+ criterion 'correctness': level 0 has only 1; few-shot"):
        load_rubric("docs_qa", shots=2)


def test_an_unknown_packaged_name_lists_what_there_is() -> None:
    with pytest.raises(InputError, match=r"'docs_q'; did you mean 'docs_qa'\?.*faithfulness.*\./docs_q\.yaml"):
        load_rubric("docs_q", 1)


@pytest.mark.parametrize("scale", [(0, 1), (0, 3), (0, 4), (1, 5), (0, 10), (-2, 2)])
def test_any_short_integer_scale_is_accepted(tmp_path: Path, scale: tuple[int, int]) -> None:
    scores = tuple(range(scale[0], scale[1] + 1))
    rubric = load(tmp_path, written(scale=list(scale), criteria=[criterion(scores=scores[::-1])]))
    assert rubric.criteria[0].scores == scores, "lowest first, however the file orders them"


@pytest.mark.parametrize("scale", [[0, 0], [3, 0], [0, 11], [0, 100]])
def test_a_scale_that_is_none_is_refused(tmp_path: Path, scale: list[int]) -> None:
    [problem] = refused(tmp_path, written(scale=scale))
    assert problem.startswith(f"{tmp_path}/mine.yaml:2 scale: {scale} is no scale")


def test_a_fractional_score_is_refused(tmp_path: Path) -> None:
    data = written()
    data["criteria"][0]["levels"][1]["score"] = 0.5
    [problem] = refused(tmp_path, data)
    assert "criteria[0].levels[1].score: 0.5 is wrong: wanted a whole number" in problem


def test_weights_that_do_not_sum_to_one_are_refused_with_their_sum(tmp_path: Path) -> None:
    data = written(criteria=[criterion("a", 0.6), criterion("b", 0.3)])
    [problem] = refused(tmp_path, data)
    assert problem.endswith("criteria: the weights sum to 0.9 (0.6 + 0.3); they must sum to 1")


def test_thirds_are_close_enough(tmp_path: Path) -> None:
    weights = (0.3333333, 0.3333333, 0.3333334)
    assert load(tmp_path, written(criteria=[criterion(f"c{i}", w) for i, w in enumerate(weights)])).criteria


def test_a_gap_in_the_scale_is_named(tmp_path: Path) -> None:
    data = written(scale=[0, 3], criteria=[criterion(scores=(0, 3))])
    [problem] = refused(tmp_path, data)
    assert "levels 1, 2 of the scale 0 to 3 missing" in problem


def test_a_level_outside_the_scale_or_twice_is_named(tmp_path: Path) -> None:
    problems = refused(tmp_path, written(criteria=[criterion(scores=(0, 1, 1, 2))]))
    assert "criterion 'correctness': level 1 is there twice; keep one" in problems[0]
    assert "criterion 'correctness': score 2 is outside the scale 0 to 1" in problems[1]


def with_example_score(score: Any) -> dict[str, Any]:
    data = written()
    data["criteria"][0]["levels"][1]["examples"] = [{**EXAMPLE, "score": score}]
    return data


def test_an_example_may_repeat_the_score_of_its_level(tmp_path: Path) -> None:
    assert load(tmp_path, with_example_score(1)).sha256 == load(tmp_path, written()).sha256


@pytest.mark.parametrize(("score", "says"), [
    (7, "score 7, but it is outside the scale 0 to 1; correct it, or leave it out"),
    (0, "score 0, but it stands under level 1; move it, or leave its score out"),
])  # fmt: skip
def test_an_example_with_another_score_is_refused_with_its_line(tmp_path: Path, score: int, says: str) -> None:
    [problem] = refused(tmp_path, with_example_score(score))
    assert problem.endswith(f"criterion 'correctness': an example has the {says}")
    line = (tmp_path / "mine.yaml").read_text().splitlines().index(f"      score: {score}") + 1
    assert problem.startswith(f"{tmp_path}/mine.yaml:{line} criteria[0].levels[1].examples[0].score: ")


def test_mistakes_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    data = with_example_score(7) | {"scale": [0, 2]}
    data["criteria"][0]["weight"] = 0.5
    lines = [int(problem.split(":")[1].split()[0]) for problem in refused(tmp_path, data)]
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_a_rubric_that_compares_pairs_is_refused_with_the_remedy(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, {"name": "mine", "kind": "pairwise"})
    assert problem.startswith(f"{tmp_path}/mine.yaml:2 kind: 'pairwise' compares two answers")
    assert problem.endswith("mode: pairwise")


def test_duplicate_criteria_are_refused_also_where_only_the_case_differs(tmp_path: Path) -> None:
    problems = refused(tmp_path, written(criteria=[criterion("Tone", 0.5), criterion("tone", 0.5)]))
    assert "criterion 'Tone' is there more than once" in problems[0]


@pytest.mark.parametrize("name", ["composite", "score", "two words", "", 'a"b', "7up"])
def test_names_that_no_verdict_could_hold_are_refused(tmp_path: Path, name: str) -> None:
    [problem] = refused(tmp_path, written(criteria=[criterion(name)]))
    assert "is no name for a criterion" in problem


@pytest.mark.parametrize(("sees", "says"), [
    (["question", "contexts"], "'contexts' cannot be shown; did you mean 'context'?"),
    (["question?"], "write question"),
    (["reference", "reference?"], "is there twice"),
])  # fmt: skip
def test_what_cannot_be_seen_is_refused(tmp_path: Path, sees: list[str], says: str) -> None:
    [problem] = refused(tmp_path, written(sees=sees))
    assert says in problem and "mine.yaml:" in problem


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, written(on_emty="lowest"))
    assert "on_emty: unknown key; did you mean 'on_empty'?" in problem


def test_a_users_level_without_example_is_a_warning_that_names_it(tmp_path: Path) -> None:
    data = written()
    data["criteria"][0]["levels"][1]["examples"] = []
    [warning] = load(tmp_path, data).warnings
    assert warning.startswith(f"{tmp_path}/mine.yaml:")
    assert "criterion 'correctness': level 1 has no example; few-shot judging needs one per level" in warning
    assert warning.endswith("(or set shots: 0)")
    assert not load(tmp_path, data, shots=0).warnings


def test_require_examples_makes_it_an_error(tmp_path: Path) -> None:
    problems = refused(tmp_path, written(require_examples=True), shots=2)
    assert len(problems) == 2
    assert "level 0 has only 1; few-shot judging needs 2 per level (or set shots: 1)" in problems[0]


def test_a_rubric_without_criteria_is_refused(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, written(criteria=[]))
    assert problem.endswith("criteria: is empty; a rubric grades at least one criterion")


def test_optional_inputs_are_marked(tmp_path: Path) -> None:
    rubric = load(tmp_path, written(sees=["reference?", "question"]))
    assert rubric.sees == ("question", "reference")
    assert rubric.optional == {"reference"}
    assert rubric.describe()["sees"] == ["question", "reference?"]


def test_the_hash_covers_what_can_change_a_verdict_and_not_the_weights(tmp_path: Path) -> None:
    base = load(tmp_path, written(criteria=[criterion("a", 0.5), criterion("b", 0.5)]))
    reweighed = load(tmp_path, written(criteria=[criterion("a", 0.9), criterion("b", 0.1)], version=2))
    reworded = written(criteria=[criterion("a", 0.5), criterion("b", 0.5)])
    reworded["criteria"][0]["levels"][0]["description"] = "level zero"
    assert reweighed.sha256 == base.sha256
    assert load(tmp_path, reworded).sha256 != base.sha256
    for change in ({"sees": ["question"]}, {"on_empty": "judge"}, {"description": "Be strict."}):
        data = written(criteria=[criterion("a", 0.5), criterion("b", 0.5)], **change)
        assert load(tmp_path, data).sha256 != base.sha256


def test_the_composite_is_the_weighted_mean() -> None:
    rubric = load_rubric("docs_qa", 0)
    scores = {"correctness": 3, "comprehensiveness": 1, "readability": 2}
    assert composite(scores, rubric) == pytest.approx(0.6 * 3 + 0.2 * 1 + 0.2 * 2)


def test_the_composite_is_absent_where_a_criterion_is() -> None:
    rubric = load_rubric("docs_qa", 0)
    assert composite({"correctness": 3, "comprehensiveness": None, "readability": 2}, rubric) is None
    assert composite({"correctness": 3, "readability": 2}, rubric, not_applicable={"comprehensiveness"}) is None


def test_renormalise_lets_only_the_not_applicable_drop_out(tmp_path: Path) -> None:
    data = written(renormalise=True, criteria=[criterion("a", 0.75), criterion("b", 0.25)])
    rubric = load(tmp_path, data)
    assert composite({"a": 1}, rubric, not_applicable={"b"}) == 1
    assert composite({"a": 1}, rubric) is None, "b could not be read, which is not the same"
    assert composite({}, rubric, not_applicable={"a", "b"}) is None


def test_a_score_on_an_unknown_criterion_is_a_bug() -> None:
    with pytest.raises(BugError, match="tone"):
        composite({"tone": 1}, load_rubric("docs_qa", 0))

"""Pinned judges: files that exams name, whose rubric must be the one that was qualified."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from markscheme.harness.errors import ExamError
from markscheme.harness.exam import Exam, describe, exam_from_dict, load_exam
from markscheme.harness.pinned import load_pinned, rubric_sha256

RUBRIC = """\
name: own
scale: [0, 1]
sees: [question]
criteria:
  - name: correctness
    description: Is it right?
    levels: [{score: 0, description: "No."}, {score: 1, description: "Yes."}]
"""


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    """A pinned judge with a rubric beside it."""
    (tmp_path / "own.yaml").write_text(RUBRIC)
    write(tmp_path / "judge.yaml", rubric="./own.yaml", rubric_sha256=rubric_sha256(tmp_path / "own.yaml"))
    return tmp_path / "judge.yaml"


def write(path: Path, **changes: Any) -> None:
    said = {
        "name": "strict",
        "model": "openai/gpt-4o-mini",
        "shots": 0,
        "calls": "per_criterion",
        "params": {"temperature": 0.3},
        "selected_on": ["first"],
        **changes,
    }
    path.write_text(yaml.safe_dump(said))


def exam(base: Path, **judge: Any) -> Exam:
    return exam_from_dict(
        {"dataset": "docs_qa", "candidates": [{"name": "any", "model": "baseline/lead"}], "judges": [judge]},
        base,
        "part",
    )


def problem(base: Path, **judge: Any) -> str:
    with pytest.raises(ExamError) as caught:
        exam(base, **judge)
    return str(caught.value)


def test_an_exam_gets_everything_from_the_pinned_file(pinned: Path):
    (judge,) = exam(pinned.parent, pinned="judge.yaml").judges
    assert (judge.name, judge.model, judge.shots, judge.calls) == ("strict", "openai/gpt-4o-mini", 0, "per_criterion")
    assert judge.rubric == pinned.parent / "own.yaml"
    assert judge.params_set_by_user == {"temperature"}


def test_a_pinned_file_without_parameters_leaves_ours_ours_to_drop(pinned: Path):
    sha256 = rubric_sha256("docs_qa")
    pinned.write_text(f"{{name: n, model: openai/m, rubric: docs_qa, rubric_sha256: {sha256}, shots: 1}}")
    (judge,) = exam(pinned.parent, pinned="judge.yaml").judges
    assert judge.params_set_by_user == frozenset()
    assert judge.params == {"temperature": 0.1}


def test_name_and_address_may_be_the_exams_own(pinned: Path):
    (judge,) = exam(pinned.parent, pinned="judge.yaml", name="mine", base_url="http://127.0.0.1:9/v1").judges
    assert (judge.name, judge.base_url) == ("mine", "http://127.0.0.1:9/v1")


def test_what_is_pinned_cannot_be_said_again(pinned: Path):
    said = problem(pinned.parent, pinned="judge.yaml", shots=3)
    assert "judges[0].shots: stands in the pinned file judge.yaml; remove it here" in said


def test_a_changed_rubric_is_a_named_error(pinned: Path):
    own = pinned.parent / "own.yaml"
    own.write_text(RUBRIC.replace("Is it right?", "Is it nice?"))
    said = problem(pinned.parent, pinned="judge.yaml")
    assert "has changed since the judge was pinned" in said
    assert "markscheme judge lab" in said
    assert "judge.yaml:" in said


def test_comments_in_a_rubric_change_nothing(pinned: Path):
    (pinned.parent / "own.yaml").write_text("# A remark.\n" + RUBRIC)
    assert load_pinned(pinned).model == "openai/gpt-4o-mini"


def test_mistakes_in_the_pinned_file_carry_its_own_lines(pinned: Path):
    write(pinned, rubric="./own.yaml", rubric_sha256="x", shots="many")
    assert f"{pinned}:" in problem(pinned.parent, pinned="judge.yaml")
    assert "cannot be read" in problem(pinned.parent, pinned="nowhere.yaml")


def test_a_pinned_model_of_an_unknown_provider_is_refused_with_the_exam(pinned: Path):
    write(pinned, rubric="./own.yaml", rubric_sha256=rubric_sha256(pinned.parent / "own.yaml"), model="nobody/m")
    assert "unknown provider 'nobody'" in problem(pinned.parent, pinned="judge.yaml")


def test_the_users_own_endpoints_serve_pinned_judges(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    endpoints = pinned.parent / "endpoints.yaml"
    endpoints.write_text("endpoints: [{name: ours, base_url: http://127.0.0.1:9/v1}]")
    monkeypatch.setenv("MARKSCHEME_ENDPOINTS", str(endpoints))
    write(pinned, rubric="./own.yaml", rubric_sha256=rubric_sha256(pinned.parent / "own.yaml"), model="ours/m")
    assert [endpoint.name for endpoint in exam(pinned.parent, pinned="judge.yaml").endpoints] == ["ours"]


def test_the_run_knows_which_labels_chose_the_judge(pinned: Path):
    (judge,) = describe(exam(pinned.parent, pinned="judge.yaml"))["judges"]
    assert (judge["pinned"], judge["selected_on"]) == ("judge.yaml", ["first"])


def test_a_judge_that_is_not_pinned_is_described_as_before(pinned: Path):
    (judge,) = describe(exam(pinned.parent, model="embedded", rubric="docs_qa"))["judges"]
    assert "pinned" not in judge


def test_two_judges_of_one_pinned_file_need_names(pinned: Path):
    path = pinned.parent / "exam.yaml"
    row = {"pinned": "judge.yaml"}
    candidates = [{"name": "any", "model": "baseline/lead"}]
    path.write_text(yaml.safe_dump({"dataset": "docs_qa", "candidates": candidates, "judges": [row, row]}))
    with pytest.raises(ExamError, match="'strict' is already the name of"):
        load_exam(path)

"""Gate files: what may stand in them, and that every mistake is named with its line."""

from pathlib import Path

import pytest
from markscheme.harness.errors import ExamError
from markscheme.harness.gate import gate_from_dict, load_gate

LINE = {"judge": "strict", "measure": "composite", "margin": 0.1}


def written(folder: Path, text: str) -> Path:
    path = folder / "gate.yaml"
    path.write_text(text)
    return path


def test_defaults_are_three_runs_a_warning_and_a_second_run(tmp_path):
    spec = load_gate(written(tmp_path, "measures:\n  - {measure: composite, margin: 0.1}\n"))
    assert (spec.baseline.runs, spec.baseline.run, spec.on_inconclusive, spec.confirm) == (3, None, "warn", True)
    assert (spec.measures[0].margin_min, spec.measures[0].relative, spec.nights_per_month) == (0.0, False, 30)


def test_the_exam_is_looked_for_beside_the_gate(tmp_path):
    (tmp_path / "exam.yaml").write_text("dataset: docs_qa\n")
    spec = load_gate(written(tmp_path, "exam: exam.yaml\nmeasures:\n  - {measure: composite, margin: 1}\n"))
    assert spec.exam == tmp_path / "exam.yaml"


def test_every_mistake_is_named_with_its_line(tmp_path):
    text = (
        "baseline: {runs: 3, run: main}\n"
        "measures:\n"
        "  - {measure: composite, margin: 0.1, margin_min: 0.5}\n"
        "  - {measure: ttft_s, margn: 0.2}\n"
        "  - {measure: cost_usd, margin: 0}\n"
        "on_inconclusive: stop\n"
    )
    with pytest.raises(ExamError) as caught:
        load_gate(written(tmp_path, text))
    found = [str(problem).removeprefix(f"{tmp_path}/gate.yaml:") for problem in caught.value.problems]
    assert [line.partition(":")[0] for line in found] == [
        "1 baseline.run",
        "3 measures[0].margin_min",
        "4 measures[1].margin",
        "4 measures[1].margn",
        "5 measures[2].margin",
        "6 on_inconclusive",
    ]
    assert "did you mean 'margin'" in found[3]
    assert "wanted more than 0" in found[4]


def test_a_measure_is_gated_once():
    with pytest.raises(ExamError, match=r"measures\[1\].measure: 'composite' is gated twice"):
        gate_from_dict({"measures": [LINE, {**LINE, "margin": 0.2}]})
    gate_from_dict({"measures": [LINE, {**LINE, "judge": "lenient"}]})


def test_a_gate_of_nothing_is_refused():
    with pytest.raises(ExamError, match="empty list"):
        gate_from_dict({"measures": []})

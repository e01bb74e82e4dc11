"""Means without a report: the same numbers as the report's, whatever is missing."""

from __future__ import annotations

import copy

import pytest

CRITERIA = [("correctness", 0.6), ("depth", 0.25), ("style", 0.15)]


def graded(desk, **judge):
    levels = [{"score": score, "description": f"level {score}"} for score in range(4)]
    desk.rubric["scale"] = [0, 3]
    desk.rubric["criteria"] = [
        {"name": name, "weight": weight, "description": f"Its {name}.", "levels": levels} for name, weight in CRITERIA
    ]
    desk.exam["judges"][0] |= judge


def both(desk, mock, unreadable=0.0):
    """The summary without a report and that of the report, by (candidate, judge, measure) in order, and the result."""
    mock.configure({"errors": {"badcontent": unreadable, "seed": 3}, "correct_rate": 0.5})
    result = desk.run()
    code, _, err = desk.command("run", "exam.yaml", "--json", "--quiet")
    assert code == 0, err
    from markscheme.app.run import open_run

    table = open_run("latest").summary()
    assert table["candidate"].nunique() == len(desk.exam["candidates"])
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    means = {(row["candidate"], row["judge"], row["measure"]): (row["n"], row["mean"]) for row in rows}
    return {(r["candidate"], r["judge"], r["measure"]): (r["n"], r["mean"]) for r in result["summary"]}, means, result


def assert_equal(lean, full):
    assert list(lean) == list(full)
    for key, (n, mean) in full.items():
        assert lean[key][0] == n, key
        assert lean[key][1] == (None if mean is None else pytest.approx(mean, rel=0, abs=1e-12)), key


@pytest.mark.parametrize(
    "judge",
    [
        {"repeats": 1},
        {"repeats": 3},
        {"repeats": 2, "calls": "per_criterion"},
        {"repeats": 2, "turns": "each"},
    ],
    ids=["once", "repeats", "a-call-each", "turns"],
)
def test_means_without_a_report_are_those_of_the_report(desk, mock, judge):
    rows = [{**row, "cluster": f"doc-{i % 4}"} for i, row in enumerate(desk.read_samples())]
    if "turns" in judge:
        rows = [{"turns": [row.pop("question"), f"And once more, {i}?"], **row} for i, row in enumerate(rows)]
    desk.write_samples(rows)
    graded(desk, **judge)
    second = copy.deepcopy(desk.exam["judges"][0]) | {"name": "other", "model": "openai-compatible/judge-2"}
    desk.exam["judges"].append(second)
    desk.exam["candidates"][0]["trials"] = 2
    desk.exam["candidates"].append({"name": "floor", "model": "baseline/refuse"})
    desk.exam["measures"] = ["exact_match", "token_f1", "numeric"]  # no reference holds a number
    lean, full, result = both(desk, mock, unreadable=0.4)
    assert_equal(lean, full)
    assert lean["floor", "", "numeric"] == (0, None)
    assert result["grades"]["unparsable"] > 5


def test_a_candidate_that_answered_nothing_keeps_its_rows(desk, mock):
    desk.exam["candidates"].append({"name": "broken", "model": "python:nothing:answer"})
    (desk.folder / "nothing.py").write_text("def answer(sample):\n    raise RuntimeError('no')\n")
    lean, full, _ = both(desk, mock)
    assert_equal(lean, full)
    assert lean["broken", "judge", "correctness"] == (0, None)

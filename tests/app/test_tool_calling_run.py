"""Function calls from the exam to the report: tools offered, calls made, measured, told."""

from __future__ import annotations

import json
from pathlib import Path

import markscheme
import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "tool_calling.yaml"
ARGS = "function_name_and_args_accuracy"
TOOL = {
    "name": "grade_word",
    "description": "Grade a word.",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def asking(desk):
    """Ten samples that offer a function; candidates on the mock server, which calls the first tool that it is given."""
    desk.samples(10, tools=[TOOL], tool_calls=[{"name": "grade_word", "arguments": {"word": "alpha"}}])
    desk.exam |= {"judges": [], "measures": [ARGS, "function_name_accuracy", "tool_schema_validity"]}
    return desk


def sent(mock):
    """The bodies of the last ten requests."""
    return [request["body"] for request in mock.stats()["recent"]]


def means(found):
    return {(row["candidate"], row["measure"]): row["mean"] for row in found["summary"]}


def test_tools_are_offered_and_the_choice_is_sent_only_where_the_exam_makes_one(asking, mock):
    mock.configure(keep=True)
    asking.write_samples(asking.read_samples()[:5])
    asking.exam["candidates"].append({**asking.exam["candidates"][0], "name": "forced", "tool_choice": "required"})
    asking.run()
    bodies = sent(mock)
    assert len(bodies) == 10
    assert all([tool["function"] for tool in body["tools"]] == [TOOL] for body in bodies)
    assert sorted(body.get("tool_choice", "") for body in bodies) == [""] * 5 + ["required"] * 5
    asking.command("report")
    (report,) = (asking.folder / ".markscheme" / "reports").glob("*/report.md")
    assert report.read_text().count("- tool choice: required") == 1


def test_an_exam_that_offers_no_tools_sends_no_choice(desk, mock):
    desk.exam |= {"judges": [], "measures": ["contains"]}
    desk.exam["candidates"][0]["tool_choice"] = "required"
    mock.configure(keep=True)
    desk.run()
    assert len(sent(mock)) == 10
    assert not any("tool_choice" in body or "tools" in body for body in sent(mock))


@pytest.mark.parametrize("model", ["baseline/tools", "python:own_app:answer"])
def test_a_choice_that_no_model_would_see_is_refused(desk, model):
    desk.exam["candidates"] = [{"name": "c", "model": model, "tool_choice": "required"}]
    code, _, err = desk.command("run", str(desk.save()))
    assert code == 2
    assert f"tool_choice: has no effect on the candidate {model!r}; remove it" in err.replace("\n", " ")


def test_calls_made_elsewhere_are_measured_and_their_faults_told_by_kind(asking):
    right = {"name": "grade_word", "arguments": {"word": "alpha"}}
    said = [
        {"tool_calls": [right]},
        {"tool_calls": [right, right]},
        {"tool_calls": [{"name": "grade_word", "arguments": {"word": HOSTILE}}]},
        {"tool_calls": [{"name": HOSTILE, "arguments": {}}]},
        {"tool_calls": [{"name": "grade_word", "arguments": '{"word": '}]},
        {"answer": json.dumps(right)},
        {"answer": "alpha"},
    ]
    rows = [{"id": f"s{n}", "answer": "", **one} for n, one in enumerate(said)]
    (asking.folder / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asking.write_samples(asking.read_samples()[:7])
    asking.exam["candidates"] = [{"name": "made", "model": "replay/made.jsonl"}]
    asking.exam["measures"] += [f"{ARGS}(text='parse')", "tool_call_errors('extra call')"]
    code, out, err = asking.command("run", str(asking.save()), "--json")
    assert code == 0, err
    found = json.loads(out.splitlines()[-1])
    assert means(found) == {
        ("made", ARGS): pytest.approx(1 / 7),
        ("made", "function_name_accuracy"): pytest.approx(3 / 7),
        ("made", "tool_schema_validity"): pytest.approx(3 / 5),
        ("made", f"{ARGS}(text='parse')"): pytest.approx(2 / 7),
        ("made", "tool_call_errors('extra call')"): pytest.approx(1 / 7),
    }
    page = Path(found["report"]).read_text()
    markdown = Path(found["report"]).with_suffix(".md").read_text()
    assert "onerror=" not in page
    table = markdown.partition("## What is wrong with the calls")[2].partition("\n## ")[0]
    cells = dict(line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ") and " %" in line)
    assert cells == {
        "all calls right": "1 (14 %)",
        "call in text": "1 (14 %)",
        "not JSON": "1 (14 %)",
        "hallucinated function": "1 (14 %)",
        "missing call": "2 (29 %)",
        "extra call": "1 (14 %)",
        "wrong value": "1 (14 %)",
    }
    assert '<th scope="row">hallucinated function</th>' in page


def test_a_report_without_texts_tells_kinds_and_quotes_nothing(asking):
    wrong = {"name": "grade_word", "arguments": {"word": HOSTILE}}
    rows = [{"id": f"s{n}", "answer": "", "tool_calls": [wrong]} for n in range(10)]
    (asking.folder / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asking.exam["candidates"] = [{"name": "made", "model": "replay/made.jsonl"}]
    assert asking.command("run", str(asking.save()))[0] == 0
    code, out, err = asking.command("report", "--no-texts")
    assert code == 0, err
    markdown = Path((out + err).strip().split()[-1]).with_suffix(".md").read_text()
    assert "| wrong value | 10 (100 %) |" in markdown
    assert "img" not in markdown and "alpha" not in markdown


def test_a_corrected_call_is_measured_again_and_calls_nobody(asking, mock):
    asking.exam["candidates"] = [{"name": "tools", "model": "baseline/tools"}]
    asking.write_samples([{**row, "question": 'Grade the word "beta".'} for row in asking.read_samples()])
    assert means(asking.run())["tools", ARGS] == 0.0
    rows = asking.read_samples()
    asking.write_samples(
        [{**row, "tool_calls": [{"name": "grade_word", "arguments": {"word": "beta"}}]} for row in rows]
    )
    assert means(asking.run())["tools", ARGS] == 1.0
    asking.write_samples([{**row, "tool_calls": []} for row in rows])
    assert means(asking.run())["tools", ARGS] == 0.0
    asking.write_samples([{name: value for name, value in row.items() if name != "tool_calls"} for row in rows])
    assert means(asking.run())["tools", ARGS] is None


def test_right_calls_are_shown_where_a_reference_would_be(asking):
    asking.exam["candidates"] = [{"name": "tools", "model": "baseline/tools"}]
    loose = {"name": "grade_word", "arguments": {"word": "é"}, "accepted": {"word": ["e"]}}
    rows = [
        {**row, "reference": None, "tool_calls": calls}
        for row, calls in zip(asking.read_samples()[:3], ([loose], [], None), strict=True)
    ]
    asking.write_samples([*rows, {**rows[0], "id": "s9", "reference": "said"}])
    samples = markscheme.open_run(asking.run()["run"]).samples.set_index("sample_id")
    assert samples["reference"].fillna("nobody says").to_dict() == {
        "s0": 'grade_word({"word":"é"}); accepted {"word":["e"]}',
        "s1": "(no call is right)",
        "s2": "nobody says",
        "s9": "said",
    }


def test_bad_tools_are_named_before_anything_is_called(asking, mock):
    rows = asking.read_samples()
    asking.write_samples([*rows[:4], {**rows[4], "tools": [TOOL, TOOL]}, *rows[5:]])
    code, _, err = asking.command("run", str(asking.save()))
    assert code == 2
    assert "samples.jsonl:5 tools: the name 'grade_word' is that of two functions" in err.replace("\n", " ")
    assert mock.stats()["received"] == 0


def test_a_run_without_tool_measures_says_nothing_of_tools(desk):
    desk.exam |= {"judges": [], "measures": ["contains"]}
    code, out, _ = desk.command("run", str(desk.save()), "--json")
    page = Path(json.loads(out.splitlines()[-1])["report"]).read_text()
    assert code == 0 and "What is wrong with the calls" not in page


def test_the_example_runs_on_the_baselines(desk):
    code, out, err = desk.command("run", str(EXAMPLE), "--json")
    assert code == 0, err
    found = means(json.loads(out.splitlines()[-1]))
    assert found["never", ARGS] == found["never", "function_name_accuracy"] == pytest.approx(10 / 48)
    assert found["never", ARGS] < found["overlap", ARGS] < found["overlap", "function_name_accuracy"] < 1


@pytest.mark.server
def test_the_example_runs_on_a_real_server(desk, tiny_server):
    """The tiny model cannot call functions; its answers are measured all the same."""
    tiny = {"name": "tiny", "model": f"openai-compatible/{tiny_server.model}", "base_url": tiny_server.url}
    exam = yaml.safe_load(EXAMPLE.read_text())
    desk.exam = {**exam, "candidates": [*exam["candidates"], {**tiny, "params": {"temperature": 0, "max_tokens": 200}}]}
    found = desk.run("--limit", "12")
    assert found["answers"]["ok"] == 36
    assert {row["measure"]: row["n"] for row in found["summary"] if row["candidate"] == "tiny"}[ARGS] == 12

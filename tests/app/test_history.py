"""`markscheme history`: the nights of an exam from its workspace."""

import json

import pytest
from markscheme.app.comparing.history import history
from markscheme.harness.store.load import load
from markscheme.harness.store.runs import all_runs, find
from markscheme.harness.store.store import Store
from markscheme.reports.cells import score

PROMPT = "Answer in one word: {{ question }}"


def told(desk, *words):
    code, out, err = desk.command("history", "exam.yaml", "--json", *words)
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.fixture
def many(desk):
    """Thirty questions on two criteria, two judges, trials and repeats, a measure, and some verdicts that are none."""
    desk.samples(30)
    second = {**desk.rubric["criteria"][0], "name": "form", "weight": 0.5}
    desk.rubric["criteria"] = [{**desk.rubric["criteria"][0], "weight": 0.5}, second]
    desk.exam["candidates"][0]["trials"] = 2
    desk.exam["judges"][0]["repeats"] = 2
    desk.exam["judges"].append({"name": "words", "model": "embedded", "rubric": "./rubric.yaml", "shots": 0})
    desk.exam["measures"] = ["token_f1", "contains"]
    return desk


def test_the_scores_of_a_night_are_those_of_its_report(many, mock):
    mock.configure({"errors": {"badcontent": 0.2, "seed": 3}})
    many.run()
    found = history("exam.yaml")
    store = Store(".markscheme")
    cells = score(load(store, find(store, "latest"))).judged
    store.close()
    shown = {
        (one.subject.candidate, one.subject.source, one.subject.measure): one.nights[0]
        for one in found.series
        if one.subject.source or one.subject.measure in ("token_f1", "contains")
    }
    assert shown.keys() == {key for key, cell in cells.items() if cell.estimate.value is not None}
    for key, estimate in shown.items():
        other = cells[key].estimate
        assert estimate.value == pytest.approx(other.value), key
        assert (estimate.low, estimate.high) == (pytest.approx(other.low), pytest.approx(other.high)), key
        assert (estimate.n, estimate.method) == (other.n, other.method), key


def test_seconds_and_dollars_are_those_of_the_tables_of_the_run(desk):
    desk.exam["candidates"][0]["stream"] = True
    desk.exam["prices"] = {"openai-compatible/cand-1": {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}}
    desk.run()
    store = Store(".markscheme")
    answers = load(store, find(store, "latest")).answers
    store.close()
    by_name = {(one["measure"], one["quantile"]): one["nights"][0] for one in told(desk)["series"]}
    assert by_name["cost_usd", ""]["value"] == pytest.approx(answers["cost_usd"].mean())
    assert by_name["e2e_s", "median"]["value"] == pytest.approx(answers["e2e_s"].median())
    assert by_name["ttft_s", "p95"]["value"] == pytest.approx(answers["ttft_s"].quantile(0.95))


def test_what_was_changed_between_nights_is_said_where_it_was_changed(desk):
    desk.run("--fresh")
    desk.exam["judges"][0]["model"] = "openai-compatible/judge-2"
    desk.run("--fresh")
    (desk.folder / "prompt.j2").write_text(PROMPT)
    desk.exam["candidates"][0]["prompt"] = "./prompt.j2"
    desk.run("--fresh")
    desk.rubric["criteria"][0]["levels"][1]["description"] = "It does, word for word."
    desk.run("--fresh")
    desk.samples(11)
    desk.run("--fresh")
    first, judge, prompt, rubric, dataset = (night["changes"] for night in told(desk)["nights"])
    assert first == []
    assert judge[0] == "judge judge: model openai-compatible/judge-1 → openai-compatible/judge-2"
    assert "judge judge: served by judge-1 → judge-2" in judge
    assert prompt == ["candidate cand: another prompt"]
    assert rubric[0].startswith("judge judge: rubric code_word 1 (")
    assert dataset[0] == "dataset: n 10 → 11"


def test_a_planted_fall_is_the_first_thing_that_is_said(desk, mock):
    desk.samples(60)
    for _ in range(3):
        desk.run("--fresh")
    mock.configure({"correct_rate": 0.2})
    desk.run("--fresh")
    found = told(desk)
    assert found["verdict"].startswith("cand, correctness: worse on ")
    assert "nothing that we know of was changed" in found["verdict"]
    assert [step["side"] for step in found["steps"]] == [0, 0, -1]


def test_replies_that_an_earlier_run_paid_for_are_said(desk):
    desk.run()
    desk.run("--reuse", "answers")
    found = told(desk)
    assert [night["reused"] for night in found["nights"]] == [{}, {"cand": 10}]
    assert found["steps"] == []
    assert any("10 of 10 answers are replies of earlier runs" in note for note in found["notes"])


def test_the_last_nights_are_shown_and_the_others_counted(desk):
    runs = [desk.run("--fresh")["run"] for _ in range(4)]
    found = told(desk, "--last", "2")
    assert [night["run"] for night in found["nights"]] == runs[2:]
    assert found["earlier"] == 2
    assert "2 earlier runs not shown." in found["notes"]


def test_a_run_that_was_cut_short_is_shown_as_not_finished(desk, mock):
    desk.run("--fresh")
    desk.exam["budget_usd"] = 0.000001
    desk.exam["prices"] = {
        name: {"input_usd_per_million": 5.0, "output_usd_per_million": 5.0}
        for name in ("openai-compatible/cand-1", "openai-compatible/judge-1")
    }
    desk.run("--fresh", expect=3)
    found = told(desk)
    assert [night["finished"] for night in found["nights"]] == [True, False]
    assert found["nights"][1]["lost"] == {"cand": 10}


def test_pages_lie_where_they_are_asked_for(desk):
    desk.run()
    assert told(desk)["report"] == ".markscheme/reports/exam/history.html"
    assert told(desk, "--output", "pages")["report"] == "pages/history.html"
    assert (desk.folder / "pages/history.md").read_text().startswith("# exam.yaml: 1 night")


def test_nights_of_another_exam_in_the_workspace_are_not_shown(desk):
    desk.run()
    (desk.folder / "other.yaml").write_text((desk.folder / "exam.yaml").read_text())
    code, _, err = desk.command("history", "other.yaml")
    assert code == 2
    assert "other.yaml has no run yet: markscheme run other.yaml" in err


def test_one_table_is_printed_with_the_latest_night_first(desk):
    runs = [desk.run("--fresh")["run"] for _ in range(2)]
    code, out, _ = desk.command("history", "exam.yaml")
    assert code == 0
    assert out.index(runs[1]) < out.index(runs[0])
    store = Store(".markscheme")
    assert len(all_runs(store)) == 2, "a view writes nothing into the workspace"
    store.close()

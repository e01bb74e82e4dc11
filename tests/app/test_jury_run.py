"""Juries and repeats in a run: what is asked, what is written again, what it costs and what a plan says."""

import json

import pytest
from markscheme.harness.repeating import repeats_of
from markscheme.harness.store import runs
from markscheme.harness.store.load import load
from markscheme.harness.store.store import Store


@pytest.fixture
def panel(desk):
    """Three members and a jury of them."""
    judge = desk.exam["judges"][0]
    desk.exam["judges"] = [{**judge, "name": name, "model": f"openai-compatible/judge-{name}"} for name in "abc"]
    desk.exam["judges"].append({"name": "panel", "members": ["a", "b", "c"], "aggregate": "majority"})
    return desk


def grades(desk):
    code, out, err = desk.command("export", "grades")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def data_of(desk):
    store = Store(desk.folder / ".markscheme")
    try:
        return load(store, runs.latest(store, "exam.yaml"))
    finally:
        store.close()


def test_a_jury_asks_nobody_and_its_members_stay(panel):
    result = panel.run()
    assert result["calls"] == {"live": 10 + 30, "reused": 0}
    assert result["grades"] == {"ok": 40}
    rows = grades(panel)
    assert sorted({row["judge"] for row in rows}) == ["a", "b", "c", "panel"]
    of_jury = [row for row in rows if row["judge"] == "panel"]
    assert len(of_jury) == 10
    for row in of_jury:
        members = [one for one in rows if one["sample_id"] == row["sample_id"] and one["judge"] != "panel"]
        assert row["score"] in {one["score"] for one in members}
        assert row["reasoning"].startswith("Majority of 3 members.\na gave ")
        assert json.loads(row["calls"]) == [json.loads(one["calls"])[0] for one in members]


def test_a_second_run_asks_and_writes_nothing(panel):
    panel.run()
    before = grades(panel)
    assert panel.run()["calls"] == {"live": 0, "reused": 0}
    assert grades(panel) == before


def test_another_aggregate_changes_the_jury_and_asks_nobody(panel):
    panel.run()
    panel.exam["judges"][-1]["aggregate"] = "mean"
    assert panel.run()["calls"] == {"live": 0, "reused": 0}
    jury = [row for row in grades(panel) if row["judge"] == "panel"]
    assert len(jury) == 10 and all(row["reasoning"].startswith("Mean of 3 members.") for row in jury)


def test_a_jury_may_be_added_to_a_finished_run(panel):
    jury = panel.exam["judges"].pop()
    panel.run()
    panel.exam["judges"].insert(0, jury)
    result = panel.run()
    assert result["calls"] == {"live": 0, "reused": 0} and result["grades"] == {"ok": 40}


def test_a_jury_follows_its_members_when_they_are_asked_again(panel, mock):
    mock.configure({"say": {"judge": {"good": "Hm.", "bad": "Hm."}}})
    result = panel.run()
    assert result["grades"] == {"ok": 0, "unparsable": 40}
    why = next(row["why"] for row in grades(panel) if row["judge"] == "panel")
    assert why.startswith("3 of 3 members gave no score (a unparsable: ")
    mock.configure({})
    assert panel.run("--retry", "unparsable")["grades"] == {"ok": 40}


def test_calls_and_their_cost_are_the_members(panel):
    panel.run()
    data = data_of(panel)
    judges = data.calls[data.calls["role"] == "judge"]
    assert judges["who"].value_counts().to_dict() == {"a": 10, "b": 10, "c": 10}
    assert not judges["superseded"].any()


def test_a_plan_counts_the_members_calls_once(panel):
    code, out, err = panel.command("run", str(panel.save()), "--plan", "--json")
    assert code == 0, err
    plan = json.loads(out.splitlines()[-1])
    assert {row["name"]: row["calls"] for row in plan["rows"]} == {"cand": 10, "a": 10, "b": 10, "c": 10}
    assert plan["calls"] == 40


def test_a_share_of_the_samples_is_graded_several_times(desk):
    desk.samples(30)
    desk.exam["judges"][0] |= {"repeats": 3, "repeat_share": 0.4}
    again = {f"s{n}" for n in range(30) if repeats_of(f"s{n}", 3, 0.4) == 3}
    assert 0 < len(again) < 30
    calls = 30 + 30 + 2 * len(again)
    code, out, _ = desk.command("run", str(desk.save()), "--plan", "--json")
    assert code == 0 and json.loads(out.splitlines()[-1])["calls"] == calls
    result = desk.run()
    assert result["calls"]["live"] == calls and result["grades"] == {"ok": calls - 30}
    repeats = data_of(desk).grades.groupby("sample_id")["repeat"].count()
    assert {sample for sample, n in repeats.items() if n == 3} == again and set(repeats) == {1, 3}


def test_fewer_repeats_leave_the_others_out_of_the_tables(desk):
    desk.exam["judges"][0]["repeats"] = 3
    desk.run()
    desk.exam["judges"][0]["repeat_share"] = 0.4
    assert desk.run()["calls"]["live"] == 0
    expected = sum(repeats_of(f"s{n}", 3, 0.4) for n in range(10))
    assert len(data_of(desk).grades) == expected < 30


def test_a_jury_has_the_repeats_that_all_of_its_members_have(panel):
    for judge, repeats in zip(panel.exam["judges"], (2, 3, 2), strict=False):
        judge["repeats"] = repeats
    panel.run()
    found = data_of(panel).grades
    assert found[found["judge"] == "panel"]["repeat"].value_counts().to_dict() == {0: 10, 1: 10}


@pytest.mark.parametrize("words", [("judge", "probe"), ("judge", "lab")])
def test_juries_are_not_probed_themselves(panel, words):
    panel.run()
    flag = "--judge" if words[1] == "probe" else "--judges"
    code, _, err = panel.command(*words, str(panel.folder / "exam.yaml"), flag, "panel")
    assert code == 2 and "jury" in err


def test_a_jury_is_compared_with_people_like_any_judge(panel):
    panel.run()
    rows = [
        "sample_id,candidate,trial,criterion,score,annotator",
        *(f"s{n},cand,0,correctness,1,ann" for n in range(10)),
    ]
    (panel.folder / "labels.csv").write_text("\n".join(rows) + "\n")
    panel.exam["labels"] = ["./labels.csv"]
    panel.run()
    code, out, err = panel.command("judge", "align", "--json")
    assert code == 0, err
    found = json.loads(out.splitlines()[-1])
    assert {row["judge"]: row["n"] for row in found["criteria"]} == {"a": 10, "b": 10, "c": 10, "panel": 10}


def test_the_report_goes_by_the_jury(panel):
    code, _, err = panel.command("run", str(panel.save()), "--quiet")
    assert code == 0, err
    (page,) = (panel.folder / ".markscheme").glob("reports/*/report.md")
    text = page.read_text()
    assert "- judge **panel**: majority of a, b and c" in text
    assert "## Jury" in text and "| a and b | correctness | 10 | 100 %" in text

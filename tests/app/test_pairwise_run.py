"""Pairwise judges in a run: both orders of every pair, once; what is redone, what it costs, and what is refused."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
import yaml

RUBRIC = {
    "name": "better",
    "kind": "pairwise",
    "sees": ["question", "reference"],
    "considerations": [{"name": "correctness", "description": "The answer states the code word of the reference."}],
}
FIRST, SECOND = (json.dumps({"winner": {"reasoning": "so", "score": score}}) for score in (1, 2))


@pytest.fixture
def pairs(desk, mock):
    """Two candidates on ten samples, and a pairwise judge instead of the other."""
    (desk.folder / "better.yaml").write_text(yaml.safe_dump(RUBRIC, sort_keys=False))
    model = {"base_url": mock.url, "stream": False}
    (desk.folder / "b.j2").write_text("[[Q77]] {{ question }}")  # so that the two answer differently
    desk.exam["candidates"] = [{"name": name, "model": f"openai-compatible/{name}", **model} for name in ("a", "b")]
    desk.exam["candidates"][1]["prompt"] = "b.j2"
    desk.exam["judges"] = [
        {"name": "duel", "model": "openai-compatible/judge-1", "base_url": mock.url, "rubric": "./better.yaml",
         "shots": 0, "mode": "pairwise"}
    ]  # fmt: skip
    say(mock, FIRST)
    return desk


def say(mock, verdict):
    mock.configure({"say": {"judge": {"good": verdict, "bad": verdict}}})


def table(desk):
    code, out, err = desk.command("export", "preferences")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def test_every_pair_is_asked_in_both_orders_and_recorded(pairs):
    result = pairs.run()
    assert result["preferences"] == {"ok": 20} and result["grades"] == {"ok": 0}
    assert result["calls"] == {"live": 40, "reused": 0}
    rows = table(pairs)
    assert {(row["left"], row["right"], row["rater"], row["status"]) for row in rows} == {("a", "b", "duel", "scored")}
    winners = {row["shown_order"]: row["winner"] for row in rows}
    assert winners == {"left_first": "left", "right_first": "right"}
    assert len(rows) == 20 and {row["reasoning"] for row in rows} == {"so"}
    assert all(len(json.loads(row["calls"])) == 1 for row in rows)


def test_a_run_without_preferences_exports_no_line_at_all(desk, tmp_path):
    desk.samples(1)
    desk.run()
    assert desk.command("export", "preferences")[1] == ""
    out = tmp_path / "none.jsonl"
    desk.command("export", "preferences", "--output", str(out))
    assert out.read_bytes() == b""


def test_a_second_run_asks_nothing(pairs, mock):
    pairs.run()
    assert pairs.run()["calls"] == {"live": 0, "reused": 0}


def test_unreadable_verdicts_are_final_until_retried(pairs, mock):
    say(mock, "Hm.")
    assert pairs.run()["preferences"] == {"ok": 0, "unparsable": 20}
    say(mock, SECOND)
    assert pairs.run()["calls"]["live"] == 0
    again = pairs.run("--retry", "unparsable")
    assert again["preferences"] == {"ok": 20} and again["calls"]["live"] == 20


def test_a_changed_candidate_renews_its_pairs_and_no_others(pairs, mock):
    pairs.exam["candidates"].append({**pairs.exam["candidates"][0], "name": "c", "model": "openai-compatible/c"})
    assert pairs.run()["preferences"] == {"ok": 60}  # the third answers like the first: ties without a call
    pairs.exam["candidates"][2]["params"] = {"temperature": 1.0, "max_tokens": 400}
    code, _, err = pairs.command("generate", str(pairs.save()), "--quiet")
    assert code == 0, err
    assert {(row["left"], row["right"]) for row in table(pairs)} == {("a", "b")}
    assert pairs.run()["preferences"] == {"ok": 60}


def test_against_compares_with_one_candidate_only(pairs):
    pairs.exam["candidates"].append({**pairs.exam["candidates"][0], "name": "c", "model": "openai-compatible/c"})
    pairs.exam["judges"][0]["against"] = "c"
    assert pairs.run()["preferences"] == {"ok": 40}
    assert {(row["left"], row["right"]) for row in table(pairs)} == {("a", "c"), ("b", "c")}
    del pairs.exam["judges"][0]["against"]
    assert pairs.run()["preferences"] == {"ok": 60}
    pairs.exam["judges"][0]["against"] = "a"
    assert pairs.run()["preferences"] == {"ok": 40}


def test_another_order_of_the_candidates_counts_no_pair_twice(pairs):
    pairs.run()
    pairs.exam["candidates"].reverse()
    again = pairs.run()
    assert again["preferences"] == {"ok": 20} and again["calls"]["live"] == 0
    assert {(row["left"], row["right"]) for row in table(pairs)} == {("b", "a")}


def test_a_failed_answer_has_no_partner(pairs, mock):
    pairs.exam["candidates"][0]["params"] = {"max_tokens": 50}
    mock.configure({"min_tokens": {"gen": 100}, "say": {"judge": {"good": FIRST, "bad": FIRST}}})
    result = pairs.run()
    assert result["answers"]["failed"] == 10 and result["preferences"] == {"ok": 0}


def test_trials_are_paired_by_number(pairs):
    pairs.exam["candidates"][0]["trials"] = 3
    pairs.exam["candidates"][1]["trials"] = 2
    assert pairs.run()["preferences"] == {"ok": 40}
    assert {row["trial"] for row in table(pairs)} == {0, 1}


def test_verdicts_that_a_stop_kept_back_follow_later_and_nothing_is_paid_twice(pairs, mock):
    pairs.exam["prices"] = {
        model: {"usd_per_request": 0.01}
        for model in ("openai-compatible/a", "openai-compatible/b", "openai-compatible/judge-1")
    }
    pairs.exam["budget_usd"] = 0.3
    pairs.exam["concurrency"] = 2
    pairs.run(expect=3)
    assert mock.stats()["ok"] <= 30
    pairs.exam["budget_usd"] = 1.0
    result = pairs.run()
    assert result["preferences"] == {"ok": 20}
    with sqlite3.connect(".markscheme/markscheme.db") as connection:
        (calls,) = connection.execute("SELECT count(*) FROM calls").fetchone()
    connection.close()
    assert calls == 40 and mock.stats()["ok"] == 40
    assert result["spent_usd"] is not None


def test_a_plan_counts_the_calls_of_both_orders_and_shows_the_prompt(pairs, mock):
    code, out, err = pairs.command("run", str(pairs.save()), "--plan", "--json")
    assert code == 0, err
    (row,) = [row for row in json.loads(out.splitlines()[-1])["rows"] if row["role"] == "judge"]
    assert (row["name"], row["calls"]) == ("duel", 20)
    assert "You compare two answers" in row["prompt"] and "(the second candidate's answer)" in row["prompt"]
    assert not mock.stats()["ok"]
    pairs.run()
    code, out, _ = pairs.command("run", str(pairs.save()), "--plan", "--json")
    assert json.loads(out.splitlines()[-1])["calls"] == 0


def test_pairwise_and_single_judges_work_side_by_side(pairs, mock):
    mock.configure({})
    single = {k: v for k, v in pairs.exam["judges"][0].items() if k != "mode"}
    pairs.exam["judges"].insert(0, {**single, "name": "judge", "rubric": "./rubric.yaml"})
    result = pairs.run()
    assert result["grades"] == {"ok": 20} and sum(result["preferences"].values()) == 20
    assert {row["judge"] for row in result["summary"]} == {"judge"}


def test_a_judge_that_becomes_pairwise_leaves_no_grades_behind(pairs, mock):
    mock.configure({})
    pairs.exam["judges"][0] |= {"mode": "pointwise", "rubric": "./rubric.yaml"}
    assert pairs.run()["grades"] == {"ok": 20}
    say(mock, FIRST)
    pairs.exam["judges"][0] |= {"mode": "pairwise", "rubric": "./better.yaml"}
    result = pairs.run()
    assert result["grades"] == {"ok": 0} and result["preferences"] == {"ok": 20}


def test_the_report_has_a_pairwise_section_and_the_judges_costs(pairs):
    code, out, err = pairs.command("run", str(pairs.save()), "--json", "--quiet")
    assert code == 0, err
    page = Path(json.loads(out.splitlines()[-1])["report"])
    text = page.with_suffix(".md").read_text()
    assert "## Pairwise" in text and "| a against b | 50 %" in text
    assert "Same winner in both orders: 0 %" in text and "duel prefers what stands first (+100 %)" in text
    assert re.search(r"\| duel[^|]*\| 20 \|", text)  # its calls
    assert '<svg class="wins"' in page.read_text()


def test_python_has_the_verdicts_as_a_table(pairs):
    from markscheme.app.run import open_run

    pairs.run()
    found = open_run().preferences
    assert len(found) == 20 and set(found["winner"]) == {"left", "right"}


def test_purging_a_run_forgets_the_reasons_and_keeps_the_winners(pairs):
    run = pairs.run()["run"]
    code, _, err = pairs.command("store", "purge", "--texts", run)
    assert code == 0, err
    rows = table(pairs)
    assert {row["reasoning"] for row in rows} == {""} and {row["winner"] for row in rows} == {"left", "right"}


def test_the_terminal_tells_how_many_verdicts_there_are(pairs):
    code, out, err = pairs.command("run", str(pairs.save()), "--no-report", "--quiet")
    assert code == 0, err
    assert "verdicts on pairs: 20 ok" in out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rubric": "./rubric.yaml"}, "rubric.yaml:1 kind: this rubric grades one answer at a time"),
        ({"mode": "pointwise"}, "better.yaml:2 kind: 'pairwise' compares two answers"),
        ({"mode": "pointwise", "rubric": "pairwise"}, "pairwise.yaml:2 kind: 'pairwise' compares two answers"),
        ({"against": "bb"}, "judges[0].against: 'bb' is no candidate of this exam; did you mean 'b'?"),
        ({"mode": "pointwise", "against": "b"}, "judges[0].against: 'b' has no effect without mode: pairwise"),
        ({"calls": "per_criterion"}, "judges[0].calls: 'per_criterion' has no effect on a pairwise judge"),
        ({"turns": "each"}, "judges[0].turns: 'each' has no effect on a pairwise judge"),
        ({"model": "embedded"}, "judges[0].mode: 'pairwise' needs a judge with a model"),
    ],
)
def test_what_does_not_fit_a_pairwise_judge_is_refused_with_its_line(pairs, mock, changes, message):
    pairs.exam["judges"][0] |= changes
    assert message in pairs.run(expect=2)["stderr"]
    assert not mock.stats()["ok"]


def test_a_single_candidate_has_nobody_to_be_compared_with(pairs):
    del pairs.exam["candidates"][1]
    assert "judges[0].mode: 'pairwise' compares candidates, and there is only one" in pairs.run(expect=2)["stderr"]

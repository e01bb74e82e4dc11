"""What is done again, what is not, and on whose word."""

import json

import pytest
from mock_replies import is_right


def share_right(count):
    return sum(is_right(n) for n in range(count)) / count


def test_the_known_share_of_right_answers_comes_out(desk):
    desk.samples(60)
    (row,) = desk.run()["summary"]
    assert (row["candidate"], row["judge"], row["measure"], row["n"]) == ("cand", "judge", "correctness", 60)
    assert row["mean"] == pytest.approx(share_right(60))
    assert row["low"] is None


def test_a_limit_takes_a_seeded_subset_and_the_rest_follows_later(desk, mock):
    desk.samples(30)
    first = desk.run("--limit", "10", "--seed", "3")
    assert first["answers"]["ok"] == 10
    ids = {json.loads(line)["sample_id"] for line in desk.command("export", "answers")[1].splitlines()}
    assert ids != {f"s{n}" for n in range(10)}
    assert desk.run("--limit", "10", "--seed", "3")["calls"]["live"] == 0
    whole = desk.run()
    assert (whole["run"], whole["answers"]["ok"], whole["calls"]["live"]) == (first["run"], 30, 40)


def test_truncated_answers_are_final_until_retried_and_the_first_reply_is_kept(desk, mock):
    mock.configure({"min_tokens": {"gen": 100}})
    desk.exam["candidates"][0]["params"] = {"max_tokens": 50}
    first = desk.run()
    assert first["answers"] == {"ok": 0, "failed": 10}
    assert first["grades"] == {"ok": 0}
    assert desk.run()["calls"]["live"] == 0
    mock.configure({})
    again = desk.run("--retry", "truncated")
    assert again["answers"] == {"ok": 10, "failed": 0}
    _, out, _ = desk.command("export", "answers")
    assert all(json.loads(line)["n_calls"] >= 1 for line in out.splitlines())
    import sqlite3

    with sqlite3.connect(".markscheme/markscheme.db") as connection:
        kept = connection.execute("SELECT finish_reason, count(*) FROM calls WHERE role = 'candidate' GROUP BY 1")
        assert dict(kept.fetchall()) == {"length": 10, "stop": 10}
    connection.close()


def test_unreadable_verdicts_are_asked_twice_then_final_until_retried(desk, mock):
    mock.configure({"say": {"judge": {"good": "Well.", "bad": "Hm."}}})
    result = desk.run()
    assert result["grades"] == {"ok": 0, "unparsable": 10}
    assert mock.stats()["kinds"]["judge"]["ok"] == 20
    mock.configure({})
    assert desk.run()["calls"]["live"] == 0
    again = desk.run("--retry", "unparsable")
    assert again["grades"] == {"ok": 10}
    assert again["calls"]["live"] == 10


def test_a_changed_answer_is_graded_again(desk, mock):
    desk.run()
    mock.configure({"say": {"gen": "Something else entirely."}})
    desk.exam["candidates"][0]["params"] = {"temperature": 1.0}
    again = desk.run()
    assert again["calls"]["live"] >= 11
    assert again["grades"] == {"ok": 10}


def test_nothing_said_of_an_answer_outlives_it(desk, mock):
    desk.exam["measures"] = ["contains"]
    desk.run()
    desk.exam["candidates"][0]["params"] = {"temperature": 0.9}
    code, out, err = desk.command("generate", str(desk.save()), "--json", "--quiet")
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert (result["calls"]["live"], result["grades"]) == (10, {"ok": 0})
    assert {(row["measure"], row["n"]) for row in result["summary"]} == {("correctness", 0), ("contains", 0)}
    again = desk.run()
    assert (again["grades"], {row["n"] for row in again["summary"]}) == ({"ok": 10}, {10})


def test_a_budget_stops_resumably_and_is_not_exceeded(desk, mock):
    prices = {"input_usd_per_million": 1000, "output_usd_per_million": 1000}
    desk.exam["prices"] = dict.fromkeys(("openai-compatible/cand-1", "openai-compatible/judge-1"), prices)
    desk.exam["budget_usd"] = 3.0
    desk.exam["candidates"][0]["params"] = {"max_tokens": 100}
    desk.exam["judges"][0]["params"] = {"max_tokens": 100}
    stopped = desk.run(expect=3)["stderr"]
    assert "budget of $3.00 reached" in stopped
    assert "continue with: markscheme run" in stopped
    import sqlite3

    with sqlite3.connect(".markscheme/markscheme.db") as connection:
        ((spent, calls),) = connection.execute("SELECT sum(cost_usd), count(*) FROM calls").fetchall()
    connection.close()
    assert 0 < spent <= 3.0
    assert mock.stats()["ok"] == calls
    desk.exam["budget_usd"] = 1000.0
    finished = desk.run()
    assert finished["answers"]["ok"] == finished["grades"]["ok"] == 10
    assert finished["calls"]["live"] == 20 - calls


def test_a_budget_needs_prices_before_the_first_call(desk, mock):
    desk.exam["budget_usd"] = 3.0
    error = desk.run(expect=2)["stderr"]
    assert "'openai-compatible/cand-1' has no known price" in error
    assert "prices:" in error
    assert mock.stats()["received"] == 0


def test_a_wrong_key_stops_before_more_is_asked_and_what_is_there_stays(desk, mock):
    desk.run()
    desk.samples(20)
    mock.configure({"dialects": ["unauthorized"]})
    error = desk.run(expect=3)["stderr"]
    assert "check the key" in error
    assert mock.stats()["received"] <= 16
    mock.configure({})
    assert desk.run()["calls"]["live"] == 20


def test_offline_runs_from_recordings_and_names_what_is_missing(desk, mock):
    desk.run()
    other = desk.folder / "other.yaml"
    other.write_text(desk.save().read_text())
    mock.configure({})
    code, out, _ = desk.command("run", str(other), "--no-report", "--quiet", "--offline", "--json")
    assert (code, json.loads(out)["answers"]) == (0, {"ok": 10, "failed": 0})
    desk.samples(12)
    result = desk.run("--offline")
    assert result["answers"] == {"ok": 10, "failed": 2}
    assert mock.stats()["received"] == 0
    assert desk.run()["answers"] == {"ok": 12, "failed": 0}


def test_offline_needs_no_key(desk, mock, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-123456")
    for part in (desk.exam["candidates"][0], desk.exam["judges"][0]):
        part["api_key_env"] = "MY_KEY"
    desk.run()
    monkeypatch.delenv("MY_KEY")
    assert "MY_KEY" in desk.run(expect=2)["stderr"]
    assert desk.run("--offline")["calls"] == {"live": 0, "reused": 0}


def test_a_mistake_in_a_rubric_begins_no_run(desk):
    first = desk.run()["run"]
    levels = desk.rubric["criteria"][0].pop("levels")
    desk.run("--fresh", expect=2)
    desk.rubric["criteria"][0]["levels"] = levels
    assert desk.run()["run"] == first


def test_a_name_for_a_run_that_has_begun_is_not_ignored_in_silence(desk):
    desk.run("--name", "monday")
    _, _, err = desk.command("run", "exam.yaml", "--no-report", "--quiet", "--name", "tuesday")
    assert "continues run" in err
    assert "--name" in err
    assert "--name" not in desk.command("run", "exam.yaml", "--no-report", "--quiet", "--name", "monday")[2]


def test_the_phases_alone_do_their_part(desk, mock):
    exam = str(desk.save())
    code, out, _ = desk.command("generate", exam, "--json", "--quiet")
    assert (code, json.loads(out)["answers"], json.loads(out)["grades"]) == (0, {"ok": 10, "failed": 0}, {"ok": 0})
    code, out, _ = desk.command("grade", exam, "--json", "--quiet", "--no-report")
    assert (code, json.loads(out)["grades"]) == (0, {"ok": 10})
    assert mock.stats()["ok"] == 20


def test_a_plan_calls_nothing_writes_nothing_and_counts_what_is_missing(desk, mock):
    exam = str(desk.save())
    code, out, _ = desk.command("run", exam, "--plan", "--json")
    plan = json.loads(out)
    assert (code, plan["calls"], plan["run"], plan["usd"]) == (0, 20, None, None)
    assert all("Which code word?" in row["prompt"] for row in plan["rows"])
    assert mock.stats()["received"] == 0
    assert not (desk.folder / ".markscheme").exists()
    desk.run()
    _, out, _ = desk.command("run", exam, "--plan")
    assert "0 calls" in out
    assert "price unknown" not in out.split("assumed")[0].split("total")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--retry", "everything"], "--retry 'everything': choose from"),
        (["--fresh", "--retry", "failed"], "cannot be combined"),
        (["--limit", "0"], "must be 1 or more"),
        (["--reuse", "grades"], "only `answers`"),
        (["--reuse", "answers"], "has no run of exam.yaml"),
        (["--seed", "x"], "--seed"),
    ],
)
def test_wrong_options_say_what_and_how(desk, words, message):
    code, _, err = desk.command("run", str(desk.save()), *words)
    assert code == 2
    assert message in err


def test_a_plan_counts_every_call_that_an_answer_takes(desk):
    second = {**desk.rubric["criteria"][0], "name": "style", "weight": 0.5}
    desk.rubric["criteria"] = [{**desk.rubric["criteria"][0], "weight": 0.5}, second]
    desk.exam["judges"][0] |= {"calls": "per_criterion", "repeats": 3}
    desk.write_samples([{"id": "t", "turns": ["[[Q1]] One?", "[[Q1]] Two?"], "reference": "r"}])
    desk.exam["judges"][0]["turns"] = "each"
    _, out, err = desk.command("run", str(desk.save()), "--plan", "--json")
    calls = {row["role"]: row["calls"] for row in json.loads(out)["rows"]}
    assert calls == {"candidate": 2, "judge": 2 * 2 * 3}, err


def test_a_run_continued_with_another_rubric_or_measure_shows_nothing_of_the_old_one(desk):
    desk.exam["measures"] = ["refusal"]
    desk.run()
    desk.rubric["criteria"][0]["name"] = "accuracy"
    desk.exam["measures"] = ["exact_match"]
    again = desk.run()
    assert again["grades"] == {"ok": 10}
    assert {row["measure"] for row in again["summary"]} == {"accuracy", "exact_match"}
    _, out, _ = desk.command("export", "grades")
    assert {json.loads(line)["criterion"] for line in out.splitlines()} == {"accuracy"}


def test_a_conversation_graded_turn_by_turn_leaves_no_grade_of_the_whole_behind(desk):
    desk.write_samples([{"id": "t", "turns": ["[[Q1]] One?", "[[Q1]] Two?"], "reference": "r"}])
    assert desk.run()["grades"] == {"ok": 1}
    desk.exam["judges"][0]["turns"] = "each"
    assert desk.run()["grades"] == {"ok": 2}


def test_what_failed_is_told_with_its_reason_and_what_to_do(desk, mock):
    (desk.folder / "app.py").write_text("def answer(sample):\n    raise ValueError('no luck today')\n")
    desk.exam["candidates"] = [{"name": "mine", "model": "python:app:answer", "version": "1"}]
    _, out, _ = desk.command("run", str(desk.save()), "--no-report", "--quiet")
    assert "10 answers failed:\n  10 × candidate_error: ValueError: no luck today" in out
    assert "--retry failed" in out
    _, out, _ = desk.command("run", "exam.yaml", "--no-report", "--quiet", "--retry", "failed")
    assert "--no-report --quiet --retry failed" in out, "the advice repeats the words but for its own option"
    _, out, _ = desk.command("run", "exam.yaml", "--no-report", "--quiet")
    assert "everything but what failed" in out


def test_grading_before_there_are_answers_says_so(desk, mock):
    code, out, _ = desk.command("grade", str(desk.save()), "--no-report", "--quiet")
    assert code == 0
    assert "there are no answers yet" in out


def test_a_plan_says_that_an_application_has_no_known_price(desk):
    (desk.folder / "app.py").write_text("def answer(sample):\n    return 'x'\n")
    desk.exam["candidates"] = [{"name": "mine", "model": "python:app:answer", "version": "1"}]
    _, out, _ = desk.command("run", str(desk.save()), "--plan", "--json")
    row = json.loads(out)["rows"][0]
    assert (row["model"], row["calls"], row["usd"]) == ("application", 10, None)


def test_a_missing_key_begins_no_run(desk, monkeypatch):
    desk.exam["candidates"][0]["api_key_env"] = "KEY_THAT_NOBODY_SET"
    code, _, err = desk.command("run", str(desk.save()))
    assert (code, "KEY_THAT_NOBODY_SET" in err) == (2, True)
    assert not (desk.folder / ".markscheme").exists()


def test_every_failure_that_is_final_can_be_asked_again_by_name():
    from markscheme.app.session import RETRYABLE
    from markscheme.harness.generate import FINAL_FAILURES

    assert FINAL_FAILURES <= RETRYABLE


@pytest.mark.parametrize(
    ("typed", "goes_on"),
    [
        ("run e.yaml --fresh --limit 5 --seed 3", "run e.yaml --limit 5 --seed 3"),
        ("run e.yaml --reuse answers --no-report", "run e.yaml --no-report"),
        ("run e.yaml --retry=failed,truncated -q", "run e.yaml -q"),
        ("grade 'my answers.csv' --judge a/b", "grade 'my answers.csv' --judge a/b"),
        ("run e.yaml -w postgresql+psycopg://me:hunter2@db/x", "run e.yaml -w 'postgresql+psycopg://me:***@db/x'"),
    ],
)
def test_the_command_that_goes_on_begins_nothing_anew_and_tells_no_password(monkeypatch, typed, goes_on):
    import shlex
    import sys

    from markscheme.app.telling import resume_command

    monkeypatch.setattr(sys, "argv", ["/usr/bin/markscheme", *shlex.split(typed)])
    assert resume_command().replace("'", "") == f"markscheme {goes_on}".replace("'", "")

"""`markscheme serve-bench` on the mock server: cells, resuming, money, mistakes, the plan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from markscheme.harness.store import serving
from markscheme.harness.store.store import Store

PRICE = {"input_usd_per_million": 1000.0, "output_usd_per_million": 1000.0}


@pytest.fixture
def load(desk):
    """The exam with a small load test; ``desk.bench(…)`` runs it."""
    desk.exam["serving"] = {"loads": [{"closed": [1, 2]}], "requests": 20, "repeats": 2}

    def bench(*words, expect=0):
        code, out, err = desk.command("serve-bench", str(desk.save()), "--json", *words)
        assert code == expect, err
        return json.loads(out.splitlines()[-1]) if out else err

    desk.bench = bench
    return desk


def stored(desk, reference="latest"):
    store = Store(desk.folder / ".markscheme")
    try:
        return serving.load_bench(store, reference)
    finally:
        store.close()


def test_every_cell_is_measured_kept_and_reported(load, mock):
    load.exam["serving"] |= {"loads": [{"closed": [1, 2]}, {"poisson": 50}], "slo": {"e2e_s": 60}}
    result = load.bench()
    assert [(row["load"], row["level"], row["repeats"], row["failures"]) for row in result["cells"]] == [
        ("closed", 1, 2, {}),
        ("closed", 2, 2, {}),
        ("poisson", 50, 2, {}),
    ]
    assert all(row["requests_per_s"]["value"] > 0 and row["goodput"]["value"] == 1 for row in result["cells"])
    bench, loads = stored(load, result["bench"])
    assert bench.finished_at is not None
    assert Counter(one.phase for load in loads for one in load.requests)["warm_up"] == 60
    page = Path(result["report"])
    assert "cand" in page.read_text()
    assert page.with_suffix(".md").read_text().startswith("# exam · load test")


def test_load_replies_come_from_the_wire_and_stay_out_of_the_cache_of_calls(load, mock):
    load.run()
    asked = mock.stats()["received"]
    load.bench()
    again = mock.stats()["received"] - asked
    assert again >= 80, "prompts that a run has answered are sent all the same"
    assert load.run()["calls"] == {"live": 0, "reused": 0}
    load.bench("--fresh")
    assert mock.stats()["received"] >= asked + 160
    assert mock.stats()["duplicate_bodies"] == 0, "every prompt was new to the server"


def test_cached_prompts_repeat_and_the_page_says_so(load, mock):
    load.exam["serving"] |= {"prompts": "cached", "loads": [{"closed": 1}]}
    result = load.bench()
    assert mock.stats()["unique_bodies"] <= 30, "10 prompts, in three lengths"
    assert "cached" in Path(result["report"]).with_suffix(".md").read_text()


def test_what_was_finished_is_begun_anew_and_what_was_not_is_continued(load, mock):
    first = load.bench()["bench"]
    second = load.bench()["bench"]
    assert first != second
    load.exam["serving"]["requests"] = 30
    assert load.bench()["bench"] not in (first, second)


def test_a_server_that_goes_leaves_what_was_measured_and_the_same_command_continues(load, mock):
    load.exam["serving"] |= {"loads": [{"closed": [1, 2]}], "repeats": 2, "seed": 1}
    mock.configure({"keys": ["right"]})
    said = load.bench(expect=3)
    assert "check that the server runs, its base_url, the model's name and its key" in said
    assert "continue with: markscheme serve-bench" in said
    bench, loads = stored(load)
    assert (bench.finished_at, loads) == (None, [])
    mock.configure({})
    assert load.bench()["bench"] == bench.id


def killed(load, config, after):
    """Start the command in a process of its own, and kill it when so many cells are kept."""
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
    command = [str(Path(sys.executable).parent / "markscheme"), "serve-bench", str(load.save())]
    process = subprocess.Popen(command, cwd=load.folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if line.startswith(f"{after}/"):
                break
        time.sleep(0.1)
        process.send_signal(config)
        return process.wait(20), process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()


def test_kill_9_in_the_middle_repeats_only_the_cell_in_flight(load, mock):
    load.exam["serving"] |= {"loads": [{"closed": [1, 2, 3]}], "repeats": 2}
    mock.configure({"stream": {"ttft_ms": 20}})
    killed(load, signal.SIGKILL, after=3)
    bench, loads = stored(load)
    kept = {(one.setting.key, one.repeat): one.started_at for one in loads}
    assert len(kept) == 3
    assert load.bench()["bench"] == bench.id
    after = {(one.setting.key, one.repeat): one.started_at for one in stored(load)[1]}
    assert len(after) == 6
    assert kept.items() <= after.items(), "what was measured is not measured again"


def test_ctrl_c_drops_the_cell_at_work_and_keeps_those_before(load, mock):
    load.exam["serving"] |= {"loads": [{"closed": [1, 2, 3]}], "repeats": 2}
    mock.configure({"stream": {"ttft_ms": 40}})
    code, said = killed(load, signal.SIGINT, after=2)
    assert (code, len(stored(load)[1])) == (3, 2), said
    assert "the cell at work is dropped, those before it are kept" in said
    assert "continue with: markscheme serve-bench" in said
    assert "Traceback" not in said


def test_a_budget_is_kept_over_invocations(load, mock):
    load.exam["prices"] = {"openai-compatible/cand-1": PRICE}
    load.exam["candidates"][0]["params"] = {"max_tokens": 64}
    load.exam["budget_usd"] = 4.0
    load.exam["serving"] |= {"repeats": 3}
    said = load.bench(expect=3)
    assert "budget of $4.00 reached" in said
    store = Store(load.folder / ".markscheme")
    bench = serving.find_bench(store, "latest").id
    spent, kept = serving.spent_usd(store, bench), serving.kept_usd(store, bench)
    store.close()
    assert 3.5 < spent <= 4.0
    usage = mock.stats()
    true = (usage["prompt_tokens"] + usage["completion_tokens"]) / 1000
    assert true - 1e-9 <= spent <= true + 0.15, "also of the cell that was dropped, and of the call in flight then"
    assert kept < spent
    received = usage["received"]
    assert "budget of $4.00 reached" in load.bench(expect=3)
    assert mock.stats()["received"] - received <= 12, "what it spent is remembered"


def test_a_budget_without_a_price_is_refused_before_anything_is_sent(load, mock):
    load.exam["budget_usd"] = 1.0
    assert "no known price, so the budget cannot be kept" in load.bench(expect=2)
    assert mock.stats()["received"] == 0


def test_costs_are_of_the_tokens_that_the_server_counted(load, mock):
    load.exam["prices"] = {"openai-compatible/cand-1": PRICE}
    result = load.bench()
    usage = mock.stats()
    assert result["spent_usd"] == pytest.approx((usage["prompt_tokens"] + usage["completion_tokens"]) / 1000)
    load.exam.pop("prices")
    assert load.bench()["spent_usd"] is None, "unknown is not nothing"


def test_a_plan_counts_requests_tokens_and_dollars_and_calls_nothing(load, mock):
    load.exam["prices"] = {"openai-compatible/cand-1": PRICE}
    load.exam["serving"] |= {"loads": [{"closed": [1, 2]}, {"constant": 10}], "output": 50, "requests": 30}
    plan = load.bench("--plan")
    assert [(row["repeats"], row["requests"], row["completion_tokens"]) for row in plan["rows"]] == [(2, 60, 3000)] * 3
    assert plan["requests"] == 180
    assert plan["usd"] == pytest.approx(sum(r["prompt_tokens"] + r["completion_tokens"] for r in plan["rows"]) / 1000)
    assert "[[Q" in plan["prompt"]
    assert (mock.stats()["received"], (load.folder / ".markscheme").exists()) == (0, False)
    code, out, _ = load.command("serve-bench", str(load.save()), "--plan")
    assert (code, "total: 180 requests, about $" in out) == (0, True)


def test_the_plan_of_a_load_test_that_was_cut_short_holds_what_is_left(load, mock):
    load.exam["serving"] |= {"loads": [{"closed": [1, 2, 3]}], "repeats": 2}
    mock.configure({"stream": {"ttft_ms": 20}})
    killed(load, signal.SIGKILL, after=4)
    plan = load.bench("--plan")
    assert plan["bench"] == stored(load)[0].id
    assert sum(row["repeats"] for row in plan["rows"]) == 2


def test_quick_measures_every_cell_once(load, mock):
    load.exam["serving"] |= {"requests": 500, "repeats": 5}
    result = load.bench("--quick")
    assert [(row["repeats"], row["requests"]) for row in result["cells"]] == [(1, 20), (1, 19)]


def test_only_the_named_candidate_is_measured(load, mock):
    load.exam["candidates"].append({**load.exam["candidates"][0], "name": "other"})
    load.exam["candidates"].append({"name": "floor", "model": "baseline/extractive"})
    assert {row["candidate"] for row in load.bench("--quick")["cells"]} == {"cand", "other"}
    assert {row["candidate"] for row in load.bench("--quick", "--candidate", "other")["cells"]} == {"other"}
    assert "'othre' is no candidate of this exam; did you mean 'other'?" in load.bench("--candidate", "othre", expect=2)
    assert "'floor' is 'baseline/extractive', which no endpoint answers" in load.bench("--candidate", "floor", expect=2)


def test_an_exam_without_a_load_says_how_to_write_one(load):
    del load.exam["serving"]
    said = load.bench(expect=2)
    assert "has no section serving: to measure; write for instance\n  serving: {loads: [{closed:" in said


def test_failures_are_in_the_result_and_the_report(load, mock):
    mock.configure({"errors": {"r500": 0.3}})
    result = load.bench()
    failed = {row["level"]: row["failures"] for row in result["cells"]}
    assert all(0 < kinds["server_error"] < 15 for kinds in failed.values())
    assert any(row["ttft_p95_s"]["value"] is None for row in result["cells"]), "slower than any reply"
    assert "server error" in Path(result["report"]).with_suffix(".md").read_text()


def test_passages_are_found_before_anything_is_timed(load, mock):
    corpus = [{"id": f"d{n}", "text": f"passage {n} names the code word zor{n}"} for n in range(12)]
    (load.folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus))
    load.exam["candidates"][0]["retriever"] = {"index": "bm25", "chunker": "document"}
    load.exam["serving"] |= {"contexts": [0, 2], "loads": [{"closed": 1}], "repeats": 1}
    mock.configure({"keep": True})
    result = load.bench()
    assert [row["contexts"] for row in result["cells"]] == [0, 2]
    bench, loads = stored(load)
    prompt = {one.setting.contexts: min(r.prompt_tokens for r in one.requests) for one in loads}
    assert prompt[2] > prompt[0] + 10
    assert bench.config["candidates"][0]["name"] == "cand"


def test_an_open_loop_beyond_what_the_server_can_do_is_named(load, mock):
    mock.configure({"stream": {"ttft_ms": 100}, "slots": 2})
    load.exam["serving"] |= {"loads": [{"constant": 60}], "requests": 120, "repeats": 2}
    row = load.bench()["cells"][0]
    assert row["over_capacity"]
    assert row["requests_per_s"]["value"] < 30


def test_a_recorded_trace_is_replayed_and_named_by_its_rate(load, mock):
    times = [n / 50 for n in range(80)]
    (load.folder / "own.csv").write_text("at_s\n" + "".join(f"{at}\n" for at in times))
    load.exam["serving"] |= {"loads": [{"trace": "own.csv", "speed": 2}], "requests": 60}
    result = load.bench()
    assert [(row["load"], row["level"]) for row in result["cells"]] == [("trace", 100)]
    assert "100/s as recorded" in Path(result["report"]).with_suffix(".md").read_text()
    bench, loads = stored(load)
    assert [one.scheduled_s for one in loads[0].requests] == pytest.approx([at / 2 for at in times[:60]])
    assert bench.config["serving"]["loads"][0]["trace"] == "own.csv", "no path of this machine"


def test_scores_of_a_graded_run_stand_beside_the_load(load, mock):
    load.run()
    load.exam["serving"]["limits"] = {"ttft_p95_s": 60}
    report = Path(load.bench()["report"]).with_suffix(".md").read_text()
    assert "price" in report or "quality" in report
    assert "| Score |" in report

"""`markscheme small-large` and the costs of `serve-bench`, on the mock server."""

import json
from pathlib import Path

import pytest

PRICE = {"input_usd_per_million": 1.0, "output_usd_per_million": 10.0}


@pytest.fixture
def pair(desk):
    """A cheap candidate and a dear one that answers alike; ``desk.said(…)`` runs a command."""
    desk.samples(40)
    small = desk.exam["candidates"][0]
    large = {**small, "name": "large", "model": "openai-compatible/large", "memory_gb": 141.0}
    desk.exam["candidates"] = [{**small, "memory_gb": 16.0}, large]
    dear = {name: 4 * usd for name, usd in PRICE.items()}
    desk.exam["prices"] = {small["model"]: PRICE, large["model"]: dear}

    def said(*words, code=0):
        found, out, err = desk.command(*words)
        assert found == code, err
        return (json.loads(out.splitlines()[-1]) if "--json" in words else out) if code == 0 else err

    desk.said = said
    return desk


def against(desk, *words, **expect):
    names = ("--small", "cand", "--large", "large", "--margin", "0.2")
    return desk.said("small-large", "latest", *names, *words, **expect)


def by_what(found, load=""):
    return {one["what"]: one for one in found["ratios"] if one["load"] == load}


def test_two_candidates_of_a_run_are_told_apart_by_time_money_and_memory(pair):
    run = pair.run()["run"]
    found = against(pair, "--json")
    assert (found["run"], found["measure"], found["judge"]) == (run, "correctness", "judge")
    assert found["difference"]["n"] == 40
    ratios = by_what(found)
    assert ratios["1,000 answers by their tokens"]["ratio"]["value"] == pytest.approx(0.25, rel=0.2)
    assert ratios["memory, as declared"]["ratio"]["value"] == pytest.approx(16 / 141)
    assert ratios["E2E p50"]["ratio"]["n"] == 40
    page = Path(found["report"])
    assert page == Path(".markscheme/reports") / run / "small-large.html"
    assert "cand against large" in page.read_text()
    assert page.with_suffix(".md").read_text().startswith("# cand against large")


def test_a_load_test_of_only_one_of_the_two_is_refused(pair):
    pair.run()
    pair.exam["serving"] = {"candidates": ["cand"], "loads": [{"closed": 1}], "requests": 20, "repeats": 1}
    pair.said("serve-bench", str(pair.save()), "--json")
    said = against(pair, "--bench", "latest", code=2)
    assert "put no load on both 'cand' and 'large', but on cand; name both under serving.candidates" in said


def test_the_terminal_has_the_verdict_first_and_the_page_last(pair):
    pair.run()
    lines = against(pair).splitlines()
    assert "large within 0.2 points" in lines[0]
    assert lines[-1].endswith("small-large.html")


def test_another_declared_memory_asks_nothing_anew(pair):
    pair.run()
    pair.exam["candidates"][0]["memory_gb"] = 8.0
    assert pair.run()["calls"]["live"] == 0
    assert by_what(against(pair, "--json"))["memory, as declared"]["small"]["value"] == 8.0


def test_with_a_base_there_is_a_row_a_measure_of_all_three(pair):
    pair.exam["candidates"].append({"name": "floor", "model": "baseline/refuse"})
    pair.exam["measures"] = ["token_f1"]
    pair.run()
    found = against(pair, "--base", "floor", "--json")
    assert found["base"] == "floor"
    assert [(one["judge"], one["measure"]) for one in found["measures"]] == [("judge", "correctness"), ("", "token_f1")]
    for one in found["measures"]:
        assert one["small_less_base"]["value"] == pytest.approx(one["small"]["value"] - one["base"]["value"])
        assert (one["gap_closed"]["value"] is None) == (one["why"] != "")
    said = against(pair, "--base", "floor")
    assert "cand less floor" in said
    assert "From floor to cand the score moves by" in said


def test_a_margin_is_not_chosen_for_anybody(pair):
    code, _, err = pair.command("small-large", "latest", "--small", "a", "--large", "b")
    assert code == 2
    assert "--margin" in err


def test_what_is_not_there_is_named(pair):
    pair.run()
    names = ("--small", "cand", "--large", "huge", "--margin", "0.2")
    assert "--large 'huge': run" in pair.said("small-large", "latest", *names, code=2)
    assert "there is no load test 'latest'" in against(pair, "--bench", "latest", code=2)


def test_costs_of_serving_come_from_declared_hours_and_the_runs_api(pair):
    """The small candidate is a server of one's own; what the large one costs is known from the run."""
    pair.exam["prices"].pop(pair.exam["candidates"][0]["model"])
    pair.exam["serving"] = {
        "loads": [{"closed": [1, 2]}],
        "requests": 20,
        "repeats": 3,
        "candidates": ["cand"],
        "cost": {"usd_per_gpu_hour": 2.0, "gpus": 2, "utilisation": 0.5, "api": "large"},
    }
    pair.exam["serving"]["cost"] |= {"users": 100, "queries_per_user_day": 10, "fixed_usd_month": 70}
    pair.run()
    found = pair.said("serve-bench", str(pair.save()), "--json")
    (row,) = found["costs"]
    capacity = max(cell["requests_per_s"]["value"] for cell in found["cells"])
    assert row["capacity_per_s"]["value"] == capacity
    assert row["usd_per_1000"]["value"] == pytest.approx(1000 * 4.0 / 3600 / (0.5 * capacity))
    per_query = row["api_usd_per_1000"]["value"] / 1000
    assert row["break_even_per_s"]["value"] == pytest.approx(4.0 / 3600 / per_query)
    assert row["api_usd_month"] == pytest.approx(100 * 10 * 365.25 / 12 * per_query + 70)
    assert row["usd_month"] == pytest.approx(4.0 * 24 * 365.25 / 12 + 70)
    assert found["spent_usd"] is None
    assert all(cell["usd_per_1000"]["value"] > 0 for cell in found["cells"])
    assert 'id="costs"' in Path(found["report"]).read_text()


def test_a_load_test_of_both_is_read_beside_the_run(pair):
    pair.exam["serving"] = {"loads": [{"closed": 2}], "requests": 24, "repeats": 3}
    pair.run()
    bench = pair.said("serve-bench", str(pair.save()), "--json")["bench"]
    under = by_what(against(pair, "--bench", bench, "--json"), "2 users")
    assert under["1,000 answers"]["ratio"]["value"] == pytest.approx(0.25, rel=0.3)
    assert under["E2E p50"]["ratio"]["low"] is not None

"""`markscheme judge probe` from exam to page: plan, calls made once, verdicts, exit codes, nights."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markscheme.app.judging import probing
from markscheme.harness.errors import DataError


@pytest.fixture
def known(desk, monkeypatch) -> Any:
    """The embedded judge on answers to ten questions whose references hold numbers and names."""
    rows = [
        {
            "id": f"s{n}",
            "question": f"How long is bridge {n}?",
            "context": f"The bridge is {n + 11} metres long. It was built in Delft, because the river is wide there.",
            "reference": f"It is {n + 11} metres long. It was built in Delft, because the river is wide there.",
        }
        for n in range(10)
    ]
    desk.write_samples(rows)
    desk.exam["candidates"] = [
        {"name": "lead", "model": "baseline/lead"},
        {"name": "all", "model": "baseline/verbatim"},
    ]
    desk.exam["judges"] = [{"name": "words", "model": "embedded", "rubric": "docs_qa"}]
    desk.run()
    return desk


def probed(desk, *words: str, expect: int) -> dict[str, Any]:
    code, out, err = desk.command("judge", "probe", "exam.yaml", "--json", "--quiet", *words)
    assert code == expect, err
    return json.loads(out.splitlines()[-1])


def by_code(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["probe"]: row for row in found["probes"]}


def test_all_probes_are_run_and_what_cannot_be_run_says_why(known):
    found = probed(known, expect=1)
    rows = by_code(found)
    assert list(rows) == ["P1", "P2", "P3", "P5", "P6", "P7", "P10", "P11"]
    assert found["verdict"] == "fail"
    assert rows["P6"]["verdict"] == "fail"
    assert rows["P2"]["findings"][0]["value"] == 1.0
    assert {code for code, row in rows.items() if row["verdict"] == "not run"} == {"P1", "P3", "P10", "P11"}
    assert all(row["why"] for row in rows.values() if row["verdict"] == "not run")


def test_the_page_and_its_markdown_are_written_and_hold_the_verdicts(known):
    found = probed(known, "--probes", "P2,P6", expect=1)
    page = Path(found["report"])
    assert page == Path.cwd() / ".markscheme" / "reports" / found["run"] / "judge" / "probe.html"
    html, text = page.read_text(), page.with_suffix(".md").read_text()
    assert 'class="badge fail"' in html
    assert "<script" not in html
    assert re.search(r"\| P6 perturbation \| fail \|", text)
    assert "P7" not in text


def test_a_plan_asks_nobody_and_tells_items_and_power(known):
    plan = probed(known, "--plan", "--probes", "P2,P6,P7", expect=0)
    assert [row["probe"] for row in plan["probes"]] == ["P2", "P6", "P7"]
    assert all(0 <= row["power"] <= 1 and row["assumed"] for row in plan["probes"])
    assert plan["probes"][0]["items"] == 20 < plan["probes"][0]["wanted"] == 200
    code, out, _ = known.command("judge", "probe", "exam.yaml", "--plan")
    assert code == 0
    assert "P2  test–retest: 20 items of 200 wanted" in out


def test_underpowered_is_said_and_is_no_finding(known):
    known.command("judge", "probe", "exam.yaml", "--probes", "P2", "--quiet")
    found = probed(known, "--probes", "P2", "--n", "8", expect=0)
    row = by_code(found)["P2"]
    assert row["verdict"] == "underpowered"
    assert row["findings"][0]["needed"] > 8
    code, out, _ = known.command("judge", "probe", "exam.yaml", "--probes", "P2", "--n", "8", "--quiet")
    assert code == 0
    assert re.search(r"Cannot be told yet: identical scores would take about \d+ scores", out)


def test_a_paid_reply_is_paid_once_and_a_fresh_one_is_fresh(desk, mock):
    desk.run()
    before = mock.stats()["received"]
    first = probed(desk, "--probes", "P2", expect=0)
    assert first["calls"] == {"live": 10, "reused": 10}
    again = probed(desk, "--probes", "P2", expect=0)
    assert again["calls"] == {"live": 0, "reused": 20}
    assert again["probes"] == first["probes"]
    assert mock.stats()["received"] == before + 10


def test_format_reads_the_replies_of_the_run(desk):
    desk.run()
    row = by_code(probed(desk, "--probes", "format", expect=0))["P1"]
    assert row["findings"][0]["n"] == 10
    assert row["verdict"] == "underpowered"


def test_the_probes_of_a_run_do_not_change_its_report(desk):
    desk.run()
    calls = desk.run()["calls"]
    probed(desk, "--probes", "P2,P7", expect=1)
    assert desk.run()["calls"] == calls == {"live": 0, "reused": 0}


def test_the_first_night_is_kept_and_the_next_is_compared_with_it(known, monkeypatch):
    monkeypatch.setattr(probing, "today", lambda: "2026-11-01")
    first = by_code(probed(known, "--probes", "drift", "--anchors", "8", expect=0))["P11"]
    assert "reference night is recorded (8 anchors, 2026-11-01)" in first["why"]
    same = by_code(probed(known, "--probes", "drift", expect=0))["P11"]
    assert same["verdict"] == "not run"
    monkeypatch.setattr(probing, "today", lambda: "2026-11-02")
    second = by_code(probed(known, "--probes", "drift", expect=0))["P11"]
    assert second["findings"][0]["value"] == 0.0
    assert second["findings"][0]["n"] == 8
    assert any("CUSUM" in note for note in second["notes"])


def test_a_judge_that_became_milder_overnight_fails(known, monkeypatch):
    monkeypatch.setattr(probing, "today", lambda: "2026-11-01")
    probed(known, "--probes", "drift", expect=0)
    (file,) = Path(".markscheme/anchors").glob("words-*.json")
    kept = json.loads(file.read_text())
    kept["nights"][0]["scores"] = [dict.fromkeys(night, 1.0) for night in kept["nights"][0]["scores"]]
    file.write_text(json.dumps(kept))
    monkeypatch.setattr(probing, "today", lambda: "2026-11-02")
    row = by_code(probed(known, "--probes", "drift", expect=1))["P11"]
    assert row["verdict"] == "fail"
    assert row["findings"][0]["value"] > 1


def test_a_broken_file_of_anchors_is_named(known):
    probed(known, "--probes", "drift", expect=0)
    (file,) = Path(".markscheme/anchors").glob("words-*.json")
    file.write_text("{}")
    code, _, err = known.command("judge", "probe", "exam.yaml", "--probes", "drift")
    assert code == DataError.exit_code
    assert str(file.name) in err
    assert "move it away" in err


def test_labels_and_families_decide_about_the_preference_for_its_own(known):
    rows = ["sample_id,candidate,trial,criterion,score,annotator"]
    rows += [f"s{n},{name},0,correctness,{n % 4},ann" for n in range(10) for name in ("lead", "all")]
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    known.exam["labels"] = [{"path": "labels.csv", "design": "random"}]
    known.run()
    words = ("--probes", "P10", "--family", "words=ours", "--family", "all=ours")
    row = by_code(probed(known, *words, expect=0))["P10"]
    assert row["findings"][0]["n"] == 20
    assert row["verdict"] == "underpowered"
    assert any("family unknown" in note and "lead" in note for note in row["notes"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--probes", "P4"), "--probes 'P4': there are P1 (format)"),
        (("--judge", "nobody"), "--judge 'nobody': "),
        (("--n", "1"), "--n 1: must be 2 or more"),
        (("--family", "words"), "--family 'words': wanted NAME=FAMILY"),
        (("--family", "wrods=ours"), "--family 'wrods': neither the judge nor a candidate; there are words, "),
    ],
)
def test_a_wrong_word_is_refused_with_what_there_is(known, words, said):
    code, _, err = known.command("judge", "probe", "exam.yaml", *words)
    assert code == 2
    assert said in err


def test_an_exam_without_a_run_is_told_to_be_run_first(desk):
    desk.save()
    code, _, err = desk.command("judge", "probe", "exam.yaml")
    assert code == 2
    assert "has no run whose answers could be graded: markscheme run exam.yaml" in err


def test_what_a_model_wrote_is_only_text_on_the_page(known):
    rows = known.read_samples()
    for row in rows:
        row["reference"] = "<script>alert(1)</script> It is 12 metres long. | `Delft` [x](javascript:y)"
    known.write_samples(rows)
    known.run()
    page = Path(probed(known, "--probes", "P6", expect=1)["report"])
    html = page.read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    text = page.with_suffix(".md").read_text()
    assert "\\<script" in text
    assert not re.search(r"(?<!\\)<script", text)


def test_position_is_read_from_the_pairs_of_the_run(known):
    judge = {
        "name": "pairs",
        "model": "openai-compatible/judge-1",
        "base_url": known.url,
        "rubric": "pairwise",
        "shots": 0,
    }
    known.exam["judges"].append({**judge, "mode": "pairwise"})
    known.exam["candidates"][1] = {"name": "no", "model": "baseline/refuse"}
    known.run()
    found = probed(known, "--judge", "pairs", expect=1)
    assert [(row["probe"], row["judge"]) for row in found["probes"]] == [("P3", "pairs")]
    assert found["calls"] == {"live": 0, "reused": 0}
    same, first = found["probes"][0]["findings"]
    assert same["value"] == 1 - abs(first["value"]) == 0.0  # the mock always prefers one place
    assert by_code(probed(known, "--probes", "P3", expect=1))["P3"] == found["probes"][0]


def test_a_night_on_which_the_provider_names_another_model_fails_though_the_scores_are_the_same(desk, monkeypatch):
    desk.run()
    monkeypatch.setattr(probing, "today", lambda: "2026-11-01")
    probed(desk, "--probes", "drift", expect=0)
    (file,) = Path(".markscheme/anchors").glob("*.json")
    kept = json.loads(file.read_text())
    assert kept["nights"][0]["served"] == {"judge-1": 10}
    kept["nights"][0]["served"] = {"judge-0": 10}
    file.write_text(json.dumps(kept))
    monkeypatch.setattr(probing, "today", lambda: "2026-11-02")
    row = by_code(probed(desk, "--probes", "drift", expect=1))["P11"]
    assert {f["metric"]: f["verdict"] for f in row["findings"]}["served by 'judge-1', then by 'judge-0'"] == "fail"
    assert row["findings"][0]["value"] == 0.0
    assert "the provider names another model: 'judge-0' on 2026-11-01, 'judge-1' on 2026-11-02" in row["notes"]


def test_a_reference_night_recorded_before_models_were_is_still_read(desk, monkeypatch):
    desk.run()
    monkeypatch.setattr(probing, "today", lambda: "2026-11-01")
    probed(desk, "--probes", "drift", expect=0)
    (file,) = Path(".markscheme/anchors").glob("*.json")
    kept = json.loads(file.read_text())
    del kept["nights"][0]["served"]
    file.write_text(json.dumps(kept))
    monkeypatch.setattr(probing, "today", lambda: "2026-11-02")
    row = by_code(probed(desk, "--probes", "drift", expect=0))["P11"]
    assert any("'judge-1'; which model served the reference night was not recorded" in note for note in row["notes"])


def test_labels_give_verbosity_a_slope_and_without_them_it_says_so(known):
    row = by_code(probed(known, "--probes", "P5", expect=1))["P5"]
    assert any("slope on length not computed: the run has no labelled answer" in note for note in row["notes"])
    rows = ["sample_id,candidate,trial,criterion,score,annotator"]
    rows += [f"s{n},{name},0,correctness,{n % 4},ann" for n in range(10) for name in ("no", "all")]
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    known.exam["candidates"][0] = {"name": "no", "model": "baseline/refuse"}
    known.exam["labels"] = [{"path": "labels.csv", "design": "random"}]
    known.run()
    row = by_code(probed(known, "--probes", "P5", expect=1))["P5"]
    (found,) = [f for f in row["findings"] if f["metric"].startswith("slope per sd of log length")]
    assert (found["n"], found["limit_low"], found["limit_high"]) == (20, -0.1, 0.1)
    assert found["low"] < found["value"] < found["high"]

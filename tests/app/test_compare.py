"""`markscheme compare` and `compare()`, in-process on the mock server."""

from __future__ import annotations

import json
from pathlib import Path

import markscheme
import pytest
from markscheme.app.comparing.comparing import compare
from markscheme.harness.errors import InputError


@pytest.fixture
def nights(desk):
    """Forty questions, run afresh each night."""
    desk.samples(40)
    return desk


def night(desk, *words):
    return desk.run("--fresh", *words)["run"]


def compared(desk, *words, code=0):
    found, out, err = desk.command("compare", "--json", *words)
    assert found == code, err
    return json.loads(out.splitlines()[-1]) if out else err


def by_measure(found):
    return {one["measure"]: one for one in found["differences"]}


def test_a_planted_regression_is_found_and_its_samples_are_shown(nights, mock):
    night(nights, "--name", "before")
    mock.configure({"correct_rate": 0.3})
    new = night(nights, "--name", "after")
    found = compared(nights, "after", "before")
    score = by_measure(found)["correctness"]
    assert found["verdict"].startswith("cand is worse than in the baseline: correctness −0.")
    assert score["difference"]["high"] < 0 and score["test"] == "McNemar, mid-p" and not score["exploratory"]
    assert found["shared_replies"] == 0
    fell = [(one["candidate"], one["measure"], one["old"] - one["new"]) for one in found["worse"]]
    assert fell == [("cand", "correctness", 1.0)] * min(score["losses"], 20)
    page = Path(found["report"])
    assert page == Path(".markscheme/reports") / new / "compare.html"
    assert "Samples that got worse" in page.read_text()
    assert "Samples that got worse" in page.with_suffix(".md").read_text()


def test_replies_of_the_baseline_are_named_in_the_first_line(nights):
    first = nights.run()["run"]
    nights.exam["candidates"].append(dict(nights.exam["candidates"][0], name="other", model="openai-compatible/c2"))
    path = nights.save()
    path.rename(path.with_name("second.yaml"))
    code, _, err = nights.command("run", "second.yaml", "--no-report", "--quiet")
    assert code == 0, err
    code, out, err = nights.command("compare", "latest", first)
    assert code == 0, err
    assert out.startswith("All 40 answers are the same replies as in the baseline")
    assert "note: Only the new run has the candidate other: left out." in out


def test_runs_on_different_samples_are_refused_or_compared_on_the_intersection(nights):
    first = night(nights)
    nights.samples(30)
    second = night(nights)
    said = compared(nights, second, first, code=2)
    assert "10 only in the baseline (s30, s31, s32, …); compare what both have with --intersection" in said
    found = compared(nights, second, first, "--intersection")
    assert (found["samples"], found["left_out"]) == (30, {"only in the baseline": 10})


def test_a_changed_reference_makes_another_sample(nights):
    first = night(nights)
    rows = nights.read_samples()
    rows[3]["reference"] = "another word"
    nights.write_samples(rows)
    assert "1 same id, other content (s3)" in compared(nights, night(nights), first, code=2)


def test_a_changed_rubric_is_refused_with_its_hash(nights):
    first = night(nights)
    nights.rubric["criteria"][0]["description"] = "Another question altogether."
    said = compared(nights, night(nights), first, code=2)
    assert "the judge 'judge' has another rubric (code_word " in said


def test_candidates_are_compared_within_a_run(nights):
    nights.exam["candidates"].append(dict(nights.exam["candidates"][0], name="other", model="openai-compatible/c2"))
    run = night(nights)
    assert "is its own baseline" in compared(nights, run, run, code=2)
    found = compared(nights, run, run, "--candidate", "other=cand")
    assert {one["candidate"] for one in found["differences"]} == {"other"}
    assert "--candidate 'other=': write NEW" in compared(nights, run, run, "--candidate", "other=", code=2)


def test_the_pool_of_several_runs_is_averaged(nights):
    old = [night(nights) for _ in range(3)]
    found = compared(nights, night(nights), *old)
    assert found["baseline"] == old
    assert "The baseline is the mean of 3 runs." in found["notes"]


def test_pages_go_where_they_are_wanted(nights):
    first, second = night(nights), night(nights)
    found = compared(nights, second, first, "--output", "pages", "--worst", "1", "--family", "failures")
    assert found["report"] == "pages/compare.html"
    assert by_measure(found)["correctness"]["exploratory"] and not by_measure(found)["failures"]["exploratory"]
    assert Path("pages/compare.md").exists()


def test_the_terminal_shows_every_measure_and_marks_the_family(nights):
    first, second = night(nights), night(nights)
    code, out, _ = nights.command("compare", second, first)
    assert code == 0
    lines = {line.split()[1]: line for line in out.splitlines() if line.startswith("cand ")}
    assert list(lines) == ["correctness", "failures", "e2e_s", "completion_tokens"]
    assert "†" in lines["correctness"] and "†" not in lines["failures"]
    assert "† Holm over 1 comparison: the headline of each judge" in out
    assert f"report: .markscheme/reports/{second}/compare.html" in out


def test_an_unknown_run_is_named(nights):
    night(nights)
    assert "there is no run 'yesterday'" in compared(nights, "latest", "yesterday", code=2)


def test_slices_are_by_the_tags_of_the_new_run(nights):
    nights.write_samples([{**row, "tags": ["odd" if i % 2 else "even"]} for i, row in enumerate(nights.read_samples())])
    first, second = night(nights), night(nights)
    found = compared(nights, second, first)["slices"]
    assert sorted((one["tag"], one["difference"]["n"]) for one in found) == [("even", 20), ("odd", 20)]


def test_a_bundle_without_texts_is_a_baseline_with_the_same_numbers(nights, mock):
    night(nights, "--name", "before")
    mock.configure({"correct_rate": 0.3})
    night(nights, "--name", "after")
    code, _, err = nights.command("bundle", "before", "-o", "before.mks", "--no-texts")
    assert code == 0, err
    whole, bundled = compared(nights, "after", "before"), compared(nights, "after", "before.mks")
    assert bundled == whole
    page = Path(bundled["report"]).read_text()
    assert page.count("(left out)") == len(bundled["worse"]) > 0


def test_runs_are_compared_in_python(nights):
    first, second = night(nights), night(nights)
    found = compare(second, first)
    assert (found.new.id, [run.id for run in found.old], found.pairing.n) == (second, [first], 40)
    assert compare(markscheme.open_run(second), markscheme.open_run(first).data) == found
    with pytest.raises(InputError, match="no baseline"):
        compare(second)

"""Exams in somebody's pytest suite: run by pytest itself, in this process or in processes of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import markscheme
import numpy  # noqa: F401 - a run within this process forgets what it imported, and numpy cannot be loaded twice
import pandas  # noqa: F401
import pytest
import scipy.special
import scipy.stats  # noqa: F401
import yaml
from markscheme.app.bundling import bundle
from markscheme.app.testing.settings import settings_of
from mock_replies import code_word

pytest_plugins = ["pytester"]

RUBRIC = {
    "name": "code_word",
    "scale": [0, 1],
    "sees": ["question", "reference"],
    "criteria": [
        {
            "name": "correctness",
            "weight": 1.0,
            "description": "The answer must state the code word of the reference.",
            "levels": [{"score": 0, "description": "It does not."}, {"score": 1, "description": "It does."}],
        }
    ],
}
PRICE = {"input_usd_per_million": 0, "output_usd_per_million": 0, "usd_per_request": 0.01}


@dataclass
class Desk:
    """A suite's folder: samples, answers that were given already, an exam, and what pytest makes of it."""

    pytester: Any
    exam: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.pytester.path

    def samples(self, count: int, **changes: Any) -> None:
        rows = [
            {"id": f"s{n}", "question": f"[[Q{n}]] Which word?", "reference": code_word(n), **changes}
            for n in range(count)
        ]
        (self.folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def sheet(self, right: int, count: int, name: str = "sheet", wrong: str = "no idea") -> None:
        """Answers to ``count`` samples, the first ``right`` of them right."""
        rows = [{"id": f"s{n}", "answer": code_word(n) if n < right else wrong} for n in range(count)]
        (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def save(self, name: str = "exam.yaml") -> None:
        (self.folder / "rubric.yaml").write_text(yaml.safe_dump(RUBRIC, sort_keys=False))
        (self.folder / name).write_text(yaml.safe_dump(self.exam, sort_keys=False))

    def test(self, source: str, name: str = "test_it") -> None:
        head = "import pytest\npytestmark = pytest.mark.exam('exam.yaml')\n"
        self.pytester.makepyfile(**{name: head + source})

    def run(self, *words: str, process: bool = False) -> Any:
        self.save()
        runs = self.pytester.runpytest_subprocess if process else self.pytester.runpytest_inprocess
        return runs("-p", "no:cacheprovider", "-W", "default", *words)


@pytest.fixture
def desk(pytester, monkeypatch):
    """Forty answers of a sheet, thirty of them right, by exact match and by the embedded judge."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    desk = Desk(pytester)
    desk.samples(40)
    desk.sheet(30, 40)
    desk.exam = {
        "dataset": "./samples.jsonl",
        "candidates": [{"name": "sheet", "model": "replay/./sheet.jsonl"}],
        "judges": [{"name": "words", "model": "embedded", "rubric": "./rubric.yaml", "shots": 0}],
        "measures": ["exact_match"],
    }
    return desk


@pytest.fixture
def wired(desk, mock):
    """Ten questions to the mock server, which must be asked."""
    desk.samples(10)
    models = {"base_url": mock.url, "api_key_env": None}
    desk.exam = {
        "dataset": "./samples.jsonl",
        "candidates": [{"name": "cand", "model": "openai-compatible/cand-1", "stream": False, **models}],
        "judges": [
            {"name": "judge", "model": "openai-compatible/judge-1", "rubric": "./rubric.yaml", "shots": 0, **models}
        ],
        "prices": dict.fromkeys(("openai-compatible/cand-1", "openai-compatible/judge-1"), PRICE),
    }
    return desk


def printed(result) -> str:
    return result.stdout.str()


def test_a_mean_passes_by_its_lower_limit_and_fails_by_its_upper_one(desk):
    desk.test("""
def test_reached(grades):
    assert grades.mean("exact_match").at_least(0.59)

def test_missed(grades):
    assert grades.mean("exact_match").at_least(0.87)

def test_low_enough(grades):
    assert grades.mean("exact_match").at_most(0.87)

def test_too_high(grades):
    assert grades.mean("exact_match").at_most(0.59)
""")
    result = desk.run()
    result.assert_outcomes(passed=2, failed=2)
    text = printed(result)
    assert "assert <FAIL: exact_match of sheet is 0.75 [0.60, 0.86], n 40; wanted at least 0.87: the upper" in text
    assert "the lower limit of the interval does not reach it" in text
    assert re.search(r"sheet +– +exact_match +0\.75 +\[0\.60, 0\.86\] +40 +at least 0\.59 +PASS", text)
    assert re.search(r"sheet +– +exact_match +0\.75 +\[0\.60, 0\.86\] +40 +at most 0\.59 +FAIL", text)


OPEN = """
def test_open(grades):
    assert grades.mean("exact_match").at_least(0.75)
"""


def test_an_inconclusive_mean_warns_unless_told_otherwise(desk):
    desk.test(OPEN)
    result = desk.run()
    result.assert_outcomes(passed=1, warnings=1)
    assert "MarkschemeInconclusive: INCONCLUSIVE: exact_match of sheet is 0.75 [0.60, 0.86]" in printed(result)
    assert "more samples make it narrower" in printed(result)
    desk.run("--markscheme-inconclusive=skip").assert_outcomes(skipped=1)
    failed = desk.run("--markscheme-inconclusive=fail")
    failed.assert_outcomes(failed=1)
    assert "assert <INCONCLUSIVE: exact_match of sheet" in printed(failed)
    desk.pytester.makeini("[pytest]\nmarkscheme_inconclusive = skip")
    desk.run().assert_outcomes(skipped=1)
    desk.run("-W", "error", "--markscheme-inconclusive=warn").assert_outcomes(failed=1)


def test_a_policy_that_is_none_is_named(desk):
    desk.test(OPEN)
    desk.pytester.makeini("[pytest]\nmarkscheme_inconclusive = maybe")
    result = desk.run()
    result.assert_outcomes(errors=1)
    assert "markscheme_inconclusive = 'maybe': choose from warn, skip, fail" in printed(result)


def test_the_estimate_alone_must_be_asked_for(desk):
    desk.test("""
def test_point(grades):
    point = grades.mean("exact_match").point()
    assert point == 0.75 and point >= 0.75
    assert point.at_least(0.75)
    assert point.at_most(0.75)
    assert not point.at_least(0.76)
    assert point.at_least(0.751)
""")
    result = desk.run()
    result.assert_outcomes(failed=1)
    assert "<FAIL: exact_match of sheet is 0.75 [0.60, 0.86], n 40; wanted at least 0.751: by the" in printed(result)
    assert "by the estimate alone, as asked for" in printed(result)


def test_a_failing_mean_shows_the_worst_answers_with_the_judges_reasoning(desk):
    desk.sheet(30, 40, wrong="the \x1b[31mwrong\x1b[0m word")
    desk.test("""
def test_words(grades):
    assert grades.mean("correctness").at_least(1)
""")
    result = desk.run()
    result.assert_outcomes(failed=1)
    text = printed(result)
    assert "- markscheme -" in text
    assert "note: the judge's own scores, uncorrected by human labels" in text
    assert "the 3 answers with the lowest correctness:" in text
    assert "  s30: 0.00" in text and "  s32: 0.00" in text and "s33" not in text
    assert f"    reference: {code_word(30)}" in text
    assert "    correctness: 0: Word counts, no model" in text
    assert "    answer: the \ufffd[31mwrong\ufffd[0m word" in text
    assert "\x1b" not in text


def test_labels_correct_the_mean_and_the_verdict_says_so(desk):
    rows = [f"s{n},sheet,0,correctness,{int(n < 20)},ann" for n in range(40)]
    (desk.folder / "labels.csv").write_text("\n".join(["sample_id,candidate,trial,criterion,score,annotator", *rows]))
    desk.exam["labels"] = [{"path": "./labels.csv", "design": "random"}]
    desk.test("""
def test_corrected(grades):
    assert grades.mean("correctness").point() == 0.5
    assert grades.mean("correctness").at_least(0.9)
""")
    text = printed(desk.run())
    assert "FAIL: correctness of sheet by words is 0.50" in text
    assert "note: corrected by 40 labels" in text and "the judge's own mean is 0.75" in text


def test_answers_without_a_value_keep_a_mean_from_passing(desk):
    rows = (desk.folder / "sheet.jsonl").read_text().splitlines()
    lost = [json.dumps({**json.loads(row), "status": "timeout", "answer": ""}) for row in rows[30:]]
    (desk.folder / "sheet.jsonl").write_text("\n".join([*rows[:30], *lost]) + "\n")
    desk.test("""
def test_all_right(grades):
    assert grades.mean("exact_match").at_least(0.8)
""")
    result = desk.run("--markscheme-inconclusive=fail")
    result.assert_outcomes(failed=1)
    text = printed(result)
    assert "INCONCLUSIVE: exact_match of sheet is 1.00 [0.89, 1.00], n 30; wanted at least 0.8: 25 % of the" in text
    assert "note: 10 answers of 40 without a value: 10 timed out" in text


def test_names_are_needed_where_there_are_several_and_slips_are_answered(desk):
    desk.exam["candidates"].append({"name": "other", "model": "replay/./sheet.jsonl"})
    desk.test("""
def test_slip(grades):
    grades.mean("exact_mach", candidate="sheet")

def test_which(grades):
    grades.mean("exact_match")

def test_who(grades):
    grades.mean("exact_match", candidate="shet")

def test_candidates(exam):
    assert exam.candidates == ("sheet", "other")
""")
    result = desk.run()
    result.assert_outcomes(failed=3, passed=1)
    text = printed(result)
    assert "mean('exact_mach'): this exam does not measure it; did you mean 'exact_match'?" in text
    assert "there are several of the kind candidate: say which, candidate='sheet'" in text
    assert "candidate='shet': is not in this exam; did you mean 'sheet'?" in text
    assert "app/testing" not in text


def test_a_run_is_held_against_a_bundle_beside_the_test(desk):
    desk.test("""
def test_baseline(run):
    assert run.not_worse_than("baseline.mks", margin=MARGIN, measure="exact_match")
""")
    source = (desk.folder / "test_it.py").read_text()

    def verdict(margin, *words):
        (desk.folder / "test_it.py").write_text(source.replace("MARGIN", str(margin)))
        return desk.run(*words)

    desk.sheet(36, 40)
    desk.save()
    bundled(desk, "baseline.mks")
    desk.sheet(35, 40)
    verdict(0.2).assert_outcomes(passed=1, warnings=0)
    verdict(0.01).assert_outcomes(passed=1, warnings=1)
    desk.sheet(20, 40)
    worse = verdict(0.2)
    worse.assert_outcomes(failed=1)
    text = printed(worse)
    assert "<FAIL: sheet, exact_match changed by −0.40 [" in text
    assert "REGRESSION  sheet, exact_match: −0.40" in text
    assert "samples that got worse:" in text and re.search(r"s2\d: 1\.00 → 0\.00", text)
    assert re.search(r"sheet +– +exact_match \(difference\) +−0\.40 .* loss < 0\.20 +FAIL", text)


def bundled(desk, name):
    """The present exam, run elsewhere, as a file."""
    run = markscheme.run(desk.folder / "exam.yaml", workspace=desk.folder / "elsewhere")
    bundle(run.id, desk.folder / name, desk.folder / "elsewhere")


def test_the_baseline_of_a_run_may_be_a_name_or_another_run(desk):
    desk.save()
    markscheme.run(desk.folder / "exam.yaml", workspace=desk.folder / ".markscheme", name="before")
    desk.exam["candidates"][0]["trials"] = 1
    desk.sheet(10, 40)
    desk.exam["measures"] = ["exact_match", "contains"]
    desk.test("""
import markscheme

def test_baseline(run):
    assert not run.not_worse_than("before", margin=0.1, measure="exact_match")
    old = markscheme.open_run("before", run.workspace)
    assert not run.not_worse_than(old, margin=0.1)

def test_nobody(run):
    run.not_worse_than("nobody", margin=0.1)
""")
    result = desk.run()
    result.assert_outcomes(passed=1, failed=1)
    assert "there is no run 'nobody'; the latest are:" in printed(result)


def test_a_bundle_of_the_same_answers_passes_and_says_that_nothing_changed(wired, mock):
    wired.test("""
def test_baseline(run):
    verdict = run.not_worse_than(BASELINE, margin=0.01)
    assert verdict
    print(verdict)
""")
    source = (wired.folder / "test_it.py").read_text()

    def verdict(baseline, *words):
        (wired.folder / "test_it.py").write_text(source.replace("BASELINE", repr(baseline)))
        return wired.run(*words, "-rP", "--markscheme-inconclusive=fail")

    latest = verdict("latest", "--markscheme-live")
    latest.assert_outcomes(failed=1)
    assert "the baseline 'latest' is the run" in printed(latest) and "itself: name another, or a" in printed(latest)
    assert "app/testing" not in printed(latest)
    same = "<PASS: every answer is one that the baseline had already: nothing has changed since>"
    bundle("latest", wired.folder / "itself.mks", wired.folder / ".markscheme")
    itself = verdict("itself.mks")
    itself.assert_outcomes(passed=1)
    assert same in printed(itself)
    assert re.search(r"cand +judge +correctness \(difference\) +0\.00 .* 10 +loss < 0\.010 +PASS", printed(itself))
    wired.exam["measures"] = ["contains"]
    other = verdict("itself.mks")
    other.assert_outcomes(passed=1)
    assert same in printed(other)


def test_a_second_suite_of_the_same_exam_changes_no_byte_of_the_workspace(desk):
    desk.test(OPEN)
    desk.run()
    database = desk.folder / ".markscheme" / "markscheme.db"
    before = database.read_bytes()
    desk.run().assert_outcomes(passed=1, warnings=1)
    assert database.read_bytes() == before
    assert not list((desk.folder / ".markscheme").glob("markscheme.db-*"))


def test_a_changed_exam_is_a_run_of_its_own_and_the_first_one_stays(desk):
    desk.test("""
def test_id(run):
    with open("ids.txt", "a") as file:
        file.write(run.id + "\\n")
""")
    desk.run()
    desk.exam["measures"] = []
    desk.run()
    desk.exam["measures"] = ["exact_match"]
    desk.run()
    first, second, third = (desk.folder / "ids.txt").read_text().split()
    assert first == third != second


EACH = """
import pytest

@pytest.mark.exam("exam.yaml", per_sample=True{more})
def test_each(sample, answer, grades):
    assert grades["exact_match"] == 1
    assert answer.text == sample.reference
"""


def each(desk, more=""):
    desk.pytester.makepyfile(test_each=EACH.format(more=more))


def test_a_test_for_each_sample_reports_and_its_share_decides(desk):
    each(desk, ", pass_share=0.9")
    result = desk.run("-v")
    assert result.ret == 1
    text = printed(result)
    assert "test_each.py::test_each[s0] PASSED" in text and "test_each.py::test_each[s39] BELOW" in text
    assert "30 passed, 10 below" in text
    assert "test_each, sheet: 30 of 40 pass, 0.75 [0.60, 0.86]; wanted at least 0.9: FAIL" in text
    assert "  s30: assert 0.0 == 1\n" in text and "  … and 5 more" in text
    each(desk, ", pass_share=0.5")
    assert desk.run().ret == 0


def test_an_inconclusive_share_fails_the_suite_only_where_asked_for(desk):
    each(desk, ", pass_share=0.75")
    result = desk.run()
    assert result.ret == 0 and "wanted at least 0.75: INCONCLUSIVE" in printed(result)
    assert desk.run("--markscheme-inconclusive=fail").ret == 1


def test_single_verdicts_are_asserted_where_they_are_strict(desk):
    each(desk, ", strict=True")
    desk.run().assert_outcomes(passed=30, failed=10)


def test_without_a_share_they_are_reported_alone(desk):
    each(desk)
    result = desk.run()
    assert result.ret == 0
    assert "30 of 40 pass, 0.75 [0.60, 0.86]\n" in printed(result)


def test_a_broken_test_fails_also_once_a_sample(desk):
    each(desk)
    source = (desk.folder / "test_each.py").read_text()
    (desk.folder / "test_each.py").write_text(source.replace('grades["exact_match"]', 'grades["exact_mach"]'))
    result = desk.run()
    result.assert_outcomes(failed=40)
    assert "KeyError: \"'exact_mach': there are correctness, exact_match\"" in printed(result)


def test_candidates_and_trials_are_tests_of_their_own_and_a_failed_answer_does_not_pass(desk):
    desk.samples(3)
    rows = [{"id": f"s{n}", "answer": code_word(n), "trial": trial} for n in range(3) for trial in range(2)]
    rows[0] |= {"status": "timeout", "answer": ""}
    (desk.folder / "sheet.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:-1]))
    desk.exam["candidates"] = [
        {"name": "twice", "model": "replay/./sheet.jsonl", "trials": 2},
        {"name": "once", "model": "replay/./sheet.jsonl"},
    ]
    each(desk)
    text = printed(desk.run("-v"))
    assert "test_each[s0-twice-trial0] BELOW" in text and "test_each[s0-twice-trial1] PASSED" in text
    assert "test_each[s2-twice-trial1] NO VERDICT" in text
    assert "test_each, twice: 4 of 5 pass" in text and "; 1 without a verdict" in text
    each(desk, ", candidate='once'")
    assert "2 passed, 1 below" in printed(desk.run())


def test_collecting_runs_nothing(desk):
    each(desk)
    result = desk.run("--collect-only", "-q")
    assert "40 tests collected" in printed(result)
    assert not (desk.folder / ".markscheme").exists()


def test_xdist_collects_alike_and_the_share_is_of_all_processes(desk):
    each(desk, ", pass_share=0.9")
    result = desk.run("-n", "2", process=True)
    assert result.ret == 1
    text = printed(result)
    assert "30 passed, 10 below" in text
    assert "30 of 40 pass, 0.75 [0.60, 0.86]; wanted at least 0.9: FAIL" in text


ASK = """
def test_all(grades):
    assert grades.mean("correctness").at_least(0.1)
"""


def test_offline_a_missing_reply_is_named_by_its_key_with_the_remedy(wired, mock):
    wired.test(ASK + ASK.replace("test_all", "test_again"))
    result = wired.run()
    result.assert_outcomes(errors=2)
    text = printed(result)
    assert "exam exam.yaml: 10 replies are not recorded, and no model is called without --markscheme-live:" in text
    assert re.search(r"candidate cand on s0: key [0-9a-f]{64}\n", text)
    assert "… and 7 more" in text and "record them: pytest --markscheme-live --markscheme-budget USD" in text
    assert "could not be sat: 10 replies are not recorded" in text
    assert mock.stats()["received"] == 0 and "calls made" not in text


def test_what_was_recorded_live_is_all_that_a_suite_needs(wired, mock):
    wired.test(ASK)
    live = wired.run("--markscheme-live", "--markscheme-budget=1")
    live.assert_outcomes(passed=1)
    assert re.search(r"exam\.yaml, run [\w-]+: 20 calls made, 0 replies re-used, paid \$0\.20", printed(live))
    again = wired.run()
    again.assert_outcomes(passed=1)
    assert re.search(r"exam\.yaml, run [\w-]+: no model was asked", printed(again))
    wired.exam["candidates"].append({**wired.exam["candidates"][0], "name": "twin"})
    wired.test(ASK.replace('"correctness"', '"correctness", candidate="cand"'))
    missing = wired.run()
    missing.assert_outcomes(errors=1)
    assert "10 replies are not recorded" in printed(missing)  # the twin's draws are its own
    assert mock.stats()["received"] == 20
    assert not list((wired.folder / ".markscheme" / "pytest").glob("*"))


def test_a_recorded_judge_is_missed_after_its_rubric_changed(wired, mock):
    wired.test(ASK)
    wired.run("--markscheme-live").assert_outcomes(passed=1)
    wired.exam["judges"][0]["params"] = {"temperature": 0.7}
    result = wired.run()
    result.assert_outcomes(errors=1)
    assert re.search(r"judge judge on cand's answer to s0: key [0-9a-f]{64}", printed(result))


@pytest.mark.parametrize("dialect", ["no_json_schema", "context_overflow"])
def test_what_a_model_refused_is_a_record_too(wired, mock, dialect):
    mock.configure({"dialects": [dialect]})
    wired.test("def test_run(run):\n    print(dict(run.answers['status'].value_counts()), len(run.grades))\n")
    live = wired.run("--markscheme-live", "-rP")
    live.assert_outcomes(passed=1)
    asked = mock.stats()["received"]
    wired.exam["measures"] = ["contains"]  # another exam, so that every reply is looked up again
    offline = wired.run("-rP")
    offline.assert_outcomes(passed=1)
    said = re.search(r"\{'\w+': .*\} \d+", printed(live))[0]
    assert said in printed(offline) and ("context_overflow" in said) == (dialect == "context_overflow")
    assert mock.stats()["received"] == asked


def test_the_budget_stops_the_exam_and_the_next_suite_goes_on(wired, mock):
    wired.test(ASK)
    result = wired.run("--markscheme-live", "--markscheme-budget=0.055")
    result.assert_outcomes(errors=1)
    assert "budget of $0.06 reached: $0.0500 spent by all processes together" in printed(result)
    assert mock.stats()["received"] == 5
    wired.run("--markscheme-live", "--markscheme-budget=0.15").assert_outcomes(passed=1)
    assert mock.stats()["received"] == 20


@pytest.mark.parametrize("given", ["nonsense", "-1"])
def test_a_budget_that_is_none_is_refused(wired, given):
    wired.test(ASK)
    wired.pytester.makeini(f"[pytest]\nmarkscheme_budget = {given}")
    result = wired.run("--markscheme-live")
    result.assert_outcomes(errors=1)
    assert f"markscheme_budget = {given!r}: must be a number of US dollars, 0 or more" in printed(result)


def test_two_processes_share_one_budget(wired, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 20}})
    for number in (1, 2):
        wired.exam["candidates"][0]["params"] = {"temperature": number / 10}
        wired.save(f"exam{number}.yaml")
        wired.pytester.makepyfile(
            **{f"test_{number}": f"import pytest\npytestmark = pytest.mark.exam('exam{number}.yaml')\n{ASK}"}
        )
    result = wired.run("-n", "2", "--dist=loadfile", "--markscheme-live", "--markscheme-budget=0.155", process=True)
    result.assert_outcomes(errors=2)
    text = printed(result)
    assert "spent by all processes together" in text and "During handling" not in text
    paid = [float(amount) for amount in re.findall(r"exam\d\.yaml: \d+ calls? made, .* paid \$([\d.]+)", text)]
    assert sum(paid) == pytest.approx(0.15)
    assert mock.stats()["received"] == 15
    assert not list((wired.folder / ".markscheme" / "pytest").glob("*"))


def test_two_processes_that_need_one_exam_run_it_once(wired, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 50}})
    wired.test("\n".join(ASK.replace("test_all", f"test_{n}") for n in range(4)))
    result = wired.run("-n", "2", "--markscheme-live", process=True)
    result.assert_outcomes(passed=4)
    assert mock.stats()["received"] == 20
    assert "20 calls made, 0 replies re-used" in printed(result)


def test_a_judge_and_a_candidate_are_asked_by_themselves_over_recorded_replies(wired, mock):
    wired.test(f"""
QUESTION = "[[Q3]] Which word?"

def test_alone(judge, candidate):
    answer = candidate("cand").answer(QUESTION)
    graded = judge("judge").grade(question=QUESTION, answer=answer.text, reference="{code_word(3)}")
    assert graded["correctness"] in (0, 1)
    assert graded.reasoning["correctness"]

def test_names(judge):
    judge("jugde")

def test_needs(judge):
    judge().grade(question=QUESTION, answer="x")
""")
    offline = wired.run()
    offline.assert_outcomes(failed=3)
    assert "the reply of candidate cand is not recorded" in printed(offline)
    assert re.search(r"key [0-9a-f]{64}", printed(offline))
    assert "judge('jugde'): is none of the exam's; did you mean 'judge'? it has judge" in printed(offline)
    assert "shows the judge the reference" in printed(offline)
    live = wired.run("--markscheme-live", "-k", "alone")
    live.assert_outcomes(passed=1)
    assert "exam.yaml, single calls: 2 calls made" in printed(live)
    again = wired.run("-k", "alone")
    again.assert_outcomes(passed=1)
    assert "exam.yaml, single calls: 0 calls made, 2 replies re-used" in printed(again)
    assert mock.stats()["received"] == 2


def test_they_work_where_an_event_loop_is_running(desk):
    desk.test("""
import asyncio

def test_loop(judge, request):
    async def main():
        exam = request.getfixturevalue("exam")
        graded = judge("words").grade(question="Which?", answer="zebra", reference="zebra")
        return exam.grades.mean("exact_match").point(), graded["correctness"]

    assert asyncio.run(main()) == (0.75, 1)
""")
    desk.run().assert_outcomes(passed=1)


def test_the_composite_of_a_single_answer_is_weighted_and_an_absent_score_is_no_zero(desk):
    desk.exam["judges"][0]["rubric"] = "docs_qa"
    desk.test(
        """
from markscheme.app.testing.verdict import NoVerdict
from markscheme.app.testing.single import graded
from markscheme.harness.records import Grade, Scored, Unscored
from markscheme.judges.rubric import load_rubric

def test_composite(judge):
    found = judge().grade(question="Who?", answer="zebras do", reference="zebras do", context="zebras do that")
    weighted = 0.6 * found["correctness"] + 0.2 * found["comprehensiveness"] + 0.2 * found["readability"]
    assert found["composite"] == pytest.approx(weighted)

def test_absent():
    place = ("r", "s", "c", 0, "j")
    outcomes = {"correctness": Scored(3.0, "fine"), "readability": Unscored("unparsable", "?")}
    outcomes["comprehensiveness"] = Scored(2.0, "all there")
    grades = [Grade(*place, *one) for one in outcomes.items()]
    found = graded(grades, load_rubric(PATH, 0))
    assert found["correctness"] == 3 and found.scores["readability"] is None
    with pytest.raises(NoVerdict, match="readability has no score: unparsable"):
        found["readability"]
    with pytest.raises(NoVerdict, match="composite has no score"):
        found["composite"]
""".replace("PATH", repr(str(Path(markscheme.__file__).parent / "rubrics" / "docs_qa.yaml")))
    )
    desk.run().assert_outcomes(passed=2)


def test_junit_gets_estimate_limits_n_and_verdict(desk):
    desk.test(OPEN)
    each(desk, ", pass_share=0.9")
    desk.run("--junitxml=junit.xml", "-o", "junit_family=xunit1")
    root = ElementTree.parse(desk.folder / "junit.xml").getroot()
    (case,) = (case for case in root.iter("testcase") if case.get("name") == "test_open")
    found = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert found["sheet/exact_match.estimate"] == "0.75" and found["sheet/exact_match.n"] == "40"
    assert found["sheet/exact_match.verdict"] == "inconclusive"
    assert float(found["sheet/exact_match.low"]) == pytest.approx(0.598, abs=1e-3)
    whole = {one.get("name"): one.get("value") for one in root.findall("./testsuite/properties/property")}
    assert whole["sheet/pass share of test_each.verdict"] == "fail"


def test_a_test_without_an_exam_is_told_how_to_name_one(desk):
    desk.pytester.makepyfile("def test_it(exam): pass")
    result = desk.run()
    result.assert_outcomes(errors=1)
    assert 'mark it with @pytest.mark.exam("exams/x.yaml"), or set markscheme_exam' in printed(result)
    desk.pytester.makeini("[pytest]\nmarkscheme_exam = exam.yaml")
    desk.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("'nowhere.yaml'", "exam 'nowhere.yaml': there is no such file in "),
        (
            "'exam.yaml', per_sampel=True",
            "exam marker: Marked.__init__() got an unexpected keyword argument 'per_sampel'",
        ),
        ("'exam.yaml', strict=True", "strict, pass_share and candidate are for per_sample=True"),
        ("'exam.yaml', per_sample=True, pass_share=90", "pass_share=90: must be above 0 and at most 1"),
        (
            "'exam.yaml', per_sample=True, candidate='shet'",
            "candidate='shet': is not in exam.yaml; did you mean 'sheet'?",
        ),
    ],
)
def test_a_slip_in_the_marker_is_named(desk, mark, said):
    desk.pytester.makepyfile(f"import pytest\n@pytest.mark.exam({mark})\ndef test_it(exam): pass")
    result = desk.run()
    result.assert_outcomes(errors=1)
    assert said in printed(result)


def test_fixtures_of_single_samples_need_the_marker(desk):
    desk.test("def test_it(sample): pass")
    assert "sample and answer are for tests that are run once a sample" in printed(desk.run())


def test_an_exam_with_a_mistake_is_named_with_its_line(desk):
    desk.exam["judges"][0]["rubric"] = "./nowhere.yaml"
    desk.test(OPEN)
    result = desk.run()
    result.assert_outcomes(errors=1)
    assert re.search(r"exam exam\.yaml: .*exam\.yaml:\d+ judges", printed(result))


def test_the_workspace_can_be_named(desk):
    desk.test(OPEN)
    desk.run("--markscheme-workspace=elsewhere").assert_outcomes(passed=1, warnings=1)
    assert (desk.folder / "elsewhere" / "markscheme.db").exists()
    desk.pytester.makeini("[pytest]\nmarkscheme_workspace = third")
    desk.run().assert_outcomes(passed=1, warnings=1)
    assert (desk.folder / "third" / "markscheme.db").exists()


def test_a_suite_without_exams_loads_nothing_of_ours_and_prints_nothing(desk, monkeypatch):
    desk.pytester.makepyfile("""
import sys

def test_it():
    ours = {name for name in sys.modules if name.startswith("markscheme")}
    assert ours == {"markscheme", "markscheme.app", "markscheme.app.pytest_plugin"}
    assert not {"numpy", "pandas", "pydantic", "scipy", "sqlalchemy", "yaml"} & set(sys.modules)
""")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # what others load is their affair
    result = desk.run("-p", "markscheme.app.pytest_plugin", process=True)
    result.assert_outcomes(passed=1)
    assert "markscheme" not in printed(result)


def test_the_plugin_can_be_told_to_stay_away(desk):
    desk.pytester.makepyfile("def test_it(exam): pass")
    result = desk.run("-p", "no:markscheme")
    assert "fixture 'exam' not found" in printed(result)


def test_strict_markers_know_the_marker(desk):
    desk.test(OPEN)
    desk.run("--strict-markers").assert_outcomes(passed=1, warnings=1)
    help_text = subprocess.run(
        [sys.executable, "-m", "pytest", "--markers", "-p", "no:cacheprovider"],
        cwd=desk.folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "@pytest.mark.exam(path, per_sample=False" in help_text


def test_the_example_is_the_guides_and_passes_without_a_network(desk):
    folder = Path(__file__).parents[2]
    page = (folder / "docs" / "guide" / "pytest.md").read_text()
    for name in ("exam.yaml", "test_answers.py"):
        text = (folder / "examples" / "pytest_suite" / name).read_text()
        assert f"`{name}`:" in page and text in page
        (desk.folder / name).write_text(text)
    desk.exam = yaml.safe_load((desk.folder / "exam.yaml").read_text())
    result = desk.run("-q")
    assert result.ret == 0 and "85 passed, 7 below" in printed(result)


def test_a_budget_beside_a_database_server_needs_no_folder_that_users_of_a_machine_share(desk, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(desk.folder))
    (desk.folder / "markscheme").write_text("somebody else's")
    words = ("--markscheme-live", "--markscheme-budget=1", "--markscheme-workspace=postgresql://team/exams")
    purse = settings_of(desk.pytester.parseconfig(*words), "suite").purse
    assert purse.take(0.6) and not purse.take(0.6)


def test_a_suite_that_is_interrupted_keeps_to_the_budget_and_leaves_none_behind(wired, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 300}})
    wired.exam["concurrency"] = 1
    wired.test(ASK)
    wired.save()
    words = ["-m", "pytest", "-p", "no:cacheprovider", "-n", "1", "--markscheme-live", "--markscheme-budget=0.055"]
    suite = subprocess.Popen([sys.executable, *words], cwd=wired.folder, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while mock.stats()["received"] < 3 and time.monotonic() < until:
            time.sleep(0.02)
        suite.send_signal(signal.SIGINT)
        assert suite.wait(60) == pytest.ExitCode.INTERRUPTED
    finally:
        suite.kill()
        suite.wait()
    time.sleep(1)
    assert 3 <= mock.stats()["received"] <= 5
    assert not list((wired.folder / ".markscheme" / "pytest").glob("*"))

"""A comparison and margins become verdicts, exit codes, Markdown and JUnit XML."""

import xml.etree.ElementTree as ElementTree

import pytest
from gating import comparison, difference, failures, spec
from markscheme.harness.errors import ExamError
from markscheme.harness.records import Estimate
from markscheme.reports.junit import render_junit
from markscheme.reports.regression import gate_words
from markscheme.reports.regression.gate import gated
from markscheme.reports.regression.gate_markdown import render_gate_markdown

SURE = {"confirm": False}


def only(compared, gate, second=None):
    result = gated(compared, gate, second)
    assert len(result.lines) == 1
    return result, result.lines[0]


def test_an_unchanged_model_with_enough_samples_passes():
    result, line = only(comparison(difference(-0.01, 0.2, 400)), spec())
    assert (line.verdict, result.exit_code) == ("pass", 0)
    assert gate_words.said(line) == "at worst a loss of 0.03 (one-sided 95 %), the margin is 0.10"


def test_a_small_proven_loss_passes_and_is_noted():
    _, line = only(comparison(difference(-0.05, 0.2, 400)), spec())
    assert line.verdict == "pass"
    assert "a loss of 0.05 is proven, and accepted" in gate_words.said(line)


def test_a_loss_beyond_the_margin_ends_with_1():
    result, line = only(comparison(difference(-0.4)), spec(**SURE))
    assert (line.verdict, result.verdict, result.exit_code) == ("regression", "regression", 1)


@pytest.mark.parametrize(("asked", "code"), [("warn", 0), ("fail", 4)])
def test_an_inconclusive_gate_ends_as_it_was_told_to(asked, code):
    result, line = only(comparison(difference(0.0, 0.8, 80)), spec(on_inconclusive=asked))
    assert (line.verdict, result.exit_code) == ("inconclusive", code)


def test_an_inconclusive_line_says_what_it_could_have_found_and_how_many_samples_it_takes():
    _, line = only(comparison(difference(0.0, 0.8, 80)), spec())
    assert line.detects == pytest.approx(0.2506, abs=1e-4)
    assert line.n_needed == 396
    assert "passes with 80 % on 396 samples; here are 80" in gate_words.said(line)


def test_clusters_ask_for_more_samples():
    _, line = only(comparison(difference(0.0, 0.8, 80, effective_n=40.0, clusters=20)), spec())
    assert line.n_needed == 792


def test_constant_differences_without_a_scale_are_inconclusive_and_say_why():
    flat = Estimate(0.0, None, None, 100, "all values equal, scale unknown: no interval")
    _, line = only(comparison(difference(estimate=flat, p=1.0)), spec())
    assert line.verdict == "inconclusive"
    assert gate_words.said(line).startswith("no interval: all values equal, scale unknown")


def test_shared_replies_never_pass():
    same = difference(0.0, wins=0, losses=0, ties=100, estimate=Estimate(0.0, -0.01, 0.01, 100, "all 100 values equal"))
    result, line = only(comparison(same, shared=100), spec())
    assert (line.verdict, result.exit_code) == ("inconclusive", 0)
    assert "run with --fresh" in gate_words.said(line)
    assert "100 of 100 answers are replies that the baseline had already" in result.notes[0]


def test_a_rise_of_latency_is_a_loss():
    slower = difference(0.5, 0.3, 100, source="", measure="ttft_s", better="lower", unit="s")
    _, line = only(comparison(slower), spec({"measure": "ttft_s", "margin": 0.2, "relative": True}, **SURE))
    assert line.margin == pytest.approx(0.4)
    assert line.verdict == "regression"
    assert gate_words.change(line).startswith("+0.50 s [+0.44 s")
    faster = difference(-0.5, 0.3, 100, source="", measure="ttft_s", better="lower", unit="s")
    assert only(comparison(faster), spec({"measure": "ttft_s", "margin": 0.2, "relative": True}))[1].verdict == "pass"


def test_dollars_are_as_fine_as_the_margin():
    dearer = difference(0.0001, 0.001, 100, source="", measure="cost_usd", better="lower", unit="USD")
    _, line = only(comparison(dearer), spec({"measure": "cost_usd", "margin": 0.0005}))
    assert line.verdict == "pass"
    assert gate_words.said(line) == "at worst a loss of $0.00027 (one-sided 95 %), the margin is $0.00050"


def test_alarms_are_corrected_over_the_lines_of_the_gate():
    one = difference(-0.2, 0.9, 100)  # p = 0.029
    others = [difference(0.0, 0.9, 100, candidate=name) for name in "abc"]
    assert only(comparison(one), spec(**SURE))[1].verdict == "regression"
    result = gated(comparison(one, *others), spec(**SURE))
    assert [line.verdict for line in result.lines] == ["inconclusive"] * 4
    assert result.lines[0].adjusted == pytest.approx(4 * one.p)


def test_passing_is_not_corrected():
    lines = [difference(-0.01, 0.3, 100, candidate=name) for name in "abcdefgh"]
    assert gated(comparison(*lines), spec()).verdict == "pass"


def test_the_worst_line_is_the_verdict():
    lines = [difference(0.0, 0.2, 400), difference(0.0, 2.0, candidate="wide"), difference(-0.5, candidate="bad")]
    assert gated(comparison(*lines[:2]), spec(**SURE)).verdict == "inconclusive"
    assert gated(comparison(*lines), spec(**SURE)).verdict == "regression"


def test_an_alarm_waits_for_a_second_run():
    result, line = only(comparison(difference(-0.4)), spec())
    assert (line.verdict, result.exit_code) == ("alarm", 1)
    assert "run again with --fresh" in gate_words.said(line)


def test_a_second_run_that_alarms_confirms():
    second = comparison(difference(-0.35), new="again")
    result, line = only(comparison(difference(-0.4)), spec(), second)
    assert (line.verdict, line.agrees, result.second) == ("regression", True, "again")
    assert "confirmed by the second run: −0.35" in gate_words.said(line)


def test_a_second_run_that_does_not_alarm_leaves_it_open():
    second = comparison(difference(0.02), new="again")
    result, line = only(comparison(difference(-0.4)), spec(on_inconclusive="fail"), second)
    assert (line.verdict, line.agrees, result.exit_code) == ("inconclusive", False, 4)
    assert "that the second run does not confirm" in gate_words.said(line)


def test_a_second_run_is_not_asked_about_lines_that_did_not_alarm():
    second = comparison(difference(-0.5), new="again")
    assert only(comparison(difference(0.0, 0.2, 400)), spec(), second)[1].verdict == "pass"


def test_answers_that_fail_more_often_count_at_the_lowest_level():
    better = difference(0.0, 0.2, 400)
    assert only(comparison(better), spec())[1].verdict == "pass"
    _, line = only(comparison(better, failures(0.05, 400, p=0.03)), spec())
    assert line.verdict == "inconclusive"
    assert "answers fail more often" in gate_words.said(line)


def test_a_candidate_that_fails_more_often_alarms_though_no_line_names_it():
    result = gated(comparison(difference(0.05, 0.2, 400), failures(0.4)), spec(**SURE))
    guard = next(line for line in result.lines if line.guard)
    assert (guard.verdict, result.exit_code) == ("regression", 1)
    assert gate_words.said(guard).startswith("40 % more of the answers fail than in the baseline")


def test_a_candidate_that_only_fails_is_a_regression_and_no_mistake_of_the_gate():
    result = gated(comparison(failures(1.0, whole=True)), spec(**SURE))
    assert result.verdict == "regression"


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (spec({"measure": "composit", "margin": 1}), r"measures\[0\].measure: 'composit' .* did you mean 'composite'"),
        (spec({"judge": "strikt", "measure": "composite", "margin": 1}), r"judge: 'strikt' graded in neither run"),
        (spec(candidates=["maxi"]), r"candidates\[0\]: 'maxi' is in neither run"),
    ],
)
def test_names_that_nothing_has_are_mistakes(gate, message):
    with pytest.raises(ExamError, match=message):
        gated(comparison(difference(), difference(candidate="large")), gate)


def test_two_judges_of_one_measure_must_be_told_apart():
    both = comparison(difference(), difference(source="lenient"))
    with pytest.raises(ExamError, match="'composite' is given by strict, lenient; write judge: and one of them"):
        gated(both, spec({"measure": "composite", "margin": 1}))


def test_the_markdown_begins_with_the_verdict_and_shows_the_worst_first():
    lines = [difference(0.0, 0.2, 400), difference(-0.5, candidate="a|<b>")]
    text = render_gate_markdown(gated(comparison(*lines), spec(**SURE)))
    head, _, rest = text.partition("\n")
    assert head == "**Gate: REGRESSION (2 lines: 1 regression, 1 pass)**"
    rows = [line for line in rest.splitlines() if line.startswith("| ")][2:]
    assert rows[0].startswith("| a\\|\\<b\\>, composite by strict | REGRESSION | 0.10 | −0.50 \\[−0.60, −0.40\\] |")
    assert rows[1].startswith("| mini, composite by strict | PASS |")


def test_junit_has_a_case_a_line_with_its_interval():
    lines = [difference(0.0, 0.2, 400), difference(0.0, 2.0, candidate="wide"), difference(-0.5, candidate="bad")]
    root = ElementTree.fromstring(render_junit(gated(comparison(*lines), spec(**SURE))))
    suite = root.find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    cases = {case.get("classname"): case for case in suite.iter("testcase")}
    assert cases["bad"].find("failure").get("type") == "regression"
    assert cases["wide"].find("skipped").get("message").startswith("INCONCLUSIVE: ")
    assert cases["mini"].find("failure") is None
    numbers = {p.get("name"): p.get("value") for p in cases["bad"].iter("property")}
    assert float(numbers["low"]) < float(numbers["difference"]) == -0.5 < float(numbers["high"])
    assert (numbers["samples"], numbers["margin"]) == ("100", "0.1")


def test_an_inconclusive_line_fails_in_junit_where_the_gate_fails():
    wide = comparison(difference(0.0, 2.0))
    root = ElementTree.fromstring(render_junit(gated(wide, spec(on_inconclusive="fail"))))
    assert root.find(".//failure").get("type") == "inconclusive"


def test_junit_holds_any_name():
    wild = "a\x1b\x00\ud800<&\"'>\u2028\x9fé"
    root = ElementTree.fromstring(render_junit(gated(comparison(difference(candidate=wild)), spec())))
    assert root.find(".//testcase").get("classname").startswith("a\\x1b\\x00\\xd800<&\"'>\u2028")

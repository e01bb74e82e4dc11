"""The first lines and the tables: what is claimed, and what is not."""

import dataclasses
import re

import pytest
from markscheme.reports.report import build_report
from synthetic import Candidate, Judge, build

TWINS = (Candidate("large", 2.3, 6.0, 0.0124), Candidate("tuned", 2.3, 0.3, 0.00054))
APART = (Candidate("large", 2.6, 6.0, 0.0124), Candidate("small", 1.2, 0.3, 0.00054))


def said(line):
    return "".join(span.text for span in line)


def first_lines(report):
    return " ".join([said(report.verdict), *map(said, report.caveats)])


def facts(report):
    return [said(fact.line) for fact in report.facts]


def test_a_clear_winner_is_named_with_its_score_and_its_lead():
    text = said(build_report(build(n=80, candidates=APART)).verdict)
    assert re.match(
        r"large answers best: 2\.\d\d of 3 \[2\.\d\d,\s2\.\d\d\], \d\.\d\d \[\d\.\d\d,\s\d\.\d\d\] above small\.", text
    )
    assert re.search(r"small is \d+× faster and \d+× cheaper\.$", text)


def test_a_difference_within_chance_is_no_verdict():
    text = said(build_report(build(n=40, candidates=TWINS)).verdict)
    assert "cannot be told apart (" in text
    assert "best" not in text


def test_three_that_cannot_be_told_apart_are_all_named():
    twins = (*TWINS, Candidate("third", 2.3), Candidate("floor", 0.2))
    text = said(build_report(build(n=40, candidates=twins)).verdict)
    assert {name for name in ("large", "tuned", "third", "floor") if name in text.split("cannot")[0]} == {
        "large", "tuned", "third",
    }  # fmt: skip


def test_scores_of_an_llm_judge_alone_are_called_uncorrected_in_words():
    assert "Scores are uncorrected" in first_lines(build_report(build()))


def test_a_report_that_only_the_embedded_judge_graded_says_that_no_llm_judged():
    report = build_report(build(n=80, candidates=APART, judges=(Judge("floor", "embedded"),)))
    assert said(report.verdict).startswith("No LLM judged these answers")
    assert "best" not in first_lines(report)
    assert "uncorrected" not in first_lines(report)


def test_an_llm_judge_leads_over_an_embedded_one_listed_before_it():
    report = build_report(build(n=80, candidates=APART, judges=(Judge("floor", "embedded"), Judge("strict"))))
    assert "answers best" in said(report.verdict)
    assert report.quality == "strict: composite"
    assert [board.judge.name for board in report.boards] == ["floor", "strict"]


def test_without_a_judge_there_are_measures_and_no_verdict():
    report = build_report(build(judges=(), measures=("refusal", "exact_match")))
    assert said(report.verdict).startswith("No LLM judged")
    assert report.boards == ()
    assert report.quality == "exact_match"
    assert len(report.measures) == 2


def test_verdicts_that_nobody_could_read_are_not_called_answers_that_nobody_graded():
    report = build_report(build(n=6, candidates=(Candidate("a", unscored=("unparsable",) * 6),)))
    assert "No verdict of strict on a whole answer could be read" in said(report.verdict)


def test_a_subset_is_stamped_in_the_first_lines():
    dataset = {"name": "docs_qa", "subset": {"n": 40, "of": 480, "seed": 3}}
    assert "Subset: a random 40 of 480 questions (seed 3)" in first_lines(
        build_report(build(config={"dataset": dataset}))
    )


def test_failures_that_change_the_ranking_are_said_in_the_first_lines():
    candidates = (Candidate("fragile", 2.6, failures=("timeout",) * 20), Candidate("steady", 2.2))
    report = build_report(build(n=40, candidates=candidates))
    assert report.boards[0].rows[0].candidate == "fragile"
    assert re.search(r"ranking changes .* count as 0 .*: steady \d\.\d\d, fragile \d\.\d\d", first_lines(report))
    assert "ranking changes" not in first_lines(build_report(build(n=40, candidates=APART)))


def test_the_highest_mean_over_easier_questions_is_no_verdict():
    """`fragile` is worse on every question that it answers, and fails on most of the hard ones."""
    judge = Judge(criteria=(("depth", 1.0),))
    data = build(
        n=40, clusters=None, judges=(judge,), candidates=(Candidate("fragile", failures=("timeout",) * 24), APART[0])
    )
    hard = data.grades["sample_id"].str[2:].astype(int) < 25
    score = hard.map({True: 1.0, False: 3.0}) - (data.grades["candidate"] == "fragile")
    report = build_report(dataclasses.replace(data, grades=data.grades.assign(score=score)))
    text = said(report.verdict)
    assert text.startswith("No verdict: fragile has the highest mean, 1.88 of 3")
    assert re.search(r"yet large is 1\.00 \[0\.18,\s1\.41\] above it on the 16 questions with scores of both\.$", text)
    assert [(row.candidate, row.letters, row.rank) for row in report.boards[0].rows] == [
        ("fragile", "a", (2, 2)),
        ("large", "b", (1, 1)),
    ]


def test_a_lead_names_the_questions_that_it_is_taken_on():
    broken = Candidate("small", 1.2, failures=("rate_limited",) * 10)
    assert (
        said(build_report(build(n=80, candidates=(APART[0], broken))).verdict)
        .partition(" small")[2]
        .startswith(" on the 70 questions with scores of both.")
    )


def test_troubles_are_counted_among_the_facts():
    broken = Candidate("large", 2.6, failures=("timeout", "rate_limited"), unscored=("unparsable",))
    text = "; ".join(facts(build_report(build(n=40, candidates=(broken, Candidate("small", 1.2))))))
    assert "40 questions in 20 clusters; 2 candidates" in text
    assert "3 of 234 verdicts of strict unreadable: bounds below" in text
    assert re.search(r"1 answer of large left out of its mean \(timed out; with them \d\.\d\d\)", text)
    assert "1 answer left out through no fault of a candidate (rate limited)" in text


def test_a_judge_that_was_not_reached_is_a_trouble_of_its_own():
    data = build(n=40, candidates=(Candidate("large", unscored=("error",) * 4), APART[1]))
    text = "; ".join(facts(build_report(data)))
    assert "12 of 240 verdicts of strict left out: the judge was not reached" in text
    assert "unreadable" not in text


def test_faster_and_cheaper_are_said_only_beyond_chance():
    alike = (Candidate("large", 2.6, 0.45, 0.00095), Candidate("small", 1.2, 0.25, 0.001))
    text = said(build_report(build(n=12, clusters=None, candidates=alike)).verdict)
    assert "above small" in text
    assert "faster" not in text
    assert "cheaper" not in text
    untimed = (Candidate("large", 2.6, 6.0, reused=77), Candidate("small", 1.2, 0.3))
    assert "faster" not in said(build_report(build(n=80, candidates=untimed)).verdict)


def test_intervals_of_clustered_rates_are_named_as_such():
    judge = Judge(scale=(0, 1), criteria=(("pass", 1.0),))
    assert "n over the design effect" in build_report(build(n=40, judges=(judge,))).boards[0].words
    assert "95 % Wilson intervals." in build_report(build(n=40, clusters=None, judges=(judge,))).boards[0].words


def test_few_clusters_are_warned_of():
    assert any("only 5 clusters" in text for text in facts(build_report(build(n=40, clusters=5))))


def test_paid_sums_what_is_known_and_names_what_is_not():
    candidates = (Candidate("a", usd=0.0), Candidate("b", usd=None))
    assert facts(build_report(build(n=10, candidates=candidates, judges=())))[-1] == (
        "paid $0 plus calls of b whose price is unknown"
    )
    assert facts(build_report(build(n=10, candidates=(Candidate("a", usd=0.0),))))[-1] == "paid $0.0040"


def test_cost_of_a_candidate_without_a_price_is_unknown_not_zero():
    costs = {c.candidate: c for c in build_report(build(candidates=(Candidate("a", usd=None), Candidate("b")))).costs}
    assert costs["a"].usd_per_1000.value is None
    assert costs["a"].paid_usd is None
    assert costs["b"].usd_per_1000.value == pytest.approx(1.0, rel=0.2)


def test_latency_counts_live_replies_only():
    cost = build_report(build(n=40, candidates=(Candidate("a", reused=30),))).costs[0]
    assert (cost.live, cost.reused, cost.p50.n) == (10, 30, 10)
    assert cost.p95.method == "n too small for an interval of p95"


def test_a_judges_own_cost_and_cache_are_reported():
    judge = build_report(build(n=10, candidates=(Candidate("a"),))).judge_costs[0]
    assert (judge.calls, judge.usd, judge.cached_share) == (10, pytest.approx(0.004), pytest.approx(9 * 1100 / 14000))
    assert judge.usd_per_1000 == pytest.approx(0.4)


def test_what_a_retry_replaced_is_paid_and_is_nobodys_price():
    data = build(n=10, candidates=(Candidate("a"),))
    calls = data.calls.assign(superseded=data.calls["key"].isin(["a-q-0000-0", "strict-a-q-0000-0"]))
    before, after = build_report(data), build_report(dataclasses.replace(data, calls=calls))
    assert after.costs[0].paid_usd == before.costs[0].paid_usd
    assert facts(after)[-1] == facts(before)[-1]
    assert (after.judge_costs[0].calls, after.judge_costs[0].paid_usd) == (9, pytest.approx(0.004))
    assert after.judge_costs[0].usd == pytest.approx(0.0036)


def test_provenance_counts_replies_by_run_and_day():
    report = build_report(build(n=10, candidates=(Candidate("a", reused=4),)))
    assert [(p.run, p.date, p.reused, p.n) for p in report.provenance] == [
        ("run-0", "2026-11-12", True, 4),
        ("run-1", "2026-11-20", False, 6),
    ]


def test_losses_stand_by_owner():
    broken = Candidate("a", failures=("timeout", "rate_limited", "never"), unscored=("unparsable",))
    losses = [(x.owner, x.reason, x.n) for x in build_report(build(n=10, candidates=(broken,))).losses]
    assert losses == [
        ("candidate", "timed out", 1),
        ("ours", "not answered", 1),
        ("ours", "rate limited", 1),
        ("judge strict", "verdict unreadable", 3),
    ]


def test_histograms_count_every_scored_verdict_and_every_composite():
    report = build_report(build(n=40, candidates=(Candidate("a", unscored=("unparsable",) * 2),)))
    (_, found), *_ = report.histograms
    assert {h.measure: sum(h.counts) for h in found} == dict.fromkeys(
        ("composite", "correctness", "comprehensiveness", "readability"), 38
    )
    assert found[1].labels == ("0", "1", "2", "3")


def test_rows_that_cannot_be_told_apart_share_a_letter_and_a_range_of_ranks():
    rows = build_report(build(n=80, candidates=(*TWINS, Candidate("floor", 0.2)))).boards[0].rows
    assert [(row.letters, row.rank) for row in rows] == [("a", (1, 2)), ("a", (1, 2)), ("b", (3, 3))]


def test_a_candidate_that_never_answered_comes_last_without_a_rank():
    rows = build_report(build(n=6, candidates=(Candidate("dead", failures=("timeout",) * 6), *APART))).boards[0].rows
    assert rows[-1].candidate == "dead"
    assert rows[-1].headline.mean is None
    assert (rows[-1].letters, rows[-1].rank) == ("", None)


def test_weights_scale_and_rubric_are_stated_in_words():
    text = build_report(build()).boards[0].words
    assert text.startswith(
        "Composite = 60 % correctness, 20 % comprehensiveness, 20 % readability of each answer on a scale of 0–3 "
        "(rubric docs_qa v3), graded by strict (openai/gpt-4o, 1 worked example per level), uncorrected."
    )


def test_trials_of_a_question_are_not_so_many_timings():
    data = build(n=20, clusters=None, candidates=(Candidate("a", trials=3),))
    same = data.answers.groupby("sample_id")["e2e_s"].transform("first")
    estimate = build_report(dataclasses.replace(data, answers=data.answers.assign(e2e_s=same))).costs[0].p50
    assert estimate.n == 60
    assert re.search(r"of (19|20) of 60$", estimate.method)

"""Labels in a report: whose scores they correct, whose they do not, and what may be compared with what."""

import dataclasses
import os
import re
from pathlib import Path

import numpy as np
import pytest
from labelling import rows, truths, with_labels
from markscheme.reports.cells import score, summary
from markscheme.reports.html import render_html
from markscheme.reports.humans import Rules
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from synthetic import Candidate, Judge, build

GOLDEN = Path(__file__).parent / "golden"
PAIR = (Candidate("large", 2.4, 6.0, 0.0124), Candidate("small", 1.7, 0.3, 0.00054))
TRIO = (*PAIR, Candidate("unlabelled", 2.0, 0.4, None, "vllm/other"))
DEPTH = Judge(criteria=(("depth", 1.0),))


def exam(**changes):
    return build(**{"n": 400, "clusters": None, "candidates": PAIR, **changes})


def said(line):
    return "".join(span.text for span in line)


def cell(data, candidate="large", measure="composite", judge="strict", **more):
    return score(data, **more).cells[candidate, judge, measure]


def composite_truth(truth, candidate):
    weights = {"correctness": 0.6, "comprehensiveness": 0.2, "readability": 0.2}
    own = truth[truth["candidate"] == candidate]
    return float((own["score"] * own["criterion"].map(weights)).groupby(own["sample_id"]).sum().mean())


def holds(estimate, value):
    return estimate.low <= value <= estimate.high


def test_the_corrected_headline_holds_the_truth_and_the_optimistic_judge_alone_does_not():
    data = exam()
    truth = truths(data, optimism=0.4)
    corrected = cell(with_labels(data, rows(truth)))
    value = composite_truth(truth, "large")
    assert corrected.judge_only.value == pytest.approx(value + 0.4, abs=0.05)
    assert holds(corrected.estimate, value)
    assert not holds(corrected.judge_only, value)
    assert corrected.correction.method == "ppi++"
    assert corrected.correction.n_labels == 100
    people = corrected.correction.human_only
    width = corrected.estimate.high - corrected.estimate.low
    assert width / (people.high - people.low) == pytest.approx(corrected.correction.width_ratio)
    assert corrected.correction.width_ratio < 0.9


def test_the_composite_is_corrected_as_one_number_a_sample():
    data = exam()
    truth = truths(data)
    labels = rows(truth)
    whole = cell(with_labels(data, labels)).estimate
    means = labels.pivot_table(index="sample_id", columns="criterion", values="score", aggfunc="mean")
    one = labels[(labels["criterion"] == "correctness") & (labels["candidate"] == "large")]
    large = labels[labels["candidate"] == "large"].pivot(index="sample_id", columns="criterion", values="score")
    human = 0.6 * large["correctness"] + 0.2 * large["comprehensiveness"] + 0.2 * large["readability"]
    alone = cell(with_labels(data, labels)).correction.human_only
    assert (len(means), len(one), alone.n) == (100, 100, 100)
    assert alone.value == pytest.approx(human.mean())
    assert alone.low == pytest.approx(human.mean() - 1.98422 * human.std() / 10, abs=1e-4)
    parts = [cell(with_labels(data, labels), measure=m).estimate for m in ("correctness", "readability")]
    assert whole.high - whole.low < max(part.high - part.low for part in parts)


def test_an_answer_with_a_criterion_unlabelled_has_no_human_composite():
    data = exam()
    labels = rows(truths(data))
    first = labels["sample_id"].unique()[:30]
    gaps = labels["sample_id"].isin(first) & (labels["criterion"] == "readability")
    found = with_labels(data, labels[~gaps])
    assert cell(found).correction.n_labels == 70
    assert cell(found, measure="correctness").correction.n_labels == 100


def test_annotators_are_averaged_before_trials():
    data = exam(judges=(DEPTH,), candidates=(Candidate("large", 2.4, trials=2),))
    truth = truths(data)
    two = rows(truth, annotators=("ann", "bob"))
    harsh = (two["annotator"] == "bob") & (two["trial"] == 0)
    two = two.assign(score=two["score"].mask(harsh, 0.0))
    found = cell(with_labels(data, two[~((two["annotator"] == "bob") & (two["trial"] == 1))]), measure="depth")
    means = two[two["annotator"] == "ann"].groupby(["sample_id", "trial"])["score"].mean().unstack()
    assert found.correction.human_only.value == pytest.approx(float((means[0] / 2 + means[1]).mean() / 2))


def test_labels_of_one_candidate_never_correct_another():
    data = exam()
    found = with_labels(data, rows(truths(data), candidates=["small"]))
    large = cell(found)
    assert not large.corrected
    assert large.estimate == cell(data).estimate
    assert large.correction.reason == "uncorrected: no labels for this candidate"
    assert cell(found, "small").corrected


@pytest.mark.parametrize(
    ("n", "design", "method", "reason"),
    [
        (100, "random", "ppi++", "100 of 400 answers labelled at random"),
        (30, "random", "human-only", "labels alone: 30 labels, fewer than 50"),
        (7, "random", "judge-only", "uncorrected: only 7 labels"),
        (100, "chosen", "judge-only", "uncorrected: the labelled answers were not drawn at random (design: chosen)"),
        (
            100,
            "unknown",
            "judge-only",
            "uncorrected: nobody said how the labelled answers were drawn (design: unknown)",
        ),
    ],
)
def test_the_number_and_the_design_of_the_labels_choose_the_method(n, design, method, reason):
    data = exam()
    found = cell(with_labels(data, rows(truths(data), n=n, design=design))).correction
    assert (found.method, found.reason) == (method, reason)
    assert found.judge_only == cell(data).estimate


def test_labels_drawn_at_random_serve_and_those_picked_on_purpose_are_named_as_unused():
    data = exam()
    truth = truths(data)
    mine = rows(truth, n=60)
    odd = rows(truth.assign(score=3.0), n=300, label_set="odd", design="chosen", seed=1)
    found = cell(with_labels(data, mine, odd))
    assert found.estimate == cell(with_labels(data, mine)).estimate
    assert found.backing.sets == ("panel",)
    assert found.correction.reason.endswith("; the labels odd are not used beside those of panel")


def test_two_random_sets_count_as_one_draw():
    data = exam()
    truth = truths(data)
    found = cell(with_labels(data, rows(truth, n=40), rows(truth, n=40, label_set="later", seed=8)))
    assert found.backing.sets == ("later", "panel")
    assert 60 < found.correction.n_labels == found.backing.n < 80


def test_labels_that_chose_the_judge_do_not_also_correct_it_unless_told_so():
    data = exam()
    config = {**data.info.config, "judges": [{**data.info.config["judges"][0], "selected_on": ["panel"]}]}
    chosen = dataclasses.replace(data, info=dataclasses.replace(data.info, config=config))
    truth = truths(data)
    found = with_labels(chosen, rows(truth))
    reason = "the labels panel chose this judge, so they do not also correct it"
    assert cell(found).correction.reason == f"uncorrected: {reason}"
    assert cell(found, rules=Rules(reuse_labels=True)).corrected
    both = cell(with_labels(chosen, rows(truth), rows(truth, label_set="fresh", seed=9)))
    assert both.backing.sets == ("fresh",)
    assert both.correction.reason.endswith(f"; {reason}")


def test_labels_off_the_judges_scale_are_refused_and_said():
    data = exam()
    labels = rows(truths(data))
    found = cell(with_labels(data, labels.assign(score=labels["score"] + 1)))
    assert found.correction.reason == "uncorrected: the labels panel have scores outside the judge's scale 0–3"


def half(sample):
    return "hard" if int(sample[2:]) % 4 == 0 else "easy"


def stratified(data, truth, **more):
    """Half of the labels from the quarter of hard questions."""
    ids = data.samples["sample_id"]
    hard = [s for s in ids if half(s) == "hard"][:50]
    easy = [s for s in ids if half(s) == "easy"][:50]
    shares = {"hard": 0.25, "easy": 0.75}
    return rows(truth, samples=hard + easy, design="stratified", stratum=half, share=shares.get, **more)


def test_stratified_labels_count_by_the_shares_of_their_strata():
    data = exam(judges=(DEPTH,))
    truth = truths(data)
    truth = truth.assign(score=truth["score"].mask(truth["sample_id"].map(half) == "hard", 0.0))
    found = cell(with_labels(data, stratified(data, truth)), measure="depth")
    value = float(truth[truth["candidate"] == "large"]["score"].mean())
    assert holds(found.estimate, value)
    assert not holds(found.judge_only, value)
    assert (found.correction.method, found.correction.n_judged) == ("ppi++", 400)
    assert found.correction.reason == "100 of 400 answers labelled at random within 2 strata"
    drawn = cell(with_labels(data, stratified(data, truth).assign(design="random")), measure="depth")
    assert not holds(drawn.estimate, value)


def test_a_stratum_without_labels_corrects_nothing():
    data = exam()
    labels = stratified(data, truths(data))
    found = cell(with_labels(data, labels[labels["stratum"] == "easy"]))
    assert found.correction.reason == "uncorrected: the shares of the strata sum to 0.75, not to 1"


def test_rogan_gladen_is_for_those_who_answer_for_the_judge():
    data = exam(judges=(Judge(criteria=(("depth", 1.0),), scale=(0, 1)),))
    truth = truths(data, optimism=0.2)
    found = with_labels(data, rows(truth, n=200, design="chosen"))
    assert cell(found, measure="depth").correction.method == "judge-only"
    vouched = cell(found, measure="depth", rules=Rules(stable_judge=True)).correction
    assert vouched.method == "rogan-gladen"
    assert "assumes that the judge errs equally often everywhere" in vouched.reason
    assert holds(vouched.estimate, float(truth[truth["candidate"] == "large"]["score"].mean()))


def test_the_same_labels_serve_every_judge_whose_scale_they_are_on():
    data = exam(judges=(Judge("strict"), Judge("wide", scale=(1, 5))))
    found = with_labels(data, rows(truths(data)))
    assert cell(found, judge="strict").corrected
    assert "outside the judge's scale 1–5" in cell(found, judge="wide").correction.reason


def test_failures_at_the_lowest_level_move_with_the_corrected_mean():
    data = exam(candidates=(Candidate("large", 2.4, failures=("timeout",) * 100), PAIR[1]))
    found = cell(with_labels(data, rows(truths(data), n=200)))
    assert found.corrected
    assert found.worst == pytest.approx(found.mean * 0.75)
    assert cell(data).worst == pytest.approx(cell(data).mean * 0.75)


def test_a_run_of_another_day_lends_its_labelled_answers():
    data, before = exam(), exam(seed=3)
    truth = truths(before)
    earlier = with_labels(before, rows(truth))
    found = cell(data, earlier=[earlier])
    assert (found.corrected, found.backing.earlier, found.correction.n_judged) == (True, 100, 400)
    assert found.correction.n_labels == 100
    assert found.mean == pytest.approx(composite_truth(truths(data), "large"), abs=0.25)
    twice = cell(with_labels(data, rows(truth)), earlier=[earlier])
    assert (twice.correction.n_labels, twice.backing.earlier) == (100, 0)


def report(data):
    return build_report(data)


def first_lines(found):
    return " ".join([said(found.verdict), *map(said, found.caveats)])


def test_corrected_candidates_are_ranked_by_corrected_means():
    """The judge flatters `small` alone, and by more than it is worse."""
    data = exam(candidates=(Candidate("large", 2.0), Candidate("small", 2.2)), judges=(DEPTH,))
    truth = truths(data, optimism=0.0)
    flattered = truth["candidate"] == "small"
    truth = truth.assign(score=(truth["score"] - 1).clip(lower=0).where(flattered, truth["score"]))
    assert [row.candidate for row in report(data).boards[0].rows] == ["small", "large"]
    found = report(with_labels(data, rows(truth)))
    board = found.boards[0]
    assert board.corrected
    assert [(row.candidate, row.letters) for row in board.rows] == [("large", "a"), ("small", "b")]
    pair = board.comparison.pairs["large", "small"]
    gap = truth[~flattered]["score"].mean() - truth[flattered]["score"].mean()
    assert holds(pair.estimate, gap)
    assert pair.p < 1e-6
    text = first_lines(found)
    assert "large answers best: " in text
    assert "(the judge alone " in text
    assert "corrected by labels on both answers of 100 questions" in text
    assert "uncorrected" not in text


def test_a_corrected_score_is_never_set_against_an_uncorrected_one():
    data = exam(candidates=(Candidate("large", 2.2), Candidate("small", 1.9)))
    found = report(with_labels(data, rows(truths(data, optimism=0.9), candidates=["large"])))
    board = found.boards[0]
    assert not board.corrected
    assert [row.candidate for row in board.rows] == ["large", "small"]
    assert board.rows[0].headline.mean < board.rows[1].headline.mean
    assert board.rows[0].ranked.mean == board.rows[0].headline.judge_only.value
    text = first_lines(found)
    assert "By the judge's own scores: large answers best" in text
    assert "Ranked by the judge's own scores: small is uncorrected." in text
    assert "small: no labels for this candidate." in text
    assert re.search(r"large − small: \S+ \S+ \S+, uncorrected\.", board.words)
    assert "corrected by human labels for large only" in board.words
    assert [point.quality for point in found.points] == [row.ranked.mean for row in board.rows]
    assert found.quality == "strict: composite, uncorrected"


def test_a_difference_is_corrected_only_where_both_answers_of_fifty_questions_are_labelled():
    data = exam(judges=(DEPTH,))
    truth = truths(data)
    ids = list(data.samples["sample_id"])

    def board(shared):
        large = rows(truth, candidates=["large"], samples=ids[:60])
        small = rows(truth, candidates=["small"], samples=ids[60 - shared : 120 - shared])
        return report(with_labels(data, large, small)).boards[0]

    assert board(50).pair_is_corrected("small", "large")
    assert not board(49).pair_is_corrected("large", "small")
    assert board(49).corrected
    assert "uncorrected: labels on both answers of fewer than 50 questions" in board(49).words
    assert board(49).comparison.pairs == report(data).boards[0].comparison.pairs


def test_a_difference_is_peoples_own_where_they_scored_every_answer_however_few_were_picked():
    data = exam(n=30, judges=(DEPTH,))
    truth = truths(data, optimism=0.9)
    board = report(with_labels(data, rows(truth, n=30, design="chosen"))).boards[0]
    assert board.pair_is_corrected("large", "small")
    (pair,) = board.comparison.pairs.values()
    means = truth.groupby("candidate")["score"].mean()
    assert abs(pair.estimate.value) == pytest.approx(abs(means["large"] - means["small"]))
    part = report(with_labels(data, rows(truth, n=29, design="chosen"))).boards[0]
    assert not part.pair_is_corrected("large", "small")


def test_labels_that_correct_nothing_leave_the_headline_uncorrected_and_say_why():
    data = exam()
    found = report(with_labels(data, rows(truths(data), design="unknown")))
    text = first_lines(found)
    assert (
        "Scores are uncorrected: they are the judge's own, and nobody said how the labelled answers were drawn" in text
    )
    before, after = report(data).boards[0], found.boards[0]
    assert [(r.rank, r.candidate, r.headline.estimate, r.letters) for r in before.rows] == [
        (r.rank, r.candidate, r.headline.estimate, r.letters) for r in after.rows
    ]
    assert len(found.backed) == 8


def test_without_labels_nothing_is_said_of_them():
    found = report(exam())
    assert found.backed == ()
    assert "stands behind" not in render_markdown(found)
    assert "stands behind" not in render_html(found).replace("stand behind them", "")


def test_summary_has_the_judges_own_mean_beside_the_corrected_one():
    data = with_labels(exam(measures=("exact_match",)), rows(truths(exam()), candidates=["large"]))
    table = summary(data).set_index(["candidate", "judge", "measure"])
    large, small = (table.loc[name, "strict", "composite"] for name in ("large", "small"))
    assert (large["correction"], small["correction"]) == ("ppi++", "uncorrected")
    assert large["judge_only"] > large["mean"] + 0.2
    assert small["judge_only"] == small["mean"]
    assert (large["n"], table.loc["large", "", "exact_match"]["correction"]) == (400, "")
    assert np.isnan(table.loc["large", "", "exact_match"]["judge_only"])


def test_an_embedded_judge_may_name_the_best_where_labels_correct_it():
    data = exam(judges=(Judge("strict", "embedded"),))
    text = first_lines(report(with_labels(data, rows(truths(data)))))
    assert "large answers best" in text
    assert "floor" not in text
    assert "No LLM judged" in first_lines(report(data))


def test_names_of_label_sets_and_annotators_are_no_markup():
    name = "<img src=x onerror=alert(1)>|"
    data = exam()
    found = report(with_labels(data, rows(truths(data), label_set=name, annotators=(name,))))
    assert "<img" not in render_html(found)
    assert r"\<img" in render_markdown(found)
    assert "| <img" not in render_markdown(found)


@pytest.mark.parametrize(("name", "candidates"), [("corrected", PAIR), ("partly_corrected", TRIO)])
def test_a_report_with_labels_is_as_agreed(name, candidates):
    data = exam(n=120, clusters=60, candidates=candidates)
    labels = rows(truths(data), n=60, candidates=["large", "small"], annotators=("ann", "bob"))
    text = render_markdown(report(with_labels(data, labels)))
    path = GOLDEN / f"{name}.md"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"set WRITE_GOLDEN=1 to accept the new {path.name}"


def test_a_criterion_that_the_judge_found_not_applicable_may_be_unlabelled_where_it_may_drop_out():
    data = exam(judges=(Judge(renormalise=True),))
    truth, ids = truths(data), list(data.samples["sample_id"])
    plain = data.grades["criterion"].eq("readability") & data.grades["sample_id"].isin(ids[:200])
    status = data.grades["status"].mask(plain, "not_applicable")
    graded = dataclasses.replace(data, grades=data.grades.assign(status=status, score=data.grades["score"].mask(plain)))
    labels = rows(truth, n=100)
    inapplicable = labels["criterion"].eq("readability") & labels["sample_id"].isin(ids[:200])
    found = cell(with_labels(graded, labels[~inapplicable]))
    assert found.correction.n_labels == 100
    missing = labels["criterion"].eq("readability") & labels["sample_id"].isin(ids[200:])
    assert cell(with_labels(graded, labels[~missing])).correction.n_labels < 60

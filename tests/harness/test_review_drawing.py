"""What is drawn stands for what is not: means and differences from the labels of a draw hold the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.labels import example_key
from markscheme.harness.records import Answer, Grade, Said, Sample, Scored
from markscheme.harness.review.drawing import Drawn, Wish, draw
from markscheme.harness.review.planning import plan, ratings_each
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.harness.review.strata import bands, named
from markscheme.harness.statistics.correction import Sampling, correct_difference, correct_mean
from markscheme.harness.store import codec, frames, runs
from markscheme.harness.store.frames import RunData, RunInfo, empty_frame
from markscheme.harness.store.load import load
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store
from markscheme.reports.cells import score

N = 600
RUBRIC = {"name": "docs_qa", "scale": [0, 3], "criteria": [{"name": "correctness", "weight": 1.0}]}
JUDGE = {"name": "strict", "rubric": RUBRIC, "repeats": 1}
WISH = Wish("first", "grade", 100, judge="strict")


def run_data(
    said: dict[tuple[str, str, int], str],
    grades: dict[tuple[str, str, int, str, int], float] | None = None,
    clusters: Callable[[str], str] = str,
    **config: Any,
) -> RunData:
    """Answers by sample, candidate, trial; grades by sample, candidate, trial, judge, repeat."""
    samples = list(dict.fromkeys(sample for sample, _, _ in said))
    candidates = list(dict.fromkeys(candidate for _, candidate, _ in said))
    described = {"candidates": [{"name": c} for c in candidates], "judges": [JUDGE, {**JUDGE, "name": "mild"}]} | config
    rows = [
        {
            "sample_id": s,
            "cluster": clusters(s),
            "candidate": c,
            "trial": t,
            "status": "ok",
            "text": text,
            "turns": "[]",
        }
        for (s, c, t), text in said.items()
    ]
    graded = [
        {"sample_id": s, "candidate": c, "trial": t, "judge": j, "repeat": r, "score": value, "turn": 0}
        | {"status": "scored", "criterion": "correctness"}
        for (s, c, t, j, r), value in (grades or {}).items()
    ]
    asked = [{"sample_id": s, "cluster": clusters(s), "question": f"What of {s}?"} for s in samples]
    return RunData(
        info=RunInfo("run", "e.yaml", "", "f", 0.0, None, {}, described),
        samples=pd.DataFrame(asked, columns=list(frames.SAMPLE_COLUMNS)),
        answers=pd.DataFrame(rows, columns=list(frames.ANSWER_COLUMNS)),
        grades=pd.DataFrame(graded, columns=list(frames.GRADE_COLUMNS)),
        scores=empty_frame(frames.SCORE_COLUMNS),
        calls=empty_frame(frames.CALL_COLUMNS),
    )


def answers_to(n: int, *candidates: str, trials: int = 1) -> dict[tuple[str, str, int], str]:
    return {
        (f"s{i}", who, t): f"{who} thinks that number {i} is it, try {t}"
        for i in range(n)
        for who in candidates
        for t in range(trials)
    }


@cache
def truth() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """People's scores of two candidates (2, N), and those of a judge that is kind to bad answers of `mini` alone."""
    rng = np.random.default_rng(5)
    skill = rng.normal(0, 0.8, N)
    human = np.array([np.clip(np.round(2.1 + skill + rng.normal(0, 0.6, N) - a), 0, 3) for a in (0.0, 0.4)])
    kind = rng.random((2, N)) < np.array([[0.6], [0.2]])
    judge = np.where(human <= 1, human + kind, human - (rng.random((2, N)) < 0.15))
    return human, judge


def planted() -> RunData:
    _, judge = truth()
    graded = {
        (f"s{i}", who, 0, "strict", 0): judge[row, i] for row, who in enumerate(("mini", "maxi")) for i in range(N)
    }
    return run_data(answers_to(N, "mini", "maxi"), graded)


def labels_of(drawn: Drawn, who: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], dict[str, float]]:
    """Human scores (N,), NaN where not drawn; strata (N,), '' likewise; the shares of this candidate's strata."""
    human, strata = np.full(N, np.nan), np.full(N, "", dtype=object)
    scores = truth()[0][0 if who == "mini" else 1]
    for item in drawn.items:
        if item.left == who:
            number = int(item.sample_id[1:])
            human[number], strata[number] = scores[number], item.stratum
    shares = {name: share for name, share in drawn.shares.items() if name.startswith(who)}
    return human, strata.astype(str), shares


def test_a_random_draw_takes_every_answer_to_a_question_and_says_how_it_was_drawn():
    drawn = draw(run_data(answers_to(50, "mini", "maxi")), replace(WISH, n=30))
    assert (len(drawn.items), drawn.design, drawn.shares) == (30, "random", {})
    assert Counter(Counter(item.sample_id for item in drawn.items).values()) == {2: 15}
    assert [item.position for item in drawn.items] == list(range(30))
    assert {item.stratum for item in drawn.items} == {""}
    first = drawn.items[0]
    assert first.sha256 == codec.answer_sha256(f"{first.left} thinks that number {first.sample_id[1:]} is it, try 0")


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    data = run_data(answers_to(50, "mini", "maxi"))
    again = draw(data, replace(WISH, n=20, attention=2))
    assert draw(data, replace(WISH, n=20, attention=2)) == again
    assert draw(data, replace(WISH, n=20, attention=2, seed=1)).items != again.items


def test_an_id_is_opaque_and_another_reviews_are_others():
    data = run_data(answers_to(50, "mini", "maxi"))
    one, other = (draw(data, replace(WISH, name=name)).items for name in ("first", "second"))
    assert len({item.id for item in [*one, *other]}) == 200
    assert not any("mini" in item.id or item.sample_id in item.id for item in one)


def test_every_answer_is_drawn_equally_often_whatever_the_trial():
    data = run_data(answers_to(10, "mini", "maxi", trials=2))
    counts = Counter(
        (item.sample_id, item.left, item.trial)
        for seed in range(400)
        for item in draw(data, replace(WISH, n=5, seed=seed)).items
    )
    assert len(counts) == 40 and sum(counts.values()) == 2000
    assert all(25 <= count <= 80 for count in counts.values()), "50 each, give or take"


def test_more_items_than_there_are_answers_are_all_of_them():
    said = answers_to(4, "mini", "maxi")
    del said["s0", "maxi", 0]
    assert len(draw(run_data(said), WISH).items) == 7


@pytest.mark.parametrize("how", ["random", "candidate", "score"])
def test_candidates_are_drawn_equally_often(how: Any):
    drawn = draw(planted(), replace(WISH, how=how))
    assert Counter(item.left for item in drawn.items) == {"mini": 50, "maxi": 50}


def test_by_candidate_each_one_has_questions_and_a_stratum_of_its_own():
    drawn = draw(run_data(answers_to(50, "mini", "maxi")), replace(WISH, n=20, how="candidate"))
    assert (drawn.design, drawn.shares) == ("stratified", {"mini": 1.0, "maxi": 1.0})
    assert all(item.stratum == item.left for item in drawn.items)
    assert len({item.sample_id for item in drawn.items}) > 10


def test_by_score_rare_scores_are_seen_as_often_as_frequent_ones_and_shares_are_those_of_all_answers():
    drawn = draw(planted(), replace(WISH, how="score"))
    judge = truth()[1].mean(axis=0)
    mine = {name: share for name, share in drawn.shares.items() if name.startswith("mini: ")}
    seen = Counter(item.stratum for item in drawn.items if item.left == "mini")
    assert sum(mine.values()) == pytest.approx(1) and len(mine) == 4
    assert max(seen.values()) - min(seen.values()) <= 1
    assert mine["mini: 3"] == pytest.approx(np.mean(np.round(judge) == 3))
    assert max(mine.values()) > 3 * min(mine.values())


def test_questions_that_the_judge_did_not_score_are_not_drawn_by_score():
    graded = {(f"s{i}", "mini", 0, "strict", 0): float(i % 4) for i in range(30)}
    drawn = draw(run_data(answers_to(50, "mini"), graded), replace(WISH, how="score"))
    assert {item.sample_id for item in drawn.items} == {f"s{i}" for i in range(30)}
    assert sum(drawn.shares.values()) == pytest.approx(1)


def test_shares_are_those_of_each_candidates_own_answers():
    data = planted()
    gone = (data.answers["candidate"] == "maxi") & (np.arange(2 * N) < N)
    data = replace(data, answers=data.answers[~gone])
    drawn = draw(data, replace(WISH, how="score"))
    totals = [sum(s for name, s in drawn.shares.items() if name.startswith(who)) for who in ("mini: ", "maxi: ")]
    assert totals == [pytest.approx(1), pytest.approx(1)]
    assert drawn.shares["mini: 3"] != drawn.shares["maxi: 3"]


def test_by_disagreement_contested_answers_are_seen_more_often():
    graded = {(f"s{i}", "mini", 0, "strict", 0): 2.0 for i in range(200)}
    graded |= {(f"s{i}", "mini", 0, "mild", 0): 0.0 if i < 20 else 2.0 for i in range(200)}
    drawn = draw(run_data(answers_to(200, "mini"), graded), replace(WISH, n=30, how="disagreement"))
    assert drawn.shares == {"mini: 0": 0.9, "mini: 0.75": 0.1}
    assert Counter(item.stratum for item in drawn.items) == {"mini: 0": 15, "mini: 0.75": 15}


def test_repeats_of_one_judge_disagree_too_and_a_single_verdict_does_not():
    graded = {(f"s{i}", "mini", 0, "strict", r): float(r * (i < 30)) for i in range(60) for r in range(2)}
    data = run_data(answers_to(60, "mini"), graded)
    assert len(draw(data, replace(WISH, n=20, how="disagreement")).shares) == 2
    once = run_data(answers_to(5, "mini"), {(f"s{i}", "mini", 0, "strict", 0): 1.0 for i in range(5)})
    with pytest.raises(InputError, match="--design disagreement: every answer of run run was graded once"):
        draw(once, replace(WISH, how="disagreement"))


def test_pairs_are_two_candidates_answers_to_one_question_in_exam_order():
    data = run_data(answers_to(20, "mini", "maxi", "old", trials=2))
    drawn = draw(data, replace(WISH, mode="pairs", n=30))
    pairs = Counter((item.left, item.right) for item in drawn.items)
    assert pairs == {("mini", "maxi"): 10, ("mini", "old"): 10, ("maxi", "old"): 10}
    item = drawn.items[0]
    texts = [
        f"{who} thinks that number {item.sample_id[1:]} is it, try {item.trial}" for who in (item.left, item.right)
    ]
    assert item.sha256 == ":".join(map(codec.answer_sha256, texts))


def test_pairs_are_stratified_by_how_far_the_judge_finds_them_apart():
    drawn = draw(planted(), replace(WISH, mode="pairs", how="score", n=60))
    assert drawn.design == "stratified" and sum(drawn.shares.values()) == pytest.approx(1)
    assert all(name.startswith("mini | maxi: ") for name in drawn.shares)
    assert set(drawn.shares) == {item.stratum for item in drawn.items}


def test_an_attention_item_is_the_answer_of_another_document_and_expects_the_lowest_score():
    data = run_data(answers_to(40, "mini"), clusters=lambda sample: f"doc{int(sample[1:]) % 4}")
    drawn = draw(data, replace(WISH, n=20, attention=5, lowest=1))
    tests = [item for item in drawn.items if item.attention]
    assert len(drawn.items) == 25 and len(tests) == 5
    assert {item.position for item in tests} != set(range(20, 25)), "somewhere between the others"
    assert not {item.sample_id for item in tests} & {item.sample_id for item in drawn.items if not item.attention}
    for item in tests:
        assert (item.attention, item.stratum, item.right) == ("1", "", "")
        assert int(item.answer_of[1:]) % 4 != int(item.sample_id[1:]) % 4
        assert item.sha256 == codec.answer_sha256(f"mini thinks that number {item.answer_of[1:]} is it, try 0")


def test_the_real_answer_of_an_attention_pair_is_to_win_on_either_side():
    drawn = draw(run_data(answers_to(60, "mini", "maxi")), replace(WISH, mode="pairs", n=10, attention=20))
    tests = [item for item in drawn.items if item.attention]
    assert {item.attention for item in tests} == {"left", "right"}
    for item in tests:
        of = [item.sample_id if side == item.attention else item.answer_of for side in ("left", "right")]
        texts = [f"{who} thinks that number {s[1:]} is it, try 0" for who, s in zip(("mini", "maxi"), of, strict=True)]
        assert item.sha256 == ":".join(map(codec.answer_sha256, texts))


def test_the_least_fitting_answer_is_put_under_the_question():
    said = answers_to(3, "mini")
    said["s1", "mini", 0] = "what of s0 or mini thinks that number 0 is it"
    said["s2", "mini", 0] = "bananas ripen quickly near other fruit"
    drawn = draw(run_data(said), replace(WISH, n=1, attention=3))
    assert {item.answer_of for item in drawn.items if item.sample_id == "s0" and item.attention} == {"s2"}


def test_too_few_or_too_short_answers_make_no_attention_items():
    said = {(f"s{i}", "mini", 0): "yes" for i in range(10)}
    with pytest.raises(InputError, match="--attention 2: run run has answers for 0 such items"):
        draw(run_data(said), replace(WISH, attention=2))


def test_a_worked_example_is_never_drawn():
    judge = {**JUDGE, "worked_examples": [example_key("What of s3?"), example_key("the shown answer")]}
    said = answers_to(8, "mini") | {("s5", "mini", 0): "the shown  answer"}
    drawn = draw(run_data(said, judges=[judge]), WISH)
    assert {item.sample_id for item in drawn.items} == {"s0", "s1", "s2", "s4", "s6", "s7"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n": 0}, "--n 0: must be 1 or more"),
        ({"attention": -1}, "--attention -1: must be 0 or more"),
        ({"seed": -1}, "--seed -1: must be 0 or more"),
        ({"how": "score", "judge": "eve"}, "--judge 'eve': run run has no scores of it; judges with scores are none"),
        ({"mode": "pairs"}, "--mode pairs: run run has no question that two candidates answered; grade instead"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict[str, Any], said: str):
    with pytest.raises(InputError, match=said):
        draw(run_data(answers_to(5, "mini")), replace(WISH, **changes))


def test_a_run_without_words_is_refused():
    with pytest.raises(InputError, match="no answer to rate"):
        draw(run_data({("s0", "mini", 0): ""}), WISH)


def test_bands_are_merged_until_each_is_large_enough():
    levels = [0] * 2 + [1] * 3 + [2] * 40 + [3] * 55
    assert bands(levels, most=9, least=1) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert bands(levels, most=9, least=5) == [(0, 1), (2, 2), (3, 3)]
    assert bands(levels, most=2, least=5) == [(0, 2), (3, 3)]
    assert bands(levels, most=1, least=5) == bands([0, 3], most=5, least=5) == [(0, 3)]
    assert [named((0, 1), 1.0), named((2, 2), 1.0), named((1, 3), 0.25)] == ["0–1", "2", "0.25–0.75"]


def test_the_plan_says_how_many_labels_an_interval_takes():
    data = planted()
    found = {(one.candidate, one.rho): one for one in plan(data, "strict", 0.3)}
    assert found["mini", 0.9].n_judged == N
    assert found["mini", 0.9].sd == pytest.approx(truth()[1][0].std(ddof=1))
    labels = [found["mini", rho].labels or 0 for rho in (0.5, 0.7, 0.9)]
    assert labels[0] > labels[1] > labels[2] >= 10
    assert plan(data, "strict", 1e-3)[0].labels is None
    with pytest.raises(InputError, match="--width 0"):
        plan(data, "strict", 0.0)
    assert ratings_each(100, 3, 0.3) == 30 + 24 and ratings_each(10, 1, 0.0) == 10


@pytest.mark.slow
@pytest.mark.parametrize("how", ["random", "candidate", "score"])
def test_means_and_differences_from_the_labels_of_a_draw_hold_the_truth(how: Any):
    human, judge = truth()
    data, held, plain = planted(), [], []
    for seed in range(250):
        drawn = draw(data, replace(WISH, n=160, how=how, seed=seed))
        (a, strata, shares), (b, _, _) = labels_of(drawn, "mini"), labels_of(drawn, "maxi")
        sampling = Sampling(drawn.design, strata if shares else None, shares)
        mean = correct_mean(judge[0], a, sampling, scale=(0, 3))
        both = ~np.isnan(a + b)
        cells = [(mean, human[0].mean())]
        if how != "candidate":
            parts = (np.where(both, a, np.nan), judge[1], np.where(both, b, np.nan))
            cells.append((correct_difference(judge[0], *parts, sampling), human[0].mean() - human[1].mean()))
        assert all(cell.method == "ppi++" for cell, _ in cells)
        held.append([cell.estimate.low <= value <= cell.estimate.high for cell, value in cells])
        naive = correct_mean(judge[0], a, Sampling("random"), scale=(0, 3)).human_only
        plain.append(naive.low <= human[0].mean() <= naive.high)
    assert (np.mean(held, axis=0) >= 0.92).all(), np.mean(held, axis=0)
    if how == "score":
        assert np.mean(plain) < 0.3, "labels drawn by score stand for nothing without the weights"


def answered_run(store: Store) -> runs.Run:
    """The planted run in a workspace."""
    _, judge = truth()
    run = runs.begin(store, "exam.yaml", {})
    config = {"candidates": [{"name": "mini"}, {"name": "maxi"}], "judges": [JUDGE]}
    runs.describe_run(store, run, "f", config, {})
    store.put_samples(run.id, [Sample(f"s{i}", f"What of s{i}?", sha256=f"x{i}") for i in range(N)])
    said = [Answer(run.id, s, who, t, Said(text)) for (s, who, t), text in answers_to(N, "mini", "maxi").items()]
    store.put({"answers": [codec.answer_to_row(answer, 0) for answer in said]})
    graded = [
        Grade(run.id, f"s{i}", who, 0, "strict", "correctness", Scored(float(judge[row, i])))
        for row, who in enumerate(("mini", "maxi"))
        for i in range(N)
    ]
    store.put({"grades": [codec.grade_to_row(grade, 0) for grade in graded]})
    return runs.find(store, run.id)


def test_what_two_raters_said_corrects_the_report_of_the_run_by_the_weights_of_the_draw(tmp_path: Path):
    store = Store(tmp_path)
    run = answered_run(store)
    drawn = draw(load(store, run), replace(WISH, how="score", n=160, attention=3))
    levels = {"correctness": (0, 1, 2, 3)}
    review = Review("first", run.id, "grade", "docs_qa", levels, ("ann", "ben"), drawn.design, 0, 1.0, drawn.shares)
    kept = Reviews(store)
    kept.begin(review, drawn.items)
    for item in kept.items(review):
        row = 0 if item.left == "mini" else 1
        said = 3 if item.attention else int(truth()[0][row, int(item.sample_id[1:])])
        for rater in review.raters:
            kept.rate(review, item, Rating(item.id, rater, {"correctness": said}))
    cells = score(load(store, run)).cells
    store.close()
    real = [item for item in drawn.items if not item.attention]
    for row, who in enumerate(("mini", "maxi")):
        cell = cells[who, "strict", "correctness"]
        human, strata, shares = labels_of(Drawn(real, drawn.design, drawn.shares), who)
        wanted = correct_mean(truth()[1][row], human, Sampling("stratified", strata, shares), scale=(0, 3))
        assert (cell.corrected, cell.estimate.value) == (True, pytest.approx(wanted.estimate.value))
        assert (
            abs(cell.estimate.value - truth()[0][row].mean()) < 0.15 < abs(np.nanmean(human) - truth()[0][row].mean())
        )
        assert cell.backing is not None and cell.backing.annotators == ("ann", "ben")
        assert (cell.backing.design, cell.backing.n) == ("stratified", 80)


def test_an_item_is_what_the_store_shows(tmp_path: Path):
    store = Store(tmp_path)
    run = answered_run(store)
    review = Review("first", run.id, "pairs", "docs_qa", {}, ("ann",), "random", 0)
    kept = Reviews(store)
    items: list[Item] = draw(load(store, run), replace(WISH, mode="pairs", n=20, attention=6)).items
    kept.begin(review, items)
    for item in kept.items(review):
        shown = kept.texts(review, item)
        of = [item.answer_of if item.attention not in ("", side) else item.sample_id for side in ("left", "right")]
        assert shown.stale == "" and shown.question == f"What of {item.sample_id}?"
        assert [text.partition(" is it")[0] for text in shown.answers] == [
            f"{who} thinks that number {sample[1:]}" for who, sample in zip(("mini", "maxi"), of, strict=True)
        ]
    store.close()

"""The pairwise sections of a report: what is counted how, what is missing, and what is said about it."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from markscheme.harness.store.frames import PREFERENCE_COLUMNS
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.pairwise import compared
from markscheme.reports.report import build_report
from synthetic import HOSTILE, Candidate, build

STRENGTH = {"large": 1.0, "small": 0.2, "tiny": -0.8}
DUEL = {
    "name": "duel", "mode": "pairwise", "model": "openai/gpt-4o", "shots": 1, "against": None, "prompt": "You compare.",
    "rubric": {"name": "pairwise", "version": "1", "sha256": "ab" * 32, "kind": "pairwise"},
}  # fmt: skip


def run(pairs, names=("large", "small"), n=40, judge=DUEL, **changes):
    """A run of ``n`` questions in which ``pairs(question, left, right)`` gives both winners, or statuses."""
    candidates = tuple(Candidate(name, trials=changes.pop("trials", 1)) for name in names)
    data = build(candidates=candidates, judges=(), n=n, clusters=changes.pop("clusters", None), **changes)
    rows = []
    for s, cluster in zip(data.samples["sample_id"], data.samples["cluster"], strict=True):
        for i, left in enumerate(names):
            for right in names[i + 1 :]:
                for order, said in zip(("left_first", "right_first"), pairs(int(s[2:]), left, right), strict=True):
                    if said is not None:
                        rows.append(preference(s, cluster, left, right, order, said))
    config = {**data.info.config, "judges": [judge]}
    table = pd.DataFrame(rows, columns=PREFERENCE_COLUMNS)
    return dataclasses.replace(data, info=dataclasses.replace(data.info, config=config), preferences=table)


def preference(s, cluster, left, right, order, said):
    won = said.removesuffix("!")  # decided without a call
    scored = won in ("left", "right", "tie")
    calls = "[]" if said.endswith("!") else json.dumps([f"{s}-{left}-{right}-{order}"])
    place = (s, cluster, left, right, 0, "duel", order, 0)
    return (*place, "scored" if scored else won, won if scored else "", "so", "" if scored else "why", calls)


def only(data):
    (found,) = compared(data)
    return found


def drawn(seed=0, first=0.0, spread=1.0):
    """Winners by strength; a judge that prefers the first place by ``first``."""
    rng = np.random.default_rng(seed)

    def winners(question, left, right):
        gap = STRENGTH[left] - STRENGTH[right] + rng.logistic() * spread
        seen = [gap + first, gap - first]
        return ["tie" if abs(g) < 0.3 else "left" if g > 0 else "right" for g in seen]

    return winners


def test_a_pair_counts_one_only_where_both_orders_name_the_same_winner():
    cases = [
        ("left", "left"), ("right", "right"), ("tie", "tie"), ("left", "right"), ("right", "left"), ("left", "tie"),
        ("tie", "right"), ("left", "left"),
    ]  # fmt: skip
    (duel,) = only(run(lambda q, *_: cases[q], n=8)).duels
    assert (duel.rate.wins, duel.rate.ties, duel.rate.losses) == (2, 5, 1)
    assert duel.rate.estimate.value == pytest.approx((2 + 2.5) / 8)
    assert duel.expected == 8 and duel.missing == {}


def test_consistency_and_preference_for_a_place_are_those_of_the_orders():
    cases = [("left", "left")] * 5 + [("tie", "tie")] + [("left", "right")] * 3 + [("right", "left")]
    orders = only(run(lambda q, *_: cases[q], n=10)).orders
    assert orders.consistent.value == pytest.approx(0.6)
    assert (orders.first, orders.second) == (3, 1)
    assert orders.preference.value == pytest.approx(0.2)
    assert orders.p == pytest.approx(0.625)  # 2 * P(at most 1 of 4)
    assert orders.independent


def test_what_the_rubric_decided_says_nothing_about_the_judge():
    cases = [("left!", "left!")] * 6 + [("left", "right")] * 4
    found = only(run(lambda q, *_: cases[q], n=10))
    assert found.orders.consistent.value == 0 and found.orders.consistent.n == 4
    assert found.duels[0].rate.wins == 6


def test_a_comparison_without_both_verdicts_is_missing_and_never_a_tie():
    cases = [("left", "unparsable"), ("left", None), ("refused", "refused"), (None, None), ("left", "left")]
    (duel,) = only(run(lambda q, *_: cases[q], n=5)).duels
    assert duel.rate.estimate.n == 1 and duel.rate.ties == 0
    assert duel.missing == {"judge refused": 1, "not compared": 2, "verdict unreadable": 1}


def test_a_failed_answer_is_missing_with_its_own_reason():
    def winners(question, left, right):
        return (None, None) if question < 3 else ("left", "left")

    data = build(candidates=(Candidate("large", failures=("timeout",) * 3), Candidate("small")), judges=(), n=10)
    rest = run(winners, n=10)
    (duel,) = only(dataclasses.replace(data, info=rest.info, preferences=rest.preferences)).duels
    assert duel.missing == {"answer timed out": 3}


def test_two_sides_of_a_duel_mirror_each_other():
    found = only(run(drawn()))
    here, there = found.duel("large", "small"), found.duel("small", "large")
    assert here.rate.estimate.value == pytest.approx(1 - there.rate.estimate.value)
    assert here.rate.estimate.low == pytest.approx(1 - there.rate.estimate.high)
    assert (here.rate.wins, here.side) == (there.rate.losses, -there.side)
    assert here.side == 1


def test_three_candidates_are_rated_and_ranked():
    found = only(run(drawn(), tuple(STRENGTH), n=200))
    assert [row.ranks for row in found.ratings.models] == [(1, 1), (2, 2), (3, 3)]
    assert found.preferred == "large"
    assert only(run(drawn())).ratings is None


def test_two_candidates_give_p_and_three_give_holms():
    three = only(run(drawn(3, spread=3.0), tuple(STRENGTH), n=60))
    assert all(duel.p >= duel.rate.p for duel in three.duels) and any(duel.p > duel.rate.p for duel in three.duels)
    (duel,) = only(run(drawn(3, spread=3.0))).duels
    assert duel.p == duel.rate.p


def test_against_shows_pairs_with_that_candidate_only():
    judge = {**DUEL, "against": "tiny"}
    found = only(run(drawn(), tuple(STRENGTH), judge=judge))
    assert [(duel.left, duel.right) for duel in found.duels] == [("large", "tiny"), ("small", "tiny")]
    assert found.duel("large", "small") is None and found.preferred == ""
    assert "The answers of tiny and of each other candidate" in render_markdown(
        build_report(run(drawn(), tuple(STRENGTH), judge=judge))
    )


def test_pages_say_who_is_preferred_and_that_nothing_is_corrected():
    report = build_report(run(drawn(), tuple(STRENGTH), n=200))
    text, page = render_markdown(report), render_html(report)
    assert "**large** is preferred to every other candidate, to **small** with" in text
    assert "Preferences are uncorrected" in text and "Preferences are uncorrected" in page
    assert text.count("## Pairwise") == 1 and '<svg class="wins"' in page
    assert "Bradley–Terry strengths as Elo" in text and "Same winner in both orders" in page
    assert "No LLM judged" not in text


def test_two_candidates_that_cannot_be_told_apart_are_said_to_be_so():
    text = render_markdown(build_report(run(lambda q, *_: [("left", "left"), ("right", "right")][q % 2])))
    assert "**large** and **small** cannot be told apart (50 % \\[35, 65\\])" in text


def test_a_judge_that_prefers_a_place_is_told_of():
    text = render_markdown(build_report(run(drawn(first=2.0), n=100)))
    assert "names the same winner in both orders in only" in text
    assert "duel prefers what stands first" in text
    assert "duel prefers" not in render_markdown(build_report(run(drawn(), n=100)))


def test_unreadable_verdicts_are_counted_at_the_head():
    text = render_markdown(build_report(run(lambda q, *_: ("unparsable", "left") if q < 4 else ("left", "left"))))
    assert "4 of 80 verdicts of duel on pairs missing (verdict unreadable)" in text
    assert "| large against small | judge duel | verdict unreadable | 4 of 40 |" in text


def test_an_undefeated_candidate_is_named_and_no_interval_is_shown():
    def winners(question, left, right):
        return ("left", "left") if left == "large" or question % 2 else ("right", "right")

    text = render_markdown(build_report(run(winners, tuple(STRENGTH))))
    assert "large never lost to and never tied with those below" in text
    assert "| large | 1" in text and "| – | 1 |" in text


def test_no_comparison_yet_is_said():
    text = render_markdown(build_report(run(lambda *_: (None, None))))
    assert "No answers have been compared yet." in text
    assert "40 not compared" in text


def test_what_names_and_models_hold_is_no_markup():
    name = HOSTILE[0][:60]
    page = render_html(
        build_report(run(lambda *_: ("left", "left"), ("large", name), judge={**DUEL, "name": name, "model": name}))
    )
    assert name not in page


def test_a_matrix_that_is_too_wide_for_half_a_page_has_the_whole_width():
    fields = (tuple(STRENGTH), ("a", "b", "c", "d"))
    three, four = (render_html(build_report(run(lambda *_: ["tie", "tie"], names))) for names in fields)
    beside = '<div class="cols">\n  <div class="card"><h3>How often the row was preferred'
    assert beside in three and beside not in four and "How often the row was preferred" in four

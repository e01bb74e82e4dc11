"""Votes on pairs in the two setups of MT-Bench, and one level at a time."""

import numpy as np
import pytest
from markscheme.harness.statistics.classes import ClassScores, class_scores, macro, sensitivity_specificity
from markscheme.harness.statistics.rates import wilson
from markscheme.harness.statistics.votes import Votes, vote_agreement
from sklearn.metrics import precision_recall_fscore_support

JUDGE = Votes(["q1", "q2", "q3", "q4"], ["left", "tie (inconsistent)", "right", "left"])
PEOPLE = Votes(
    ["q1", "q1", "q1", "q2", "q2", "q3", "q9"],
    ["left", "left", "right", "tie", "left", "tie", "left"],
)


def test_every_pair_of_votes_on_an_item_counts_and_s2_drops_those_with_a_tie():
    s1, s2 = vote_agreement(JUDGE, PEOPLE)
    # q1: left with left, left, right; q2: tie with tie, left; q3: right with tie; q4 and q9 have one side only.
    assert (s1.setup, s1.agreement.value, s1.pairs, s1.dropped, s1.by_chance) == ("S1", 3 / 6, 6, 0, 1 / 3)
    assert (s2.setup, s2.agreement.value, s2.pairs, s2.dropped, s2.by_chance) == ("S2", 2 / 3, 3, 3, 1 / 2)


def test_people_among_themselves_are_compared_once_a_pair():
    s1, s2 = vote_agreement(PEOPLE)
    assert (s1.agreement.value, s1.pairs) == (1 / 4, 4)  # three pairs on q1, one on q2
    assert (s2.agreement.value, s2.pairs, s2.dropped) == (1 / 3, 3, 1)


def test_pairs_of_an_item_share_a_cluster_and_items_share_a_question():
    rng = np.random.default_rng(0)
    items = list(range(200))
    judge = Votes(items, list(rng.choice(["left", "right"], 200)))
    people = Votes(items * 3, list(judge.winners) * 3)
    same = vote_agreement(judge, people)[0].agreement
    assert same.low < wilson(600, 600)[0]  # 200 items and not 600 pairs stand behind it
    by_question = vote_agreement(judge, Votes(items, judge.winners), clusters={i: i // 20 for i in items})[0]
    assert by_question.agreement.low < wilson(200, 200)[0]


def test_no_common_item_has_no_value():
    s1, _ = vote_agreement(JUDGE, Votes(["q7"], ["left"]))
    assert (s1.agreement.value, s1.pairs) == (None, 0)


def test_precision_recall_and_f1_are_sklearns():
    rng = np.random.default_rng(2)
    truth, judge = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    table = np.zeros((3, 3))
    np.add.at(table, (judge, truth), 1)
    expected = precision_recall_fscore_support(truth, judge)
    found = class_scores(table.tolist())
    for k in range(3):
        assert (found[k].precision, found[k].recall, found[k].f1) == pytest.approx([e[k] for e in expected[:3]])
    whole = macro(table.tolist())
    assert (whole.precision, whole.recall, whole.f1) == pytest.approx([e.mean() for e in expected[:3]])


def test_a_level_that_was_never_given_has_no_precision_and_one_that_never_was_true_no_recall():
    assert class_scores([[0, 0], [3, 0]]) == (ClassScores(None, 0.0, 0.0), ClassScores(0.0, None, 0.0))
    assert macro([[2, 0, 0], [1, 1, 0], [0, 0, 0]]).recall == pytest.approx((2 / 3 + 1) / 2)


def test_sensitivity_and_specificity_have_wilsons_interval():
    judge = [1] * 27 + [0] * 3 + [0] * 8 + [1] * 2
    truth = np.array([1] * 30 + [0] * 10, float)[:, None]
    sensitivity, specificity = sensitivity_specificity(judge, truth)
    assert (sensitivity.low, sensitivity.high) == pytest.approx((0.7437892, 0.9654001), abs=5e-8)
    assert (specificity.value, specificity.n) == (0.8, 10)
    assert sensitivity_specificity([1], [[1.0]])[1].value is None


def test_several_labels_of_an_item_are_one_cluster():
    judge, truth = [1] * 20 + [0] * 20, np.ones((40, 3))
    sensitivity, _ = sensitivity_specificity(judge, truth)
    assert sensitivity.n == 120
    assert sensitivity.low < wilson(60, 120)[0]

"""The alternative annotator test: each step by hand, and who passes and who does not."""

import numpy as np
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.statistics.alternative import (
    alternative_annotator_test,
    alternative_annotator_tests,
    benjamini_hochberg,
    benjamini_yekutieli,
)
from scipy import stats

nan = float("nan")
HUMANS = np.array([[0, 0, 3], [1, 1, 1], [2, 3, 3], [0, nan, 2], [nan, nan, 1], [3, 3, 3]])
JUDGE = np.array([0, 1, 3, 1, 1, nan])


def three_annotators(n=60, seed=0, noise=0.3):
    """A truth 0..3 that three annotators see with noise, and the generator to make a judge of it."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n)
    seen = truth[:, None] + np.where(rng.random((n, 3)) < noise, rng.choice([-1, 1], (n, 3)), 0)
    return rng, truth, np.clip(seen, 0, 3).astype(float)


def test_wins_are_counted_as_by_hand():
    found = alternative_annotator_test(JUDGE, HUMANS, 0.2, "accuracy", minimum=2)
    # Annotator 0 beside the other two, items 0 to 3, judge then annotator: 1/2 1/2 · 1 1 · 1 0 · 0 0.
    # Annotator 1, items 0 to 2: 1/2 1/2 · 1 1 · 1/2 1/2. Annotator 2: 1 0 · 1 1 · 1/2 1/2 · 0 0.
    by_hand = [(0, 4, 1.0, -0.25), (1, 3, 1.0, 0.0), (2, 4, 1.0, -0.25)]
    assert [(one.annotator, one.n, one.advantage, one.behind) for one in found.against] == by_hand
    assert (found.n, found.dropped, found.advantage, found.skipped) == (4, 2, 1.0, ())


def test_closeness_decides_under_neg_rmse():
    humans = np.array([[0, 2, 2], [0, 0, 3]] * 20, float)
    judge = np.array([1, 3] * 20)
    found = {one.annotator: one for one in alternative_annotator_test(judge, humans, 0.1, "neg_rmse").against}
    # Squares on item 0, judge and annotator: 1+1 to 4+4 beside 2 and 2; 1+1 to 4+0 beside 0 and 2, twice.
    # On item 1: 9+0 to 0+9 beside 0 and 3, twice; 9+9 to 9+9 beside 0 and 0.
    assert [(found[j].advantage, found[j].behind) for j in range(3)] == [(1.0, -0.5)] * 3
    other = alternative_annotator_test(np.array([3, 1] * 20), humans, 0.1, "neg_rmse").against[1]
    assert (other.advantage, other.behind) == (0.5, 0.0)  # 9+1 to 4+0 and 1+4 to 0+9


def test_p_is_that_of_a_one_sided_t_test_and_of_wilcoxon_below_30_items():
    rng, truth, humans = three_annotators()
    judge = np.clip(truth + rng.integers(-1, 2, 60), 0, 3)
    found = alternative_annotator_test(judge, humans, 0.15, "neg_rmse").against[0]
    others = humans[:, 1:]
    gap = ((judge[:, None] - others) ** 2).mean(1) - ((humans[:, :1] - others) ** 2).mean(1)
    behind = (gap >= 0).astype(float) - (gap <= 0)
    assert (found.test, found.p) == (
        "t",
        pytest.approx(stats.ttest_1samp(behind, 0.15, alternative="less").pvalue, rel=1e-9),
    )
    few = alternative_annotator_test(judge[:20], humans[:20], 0.15, "neg_rmse", minimum=20).against[0]
    assert (few.test, few.p) == (
        "Wilcoxon",
        pytest.approx(stats.wilcoxon(behind[:20] - 0.15, alternative="less").pvalue),
    )


def test_a_judge_as_good_as_the_truth_passes_and_a_guessing_one_does_not():
    rng, truth, humans = three_annotators(n=100)
    good = alternative_annotator_test(truth, humans, 0.1, "neg_rmse")
    assert (good.passed, good.winning_rate, good.notes) == (True, 1.0, ())
    guess = alternative_annotator_test(rng.integers(0, 4, 100), humans, 0.1, "neg_rmse")
    assert (guess.passed, guess.winning_rate) == (False, 0.0)
    assert guess.advantage < good.advantage


def test_epsilon_is_what_the_judge_may_lag_behind():
    humans = np.tile([[0, 0, 0], [0, 0, 1]], (30, 1)).astype(float)
    judge = np.array([0, 0] * 25 + [1, 1] * 5)  # behind on one item in six
    found = {eps: alternative_annotator_test(judge, humans, eps, "accuracy").winning_rate for eps in (0.0, 0.3)}
    assert found[0.0] < 0.5 <= found[0.3]


def test_an_annotator_who_is_never_beaten_nor_wins_counts_as_met():
    labels = np.tile(np.arange(4.0)[:, None], (10, 3))
    found = alternative_annotator_test(labels[:, 0], labels, 0.1, "accuracy")
    assert [(one.p, one.won) for one in found.against] == [(0.0, True)] * 3


def test_annotators_with_few_items_are_skipped_and_named():
    _, truth, humans = three_annotators()
    humans[10:, 2] = nan
    found = alternative_annotator_test(truth, humans, 0.1, "neg_rmse")
    assert (found.skipped, len(found.against)) == ((2,), 2)
    assert "only 2 annotators: three or more are advised" in found.notes


def test_nobody_to_test_against_is_an_error_that_says_what_is_missing():
    _, truth, humans = three_annotators(n=12)
    with pytest.raises(
        InputError, match=r"an annotator with 30 items .* the most that one has is 12 \(label 50 to 100"
    ):
        alternative_annotator_test(truth, humans, 0.1, "accuracy")
    with pytest.raises(InputError, match="the most that one has is 0"):
        alternative_annotator_test(truth, humans[:, :1], 0.1, "accuracy")


def test_items_of_one_cluster_do_not_count_as_many():
    """Thirty documents with one answer, or with that answer six times: the evidence is the same."""
    rng, truth, humans = three_annotators(n=120)
    judge = np.clip(truth + rng.integers(-1, 2, 120), 0, 3)
    six, documents = np.repeat(np.arange(0, 120, 4), 6), np.repeat(np.arange(30), 6)
    once = alternative_annotator_test(judge[::4], humans[::4], 0.15, "neg_rmse")
    by_document = alternative_annotator_test(judge[six], humans[six], 0.15, "neg_rmse", clusters=documents)
    assert [one.p for one in by_document.against] == pytest.approx([one.p for one in once.against])
    assert {one.test for one in by_document.against} == {"t, CR3"}
    ignoring = alternative_annotator_test(judge[six], humans[six], 0.15, "neg_rmse")
    assert all(a.p < b.p / 10 for a, b in zip(ignoring.against, once.against, strict=True) if b.p < 0.5)
    single = alternative_annotator_test(judge[six], humans[six], 0.15, "neg_rmse", clusters=np.zeros(180))
    assert [one.p for one in single.against] == [1.0] * 3


def test_domains_share_one_correction():
    _, truth, humans = three_annotators()
    alone = alternative_annotator_test(truth, humans, 0.3, "neg_rmse")
    rng = np.random.default_rng(1)
    both = alternative_annotator_tests(
        {"qa": (truth, humans), "chat": (rng.integers(0, 4, 60), humans)}, 0.3, "neg_rmse"
    )
    assert [one.p for one in both["qa"].against] == [one.p for one in alone.against]
    ps = [one.p for name in ("qa", "chat") for one in both[name].against]
    assert [one.p_adjusted for name in ("qa", "chat") for one in both[name].against] == benjamini_yekutieli(ps)
    assert both["qa"].against[0].p_adjusted > alone.against[0].p_adjusted
    with pytest.raises(InputError, match="an annotator in 'few' with 30"):
        alternative_annotator_tests({"qa": (truth, humans), "few": (truth[:9], humans[:9])}, 0.3, "neg_rmse")


def test_false_discovery_rates_equal_the_golden_values_and_scipys():
    golden = [0.001, 0.012, 0.03, 0.04, 0.2]
    assert benjamini_hochberg(golden) == pytest.approx([0.005, 0.03, 0.05, 0.05, 0.2])
    assert benjamini_yekutieli(golden) == pytest.approx([0.0114167, 0.0685, 0.1141667, 0.1141667, 0.4566667], abs=5e-8)
    ps = list(np.random.default_rng(3).random(9))
    assert benjamini_hochberg(ps) == pytest.approx(stats.false_discovery_control(ps))
    assert benjamini_yekutieli(ps) == pytest.approx(stats.false_discovery_control(ps, method="by"))

"""Agreement: the textbooks' examples, one judge and several annotators, and what is said where nothing is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.statistics.agreement import (
    NAMES,
    continuous_agreement,
    human_agreement,
    judge_agreement,
    reliability,
)
from markscheme.harness.statistics.intervals import t_quantile
from markscheme.harness.statistics.raters import cohen_kappa, fleiss, gwet, krippendorff
from scipy import stats
from sklearn.metrics import cohen_kappa_score

nan = float("nan")
LEVELS = (0, 1, 2, 3)
A = [0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 1, 2, 0, 3]
B = [0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 1, 3, 0, 3]
KRIPPENDORFF_2011 = [
    [1, 1, nan, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [nan, 5, 5, 5],
    [nan, nan, 1, 1],
    [nan, nan, 3, nan],
]
PARADOX = [0] * 47 + [1] + [0] * 2, [0] * 47 + [0] + [1] * 2


def column(ratings):
    return np.asarray(ratings, float)[:, None]


def values(estimates):
    return {name: estimate.value for name, estimate in estimates.items()}


def test_one_annotator_gives_the_textbook_values():
    found = judge_agreement(A, column(B), LEVELS)
    assert tuple(found.estimates) == NAMES
    expected = {
        "exact": 0.7333,
        "within_1": 1.0,
        "kappa": 0.6428571,
        "kappa_linear": 0.7794118,
        "kappa_quadratic": 0.8863636,
        "ac1": 0.6449704,
        "ac2": 0.8945518,
        "alpha": 0.8961660,
        "spearman": 0.8925856,
        "tau_b": 0.8214286,
    }
    for name, value in expected.items():
        assert found.estimates[name].value == pytest.approx(value, abs=5e-8 if name != "exact" else 5e-5), name
    assert (found.n, found.pairs, np.sum(found.confusion)) == (15, 15, 15)
    assert found.confusion[0] == (2, 1, 0, 0)  # the judge's zeros, by what the human said


def test_krippendorffs_and_gwets_example_with_missing_ratings():
    five = range(1, 6)
    alphas = {"nominal": 0.7434211, "ordinal": 0.8153875, "interval": 0.8491071}
    for metric, value in alphas.items():
        assert krippendorff(KRIPPENDORFF_2011, five, metric) == pytest.approx(value, abs=5e-8)
    assert krippendorff(KRIPPENDORFF_2011, five, "ratio") == pytest.approx(0.797, abs=5e-4)
    for weights, value in {"unweighted": 0.775444, "linear": 0.858739, "quadratic": 0.914001}.items():
        assert gwet(KRIPPENDORFF_2011, five, weights) == pytest.approx(value, abs=5e-7)
    together = reliability(KRIPPENDORFF_2011, five)
    assert values(together) == pytest.approx(
        {"alpha_nominal": 0.7434211, "alpha_ordinal": 0.8153875, "alpha_interval": 0.8491071}
        | {"ac1": 0.775444, "ac2": 0.914001},
        abs=5e-7,
    )


def test_fleiss_example_and_the_need_for_equally_many_ratings():
    assert fleiss([[0, 0, 0], [1, 1, 0], [2, 2, 2], [1, 1, 1], [0, 1, 2], [2, 2, 1]], range(3)) == pytest.approx(
        0.4112150, abs=5e-8
    )
    with pytest.raises(ValueError, match="the same number"):
        fleiss([[0, 0], [0, nan]], range(2))


def test_kappa_paradox_kappa_and_alpha_fall_below_zero_where_ac1_stays_high():
    found = judge_agreement(PARADOX[0], column(PARADOX[1]), (0, 1)).estimates
    assert (found["exact"].value, found["kappa"].value, found["ac1"].value) == pytest.approx(
        (0.94, -0.027, 0.936), abs=5e-4
    )
    assert found["alpha"].value == pytest.approx(-0.021, abs=5e-4)


def test_one_sided_scales_are_undefined_and_never_one_or_zero():
    found = judge_agreement([0] * 60, column([0] * 60), LEVELS).estimates
    for name in ("kappa", "kappa_linear", "kappa_quadratic", "alpha", "spearman", "tau_b", "within_1_corrected"):
        assert (found[name].value, found[name].method) == (None, "undefined: no variation"), name
    assert found["ac1"].value == 1.0
    assert cohen_kappa([0, 0], [0, 0], LEVELS) is krippendorff([[0, 0]], LEVELS, "nominal") is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_kappa_and_rank_correlations_equal_sklearns_and_scipys(pairs):
    first, second = np.array(pairs).T
    found = judge_agreement(first, column(second), LEVELS).estimates
    if len(set(first)) > 1 and len(set(second)) > 1:
        assert found["spearman"].value == pytest.approx(stats.spearmanr(first, second)[0], abs=1e-12)
        assert found["tau_b"].value == pytest.approx(stats.kendalltau(first, second)[0], abs=1e-12)
    if len(set(first) | set(second)) > 1:
        for name, weights in (("kappa", None), ("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
            expected = cohen_kappa_score(first, second, weights=weights, labels=LEVELS)
            assert found[name].value == pytest.approx(expected, abs=1e-12)
            assert cohen_kappa(first, second, LEVELS, weights or "unweighted") == pytest.approx(expected, abs=1e-12)


def mixed(n=40, seed=0, raters=3, gaps=0.3):
    """A judge (n,) and annotators (n, raters) on 0..3, some labels missing, and clusters of items."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=(0.1, 0.2, 0.3, 0.4))
    seen = np.clip(truth[:, None] + rng.integers(-1, 2, (n, raters + 1)), 0, 3).astype(float)
    seen[:, 1:][rng.random((n, raters)) < gaps] = nan
    return seen[:, 0], seen[:, 1:], rng.integers(0, 9, n)


def pooled_kappa(pairs, weights):
    """Kappa of (first, other, weight) triples, by the definition."""
    table = np.zeros((4, 4))
    for a, b, w in pairs:
        table[int(a), int(b)] += w
    table /= table.sum()
    expected = np.outer(table.sum(1), table.sum(0))
    return 1 - (weights * table).sum() / (weights * expected).sum()


QUADRATIC = (np.arange(4)[:, None] - np.arange(4)) ** 2


def test_each_item_counts_once_however_many_annotators_it_has():
    judge, humans, _ = mixed()
    pairs = [
        (a, b, 1 / (~np.isnan(row)).sum()) for a, row in zip(judge, humans, strict=True) for b in row[~np.isnan(row)]
    ]
    found = judge_agreement(judge, humans, LEVELS)
    assert found.estimates["kappa_quadratic"].value == pytest.approx(pooled_kappa(pairs, QUADRATIC))
    assert (found.pairs, found.n) == (len(pairs), int((~np.isnan(humans)).any(axis=1).sum()))
    weights = [w for *_, w in pairs]
    assert found.estimates["exact"].value == pytest.approx(np.average([a == b for a, b, _ in pairs], weights=weights))
    assert np.sum(found.confusion) == pytest.approx(found.n)
    assert found.estimates["mae"].value == pytest.approx(np.average([abs(a - b) for a, b, _ in pairs], weights=weights))
    assert found.estimates["bias"].value == pytest.approx(np.average([a - b for a, b, _ in pairs], weights=weights))


def test_human_agreement_is_that_of_two_random_annotators_of_a_random_item():
    _, humans, _ = mixed()
    pairs, n = [], 0
    for row in humans:
        there = row[~np.isnan(row)]
        r = len(there)
        n += r >= 2
        pairs += [(there[i], there[j], 1 / (r * (r - 1))) for i in range(r) for j in range(r) if i != j]
    found = human_agreement(humans, LEVELS)
    assert (found.n, found.pairs) == (n, len(pairs) // 2)
    assert found.estimates["kappa_quadratic"].value == pytest.approx(pooled_kappa(pairs, QUADRATIC))
    weights = [w for *_, w in pairs]
    assert found.estimates["exact"].value == pytest.approx(np.average([a == b for a, b, _ in pairs], weights=weights))
    assert found.estimates["mae"].value == pytest.approx(np.average([abs(a - b) for a, b, _ in pairs], weights=weights))
    assert np.array(found.confusion) == pytest.approx(np.array(found.confusion).T)
    assert found.estimates["bias"].value is None


def test_a_judge_who_is_an_annotator_agrees_as_annotators_do():
    """Judge against human and human against human are one estimand, so they can stand side by side."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 40_000)
    seen = np.clip(truth[:, None] + rng.integers(-1, 2, (40_000, 4)), 0, 3).astype(float)
    judge, humans = judge_agreement(seen[:, 0], seen[:, 1:], LEVELS), human_agreement(seen[:, 1:], LEVELS)
    for name in set(NAMES) - {"bias"}:
        assert judge.estimates[name].value == pytest.approx(humans.estimates[name].value, abs=0.01), name
    assert judge.chance_within_1 == pytest.approx(humans.chance_within_1, abs=0.01)


def test_one_annotator_an_item_has_no_human_ceiling():
    assert human_agreement([[1, nan], [nan, 2]], LEVELS) is None


def test_chance_values_on_a_scale_of_four_and_the_correction_by_them():
    every = np.array([(a, b) for a in range(4) for b in range(4)] * 10)
    found = judge_agreement(every[:, 0], every[:, 1:], LEVELS)
    assert (found.chance_exact, found.chance_within_1) == (0.25, 0.625)
    assert found.estimates["within_1"].value == 0.625
    assert found.estimates["within_1_corrected"].value == pytest.approx(0, abs=1e-12)
    skewed = np.repeat(range(4), (8, 12, 25, 55))
    assert judge_agreement(skewed, column(skewed), LEVELS).chance_within_1 == pytest.approx(0.74, abs=0.005)
    two = judge_agreement([0, 1, 1, 0], column([0, 1, 0, 1]), (0, 1))
    assert two.chance_within_1 == 1.0
    assert two.estimates["within_1_corrected"].method == "undefined: any two of 2 levels lie within 1"


@given(st.integers(0, 10_000))
def test_order_of_items_and_of_annotators_does_not_matter(seed):
    judge, humans, clusters = mixed(30, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(30)
    found = judge_agreement(judge, humans, LEVELS, clusters)
    again = judge_agreement(judge[order], humans[order][:, [2, 0, 1]], LEVELS, clusters[order])
    for name in NAMES:
        one, other = found.estimates[name], again.estimates[name]
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high)), name


@given(st.integers(0, 10_000))
def test_swapping_judge_and_human_keeps_everything_but_the_sign_of_the_bias(seed):
    judge, humans, _ = mixed(30, seed, raters=1, gaps=0)
    one, other = judge_agreement(judge, humans, LEVELS), judge_agreement(humans[:, 0], column(judge), LEVELS)
    for name in set(NAMES) - {"bias"}:
        a, b = one.estimates[name], other.estimates[name]
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high)), name
    assert one.estimates["bias"].value == -other.estimates["bias"].value
    together = human_agreement(np.column_stack([judge, humans]), LEVELS).estimates
    for name in ("exact", "within_1", "ac1", "ac2", "alpha"):  # these do not ask who was who
        assert together[name].value == pytest.approx(one.estimates[name].value), name


def brute_force(compute, groups):
    """Jackknife by leaving groups out one at a time and computing all anew: limits by name."""
    everything = compute(np.ones(len(groups), bool))
    names, count = np.unique(groups), len(np.unique(groups))
    left = [compute(groups != name) for name in names]
    found = {}
    for name, value in everything.items():
        if value is None or any(one[name] is None for one in left):
            continue
        se = np.sqrt((count - 1) / count * sum((one[name] - value) ** 2 for one in left))
        if abs(value) < 1 and se > 1e-9:
            half = t_quantile(0.95, count - 1) * se / (1 - value**2)
            found[name] = np.tanh(np.arctanh(value) - half), np.tanh(np.arctanh(value) + half)
    return found


COEFFICIENTS = set(NAMES) - {"exact", "within_1", "bias", "mae"}


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("kind", ["judge", "humans", "reliability"])
def test_intervals_are_the_jackknife_computed_anew_without_each_item_or_cluster(kind, clustered):
    judge, humans, clusters = mixed(36, 4)
    there = (~np.isnan(humans)).sum(axis=1) >= 2
    judge, humans, clusters = judge[there], humans[there], clusters[there]
    compute = {
        "judge": lambda rows, *args: judge_agreement(judge[rows], humans[rows], LEVELS, *args).estimates,
        "humans": lambda rows, *args: human_agreement(humans[rows], LEVELS, *args).estimates,
        "reliability": lambda rows, *args: reliability(humans[rows], LEVELS, *args),
    }[kind]
    groups = clusters if clustered else np.arange(len(judge))
    limits = brute_force(lambda rows: values(compute(rows)), groups)
    found = compute(np.ones(len(judge), bool), clusters if clustered else None)
    names = set(found) & COEFFICIENTS if kind != "reliability" else set(found)
    assert len(names) >= 5
    for name in names:
        assert (found[name].low, found[name].high) == pytest.approx(limits[name], rel=1e-9), name
        unit = f"{len(np.unique(groups))} {'clusters' if clustered else 'items'}, Fisher scale, t"
        assert unit in found[name].method


def test_ac2_says_that_its_interval_is_approximate():
    judge, humans, _ = mixed()
    assert judge_agreement(judge, humans, LEVELS).estimates["ac2"].method.startswith("approximate: jackknife")
    assert reliability(humans, LEVELS)["ac2"].method.startswith("approximate: jackknife")


def test_few_labelled_items_are_called_few():
    judge, humans, _ = mixed(300, raters=1, gaps=0)
    below_50 = "only 49 labelled items: below 50 these intervals are not to be trusted"
    below_100 = "only 99 labelled items: below 100 take these intervals as approximate"
    for n, notes in ((49, (below_50,)), (50, None), (99, (below_100,)), (100, ())):
        found = judge_agreement(judge[:n], humans[:n], LEVELS)
        if notes is not None:
            assert found.notes == notes
            assert continuous_agreement(judge[:n], humans[:n])["tau_b"].notes == notes
            assert reliability(np.column_stack([judge, humans])[:n], LEVELS)["ac1"].notes == notes
    humans[10:] = nan
    assert judge_agreement(judge, humans, LEVELS).notes[0].startswith("only 10 labelled items")


def test_no_labels_have_no_values_and_one_item_or_cluster_no_interval():
    judge, humans, _ = mixed()
    none = judge_agreement(judge, np.full_like(humans, nan), LEVELS)
    assert {one.method for one in none.estimates.values()} == {"no labelled items"}
    assert (none.n, none.chance_exact, set(values(none.estimates).values())) == (0, None, {None})
    assert set(values(reliability(humans[:, :1], LEVELS)).values()) == {None}
    assert set(values(continuous_agreement(judge, humans * nan)).values()) == {None}
    for found in (
        judge_agreement(judge, humans, LEVELS, ["one"] * 40).estimates,
        reliability(humans, LEVELS, ["one"] * 40),
        continuous_agreement(judge, humans, ["one"] * 40),
    ):
        assert {(one.low, one.method) for one in found.values()} == {(None, "one cluster: no interval")}
    single = judge_agreement([1, 2], [[nan], [2]], LEVELS).estimates
    assert {single[name].method for name in ("exact", "ac1")} == {"Wilson", "one item: no interval"}


def test_agreement_without_exception_is_bounded_and_not_certain():
    truth = np.repeat(range(4), 25)
    found = judge_agreement(truth, column(truth), LEVELS).estimates
    share = 1 - 0.025 ** (1 / 100)
    assert found["kappa"].low == pytest.approx(1 - share / 0.75)
    assert found["kappa"].high == found["alpha"].value == 1.0
    assert found["alpha"].low < found["kappa"].low < 1  # an unseen 0 taken for a 3 costs alpha more
    assert found["kappa"].method == "no disagreement seen: bound over 100 items"
    assert (found["spearman"].low, found["spearman"].method) == (None, "perfect correlation: no interval")
    many = np.repeat(truth, 10)
    documents = judge_agreement(many, column(many), LEVELS, np.repeat(range(100), 10)).estimates["kappa"]
    assert (documents.low, documents.method) == (found["kappa"].low, "no disagreement seen: bound over 100 clusters")


def test_a_coefficient_below_minus_one_has_an_interval_on_its_own_scale():
    found = judge_agreement([0, 1, 2, 3] * 20 + [0], column([2, 3, 0, 1] * 20 + [3]), LEVELS).estimates
    one = found["within_1_corrected"]
    assert one.low < one.value < one.high < -1
    assert one.method == "jackknife over 81 items, t, df 80"


def test_a_judge_of_one_score_has_kappa_0_and_no_interval_of_no_width():
    found = judge_agreement([2] * 60, column([0, 1, 2, 3] * 15), LEVELS).estimates
    assert (found["kappa"].value, found["kappa"].low) == (pytest.approx(0), None)
    assert found["spearman"].value is None


def test_a_score_that_is_no_level_is_refused_and_named():
    with pytest.raises(ValueError, match=r"rating 2\.5 is none of the levels \(0, 1, 2, 3\)"):
        judge_agreement([2.5], [[2]], LEVELS)
    with pytest.raises(ValueError, match="at least two, ascending"):
        judge_agreement([1], [[1]], (1,))


def test_composites_correlate_with_the_mean_of_their_annotators():
    rng = np.random.default_rng(2)
    humans = rng.normal(2, 0.5, (120, 3))
    humans[:, 1:][rng.random((120, 2)) < 0.3] = nan
    judge = np.round(np.nanmean(humans, axis=1) + rng.normal(0.1, 0.2, 120), 1)
    mean = np.nanmean(humans, axis=1)
    found = continuous_agreement(judge, humans)
    assert found["pearson"].value == pytest.approx(stats.pearsonr(judge, mean)[0])
    assert found["spearman"].value == pytest.approx(stats.spearmanr(judge, mean)[0])
    assert found["tau_b"].value == pytest.approx(stats.kendalltau(judge, mean)[0])
    assert found["bias"].value == pytest.approx((judge - mean).mean())
    assert found["mae"].value == pytest.approx(np.nanmean(np.abs(judge[:, None] - humans), axis=1).mean())


@pytest.mark.parametrize("clustered", [False, True])
def test_influences_add_up_to_nearly_the_jackknife(clustered):
    rng = np.random.default_rng(3)
    judge = rng.integers(0, 12, 300) / 4
    human = judge + rng.integers(-3, 4, 300) / 4
    groups = rng.integers(0, 60, 300) if clustered else np.arange(300)

    def compute(rows):
        found = continuous_agreement(judge[rows], column(human[rows]))
        return {name: found[name].value for name in ("pearson", "spearman", "tau_b")}

    found = continuous_agreement(judge, column(human), groups)
    for name, (low, high) in brute_force(compute, groups).items():
        assert found[name].high - found[name].low == pytest.approx(high - low, rel=0.03), name


def test_a_constant_composite_has_no_correlation():
    found = continuous_agreement([1.0] * 60, column(np.arange(60.0)))
    assert {found[name].method for name in ("pearson", "spearman", "tau_b")} == {"undefined: no variation"}

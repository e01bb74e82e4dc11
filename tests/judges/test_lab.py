"""The lab's parts: halves by cluster, the choice on held-out labels, the experiments on judges of known quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.exam_specs import JudgeSpec
from markscheme.harness.labwork import Configuration
from markscheme.harness.statistics.agreement import human_agreement, judge_agreement
from markscheme.harness.statistics.concordance import concordance, concordance_difference
from markscheme.judges.lab import choice, contrasts, design, experiments, halves
from markscheme.judges.lab.choice import Entrant, choose, shortlist
from markscheme.judges.lab.experiments import Sheet
from markscheme.judges.lab.labelled import Labelled

RNG = np.random.default_rng(7)
CRITERIA = ("correctness", "comprehensiveness", "readability")


def labelled(n: int, seed: int = 1, per_cluster: int = 2, tags: tuple[str, ...] = ()) -> Labelled:
    """``n`` answers of three candidates with one annotator, whose criteria are independent of each other."""
    rng = np.random.default_rng(seed)
    places = tuple((f"s{i // 3}", "abc"[i % 3], 0) for i in range(n))
    quality = np.array([0.5, 0.0, -0.5])[np.arange(n) % 3]
    scores = np.clip(np.rint(1.5 + quality[:, None] + 1.2 * rng.standard_normal((n, 3))), 0, 3)
    return Labelled(
        places,
        np.array([f"d{i // (3 * per_cluster)}" for i in range(n)]),
        tuple((tags[i // 3 % len(tags)],) if tags else () for i in range(n)),
        CRITERIA,
        np.array([0.6, 0.2, 0.2]),
        (0, 3),
        scores[:, None, :],
        ("first",),
    )


def sheet(name: str, scores: Any, scale: tuple[int, int] = (0, 3), again: Any = None) -> Sheet:
    configuration = Configuration(name, name.partition(",")[0], "openai/m", "docs_qa", scale, 1, "one")
    return Sheet(configuration, scores, again)


def noisy(truth: np.ndarray, sd: float, seed: int, scale: tuple[int, int] = (0, 3)) -> np.ndarray:
    """A judge that sees the truth (0 to 3) with noise, on a scale of its own."""
    rng = np.random.default_rng(seed)
    seen = truth + sd * rng.standard_normal(truth.shape)
    low, high = scale
    return np.clip(np.rint(low + seen / 3 * (high - low)), low, high)


def holds(estimate: Any, value: float) -> bool:
    return estimate.low <= value <= estimate.high


def test_concordance_is_quadratic_kappa_on_whole_levels_with_gaps_and_clusters():
    humans = RNG.integers(0, 4, (60, 3)).astype(float)
    humans[RNG.random((60, 3)) < 0.3] = np.nan
    judge = np.clip(np.nan_to_num(humans[:, 0], nan=1) + RNG.integers(-1, 2, 60), 0, 3)
    judge[:4] = np.nan
    clusters = np.arange(60) // 3
    for level in (0.9, 0.95):
        mine = concordance(judge, humans, (0, 3), clusters, level)
        table = judge_agreement(judge, humans, range(4), clusters, level).estimates["kappa_quadratic"]
        assert (mine.value, mine.n) == (pytest.approx(table.value), table.n)
        assert (mine.low, mine.high) == (pytest.approx(table.low, abs=0.004), pytest.approx(table.high, abs=0.004))


def test_concordance_of_a_golden_example():
    a, b = [0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 1, 2, 0, 3], [0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 1, 3, 0, 3]
    assert concordance(a, np.array(b)[:, None], (0, 3)).value == pytest.approx(0.8863636, abs=1e-7)


def test_concordance_without_any_disagreement_still_has_a_lower_limit_below_one():
    truth = np.tile([0.0, 1, 2, 3], 20)
    found = concordance(truth, truth[:, None], (0, 3))
    assert found.value == 1.0
    assert found.low is not None and 0.7 < found.low < 0.95


def test_concordance_says_where_nothing_varies():
    assert concordance(np.ones(9), np.ones((9, 1)), (0, 3)).value is None
    assert concordance_difference(np.ones(9), np.ones(9), np.ones((9, 1))).value is None
    assert concordance([], np.ones((0, 1)), (0, 3)).n == 0


def test_halves_share_no_cluster_and_have_about_as_many_answers():
    clusters = [f"c{i % 23}" for i in range(300)]
    held = halves.held_out(clusters, seed=3)
    names = np.array(clusters)
    assert not set(names[held]) & set(names[~held])
    assert 130 <= held.sum() <= 150
    assert (held == halves.held_out(clusters, seed=3)).all()
    assert (held != halves.held_out(clusters, seed=4)).any()


def test_the_shortlist_is_what_no_cheaper_one_beats():
    entrants = [
        Entrant(0.9, 8.0, 1.0),
        Entrant(0.7, 2.0, 1.0),
        Entrant(0.65, 3.0, 1.0),  # dearer and worse than the second
        Entrant(0.5, 0.1, 1.0),  # does not reach it
        Entrant(0.95, None, 1.0),  # unknown is dearest
        Entrant(None, 0.0, 0.0),
        Entrant(0.99, 0.5, 1.0, unscored_share=0.2),
    ]
    assert shortlist(entrants, 0.6) == (1, 0, 4)
    assert shortlist(entrants[3:4], 0.6) == (0,)
    assert shortlist(entrants[5:], 0.6) == ()


def test_the_cheapest_that_clears_is_chosen_and_holm_lets_a_later_one_pass():
    entrants = [Entrant(0.8, 1.0, 1.0), Entrant(0.9, 2.0, 1.0), Entrant(0.95, 3.0, 1.0)]
    # At 0.05/3 the first two bounds are too low; once the third has passed, 0.05/2 is enough for the second.
    bounds = {0: (0.40, 0.45, 0.5), 1: (0.55, 0.62, 0.63), 2: (0.7, 0.71, 0.72)}

    def lower(i: int, alpha: float) -> float:
        return bounds[i][3 - round(0.05 / alpha)]

    chosen = choose(entrants, 0.6, lower)
    assert chosen.clear == {1, 2}
    assert chosen.best == 1
    assert chosen.bounds == {0: 0.40, 1: 0.6, 2: 0.7}


def test_without_prices_time_decides_but_not_by_what_the_network_did():
    entrants = [Entrant(0.95, None, 103.0), Entrant(0.87, None, 102.0), Entrant(0.97, None, 309.0)]
    chosen = choose(entrants, 0.6, lambda i, alpha: 0.7)
    assert (chosen.tested, chosen.best) == ((0, 2), 0)
    found = choice.advice(chosen, ["a", "b", "c"], {0: 0.9, 2: 0.9}, n=100, threshold=0.6)
    assert found.why.startswith("its price is unknown, and it is the quickest of those tested")


def test_fewer_than_fifty_held_out_answers_recommend_nobody_and_say_how_many_labels_are_missing():
    chosen = choice.Choice((0,), {0: 0.9}, frozenset({0}), 0)
    found = choice.advice(chosen, ["strict"], {0: 0.95}, n=42, threshold=0.6)
    assert (found.configuration, found.more_labels) == (None, 16)
    assert "only 42 labelled answers are held out" in found.why


def test_a_refusal_says_whether_more_labels_would_help():
    close = choice.Choice((0,), {0: 0.5}, frozenset(), None)
    found = choice.advice(close, ["strict"], {0: 0.7}, n=100, threshold=0.6)
    assert (found.configuration, found.more_labels) == (None, 600)  # half the distance: four times the answers
    assert "the labels cannot tell" in found.why
    far = choice.advice(close, ["strict"], {0: 0.58}, n=100, threshold=0.6)
    assert "no judge reaches 0.6" in far.why
    assert far.more_labels is None


def planted_at(threshold: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """24 judges (24, n) and the labels, whose quadratic kappa is exactly ``threshold`` in the long run.

    A judge copies the label with probability ``threshold``, else draws from the labels' distribution: then
    E(a-b)^2 = (1 - threshold) * E(a-b')^2.
    """
    shares = [0.15, 0.2, 0.3, 0.35]
    truth = rng.choice(4, p=shares, size=n)
    copies = rng.random((24, n)) < threshold
    return np.vstack([truth, np.where(copies, truth, rng.choice(4, p=shares, size=(24, n)))]).astype(float)


def false_qualifications(runs: int, n: int, naive: bool = False) -> float:
    """How often one of 24 judges at the threshold is recommended."""
    rng, wrong = np.random.default_rng(11), 0
    for _ in range(runs):
        truth, *judges = planted_at(0.6, n, rng)
        held = rng.permutation(n) < n // 2
        prices = rng.random(24)
        first, second = (slice(None), slice(None)) if naive else (~held, held)
        values = kappas(np.array(judges)[:, first], truth[first])
        entrants = [Entrant(v, p, 1.0) for v, p in zip(values, prices, strict=True)]

        def lower(i: int, alpha: float, rows: Any = second, truth: Any = truth, judges: Any = judges) -> float | None:
            return concordance(judges[i][rows], truth[rows][:, None], (0, 3), level=1 - 2 * alpha).low

        if naive:
            wrong += any((lower(i, 0.05) or 0.0) >= 0.6 for i in range(24))
        else:
            wrong += choose(entrants, 0.6, lower).best is not None
    return wrong / runs


def kappas(judges: np.ndarray, truth: np.ndarray) -> np.ndarray:
    apart = ((judges - truth) ** 2).mean(axis=1)
    chance = (judges**2).mean(axis=1) + (truth**2).mean() - 2 * judges.mean(axis=1) * truth.mean()
    return 1 - apart / chance


@pytest.mark.parametrize("n", [120, 300])
def test_of_24_judges_at_the_threshold_one_is_recommended_in_at_most_5_percent_of_runs(n: int):
    runs = 1000
    assert false_qualifications(runs, n) <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_choosing_and_reporting_on_the_same_answers_would_recommend_far_too_often():
    assert false_qualifications(100, 60, naive=True) > 0.25


def test_scales_of_one_judge_keep_the_ranking_and_a_coarse_one_has_the_larger_ceiling():
    truth = labelled(600)
    people = truth.humans[:, 0]
    fine, coarse = noisy(people, 0.4, 5, (0, 10)), noisy(people, 0.4, 6, (0, 1))
    others = [sheet("j, 0-10", fine, (0, 10)), sheet("j, 0-1", coarse, (0, 1))]
    rows = experiments.scales(sheet("j", noisy(people, 0.4, 4)), others, truth)
    own, ten, two = (row for row in rows if row.criterion == "correctness")
    assert (own.same_ranking, ten.same_ranking, ten.true_ranking) == (None, 1.0, 1.0)
    assert two.spread.ceiling > own.spread.ceiling > ten.spread.ceiling
    assert two.agreement.value < ten.agreement.value
    assert (own.spread.unused, ten.candidates) == (0, 3)


@pytest.mark.parametrize(("few_sd", "helps"), [(0.3, True), (1.2, False)])
def test_shots_that_help_are_found_and_shots_that_do_nothing_are_not(few_sd: float, helps: bool):
    truth = labelled(240)
    people = truth.humans[:, 0]
    zero = sheet("j, zero-shot", noisy(people, 1.2, 8), again=noisy(people, 1.2, 9))
    few = sheet("j", noisy(people, few_sd, 10), again=noisy(people, few_sd, 11))
    row = experiments.shots(zero, few, truth)[0]
    assert (row.difference.low > 0.1) is helps
    assert holds(row.difference, 0.0) is not helps
    assert row.zero_flips is not None and row.few_flips is not None
    assert (row.few_flips.high < row.zero_flips.low) is helps


def test_a_halo_of_one_call_is_found_and_an_absent_one_is_not():
    truth = labelled(300)
    people = truth.humans[:, 0]
    apart = noisy(people, 0.4, 12)
    together = np.clip(np.rint(0.5 * people + 0.5 * people[:, :1] + 0.3 * RNG.standard_normal(people.shape)), 0, 3)
    haloed = experiments.calls(sheet("j", together), sheet("j, each", apart), truth)
    assert haloed.halo_one > 0.4
    assert abs(haloed.halo_each) < 0.25
    assert abs(haloed.halo_labels) < 0.2
    assert haloed.halo_difference.high < 0
    same = experiments.calls(sheet("j", noisy(people, 0.4, 33)), sheet("j, each", apart), truth)
    assert holds(same.halo_difference, 0.0)
    assert holds(same.agreement_difference, 0.0)
    assert same.n == 300


def test_a_judge_that_fails_on_one_tag_is_found_there_and_only_there():
    truth = labelled(360, tags=("law", "code", "law"))
    people = truth.humans[:, 0]
    code = np.array(["code" in tags for tags in truth.tags])
    bad = np.where(code[:, None], RNG.permutation(people), noisy(people, 0.3, 14))
    failing = {row.tag: row for row in experiments.transfer(sheet("j", bad), truth, "correctness")}
    assert failing["code"].difference.high < -0.3
    assert failing["code"].agreement.high < failing["law"].agreement.low
    assert failing["law"].judge_ranking == 1.0
    even = experiments.transfer(sheet("j", noisy(people, 0.3, 15)), truth, "correctness")
    assert all(holds(row.difference, 0.0) for row in even)


def test_tags_of_few_answers_have_no_row():
    truth = labelled(27, tags=("a", "b", "c"))
    assert experiments.transfer(sheet("j", truth.humans[:, 0]), truth, "composite") == []


def test_alignment_has_every_criterion_the_composite_and_every_candidate():
    truth = labelled(150)
    rows = experiments.alignment(sheet("j", noisy(truth.humans[:, 0], 0.5, 16)), truth)
    assert len(rows) == 4 * 4
    overall = next(row for row in rows if (row.candidate, row.criterion) == ("", "correctness"))
    parts = [row for row in rows if row.candidate and row.criterion == "correctness"]
    assert overall.estimates["exact"].n == sum(row.estimates["exact"].n for row in parts) == 150
    whole = next(row for row in rows if (row.candidate, row.criterion) == ("", "composite"))
    assert 0.6 < whole.estimates["kappa_quadratic"].value < 1
    assert whole.estimates["bias"].value is not None


def test_a_score_that_is_missing_is_nowhere_a_zero():
    truth = labelled(90)
    scores = truth.humans[:, 0].copy()
    scores[:5] = np.nan
    row = next(r for r in experiments.alignment(sheet("j", scores), truth) if r.criterion == "composite")
    assert (row.estimates["kappa_quadratic"].n, row.estimates["kappa_quadratic"].value) == (85, 1.0)
    assert experiments.spread(scores[:, 0], (0, 3)).n == 85


def test_rankings_without_a_difference_or_a_second_candidate_have_no_correlation():
    names = np.array(["a", "a", "b", "b"])
    assert contrasts.ranking_tau(np.array([1.0, 2, 2, 1]), np.array([1.0, 1, 3, 3]), names) is None
    assert contrasts.ranking_tau(np.array([1.0, 2]), np.array([1.0, 2]), names[:2]) is None
    assert contrasts.ranking_tau(np.array([1.0, 1, 2, 2]), np.array([3.0, 3, 1, 1]), names) == -1.0


def test_people_have_no_halo_of_their_own_that_is_laid_at_the_judges_door():
    assert human_agreement(np.ones((4, 1)), range(4)) is None
    assert contrasts.halo(np.ones((50, 3))) is None
    assert contrasts.halo(np.arange(50.0)[:, None]) is None


def test_judges_that_compare_pairs_are_not_on_trial_and_naming_one_is_an_error():
    single = JudgeSpec(name="single", model="embedded", rubric="docs_qa")
    pairs = JudgeSpec(name="pairs", model="openai/m", rubric="pairwise", mode="pairwise")
    assert design.chosen_judges([pairs, single], []) == [single]
    with pytest.raises(InputError, match="'pairs'"):
        design.chosen_judges([pairs, single], ["pairs"])
    with pytest.raises(InputError, match="no judge that grades single answers"):
        design.chosen_judges([pairs], [])


def test_judges_on_trial_must_grade_the_same_criteria():
    docs = JudgeSpec(name="docs", model="embedded", rubric="docs_qa")
    faithful = JudgeSpec(name="faithful", model="embedded", rubric="faithfulness")
    with pytest.raises(InputError, match="faithful grades faithfulness, and docs correctness"):
        design.variants([docs, faithful], {1})


def test_one_thing_is_changed_at_a_time_and_a_judge_without_a_model_has_scales_only():
    wired = JudgeSpec(name="j", model="openai/m", rubric="docs_qa")
    names = [variant.name for variant in design.variants([wired], {1, 2, 3})]
    assert names[:2] == ["j", "j, zero-shot"]
    assert names[-1] == "j, a call per criterion"
    assert set(names[2:-1]) == {"j, scale 0-1", "j, scale 0-4", "j, scale 1-5", "j, scale 0-10"}
    embedded = JudgeSpec(name="e", model="embedded", rubric="docs_qa")
    assert len(design.variants([embedded], {1, 2, 3})) == 5

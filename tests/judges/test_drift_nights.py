"""The drift watch over many nights: what each says, and what one can find at all."""

import numpy as np
import pytest
from markscheme.judges.probes.drift import Anchor, Night, Watch, assess, changes_of, detectable, over_nights
from markscheme.judges.rubric import Criterion, Rubric

RUBRIC = Rubric("r", "1", "", (0, 3), (), frozenset(), "lowest", (Criterion("correctness", 1.0, "", ()),))


def watch(*nights, served=()):
    anchors = tuple(Anchor(f"q{k}", "", "") for k in range(len(nights[0])))
    names = served or [{}] * len(nights)
    made = (
        Night(f"n{i}", tuple({"correctness": float(s)} if s == s else {} for s in scores), by)
        for i, (scores, by) in enumerate(zip(nights, names, strict=True))
    )
    return Watch("strict", "m", anchors, tuple(made))


def noisy(seed, shift=0.0, n=50):
    base = np.random.default_rng(5).uniform(0.5, 2.5, n)
    return base + shift + np.random.default_rng(seed).normal(0, 0.3, n)


def test_fifty_anchors_of_sd_06_find_a_change_of_029():
    """(2.576 + 0.842) · 0.6 / √50: METHODS' power of .39 is that for a change of .2."""
    changes = np.random.default_rng(1).normal(0, 1, 50)
    changes = 0.6 * (changes - changes.mean()) / changes.std(ddof=1)
    assert detectable(list(changes), [f"q{k}" for k in range(50)], 1) == pytest.approx(0.290, abs=1e-3)


def test_more_criteria_find_less_and_nothing_is_found_below_the_limit_that_alarms():
    changes, where = list(np.random.default_rng(2).normal(0, 0.6, 50)), [f"q{k}" for k in range(50)]
    assert detectable(changes, where, 3) > detectable(changes, where, 1)
    assert detectable([c / 1000 for c in changes], where, 1) == 0.1
    assert detectable([0.0] * 50, where, 1) is None


def test_a_change_is_of_anchors_with_a_score_on_both_nights():
    found = changes_of(watch([1, 2, np.nan, 3], [2, np.nan, 1, 3]), RUBRIC)
    assert found == ([1.0, 0.0], ["q0", "q3"])


def test_each_night_has_its_change_and_its_alarm_and_the_last_is_that_of_the_probe():
    nights = [noisy(k) for k in range(5)] + [noisy(9, shift=-0.5)]
    found = over_nights(watch(*nights), RUBRIC)
    assert [alarm for _, alarm in found] == [False, False, False, False, True]
    assert found[-1][0].value == pytest.approx(float(np.mean(nights[-1] - nights[0])))
    assert assess("strict", watch(*nights), RUBRIC, 50).verdict == "fail"


def test_a_small_shift_that_stays_passes_the_bound_of_the_chart_though_few_nights_alarm_alone():
    """Less than the tenth of a step that a single night must move to alarm."""
    nights = [noisy(k, shift=0.0 if k < 6 else -0.09) for k in range(16)]
    alarms = [k for k, (_, alarm) in enumerate(over_nights(watch(*nights), RUBRIC), 1) if alarm]
    assert alarms == list(range(alarms[0], 16))
    assert 6 < alarms[0] < 13
    assert sum(over_nights(watch(nights[0], night), RUBRIC)[0][1] for night in nights[6:]) <= 3


def test_another_model_behind_the_name_alarms_on_its_night_alone():
    nights = watch(noisy(1), noisy(1), noisy(1), served=[{"a": 50}, {"b": 50}, {"a": 50}])
    assert [alarm for _, alarm in over_nights(nights, RUBRIC)] == [True, False]


@pytest.mark.slow
def test_a_steady_judge_alarms_on_one_night_in_a_hundred_at_most():
    alarms = sum(over_nights(watch(noisy(2 * k), noisy(2 * k + 1)), RUBRIC)[0][1] for k in range(500))
    assert alarms <= 12

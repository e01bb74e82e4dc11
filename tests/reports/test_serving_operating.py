"""The operating point, what ties with it, its neighbours, the knee, and where throughput levels off."""

from dataclasses import replace

import pytest
from markscheme.harness.records import Estimate
from markscheme.reports.serving.cells import cells
from markscheme.reports.serving.operating import curves, knee, levelled, operating
from markscheme.reports.serving.prices import Hire
from serving_loads import loads

HIRED = {"mini": Hire(3.6, 1)}
LIMITS = {"ttft_p95_s": 1.0, "gap_p95_s": 0.1}
BETTER_WITH_CONTEXTS = {
    ("mini", 0): Estimate(1.0, 0.9, 1.1, 60, "t"),
    ("mini", 3): Estimate(2.5, 2.4, 2.6, 60, "t"),
    ("mini", 10): Estimate(2.6, 2.5, 2.7, 60, "t"),
}


@pytest.fixture(scope="module")
def grid():
    return cells(loads((1, 2, 4, 8, 16), contexts=(0, 3, 10)), hires=HIRED)


def at(stand):
    return stand.cell.setting.contexts, stand.cell.setting.level


def test_the_point_has_the_most_quality_per_dollar_within_the_limits(grid):
    (found,) = operating(grid, LIMITS, BETTER_WITH_CONTEXTS)
    assert found.by == "quality per dollar" and found.why == ""
    assert at(found.point)[0] == 3
    assert at(found.point)[1] in (4, 8)
    worths = [s.worth.value for s in found.stands if not s.broken]
    assert found.point.worth.value == max(worths)
    assert found.point.worth.value == pytest.approx(2.5 / found.point.cell.price.usd_per_1000.value)


def test_settings_that_break_a_limit_are_none_and_say_which(grid):
    (found,) = operating(grid, LIMITS, BETTER_WITH_CONTEXTS)
    broken = {at(stand): stand.broken for stand in found.stands}
    assert broken[0, 16] == ("TTFT p95 over 1 s",)
    assert broken[0, 4] == ()


def test_points_whose_intervals_overlap_are_tied(grid):
    (found,) = operating(grid, LIMITS, BETTER_WITH_CONTEXTS)
    assert {at(s) for s in (*found.tied, found.point)} == {(3, 4), (3, 8)}


def test_neighbours_are_one_step_of_load_or_of_contexts_away(grid):
    narrow = {"ttft_p95_s": 0.2}
    (found,) = operating(grid, narrow, BETTER_WITH_CONTEXTS)
    assert at(found.point) == (3, 4)
    assert {at(s) for s in found.neighbours} == {(3, 2), (3, 8), (0, 4), (10, 4)}
    assert next(s for s in found.neighbours if at(s) == (3, 8)).broken == ("TTFT p95 over 0.2 s",)


def test_without_a_graded_run_the_cheapest_within_the_limits_wins_and_it_says_so(grid):
    (found,) = operating(grid, LIMITS, None)
    assert found.by == "cost"
    assert "no graded run" in found.why
    assert at(found.point)[0] == 0
    usd = found.point.cell.price.usd_per_1000
    assert found.point.worth.value == pytest.approx(1000 / usd.value)
    assert found.point.worth.low == pytest.approx(1000 / usd.high)


def test_without_a_price_the_highest_throughput_wins_and_it_says_so():
    (found,) = operating(cells(loads()), LIMITS, None)
    assert found.by == "throughput"
    assert found.why.startswith("no price is known")
    assert at(found.point)[1] in (4, 8)


def test_a_score_of_only_some_contexts_decides_nothing(grid):
    partly = {("mini", 0): Estimate(3.0, None, None, 60, "t")}
    assert operating(grid, LIMITS, partly)[0].by == "cost"


def test_where_nothing_keeps_the_limits_there_is_no_point(grid):
    (found,) = operating(grid, {"ttft_p95_s": 0.001}, None)
    assert found.point is None
    assert found.tied == found.neighbours == ()


def test_without_limits_nothing_is_chosen(grid):
    assert operating(grid, {}, BETTER_WITH_CONTEXTS) == ()


def test_a_limit_within_the_interval_is_unsure(grid):
    one = grid[0]
    p95 = Estimate(0.9, 0.8, 1.1, 300, "t")
    shaky = replace(one, times={**one.times, "ttft_sched_s": replace(one.times["ttft_sched_s"], p95=p95)})
    (found,) = operating([shaky], LIMITS, None)
    assert found.point is not None and found.point.unsure == ("TTFT p95",)


def test_a_limit_without_an_interval_is_not_said_to_be_within_one(grid):
    one = grid[0]
    p95 = Estimate(0.9, None, None, 30, "n too small: p95 needs 72")
    few = replace(one, times={**one.times, "ttft_sched_s": replace(one.times["ttft_sched_s"], p95=p95)})
    (found,) = operating([few], LIMITS, None)
    assert found.point is not None
    assert (found.point.unsure, found.point.unknown) == ((), ("TTFT p95",))


def test_a_setting_whose_requests_fail_is_no_place_to_run_at_whatever_is_limited():
    (found,) = operating(cells(loads((4,), fail=0.3)), {"gap_p95_s": 1.0}, None)
    assert found.point is None
    assert found.stands[0].broken == ("more than 5 % failed",)


def test_a_setting_over_capacity_is_no_place_to_run_at():
    (found,) = operating(cells(loads((12,), shape="poisson", n=240)), {"ttft_p95_s": 1000.0}, None)
    assert found.point is None
    assert found.stands[0].broken == ("over capacity",)


def test_an_unknown_time_keeps_no_limit():
    whole = [replace(one, requests=tuple(replace(r, gaps_s=()) for r in one.requests)) for one in loads((4,))]
    (found,) = operating(cells(whole), {"gap_p95_s": 1.0}, None)
    assert found.stands[0].broken == ("gap p95 unknown",)


def test_each_candidate_has_a_point_of_its_own():
    found = operating(cells(loads((1, 4), candidates=("mini", "large"))), LIMITS, None)
    assert [one.candidate for one in found] == ["mini", "large"]


def test_the_knee_is_at_the_slots_and_throughput_levels_off_there():
    (curve,) = curves(cells(loads((1, 2, 4, 8, 16))))
    assert knee(curve).setting.level == 4
    assert levelled(curve).setting.level == 4


def test_a_server_that_is_not_yet_full_has_no_knee():
    (curve,) = curves(cells(loads((1, 2, 4))))
    assert knee(curve) is None
    assert levelled(curve) is None


def test_curves_hold_apart_what_differs_in_more_than_the_load():
    found = curves(cells(loads((1, 4), contexts=(0, 3)) + loads((2,), shape="poisson")))
    assert sorted(len(curve) for curve in found) == [1, 2, 2]

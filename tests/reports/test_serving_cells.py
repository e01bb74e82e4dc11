"""Cells of a load test, against a server whose slots, prefill and pace are known."""

from dataclasses import replace

import numpy as np
import pytest
from markscheme.harness.serving import rates
from markscheme.harness.serving.gpu_hours import cost_per_query
from markscheme.reports.serving.cells import OVER, cells, compared
from markscheme.reports.serving.prices import Hire, hires
from serving_loads import GAP_S, PREFILL_S, SLOTS, TOKENS, load, loads

ALONE = PREFILL_S + (TOKENS - 1) * GAP_S
MOST = SLOTS / ALONE


def one(found):
    assert len(found) == 1
    return found[0]


def test_a_user_alone_sees_the_servers_own_times():
    cell = one(cells(loads([1])))
    assert cell.times["ttft_s"].p50.value == pytest.approx(PREFILL_S, rel=0.05)
    assert cell.times["tpot_s"].p50.value == pytest.approx(GAP_S, rel=0.05)
    assert cell.times["gap_s"].mean.value == pytest.approx(GAP_S, rel=0.02)
    assert cell.times["e2e_s"].mean.value == pytest.approx(ALONE, rel=0.02)
    assert cell.requests_per_s.value == pytest.approx(1 / ALONE, rel=0.02)
    assert cell.output_tokens_per_s.value == pytest.approx(TOKENS / ALONE, rel=0.02)
    assert cell.user_tokens_per_s.value == pytest.approx(1 / GAP_S, rel=0.05)


@pytest.mark.parametrize("users", [4, 8, 32, 64])
def test_throughput_levels_off_at_the_slots_however_short_the_window(users):
    cell = one(cells(loads([users])))
    assert cell.requests_per_s.value == pytest.approx(MOST, rel=0.05)
    assert cell.output_tokens_per_s.value == pytest.approx(MOST * TOKENS, rel=0.05)


def test_more_users_than_slots_wait_for_the_first_token():
    times = {cell.setting.level: cell.times["ttft_s"].p50.value for cell in cells(loads([4, 8, 16]))}
    assert times[8] == pytest.approx(PREFILL_S + ALONE, rel=0.1)
    assert times[16] == pytest.approx(PREFILL_S + 3 * ALONE, rel=0.1)


def test_three_repeats_give_intervals_and_one_gives_none_that_claims_independence():
    three, single = one(cells(loads([4]))), one(cells(loads([4], repeats=1)))
    assert three.times["ttft_s"].p95.method == "t over 3 repeats, df 2"
    assert three.requests_per_s.low is not None
    assert single.requests_per_s.method == "fewer than 3 repeats: no interval"
    assert single.times["ttft_s"].p95.notes
    assert single.times["ttft_s"].p99.method == "n too small: p99 needs 368"
    assert "clusters" in single.times["gap_s"].p95.method or "of" in single.times["gap_s"].p95.method


def test_failures_are_counted_by_kind_and_stand_in_percentiles():
    cell = one(cells(loads([4], fail=0.2)))
    assert cell.failures == {"timeout": cell.attempted - cell.answered}
    assert 0.1 < cell.failures["timeout"] / cell.attempted < 0.3
    assert cell.times["ttft_s"].p95.value == np.inf
    assert np.isfinite(cell.times["ttft_s"].p50.value)
    assert np.isfinite(cell.times["ttft_s"].mean.value)


def test_goodput_counts_failures_among_the_attempted():
    slo = {"ttft_s": 1.0, "gap_s": 0.1, "e2e_s": 5.0}
    whole, failing = one(cells(loads([4]), slo)), one(cells(loads([4], fail=0.2), slo))
    assert (whole.goodput.value, whole.goodput.method) == (1.0, "Wilson")
    assert whole.goodput.low < 1.0
    assert failing.goodput.value == pytest.approx(failing.answered / failing.attempted)
    assert whole.good_per_s.value == pytest.approx(whole.requests_per_s.value)
    assert cells(loads([4]))[0].goodput is None


@pytest.mark.parametrize(("slo", "share"), [({"ttft_s": 0.001}, 0), ({"gap_s": 0.0001}, 0), ({"e2e_s": 0.01}, 0)])
def test_each_limit_alone_makes_a_request_bad(slo, share):
    assert one(cells(loads([4]), slo)).goodput.value == share


def test_gaps_that_nobody_noted_keep_no_limit_and_a_reply_in_one_piece_has_none():
    whole = load(level=4)
    unknown = [replace(served, gaps_s=()) for served in whole.requests]
    assert not rates.good(unknown, {"gap_s": 60.0}).any()
    in_one_piece = [replace(served, gaps_s=(), e2e_s=served.ttft_s) for served in whole.requests]
    assert rates.good(in_one_piece, {"gap_s": 0.001}).all()


def test_an_open_loop_over_capacity_is_named_and_has_no_mean():
    under, over = cells(loads([0.5 * MOST, 1.3 * MOST], shape="poisson", n=240))
    assert not under.over_capacity
    assert under.times["e2e_s"].mean.value is not None
    assert over.over_capacity
    assert over.growth.value == pytest.approx(0.3, abs=0.1)
    assert (over.times["e2e_s"].mean.value, over.times["e2e_s"].mean.method) == (None, OVER)
    assert over.times["e2e_s"].p95.value is not None


def test_a_closed_loop_is_never_over_capacity():
    assert one(cells(loads([64]))).growth is None


def test_a_stall_shows_in_scheduled_latency_of_an_open_loop():
    calm = one(cells(loads([4], shape="constant")))
    stalled = one(cells(loads([4], shape="constant", stall=(10.0, 1.0))))
    assert max(stalled.times["ttft_sched_s"].each["p99"]) > 0.75
    assert max(calm.times["ttft_sched_s"].each["p99"]) < 0.2


def test_a_client_that_sends_late_hides_a_stall_from_service_latency_only():
    held = [
        replace(o, sent_s=o.scheduled_s + 2.0) if 20 <= i < 40 else o
        for i, o in enumerate(load(shape="constant", level=4).requests)
    ]
    cell = one(cells([replace(load(shape="constant", level=4), requests=tuple(held))]))
    assert cell.times["ttft_s"].p95.value < 0.1
    assert cell.times["ttft_sched_s"].p95.value > 2.0
    assert cell.times["dispatch_delay_s"].p95.value == pytest.approx(2.0)


def test_a_client_that_cannot_keep_up_is_named():
    assert one(cells(loads([4]))).client.bottleneck == ""
    late = one(cells(loads([4], lag_s=(0.0,) * 90 + (0.004,) * 10))).client
    assert late.bottleneck == "its loop woke 4.0 ms late (p99), 40% of the median TPOT"
    later = one(cells(loads([4], lag_s=(0.0,) * 90 + (0.18,) * 10))).client
    assert later.bottleneck == "its loop woke 180.0 ms late (p99), 18 times the median TPOT"
    busy = one(cells(loads([4], client_cpu_s=1000.0))).client
    assert "of a core" in busy.bottleneck


def test_capped_requests_are_counted():
    requests = tuple(replace(o, capped=i % 2 == 0) for i, o in enumerate(load().requests))
    assert one(cells([replace(load(), requests=requests)])).capped == pytest.approx(0.5, abs=0.02)


def test_cached_prompt_tokens_are_a_share_and_unknown_is_not_zero():
    requests = tuple(replace(o, cached_tokens=100) for o in load().requests)
    assert one(cells([replace(load(), requests=requests)])).cached_share == 0.25
    unknown = tuple(replace(o, cached_tokens=None) for o in load().requests)
    assert one(cells([replace(load(), requests=unknown)])).cached_share is None


def test_unknown_tokens_leave_throughput_in_tokens_unknown():
    requests = tuple(replace(o, completion_tokens=None) for o in load().requests)
    cell = one(cells([replace(load(), requests=requests)]))
    assert cell.output_tokens_per_s.value is None
    assert cell.requests_per_s.value is not None
    assert "tpot_s" not in cell.times


def test_cells_are_compared_by_the_spread_between_repeats():
    four, sixteen = cells(loads([4, 16]))
    found = compared(sixteen, four, "e2e_s", "p50")
    assert found.value == pytest.approx(4.0, rel=0.05)
    assert found.low < found.value < found.high


def test_cells_come_in_the_order_of_levels():
    found = cells(loads([16, 1, 4], contexts=[3, 0]))
    assert [(c.setting.contexts, c.setting.level) for c in found] == [(k, n) for k in (0, 3) for n in (1, 4, 16)]


def test_gpu_hours_cost_what_the_published_study_says():
    # llama-2-13b-chat on one A100 at 1.99 USD an hour: 0.309 cents a query at one thread, 5.59 s in all.
    assert 100 * cost_per_query(1.99, 1, 0.5, 5.09, 1) == pytest.approx(0.309, abs=0.0005)
    assert cost_per_query(3.6, 2, 1.0, 9.0, 4) == pytest.approx(0.005)


def test_a_candidate_on_hired_gpus_costs_its_time_over_its_users():
    cell = one(cells(loads([4]), hires={"mini": Hire(3.6, 1)}))
    assert cell.price.basis == "GPU hours"
    assert cell.price.usd_per_1000.value == pytest.approx(1000 * 0.001 * ALONE / 4, rel=0.03)
    opened = one(cells(loads([0.5 * MOST], shape="poisson"), hires={"mini": Hire(3.6, 1)}))
    assert opened.price.usd_per_1000.value == pytest.approx(1.0 / opened.requests_per_s.value, rel=0.05)


def test_answers_on_hired_gpus_pay_for_the_requests_that_failed():
    cell = one(cells(loads([4], fail=0.3), hires={"mini": Hire(3.6, 1)}))
    assert cell.price.usd_per_1000.value == pytest.approx(1.0 / cell.requests_per_s.value, rel=0.03)
    assert cell.price.usd_per_1000.value > 1.2 * ALONE / 4


def test_an_unknown_price_is_unknown_and_tokens_are_priced_by_answer():
    assert one(cells(loads([4]))).price.usd_per_1000.value is None
    priced = tuple(replace(o, cost_usd=0.002) for o in load().requests)
    cell = one(cells([replace(load(), requests=priced)]))
    assert (cell.price.usd_per_1000.value, cell.price.basis) == (pytest.approx(2.0), "tokens")
    partly = (replace(priced[20], cost_usd=None), *priced[1:20], *priced[21:])
    assert one(cells([replace(load(), requests=partly)])).price.basis in ("tokens", "")


def test_the_prices_of_gpus_are_read_from_the_exam():
    config = {"candidates": [{"name": "a", "usd_per_gpu_hour": 2.0, "launch": {"gpus": [0, 1]}}, {"name": "b"}]}
    assert hires(config) == {"a": Hire(2.0, 2)}
    assert hires({}) == {}


def test_requests_cut_by_the_window_count_by_their_part_inside():
    load_ = load(level=4)
    parts = rates.inside(load_)
    phases = np.array([o.phase for o in load_.requests])
    assert (parts[phases == "measured"] == 1).all()
    assert 0 < parts[phases != "measured"].sum() < (phases != "measured").sum()
    assert rates.requests_per_s(replace(load_, window_s=0.0)) is None

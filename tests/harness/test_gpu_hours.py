"""Cost of serving: the published table of a self-hosted RAG study, a worked break-even, and who pays for idle hours.

The table is of llama-2-13b-chat on one A100 80GB at 1.99 USD an hour, in US cents a query, by number of contexts, and
of gpt-3.5-turbo beside it.
"""

import pytest
from markscheme.harness.errors import ExamError
from markscheme.harness.exam import exam_from_dict
from markscheme.harness.records import Estimate
from markscheme.harness.serving.gpu_hours import (
    break_even,
    break_even_of,
    cost_per_query,
    monthly_api_bill,
    monthly_bill,
    queries_a_month,
    saturated_cost_per_query,
    servers_for,
    startup_cost,
)

USD_PER_HOUR = 1.99
CENTS = {
    1: (0.3090, 0.3151, 0.3366, 0.3627, 0.4207),
    8: (0.0423, 0.0450, 0.0514, 0.0575, 0.0717),
    32: (0.0143, 0.0166, 0.0201, 0.0271, 0.0400),
}
"""Threads -> cents a query with 0, 1, 3, 5 and 10 contexts."""
API_CENTS = (0.1225, 0.1431, 0.1705, 0.2339, 0.3360)


def seconds(threads, column):
    """How long a query must have taken for the published cents."""
    return CENTS[threads][column] / 100 * threads * 3600 / USD_PER_HOUR


def test_one_thread_without_contexts_took_5_59_seconds():
    assert seconds(1, 0) == pytest.approx(5.59, abs=0.005)
    assert 100 * cost_per_query(USD_PER_HOUR, 1, 0.5, 5.09, 1) == pytest.approx(0.3090, abs=0.00005)


@pytest.mark.parametrize("threads", CENTS)
@pytest.mark.parametrize("column", range(5))
def test_times_to_a_millisecond_give_the_published_cents_back_to_the_last_digit(threads, column):
    took = round(seconds(threads, column), 3)
    cents = 100 * cost_per_query(USD_PER_HOUR, 1, 0.3 * took, 0.7 * took, threads)
    assert round(cents, 4) == CENTS[threads][column]


def test_a_query_takes_longer_with_more_threads_or_contexts_but_never_costs_more_with_more_threads():
    for column in range(5):
        times, cents = [seconds(n, column) for n in CENTS], [CENTS[n][column] for n in CENTS]
        assert times == sorted(times)
        assert cents == sorted(cents, reverse=True)
    assert all(seconds(n, k) < seconds(n, k + 1) for n in CENTS for k in range(4))


def test_the_published_server_is_cheaper_than_the_api_with_8_and_32_threads_and_never_with_one():
    cheaper = {n: [own < api for own, api in zip(CENTS[n], API_CENTS, strict=True)] for n in CENTS}
    assert cheaper == {1: [False] * 5, 8: [True] * 5, 32: [True] * 5}


@pytest.mark.parametrize(("threads", "capacity_enough"), [(1, False), (8, True), (32, True)])
def test_the_break_even_with_the_published_api_is_reached_where_the_server_is_cheaper(threads, capacity_enough):
    """Throughput of a closed loop is threads over seconds a query (Little's law)."""
    for column, cents in enumerate(API_CENTS):
        capacity = threads / seconds(threads, column)
        assert (break_even(USD_PER_HOUR, cents / 100) < capacity) is capacity_enough


def test_the_saturated_figure_agrees_with_times_in_a_closed_loop_and_grows_with_idle_time():
    served = 32 / seconds(32, 4)
    assert 100 * saturated_cost_per_query(USD_PER_HOUR, 1, served) == pytest.approx(CENTS[32][4])
    assert 100 * saturated_cost_per_query(USD_PER_HOUR, 1, served, 0.25) == pytest.approx(4 * CENTS[32][4])


def test_gpus_multiply_every_price():
    assert cost_per_query(2.0, 4, 0.5, 0.5, 1) == pytest.approx(8 / 3600)
    assert saturated_cost_per_query(2.0, 4, 2.0) == pytest.approx(4 / 3600)


def test_a_worked_break_even():
    """0.00138 USD a query against 2.50 USD an hour, with 300 output tokens a query."""
    found = break_even(2.5, 0.00138)
    assert 3600 * found == pytest.approx(1811.6, abs=0.05)
    assert found == pytest.approx(0.503, abs=0.0005)
    assert 300 * found == pytest.approx(151, abs=0.5)


def test_the_start_of_a_server_is_spread_over_the_queries_that_it_was_started_for():
    assert startup_cost(3.6, 2, 90, 1000) == pytest.approx(0.00018)


@pytest.mark.parametrize(
    ("load", "utilisation", "servers"), [(0.0, 1, 1), (9.9, 1, 1), (10, 1, 1), (10.1, 1, 2), (10, 0.5, 2), (26, 0.5, 6)]
)
def test_servers_are_whole(load, utilisation, servers):
    assert servers_for(load, 10.0, utilisation) == servers


def test_a_month_of_servers_is_paid_day_and_night_and_the_fixed_line_is_paid_by_both():
    queries = queries_a_month(1000, 10)
    assert queries == pytest.approx(304_375)
    own, api = monthly_bill(queries, 2.0, 2, 70.0), monthly_api_bill(queries, 0.001, 70.0)
    assert (own.servers, api.servers) == (2, 0)
    assert own.total_usd == pytest.approx(2 * 2.0 * 730.5 + 70)
    assert api.total_usd == pytest.approx(304.375 + 70)


def estimate(value, low=None, high=None):
    return Estimate(value, low, high, 100, "t")


@pytest.mark.parametrize(
    ("capacity", "utilisation", "reached"),
    [
        (estimate(2.0, 1.9, 2.1), 1.0, "yes"),
        (estimate(2.0, 1.9, 2.1), 0.25, "unsure"),
        (estimate(2.0, 1.9, 2.1), 0.1, "no"),
        (estimate(0.3, 0.29, 0.31), 1.0, "no"),
        (estimate(0.5, 0.45, 0.55), 1.0, "unsure"),
        (estimate(2.0), 1.0, "unsure"),
    ],
)
def test_a_break_even_beyond_capacity_is_never_reached(capacity, utilisation, reached):
    found = break_even_of(2.5, estimate(0.00138, 0.00130, 0.00146), capacity, utilisation)
    assert found.reached == reached
    assert found.most_per_s.value == pytest.approx(utilisation * capacity.value)


def test_the_interval_of_a_break_even_is_that_of_the_apis_cost_turned_round():
    found = break_even_of(2.5, estimate(0.00138, 0.00130, 0.00146), estimate(2.0, 1.9, 2.1)).queries_per_s
    assert (found.low, found.high) == (break_even(2.5, 0.00146), break_even(2.5, 0.00130))
    assert found.low < found.value < found.high


def test_a_free_api_is_cheaper_at_any_load_and_an_unknown_one_leaves_no_break_even():
    free = break_even_of(2.5, estimate(0.0, 0.0, 0.0), estimate(2.0, 1.9, 2.1))
    assert (free.queries_per_s.value, free.reached) == (float("inf"), "no")
    assert break_even_of(2.5, estimate(None), estimate(2.0)) is None
    assert break_even_of(2.5, estimate(0.001), estimate(None)) is None


def exam(tmp_path, **cost):
    candidates = [{"name": "own", "model": "vllm/own"}, {"name": "rival", "model": "openai/gpt-4o-mini"}]
    serving = {"loads": [{"closed": [1]}], "candidates": ["own"], "cost": cost}
    return exam_from_dict({"dataset": "docs_qa", "candidates": candidates, "serving": serving}, tmp_path, "exam")


def test_the_section_is_read(tmp_path):
    spec = exam(tmp_path, usd_per_gpu_hour=1.99, gpus=2, users=1000, queries_per_user_day=10, api="rival").serving.cost
    assert (spec.usd_per_gpu_hour, spec.gpus, spec.users, spec.utilisation) == (1.99, 2, 1000, 1.0)
    assert exam(tmp_path).serving.cost.users is None


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ({"users": 10}, "users: needs queries_per_user_day beside it"),
        ({"queries_per_user_day": 10}, "queries_per_user_day: needs users beside it"),
        ({"fixed_usd_month": 70}, "fixed_usd_month: 70.0 has no effect without a bill"),
        ({"gpus": 2}, "gpus: 2 has no effect without usd_per_gpu_hour"),
        ({"utilisation": 0}, "utilisation"),
        ({"utilisation": 60}, "utilisation"),
        ({"api": "rivall"}, "api: 'rivall' is no candidate of this exam; did you mean 'rival'?"),
    ],
)
def test_what_would_have_no_effect_or_no_meaning_is_refused(tmp_path, cost, said):
    with pytest.raises(ExamError) as caught:
        exam(tmp_path, **cost)
    assert said in str(caught.value)

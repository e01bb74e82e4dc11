"""Costs on the page of a load test: the formula by load, capacity, bills, and the break-even with an API."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from markscheme.harness.records import Estimate
from markscheme.harness.serving.gpu_hours import DAYS_A_MONTH
from markscheme.harness.serving.records import ServerUse
from markscheme.reports.figures.break_even import Crossing, break_even
from markscheme.reports.serving.html import render_html
from markscheme.reports.serving.markdown import render_markdown
from markscheme.reports.serving.prices import hires
from markscheme.reports.serving.quality import usd_of
from markscheme.reports.serving.report import build
from regressions import run as run_of
from serving_loads import SLOTS, bench, load, loads

ALONE = 0.44
"""Seconds of one request alone; the server has four slots."""
USD_PER_HOUR = 3.6
COST = {"usd_per_gpu_hour": USD_PER_HOUR, "utilisation": 0.5, "api": "large"}
USERS = {"users": 10_000, "queries_per_user_day": 20, "fixed_usd_month": 70.0}


def priced(one, usd):
    return replace(one, requests=tuple(replace(request, cost_usd=usd) for request in one.requests))


def priced_by(cost, api_usd=0.001, **changes):
    """Own servers at 1, 4 and 16 users, and an API at 4, of which an answer costs so much, more or less by repeat."""
    given = loads((1, 4, 16), **changes)
    given += [priced(one, api_usd * (1 + 0.01 * one.repeat)) for one in loads((4,), candidates=("large",))]
    return build(bench(serving={"cost": cost}), given)


def only(report):
    assert len(report.costs) == 1
    return report.costs[0]


def said(report):
    return re.sub(r"\\|\*", "", render_markdown(report)).split("\n## Costs")[1].split("\n## ")[0]


def test_a_closed_loop_costs_by_times_what_it_costs_by_throughput():
    """Little's law: with n in flight, n over seconds a request is requests a second."""
    one = only(priced_by(COST))
    for cell in one.cells:
        by_throughput = 1000 * USD_PER_HOUR / 3600 / cell.requests_per_s.value
        assert cell.price.usd_per_1000.value == pytest.approx(by_throughput, rel=0.03)
    assert one.cells[0].price.usd_per_1000.value == pytest.approx(USD_PER_HOUR / 3.6 * ALONE, rel=0.02)


def test_capacity_is_the_highest_throughput_and_idle_time_is_paid_for():
    one = only(priced_by(COST))
    assert one.capacity.value == pytest.approx(SLOTS / ALONE, rel=0.03)
    assert one.saturated.value == pytest.approx(1000 * USD_PER_HOUR / 3600 / one.capacity.value / 0.5)
    assert one.saturated.low < one.saturated.value < one.saturated.high


def test_capacity_is_that_of_a_setting_that_keeps_the_limits():
    """With 16 users first tokens wait for a second, so only those of up to four users count."""
    given = loads((1, 16))
    kept = build(bench(serving={"cost": COST, "limits": {"ttft_p95_s": 0.2}}), given)
    assert kept.costs[0].best.setting.level == 1
    none = build(bench(serving={"cost": {**COST, **USERS}, "limits": {"ttft_p95_s": 0.001}}), given)
    assert (none.costs[0].best, none.costs[0].bill, none.costs[0].even) == (None, None, None)
    assert "No setting of mini keeps the limits, so there is no capacity to count with." in said(none)


def test_the_price_of_gpu_hours_is_for_those_whose_tokens_have_none_and_not_for_the_api():
    other = [priced(one, 0.01) for one in loads((1,), candidates=("b",))]
    given = [*loads((1,), candidates=("mini", "large")), *other]
    found = hires({"serving": {"cost": {**COST, "gpus": 2}}, "candidates": []}, given)
    assert {name: (hire.usd_per_gpu_hour, hire.gpus) for name, hire in found.items()} == {"mini": (USD_PER_HOUR, 2)}
    own = {"candidates": [{"name": "mini", "usd_per_gpu_hour": 9.0}], "serving": {"cost": COST}}
    assert hires(own, given)["mini"].usd_per_gpu_hour == 9.0


def test_the_break_even_is_reached_where_the_server_takes_more():
    one = only(priced_by(COST, api_usd=0.001))
    assert one.even.queries_per_s.value == pytest.approx(1 / 1.01)
    assert one.even.queries_per_s.low < one.even.queries_per_s.value < one.even.queries_per_s.high
    assert one.even.reached == "yes"
    text = said(priced_by(COST))
    assert re.search(
        r"From 0\.990 \[.*?\] queries/s \(40 output tokens/s at 40 an answer\) on a server is cheaper", text
    )


def test_an_api_that_is_cheaper_than_a_full_server_is_never_beaten():
    report = priced_by(COST, api_usd=0.0001)
    assert only(report).even.reached == "no"
    assert "A server is never cheaper: the break-even would be 9.9" in said(report)
    assert 'class="ring" cx' not in render_html(report).split('id="costs"')[1].split("</section>")[0]


def test_without_intervals_nothing_is_sure():
    report = priced_by(COST, repeats=1)
    assert only(report).even.reached == "unsure"
    assert "Whether a server is ever cheaper cannot be told" in said(report)
    assert "takes at 50 %, but one of the two has no interval, or both." in said(report)
    assert "but not by more than their intervals" in said(priced_by(COST, api_usd=0.00022))


def test_an_api_without_a_price_is_unknown_and_never_free():
    given = loads((1, 4), candidates=("mini", "large"))
    report = build(bench(serving={"cost": {**COST, **USERS}}), given)
    one = only(report)
    assert (one.even, one.rival.bill, one.rival.usd_per_1000.value) == (None, None, None)
    assert "The break-even with large is unknown: neither this load test nor a finished run has a price" in said(report)
    assert "What large costs is unknown: declare usd_per_gpu_hour" in said(report)


def test_a_server_without_a_price_is_unknown():
    report = build(bench(serving={"cost": {"api": "large"}}), loads((1, 4)))
    assert (report.costs, report.unpriced) == ((), ("mini",))
    assert "$0" not in said(report)
    assert build(bench(), loads((1, 4))).unpriced == ()


def test_an_api_that_was_not_loaded_costs_what_it_did_in_a_run_of_the_same_contexts_and_free_length():
    asked = {
        ("large", None): Estimate(0.002, 0.0019, 0.0021, 88, "t"),
        ("large", 3): Estimate(0.004, None, None, 88, ""),
    }
    config = bench(serving={"cost": COST})
    plain, three = build(config, loads((1, 4), contexts=(None, 3)), asked=asked).costs
    assert (plain.rival.usd_per_1000.value, plain.rival.source) == (2.0, "a run of the exam")
    assert three.rival.usd_per_1000.value == 4.0
    fixed = [replace(one, setting=replace(one.setting, output_tokens=128)) for one in loads((1, 4))]
    assert build(config, fixed, asked=asked).costs[0].rival.why == (
        "this load test has no price of its answers with 128 tokens out"
    )


def test_a_run_says_what_an_answer_costs_with_an_interval_over_questions():
    data = run_of("r", {"large": np.ones(40), "free": np.ones(40)})
    usd = np.where(data.answers["candidate"] == "large", 0.001 * (1 + np.arange(80) % 3), np.nan)
    found = usd_of(replace(data, answers=data.answers.assign(cost_usd=usd)))
    assert found["large", None].value == pytest.approx(usd[~np.isnan(usd)].mean())
    assert found["large", None].low is not None
    assert found["free", None].value is None


def test_the_bill_holds_whole_servers_and_both_pay_the_fixed_line():
    report = priced_by({**COST, **USERS})
    one = only(report)
    per_s = 10_000 * 20 / 86_400
    assert one.bill.servers == np.ceil(per_s / (0.5 * one.capacity.value)) == 1
    assert one.bill.total_usd == pytest.approx(USD_PER_HOUR * 24 * DAYS_A_MONTH + 70)
    assert one.rival.bill.total_usd == pytest.approx(10_000 * 20 * DAYS_A_MONTH * 0.00101 + 70, rel=1e-6)
    assert "10,000 users × 20 questions a day are 6,087,500 a month, 2.31 a second on average" in said(report)
    many = only(priced_by({**COST, **USERS, "users": 100_000}))
    assert many.bill.servers == 6


def test_starts_are_a_line_of_their_own_spread_over_requests():
    use = ServerUse("bench", "mini", ("vllm",), (0, 1), 3.6, 100.0, 172.0, 900.0, "log")
    launched = [{"name": "mini", "usd_per_gpu_hour": 3.6, "launch": {"gpus": [0, 1]}}]
    report = build(bench(candidates=launched), loads((4,)), [use])
    assert report.started.usd == pytest.approx(72 * 2 * 3.6 / 3600)
    assert report.started.usd_per_1000 == pytest.approx(1000 * report.started.usd / report.started.requests)
    assert "Starting 1 server cost $0.14" in said(report)
    assert build(bench(candidates=launched), loads((4,)), [replace(use, usd_per_gpu_hour=None)]).started is None


def crossing(**changes):
    usd, at = Estimate(1.0, 0.9, 1.1, 3, "t"), Estimate(1.0, 0.91, 1.11, 3, "t")
    return replace(Crossing("own", "api", 3.6, 4.5, usd, at, 2.0), **changes)


def test_the_figure_marks_the_crossing_only_where_it_is_reached():
    reached, never = break_even(crossing()), break_even(crossing(most_per_s=0.5))
    assert ElementTree.fromstring(reached) is not None
    assert reached.count('class="ring"') == 1
    assert "cross at 1 queries/s" in reached
    assert never.count('class="ring"') == 0
    assert "do not cross" in never


def test_the_figure_needs_a_price_of_the_api():
    nothing = Estimate(None, None, None, 0, "")
    assert break_even(crossing(api_usd_per_1000=nothing)) is None
    assert break_even(crossing(api_usd_per_1000=Estimate(0.0, 0.0, 0.0, 3, ""))) is None


def test_names_in_the_figure_are_only_text():
    drawn = break_even(crossing(server="<script>alert(1)</script>", api='"><b>'))
    assert ElementTree.fromstring(drawn) is not None
    assert "<script" not in drawn


def test_without_a_price_there_is_no_section():
    assert 'id="costs"' not in render_html(build(bench(), [load("mini", "closed", 4)]))

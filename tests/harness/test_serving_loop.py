"""The loop that sends a cell's requests: its schedule, its phases, its failures, its own honesty."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest
from markscheme.harness.errors import BudgetReached, EndpointGone
from markscheme.harness.exam_specs import CandidateSpec
from markscheme.harness.models.catalog import open_model
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Failure, Reply, Request, Timing, Usage
from markscheme.harness.serving.client import until, watching
from markscheme.harness.serving.grid import Cell, cells
from markscheme.harness.serving.loop import Asked, Rules, measure, served
from markscheme.harness.serving.purse import Purse
from markscheme.harness.serving.spec import ServingSpec
from mock_openai import mock_server

CANDIDATE = CandidateSpec(name="cand", model="vllm/cand")


def request(number: int) -> Request:
    return Request(({"role": "user", "content": f"[[Q{number}]] word?"},), {"max_tokens": 64}, stream=True)


def ask(number: int) -> tuple[str, Request]:
    return f"s{number}", request(number)


def free(model, cap=None, cost=lambda model, usage: 0.0):
    return Asked(ask, model, Purse(cap, 0.0, cost))


def cell_of(load, **given) -> Cell:
    return cells(ServingSpec.model_validate({"loads": [load], **given}), [CANDIDATE])[0]


def run(load, model, warm=0, max_in_flight=512, asked=None, **given):
    async def go():
        rules = Rules(lambda sent: warm, max_in_flight)
        return await measure(cell_of(load, **given), 0, asked or free(model), rules)

    return asyncio.run(go())


def in_flight(requests, at):
    return sum(one.sent_s <= at < one.sent_s + one.e2e_s for one in requests)


def test_a_closed_loop_keeps_its_users_busy_and_no_more():
    loaded = run({"closed": 4}, ScriptedModel(lambda r: "word", latency_s=0.03), requests=41)
    assert [one.number for one in loaded.requests] == list(range(41))
    moments = [one.sent_s + 0.015 for one in loaded.requests[:36]]
    assert {in_flight(loaded.requests, at) for at in moments} <= {3, 4}
    assert all(one.scheduled_s == one.sent_s for one in loaded.requests)


def test_an_open_loop_sends_at_the_time_due_never_before_and_waits_for_no_reply():
    loaded = run({"poisson": 200}, ScriptedModel(lambda r: "word", latency_s=0.5), requests=150)
    delays = sorted(one.sent_s - one.scheduled_s for one in loaded.requests)
    assert delays[0] >= 0
    assert delays[len(delays) // 2] < 0.25, "half of the time that a reply takes: nobody waits for one"
    assert max(in_flight(loaded.requests, one.sent_s) for one in loaded.requests) > 50


def test_waiting_for_a_moment_never_ends_before_it():
    async def wait():
        late = []
        for gap in (0.0001, 0.0007, 0.0013, 0.0049, 0.0131) * 8:
            due = time.perf_counter() + gap
            await until(due)
            late.append(time.perf_counter() - due)
        return late

    assert min(asyncio.run(wait())) >= 0


def test_a_ramp_takes_in_a_user_each_second_and_lasts_until_the_last_has_joined():
    loaded = run({"ramp": 3}, ScriptedModel(lambda r: "word", latency_s=0.1), requests=16)
    assert max(in_flight(loaded.requests, at) for at in (0.25, 0.55, 0.85)) == 1
    assert max(in_flight(loaded.requests, at) for at in (1.25, 1.55, 1.85)) == 2
    assert loaded.requests[-1].sent_s >= 2.0
    assert len(loaded.requests) > 16, "16 requests would have been over before the third user came"


def test_a_cell_of_seconds_ends_by_the_clock():
    loaded = run({"closed": 2}, ScriptedModel(lambda r: "word", latency_s=0.05), duration_s=0.5)
    assert 14 <= len(loaded.requests) <= 22
    assert all(one.sent_s < 0.51 for one in loaded.requests)
    opened = run({"constant": 40}, ScriptedModel(lambda r: "word"), duration_s=0.5)
    assert len(opened.requests) == 20


def test_the_first_requests_warm_up_and_the_last_of_all_users_cool_down():
    loaded = run({"closed": 4}, ScriptedModel(lambda r: "word", latency_s=0.02), warm=5, requests=40)
    phases = [one.phase for one in loaded.requests]
    assert phases[:5] == ["warm_up"] * 5
    assert Counter(phases) == {"warm_up": 5, "measured": 32, "cool_down": 3}, "the first to stop was still measured"
    assert phases[-3:] == ["cool_down"] * 3
    measured = [one for one in loaded.requests if one.phase == "measured"]
    ends = max(one.sent_s + one.e2e_s for one in measured)
    assert loaded.window_s == pytest.approx(ends - measured[0].sent_s)


def test_the_last_tenth_of_an_open_loop_cools_down():
    loaded = run({"constant": 100}, ScriptedModel(lambda r: "word", latency_s=0.1), warm=4, requests=40)
    assert [one.number for one in loaded.requests if one.phase == "cool_down"] == [36, 37, 38, 39]


class Uneven(ScriptedModel):
    """Takes 0.02 s, but 0.5 s for the thirty-seventh and for every tenth request before it."""

    async def complete(self, request):
        number = int(request.messages[0]["content"].split("]]")[0][3:])
        await asyncio.sleep(0.5 if number % 10 == 7 else 0.02)
        return await super().complete(request)


def test_slow_replies_are_measured_like_the_others():
    loaded = run({"closed": 4}, Uneven(lambda r: "word"), requests=43)
    measured = [one for one in loaded.requests if one.phase == "measured"]
    assert [one.number for one in measured] == list(range(40)), "also the slow one that outlasted the last to be sent"


def test_a_cap_on_an_open_loop_is_said_of_every_request_that_it_holds_back():
    loaded = run({"constant": 100}, ScriptedModel(lambda r: "word", latency_s=0.1), requests=40, max_in_flight=5)
    assert [one.capped for one in loaded.requests[:5]] == [False] * 5
    assert all(one.capped for one in loaded.requests[6:])
    assert max(in_flight(loaded.requests, one.sent_s) for one in loaded.requests) == 5
    waits = [one.sent_s - one.scheduled_s for one in loaded.requests]
    assert waits[-1] > waits[15] > 0.02, "they keep their schedule, and so their wait is seen"
    assert not any(one.capped for one in run({"constant": 100}, ScriptedModel(lambda r: "w"), requests=20).requests)


def test_failures_are_kept_with_their_kind_and_have_no_latency():
    def script(asked):
        number = int(asked.messages[0]["content"].split("]]")[0][3:])
        return Failure("server_error", "500: engine died", 500) if number % 4 == 0 else "word"

    loaded = run({"closed": 2}, ScriptedModel(script), requests=40)
    failed = [one for one in loaded.requests if one.status != "ok"]
    assert [one.number for one in failed] == list(range(0, 40, 4))
    assert {(one.status, one.detail, one.ttft_s, one.e2e_s) for one in failed} == {
        ("server_error", "500: engine died", None, None)
    }


def test_nothing_is_sent_twice_whatever_comes_back():
    model = ScriptedModel(lambda r: Failure("rate_limited", "429", 429, retry_after_s=0.01))
    run({"closed": 2}, model, requests=30)
    assert len(model.requests) == 30


@pytest.mark.parametrize("kind", ["unauthorized", "not_found"])
def test_a_refusal_that_holds_for_every_call_ends_the_cell_at_once(kind):
    model = ScriptedModel(lambda r: Failure(kind, "no"))
    with pytest.raises(EndpointGone, match=f"{kind}: no"):
        run({"closed": 2}, model, requests=100)
    assert len(model.requests) <= 2


def test_a_server_that_is_gone_ends_the_cell_and_one_that_stumbles_does_not():
    with pytest.raises(EndpointGone, match="connection refused"):
        run({"closed": 2}, ScriptedModel(lambda r: Failure("network", "connection refused")), requests=400)
    replies = [Failure("network", "reset") if n % 3 else "word" for n in range(400)]
    loaded = run({"closed": 1}, ScriptedModel(replies), requests=400)
    assert Counter(one.status for one in loaded.requests) == {"network": 266, "ok": 134}


def test_a_reply_that_serves_nobody_a_token_is_no_success():
    empty = Reply("", Usage(5, 0), Timing(0.0, 0.2))
    whole = Reply("all at once", Usage(5, 3), Timing(0.0, 0.2))
    assert [served(0, "s", one, 0, 0).status for one in (empty, whole)] == ["malformed", "unsupported"]
    assert served(0, "s", empty, 0, 0).e2e_s is None


def test_a_budget_stops_before_the_request_that_could_exceed_it():
    model = ScriptedModel(lambda r: "word", usage=Usage(10, 10))

    def cost(name, usage):
        return 0.001 * usage.completion_tokens  # at most 0.064 each, by max_tokens

    asked = free(model, cap=0.5, cost=cost)
    with pytest.raises(BudgetReached, match=r"budget of \$0.50 reached"):
        run({"closed": 1}, model, asked=asked, requests=200)
    assert 0.5 - 0.064 < asked.purse.spent_usd <= 0.5
    assert len(model.requests) == round(asked.purse.spent_usd / 0.01)


def test_the_lag_of_a_loop_that_is_kept_busy_is_seen_and_that_of_an_idle_one_is_small(monkeypatch):
    monkeypatch.setattr("markscheme.harness.serving.client.EVERY_S", 0.02)

    async def lags(busy_s):
        async with watching() as client:
            end = time.perf_counter() + 0.6
            while time.perf_counter() < end:
                time.sleep(busy_s)
                await asyncio.sleep(0)
        return sorted(client.lag_s)

    idle, busy = asyncio.run(lags(0.0)), asyncio.run(lags(0.02))
    assert idle[0] >= 0
    assert busy[len(busy) // 2] > 0.002
    assert busy[len(busy) // 2] > 3 * idle[len(idle) // 2]


def test_the_samples_of_a_long_cell_are_thinned(monkeypatch):
    monkeypatch.setattr("markscheme.harness.serving.client.MOST", 10)
    monkeypatch.setattr("markscheme.harness.serving.client.EVERY_S", 0.01)

    async def watched():
        async with watching() as client:
            await asyncio.sleep(0.4)
        return client

    client = asyncio.run(watched())
    assert 4 <= len(client.lag_s) < 12, "of 40 ticks"
    assert client.cpu_s > 0


@pytest.fixture(scope="module")
def server():
    with mock_server() as running:
        yield running


def over_the_wire(server, load, timeout_s=10.0, max_in_flight=512, **given):
    async def go():
        model = open_model("openai-compatible/cand-1", base_url=server.url, timeout_s=timeout_s)
        try:
            return await measure(cell_of(load, **given), 0, free(model), Rules(lambda sent: 5, max_in_flight))
        finally:
            await model.close()

    return asyncio.run(go())


def test_over_the_wire_times_are_the_servers(server):
    server.configure({"stream": {"ttft_ms": 40, "itl_ms": 10}})
    loaded = over_the_wire(server, {"closed": 2}, requests=20)
    one = loaded.requests[10]
    assert 0.04 <= one.ttft_s < one.e2e_s
    assert len(one.gaps_s) > 5
    assert min(sum(r.gaps_s) / len(r.gaps_s) for r in loaded.requests) >= 0.009
    assert (one.status, one.usage_estimated, one.completion_tokens > 5) == ("ok", False, True)
    assert one.text == "", "texts are not kept"
    assert loaded.client_cpu_s > 0


def test_every_failure_of_a_server_is_counted_and_nothing_is_asked_again(server):
    server.configure({"errors": {"r429": 0.2, "r500": 0.2, "drop": 0.1}})
    loaded = over_the_wire(server, {"closed": 4}, requests=120)
    statuses = Counter(one.status for one in loaded.requests)
    said = server.stats()
    assert said["received"] == 120, "retries are off"
    assert said["duplicate_bodies"] == 0
    assert statuses["rate_limited"] == said["outcomes"]["429"] > 5
    assert statuses["server_error"] == said["outcomes"]["500"] > 5
    assert statuses["network"] == said["outcomes"]["drop"] > 3
    assert statuses["ok"] == said["ok"]


def test_a_reply_that_takes_too_long_fails_at_the_limit(server):
    server.configure({"stream": {"ttft_ms": 2000}})
    loaded = over_the_wire(server, {"closed": 4}, timeout_s=0.2, requests=18)
    assert {one.status for one in loaded.requests} == {"timeout"}
    assert 0.2 * 3 <= loaded.window_s < 2


def test_a_stall_of_the_server_shows_in_scheduled_latency_of_all_who_came_meanwhile(server):
    server.configure({"stream": {"ttft_ms": 10, "itl_ms": 0}, "stall": {"at_s": 0.8, "for_s": 1.0}})
    loaded = over_the_wire(server, {"constant": 40}, requests=100, max_in_flight=4)
    meanwhile = [one for one in loaded.requests if 0.9 < one.scheduled_s < 1.3]
    assert len(meanwhile) == 15
    assert all(one.sent_s - one.scheduled_s + one.e2e_s > 0.45 for one in meanwhile), "the stall ends at 1.8 s"
    assert sum(one.e2e_s > 0.45 for one in loaded.requests) <= 5, "of those in flight alone would the service tell"
    assert all(one.capped for one in meanwhile[4:])


def test_the_same_stall_hides_in_a_closed_loop(server):
    server.configure({"stream": {"ttft_ms": 10, "itl_ms": 0}, "stall": {"at_s": 0.3, "for_s": 1.0}})
    loaded = over_the_wire(server, {"closed": 1}, requests=60)
    assert sum(one.e2e_s > 0.5 for one in loaded.requests) == 1, "one user waits once: that is coordinated omission"

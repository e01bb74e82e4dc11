"""Limits, retries, budget and the exactly-once call."""

import asyncio
import random
import time

import pytest
from markscheme.harness.dispatch.budget import Budget, budget_usd, worst_case
from markscheme.harness.dispatch.dispatcher import Dispatcher
from markscheme.harness.dispatch.limits import Bucket, Limiter
from markscheme.harness.dispatch.pool import all_pools, run_pool
from markscheme.harness.dispatch.retry import RetryPolicy
from markscheme.harness.errors import BudgetReached, EndpointGone, InputError, Stopped, StoreError
from markscheme.harness.models.base import Limits
from markscheme.harness.records import Draw, Failure, Headroom, Reply, Request, Timing, Usage
from markscheme.harness.store.batch import Batch
from markscheme.harness.store.recorded import Ledger, Recorded
from markscheme.harness.store.store import Store
from markscheme.harness.store.writer import Writer

QUICK = RetryPolicy(base_s=0.001, cap_s=0.002)
REQUEST = Request(({"role": "user", "content": "hi"},), {"max_tokens": 10})


def reply(text="ok", **kwargs):
    return Reply(text, Usage(10, 10), Timing(time.time(), 0.01), **kwargs)


class Model:
    """Plays outcomes one after the other, then `ok` for ever."""

    name, identity, limit_group, limits, supports_images = "test/m", {"model": "m"}, "test", Limits(), False

    def __init__(self, *outcomes, latency=0.0):
        self.outcomes, self.latency = list(outcomes), latency
        self.asked = self.now = self.most = 0

    async def complete(self, request):
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.latency)
        self.now -= 1
        return self.outcomes.pop(0) if self.outcomes else reply()

    async def close(self):
        pass


def failure(kind, **kwargs):
    return Failure(kind, "said the server", **kwargs)


def send(model, times=1, **kwargs):
    async def main():
        dispatcher = Dispatcher(kwargs.pop("concurrency", 4), policy=QUICK, **kwargs)
        return await asyncio.gather(*(dispatcher.send(model, REQUEST) for _ in range(times)))

    return asyncio.run(main())


@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "network", "malformed"])
def test_our_failures_are_retried(kind):
    ((outcome, attempts),) = send(Model(failure(kind), failure(kind)))
    assert (outcome.text, attempts) == ("ok", 3)


@pytest.mark.parametrize("kind", ["timeout", "content_filter", "context_overflow", "bad_request", "unsupported"])
def test_failures_that_would_repeat_are_not_retried(kind):
    ((outcome, attempts),) = send(Model(failure(kind)))
    assert (outcome.kind, attempts) == (kind, 1)


@pytest.mark.parametrize("kind", ["unauthorized", "not_found"])
def test_a_refused_key_or_model_stops_the_endpoint_with_a_remedy(kind):
    model = Model(failure(kind))
    with pytest.raises(EndpointGone, match=r"test/m: said the server: check .*the same command continues"):
        send(model)
    assert model.asked == 1


def test_an_endpoint_where_nobody_listens_is_given_up_early():
    model = Model(*[failure("network")] * 50)
    with pytest.raises(EndpointGone, match="check that the server runs"):
        send(model)
    assert model.asked == 4


def test_an_endpoint_that_has_answered_is_given_all_attempts():
    model = Model(reply(), *[failure("network")] * 7)

    async def main():
        dispatcher = Dispatcher(4, policy=QUICK)
        await dispatcher.send(model, REQUEST)
        return await dispatcher.send(model, REQUEST)

    outcome, attempts = asyncio.run(main())
    assert (outcome.text, attempts) == ("ok", 8)


def test_retry_after_is_a_lower_bound_and_too_long_a_one_gives_up():
    policy, rng = RetryPolicy(), random.Random(1)
    assert policy.delay(failure("rate_limited", retry_after_s=7.0), 1, rng) >= 7.0
    assert policy.delay(failure("rate_limited", retry_after_s=3600.0), 1, rng) is None
    assert policy.delay(failure("rate_limited"), 8, rng) is None
    assert all(policy.delay(failure("network"), 7, rng) <= policy.cap_s for _ in range(100))


def test_no_more_calls_are_in_flight_than_allowed():
    model = Model(latency=0.005)
    send(model, times=30, concurrency=3)
    assert model.most == 3


def test_a_429_halves_what_is_allowed_once_a_burst_and_successes_restore_it():
    now = [0.0]
    limiter = Limiter(Limits(), 64, clock=lambda: now[0])
    for _ in range(20):
        limiter.learn(failure("rate_limited"))
    assert limiter.allowed == 32
    now[0] = 5.0
    limiter.learn(failure("rate_limited"))
    assert limiter.allowed == 16
    for _ in range(5000):
        limiter.learn(reply())
    assert limiter.allowed == 64


def test_the_gate_stays_closed_for_retry_after_and_when_headers_say_that_nothing_is_left():
    async def main(outcome):
        limiter = Limiter(Limits(), 4)
        limiter.learn(outcome)
        start = time.monotonic()
        await limiter.acquire()
        return time.monotonic() - start

    assert asyncio.run(main(failure("rate_limited", retry_after_s=0.1))) >= 0.09
    assert asyncio.run(main(reply(headroom=Headroom(requests=0, reset_s=0.1)))) >= 0.09
    assert asyncio.run(main(reply(headroom=Headroom(requests=5, reset_s=0.1)))) < 0.05


def test_an_endpoints_own_limit_is_below_the_exams():
    assert Limiter(Limits(concurrency=2), 64).ceiling == 2
    assert Limiter(Limits(concurrency=200), 64).ceiling == 64


def test_a_bucket_books_ahead():
    now = [0.0]
    bucket = Bucket(60, lambda: now[0])
    assert bucket.take(60) == 0
    assert bucket.take(2) == pytest.approx(2.0)
    now[0] = 10.0
    assert bucket.take(1) == 0


def test_a_cancelled_waiter_gives_its_slot_back():
    async def main():
        limiter = Limiter(Limits(), 1)
        await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        limiter.release()  # the slot is now promised to the waiter
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(limiter.acquire(), 0.2)

    asyncio.run(main())


def test_the_pool_finishes_what_it_began_and_then_raises():
    done = []

    async def work(item):
        await asyncio.sleep(0.01 if item else 0)
        if item == 0:
            raise StoreError("disk")
        done.append(item)

    async def main():
        await run_pool(range(100), work, 3, asyncio.Event())

    with pytest.raises(StoreError, match="disk"):
        asyncio.run(main())
    assert done == [1, 2]


def test_items_that_cannot_be_had_any_more_do_not_drop_what_is_in_flight():
    done = []

    def items():
        yield from (1, 2)
        raise StoreError("cannot read")

    async def work(item):
        await asyncio.sleep(0.01)
        done.append(item)

    with pytest.raises(StoreError, match="cannot read"):
        asyncio.run(run_pool(items(), work, 3, asyncio.Event()))
    assert done == [1, 2]


def test_a_pool_that_fails_leaves_the_others_to_finish_what_they_began():
    done = []

    async def work(item):
        await asyncio.sleep(0.0 if item == "bad" else 0.02)
        if item == "bad":
            raise StoreError("disk")
        done.append(item)

    async def main():
        stop = asyncio.Event()
        await all_pools(run_pool(items, work, 1, stop) for items in (["bad"], ["slow", "never"]))

    with pytest.raises(StoreError, match="disk"):
        asyncio.run(main())
    assert done == ["slow"]


@pytest.mark.parametrize("held_up_by", ["a slot", "a closed gate", "a minute's budget"])
def test_what_waits_to_be_sent_is_given_up_when_told_to_stop(held_up_by):
    async def main():
        model = Model(latency=0.02)
        model.limits = Limits(concurrency=1, rpm=1 if held_up_by == "a minute's budget" else None)
        dispatcher = Dispatcher(1, policy=QUICK)
        if held_up_by == "a closed gate":
            await dispatcher.send(model, REQUEST)
            dispatcher._endpoints["test"].limiter.learn(failure("rate_limited", retry_after_s=60))
        calls = [asyncio.create_task(dispatcher.send(model, REQUEST)) for _ in range(3)]
        await asyncio.sleep(0.005)
        dispatcher.stop.set()
        outcomes = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 1)
        return model.asked, [type(outcome) for outcome in outcomes]

    asked, outcomes = asyncio.run(main())
    assert asked == 1
    assert outcomes.count(Stopped) == (3 if held_up_by == "a closed gate" else 2)


def test_a_budget_is_never_exceeded_and_says_what_the_next_call_could_cost():
    price = lambda model, usage: (usage.prompt_tokens + usage.completion_tokens) / 1000  # noqa: E731
    spent = []

    async def main():
        budget = Budget(0.1, 0.0, price)
        dispatcher = Dispatcher(8, policy=QUICK, budget=budget)
        model = Model(latency=0.002)
        try:
            await asyncio.gather(*(dispatcher.send(model, REQUEST) for _ in range(20)))
        finally:
            await asyncio.sleep(0.05)
            spent.append((budget.spent_usd, model.asked))

    with pytest.raises(BudgetReached, match=r"\$0\.10 reached.*could cost up to \$0\.0"):
        asyncio.run(main())
    ((usd, asked),) = spent
    assert 0 < usd <= 0.1
    assert usd == pytest.approx(asked * 0.02)


def test_a_model_without_a_price_cannot_be_budgeted():
    async def main():
        await Budget(1.0, 0.0, lambda model, usage: None).reserve("x/y", REQUEST)

    with pytest.raises(InputError, match=r"'x/y' has no known price.*prices:"):
        asyncio.run(main())


def test_the_environment_caps_every_budget(monkeypatch):
    monkeypatch.setenv("MARKSCHEME_BUDGET_USD", "2")
    assert (budget_usd(None), budget_usd(5.0), budget_usd(1.0)) == (2.0, 2.0, 1.0)
    monkeypatch.setenv("MARKSCHEME_BUDGET_USD", "lots")
    with pytest.raises(InputError, match="MARKSCHEME_BUDGET_USD='lots'"):
        budget_usd(None)


def test_the_worst_case_of_a_request_bounds_its_tokens():
    usage = worst_case(Request(({"role": "user", "content": "x" * 1000},), {"max_tokens": 7}))
    assert usage.prompt_tokens >= 1000
    assert usage.completion_tokens == 7
    assert worst_case(Request(())).completion_tokens > 10_000


def test_a_batch_goes_out_when_full_or_when_its_time_has_come():
    sent = []

    async def main():
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            batch = Batch(lambda items: sent.append(list(items)), thread, max_items=3, max_wait_s=0.01)
            waiting = [batch.submit(i) for i in range(4)]
            await asyncio.gather(*waiting)

    asyncio.run(main())
    assert sent == [[0, 1, 2], [3]]


def test_everyone_in_a_failed_batch_learns_of_it():
    def explode(items):
        raise StoreError("full")

    async def main():
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            batch = Batch(explode, thread, max_wait_s=0.001)
            return await asyncio.gather(batch.submit(1), batch.submit(2), return_exceptions=True)

    assert [str(error) for error in asyncio.run(main())] == ["full", "full"]


def test_what_comes_when_the_threads_are_gone_fails_and_nobody_waits_for_it():
    async def main():
        from concurrent.futures import ThreadPoolExecutor

        thread = ThreadPoolExecutor(1)
        batch = Batch(list, thread, max_wait_s=0.001)
        thread.shutdown()
        late = batch.submit(1)
        async with asyncio.timeout(5):
            await batch.drain()
        with pytest.raises(RuntimeError, match="after shutdown"):
            await late

    asyncio.run(main())


def calls(tmp_path, body, run="r1", salt="", offline=False, model=None):
    """Run ``body(recorded, model)`` against a workspace; returns its result and the model."""
    model = model or Model()
    store = Store(tmp_path)

    async def main():
        writer = Writer(store, run)
        dispatcher = Dispatcher(4, policy=QUICK)
        ledger = Ledger(run, writer, dispatcher, lambda model, usage: 0.5, offline)
        try:
            return await body(Recorded(ledger, "candidate", "mini", salt), model)
        finally:
            await writer.close()

    try:
        return asyncio.run(main()), model
    finally:
        store.close()


async def ask(recorded, model, draw=None):
    return await recorded.complete(model, REQUEST, draw or Draw(salt=recorded.salt))


def test_a_recorded_reply_is_not_asked_again(tmp_path):
    first, _ = calls(tmp_path, ask)
    again, model = calls(tmp_path, ask, run="r2")
    assert model.asked == 0
    assert again.outcome == first.outcome
    assert (first.reused, again.reused, again.cost_usd) == (False, True, 0.5)


def test_a_salt_or_another_draw_asks_anew(tmp_path):
    calls(tmp_path, ask)
    assert calls(tmp_path, ask, salt="fresh")[1].asked == 1
    assert calls(tmp_path, lambda r, m: ask(r, m, Draw(slot=1)))[1].asked == 1


def test_two_identical_requests_in_flight_share_one_call(tmp_path):
    async def twice(recorded, model):
        return await asyncio.gather(ask(recorded, model), ask(recorded, model))

    (one, two), model = calls(tmp_path, twice, model=Model(latency=0.01))
    assert model.asked == 1
    assert one == two


def test_a_blank_store_is_looked_up_as_soon_as_another_run_is_in_it(tmp_path):
    store = Store(tmp_path)

    async def main():
        writer = Writer(store, "r1")
        ledger = Ledger("r1", writer, Dispatcher(4, policy=QUICK), lambda model, usage: 0.5, blank=True)
        model, recorded = Model(), Recorded(ledger, "candidate", "mini", "")
        try:
            await ask(recorded, model, Draw(trial=0))
            await ask(recorded, model, Draw(trial=0))
            alone = model.asked
            await asyncio.to_thread(calls, tmp_path, lambda r, m: ask(r, m, Draw(trial=1)), "r2")
            with store.lease("r2"):
                await asyncio.sleep(0.03)
                await ask(recorded, model, Draw(trial=1))
            return alone, model.asked
        finally:
            await writer.close()

    assert asyncio.run(main()) == (1, 1)
    store.close()


def test_a_failed_call_is_kept_and_tried_again_by_the_next_run(tmp_path):
    failed, _ = calls(tmp_path, ask, model=Model(failure("timeout")))
    assert failed.outcome.kind == "timeout"
    again, model = calls(tmp_path, ask)
    assert (again.outcome.text, model.asked) == ("ok", 1)


def test_offline_answers_from_recordings_only_and_names_the_missing_key(tmp_path):
    missing, model = calls(tmp_path, ask, offline=True)
    assert (missing.outcome.kind, model.asked) == ("not_recorded", 0)
    assert missing.key in missing.outcome.detail
    calls(tmp_path, ask)
    assert calls(tmp_path, ask, offline=True)[0].outcome.text == "ok"


def test_a_reply_is_committed_before_it_is_returned(tmp_path):
    async def ask_and_look(recorded, model):
        call = await ask(recorded, model)
        reader = Store(tmp_path)
        try:
            return call.key in reader.find_calls([call.key], "r1")
        finally:
            reader.close()

    assert calls(tmp_path, ask_and_look)[0]


def test_shared_messages_are_stored_once(tmp_path):
    system = {"role": "system", "content": "SHAREDTEXT " * 100}

    async def several(recorded, model):
        for word in "abc":
            request = Request((system, {"role": "user", "content": word}), shared=1)
            await recorded.complete(model, request, Draw())

    calls(tmp_path, several)
    assert (tmp_path / "markscheme.db").read_bytes().count(b"SHAREDTEXT SHAREDTEXT SHAREDTEXT") < 100

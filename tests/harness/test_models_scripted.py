"""The public scripted model: what it says, and that a real run can be driven by it."""

import asyncio

import pytest
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Failure, Reply, Request, Timing, Usage

ASK = Request(({"role": "user", "content": "Why?"},))


def run(model, *requests):
    async def go():
        return [await model.complete(request) for request in requests]

    return asyncio.run(go())


def test_replies_come_in_turn_and_requests_are_kept():
    failure = Failure("rate_limited", "slow down")
    given = Reply("as it is", Usage(1, 1), Timing(0.0, 1.0))
    model = ScriptedModel(["first", failure, given])
    first, second, third = run(model, ASK, ASK, ASK)
    assert (first.text, first.served_model) == ("first", "model")
    assert second is failure
    assert third is given
    assert model.requests == [ASK, ASK, ASK]


def test_a_function_sees_the_request():
    model = ScriptedModel(lambda request: request.messages[-1]["content"].upper(), "mine/echo")
    (reply,) = run(model, ASK)
    assert reply.text == "WHY?"
    assert model.identity == {"endpoint": "mine", "model": "echo"}


def test_a_script_that_is_used_up_fails_loudly():
    with pytest.raises(IndexError):
        run(ScriptedModel(["only"]), ASK, ASK)


def test_usage_is_given_or_estimated_and_latency_is_kept():
    (given,) = run(ScriptedModel(["x"], usage=Usage(3, 4)), ASK)
    assert given.usage == Usage(3, 4)
    model = ScriptedModel(["x" * 40], latency_s=0.02)
    (estimated,) = run(model, Request(ASK.messages, stream=True))
    assert estimated.usage == Usage(1, 10, estimated=True)
    assert estimated.timing.e2e_s >= 0.02
    assert estimated.timing.ttft_s == estimated.timing.e2e_s


def test_it_can_be_closed_twice_and_is_reachable():
    model = ScriptedModel([])

    async def go():
        await model.close()
        await model.close()
        return await model.reachable()

    assert asyncio.run(go()) is None
    assert model.closed

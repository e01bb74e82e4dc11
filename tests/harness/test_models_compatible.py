"""The thin client against every dialect, refusal and fault of the mock server."""

import asyncio
import base64
import hashlib
import time
from dataclasses import replace

import pytest
from markscheme.harness.models.catalog import open_model
from markscheme.harness.models.endpoints import Endpoint
from markscheme.harness.records import Failure, Headroom, Reply, Request

from tests.servers.mock_openai import mock_server
from tests.servers.mock_replies import STREAMS, code_word

ASK = Request(({"role": "system", "content": "Answer."}, {"role": "user", "content": "[[Q1]] The word?"}))
STREAMED = replace(ASK, stream=True)
SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "score": {"type": "integer", "enum": [0, 1, 2, 3]}},
    "required": ["reasoning", "score"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "grading_function", "parameters": SCHEMA}}
OURS = replace(ASK, params={"temperature": 0.1, "max_tokens": 99}, ours=frozenset({"temperature", "max_tokens"}))


@pytest.fixture(scope="module")
def server():
    with mock_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MARKSCHEME_API_KEY", raising=False)


def ask(server, *requests, model="openai-compatible/cand-1", **options):
    """The outcomes of the requests, one after the other on one model."""

    async def go():
        opened = open_model(model, **{"base_url": server.url, **options})
        try:
            return [await opened.complete(request) for request in requests]
        finally:
            await opened.close()

    outcomes = asyncio.run(go())
    return outcomes[0] if len(outcomes) == 1 else outcomes


def test_a_whole_reply_has_text_usage_and_timing(server):
    server.configure(latency={"kind": "fixed", "ms": 20})
    reply = ask(server, ASK)
    assert isinstance(reply, Reply)
    assert code_word(1) in reply.text
    assert reply.served_model == "cand-1"
    assert reply.finish_reason == "stop"
    assert reply.usage.prompt_tokens > 0
    assert not reply.usage.estimated
    assert 0.02 <= reply.timing.e2e_s < 1
    assert reply.timing.ttft_s is None
    assert abs(reply.timing.sent_at - time.time()) < 5


@pytest.mark.parametrize("dialect", [*STREAMS, "stream_crlf"])
def test_every_stream_dialect_gives_the_same_text(server, dialect):
    server.configure()
    whole = ask(server, ASK)
    server.configure(dialects=[dialect])
    reply = ask(server, STREAMED)
    assert isinstance(reply, Reply), reply
    assert reply.text == whole.text
    assert reply.finish_reason == "stop"
    assert reply.served_model == "cand-1"
    assert reply.usage.estimated == (dialect == "stream_llama_cpp_python")
    assert reply.usage.completion_tokens == pytest.approx(whole.usage.completion_tokens, abs=1)


def test_a_stream_is_timed_by_its_chunks_with_text(server):
    server.configure(stream={"ttft_ms": 30, "itl_ms": 4}, say={"gen": "one two three four"})
    timing = ask(server, STREAMED).timing
    assert timing.ttft_s == timing.ttfo_s
    # The role chunk comes after 30 ms, the first text one interval later.
    assert 0.033 <= timing.ttft_s < timing.e2e_s
    assert len(timing.gaps_s) == 3
    assert min(timing.gaps_s) > 0.002
    assert timing.e2e_s == pytest.approx(timing.ttft_s + sum(timing.gaps_s))


def test_a_stream_without_finish_reason_or_done_is_malformed(server):
    server.configure(dialects=["stream_cut"])
    failure = ask(server, STREAMED)
    assert (failure.kind, failure.owner) == ("malformed", "ours")
    assert "broke off" in failure.detail


def test_an_error_object_inside_a_stream_is_the_servers_error(server):
    server.configure(dialects=["stream_error"])
    assert ask(server, STREAMED).kind == "server_error"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["reasoning_content", "reasoning", "think_tags"])
def test_reasoning_is_kept_apart_from_the_answer(server, dialect, stream):
    server.configure()
    plain = ask(server, ASK).text
    server.configure(dialects=[dialect])
    reply = ask(server, replace(ASK, stream=stream))
    assert reply.text == plain
    assert reply.reasoning == "Let me think. The context names the word."
    assert reply.usage.reasoning_tokens == 10


def test_reasoning_in_content_parts_is_kept_apart(server):
    server.configure(dialects=["reasoning_content", "parts"])
    reply = ask(server, ASK)
    assert code_word(1) in reply.text
    assert reply.reasoning.startswith("Let me think.")


def test_the_first_output_comes_after_the_reasoning(server):
    server.configure(dialects=["think_tags"], stream={"itl_ms": 4}, say={"gen": "zor"})
    timing = ask(server, STREAMED).timing
    # Five chunks of thought and tags stand before the answer.
    assert timing.ttfo_s > timing.ttft_s + 0.008
    assert timing.ttfo_s == pytest.approx(timing.e2e_s)


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_is_followed(server, stream):
    server.configure(correct_rate=1)
    reply = ask(server, replace(ASK, schema=SCHEMA, stream=stream), model="openai-compatible/judge-1")
    assert reply.text == '{"reasoning":"Compared with the reference answer, the submission is right.","score":3}'


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_call_is_read_with_its_arguments(server, stream):
    server.configure(correct_rate=0)
    choice = {"type": "function", "function": {"name": "grading_function"}}
    request = replace(ASK, tools=(TOOL,), tool_choice=choice, stream=stream)
    reply = ask(server, request, model="openai-compatible/judge-1")
    (call,) = reply.tool_calls
    assert call.name == "grading_function"
    assert call.arguments.endswith('"score":0}')
    assert call.id
    assert reply.finish_reason == "tool_calls"
    assert reply.text == ""


def test_what_is_sent_is_what_was_asked(server):
    server.configure(keep=True)
    request = replace(ASK, params={"temperature": 0.5, "top_k": 3}, schema=SCHEMA, schema_name="verdict", stream=True)
    ask(server, request, model="openai-compatible/judge-1")
    (seen,) = server.stats()["recent"]
    assert seen["body"] == {
        "model": "judge-1",
        "messages": list(ASK.messages),
        "temperature": 0.5,
        "top_k": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA},
        },
    }
    assert "authorization" not in seen["headers"]


def test_images_are_sent_as_data_and_checked_against_their_hash(server, tmp_path):
    server.configure(keep=True)
    image = tmp_path / "cat.png"
    image.write_bytes(b"\x89PNG")
    digest = hashlib.sha256(b"\x89PNG").hexdigest()
    part = {"type": "image", "media_type": "image/png", "sha256": digest, "path": str(image)}
    request = Request(({"role": "user", "content": ({"type": "text", "text": "[[Q1]]"}, part)},))
    assert isinstance(ask(server, request), Reply)
    (seen,) = server.stats()["recent"]
    url = seen["body"]["messages"][0]["content"][1]["image_url"]["url"]
    assert url == "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
    image.write_bytes(b"another")
    failure = ask(server, request)
    assert failure.kind == "bad_request"
    assert "has changed" in failure.detail


def test_a_text_only_model_refuses_an_image_by_name(server):
    server.configure()
    part = {"type": "image", "media_type": "image/png", "sha256": "0", "path": "pictures/cat.png"}
    own = {"mine": Endpoint("mine", server.url, text_only=True)}
    request = Request(({"role": "user", "content": (part,)},))
    failure = ask(server, request, model="mine/tiny", base_url=None, endpoints=own)
    assert failure.kind == "unsupported"
    assert "mine/tiny" in failure.detail
    assert "pictures/cat.png" in failure.detail
    assert server.stats()["received"] == 0


@pytest.mark.parametrize(
    ("dialect", "option"),
    [("no_temperature", "temperature"), ("no_max_tokens", "max_tokens"), ("no_top_p", "top_p")],
)
def test_a_refused_parameter_of_ours_is_dropped_and_remembered(server, dialect, option):
    server.configure(dialects=[dialect], keep=True)
    request = replace(ASK, params={option: 1}, ours=frozenset({option}))
    first, second = ask(server, request, replace(request, stream=True))
    assert first.dropped == second.dropped == (option,)
    stats = server.stats()
    assert stats["outcomes"] == {"400": 1, "ok": 2}  # the second call knew already
    assert option not in stats["recent"][-1]["body"]
    if option == "max_tokens":
        assert stats["recent"][-1]["body"]["max_completion_tokens"] == 1


def test_several_refused_parameters_are_dropped_in_one_call(server):
    server.configure(dialects=["no_temperature", "no_max_tokens"])
    assert ask(server, OURS).dropped == ("temperature", "max_tokens")


@pytest.mark.parametrize(("dialect", "option"), [("no_temperature", "temperature"), ("no_max_tokens", "max_tokens")])
def test_a_refused_parameter_that_the_user_set_is_an_error(server, dialect, option):
    server.configure(dialects=[dialect])
    failure = ask(server, replace(OURS, ours=frozenset({"temperature", "max_tokens"} - {option})))
    assert failure.kind == "bad_request"
    assert repr(option) in failure.detail
    assert "openai-compatible/cand-1" in failure.detail
    remedy = "write max_completion_tokens instead" if option == "max_tokens" else "remove it"
    assert remedy in failure.detail


def test_a_refused_forced_tool_choice_is_dropped(server):
    server.configure(dialects=["no_tool_choice"])
    choice = {"type": "function", "function": {"name": "grading_function"}}
    request = replace(ASK, tools=(TOOL,), tool_choice=choice, ours=frozenset({"tool_choice"}))
    reply = ask(server, request, model="openai-compatible/judge-1")
    assert reply.dropped == ("tool_choice",)
    assert reply.tool_calls


def test_a_server_without_stream_options_is_asked_without_and_usage_is_estimated(server):
    server.configure(dialects=["no_stream_options"])
    first, second = ask(server, STREAMED, STREAMED)
    assert first.dropped == ()
    assert first.usage.estimated
    assert first.usage.completion_tokens == -(-len(first.text) // 4)
    assert isinstance(second, Reply)
    assert server.stats()["outcomes"] == {"400": 1, "ok": 2}


@pytest.mark.parametrize(
    ("dialect", "request_"),
    [("no_json_schema", replace(ASK, schema=SCHEMA)), ("no_tools", replace(ASK, tools=(TOOL,)))],
)
def test_what_a_server_cannot_do_is_unsupported(server, dialect, request_):
    server.configure(dialects=[dialect])
    assert ask(server, request_).kind == "unsupported"


@pytest.mark.parametrize(
    ("dialect", "kind", "owner"),
    [
        ("unauthorized", "unauthorized", "ours"),
        ("not_found", "not_found", "ours"),
        ("context_overflow", "context_overflow", "candidate"),
        ("content_filter_400", "content_filter", "candidate"),
    ],
)
def test_error_responses_get_their_kind_and_owner(server, dialect, kind, owner):
    server.configure(dialects=[dialect])
    failure = ask(server, ASK)
    assert (failure.kind, failure.owner) == (kind, owner)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [("r429", "rate_limited"), ("r500", "server_error"), ("drop", "network"), ("malformed", "malformed")],
)
def test_faults_get_their_kind_and_are_not_retried_here(server, fault, kind, stream):
    server.configure(errors={"first": [fault], "retry_after": 3})
    failure, reply = ask(server, replace(ASK, stream=stream), replace(ASK, stream=stream))
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert failure.sent_at > 0
    assert failure.retry_after_s == (3.0 if fault == "r429" else None)
    assert isinstance(reply, Reply)
    assert server.stats()["received"] == 2


def test_no_reply_in_time_is_a_timeout_of_the_candidates(server):
    server.configure(latency={"kind": "fixed", "ms": 250})
    failure = ask(server, ASK, timeout_s=0.05)
    assert (failure.kind, failure.owner) == ("timeout", "candidate")
    assert "0.05 s" in failure.detail


def test_text_that_is_no_unicode_is_a_failure_not_an_exception(server):
    server.configure()
    assert ask(server, Request(({"role": "user", "content": "half a pair: \ud800"},))).kind == "bad_request"


def test_nobody_listening_is_a_network_failure():
    class Nobody:
        url = "http://127.0.0.1:9/v1"

    assert ask(Nobody, ASK).kind == "network"


@pytest.mark.parametrize(("dialect", "reason"), [("content_filter", "content_filter"), ("refusal", "stop")])
@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_refusal_is_recorded_in_the_reply(server, dialect, reason, stream):
    server.configure(dialects=[dialect])
    reply = ask(server, replace(ASK, stream=stream))
    assert reply.text == ""
    assert reply.finish_reason == reason
    assert reply.refusal == ("I cannot help with that." if dialect == "refusal" else "")


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_cut_by_the_limit_says_so(server, stream):
    server.configure(dialects=["truncated_answers"])
    assert ask(server, replace(ASK, stream=stream)).finish_reason == "length"


@pytest.mark.parametrize("stream", [False, True])
def test_rate_limit_headers_become_headroom(server, stream):
    server.configure(headroom={"requests": 7, "tokens": 1200, "reset": "1m3s"})
    assert ask(server, replace(ASK, stream=stream)).headroom == Headroom(7, 1200, 63.0)


def test_a_reply_without_usage_is_estimated(server):
    server.configure(dialects=["no_usage"])
    usage = ask(server, ASK).usage
    assert usage.estimated
    assert usage.prompt_tokens == len("Answer.[[Q1]] The word?") // 4


def test_one_model_serves_several_event_loops(server):
    server.configure()
    model = open_model("openai-compatible/cand-1", base_url=server.url)

    async def once():
        reply = await model.complete(ASK)
        await model.close()
        await model.close()
        return reply

    assert isinstance(asyncio.run(once()), Reply)
    assert isinstance(asyncio.run(once()), Reply)


def test_a_server_that_drops_connections_after_a_stream_gets_a_new_one_for_each(server):
    server.configure(dialects=["stream_closes"])
    first, second, *rest = ask(server, *[STREAMED] * 5)
    assert isinstance(first, Reply)
    assert second.kind == "network"
    assert all(isinstance(outcome, Reply) for outcome in rest)


def test_models_on_one_server_share_its_connections(server):
    server.configure()

    async def go():
        one, two = (open_model(f"openai-compatible/cand-{n}", base_url=server.url) for n in (1, 2))
        outcomes = [await one.complete(ASK), await two.complete(ASK)]
        await one.close()  # which must not take the connection from the other
        outcomes += [await two.complete(ASK), await one.complete(ASK)]
        await one.close()
        await two.close()
        return outcomes

    assert all(isinstance(outcome, Reply) for outcome in asyncio.run(go()))
    assert server.stats()["connections"] == 2  # theirs, and the one that asks for the statistics


@pytest.mark.parametrize(
    ("dialect", "request_"),
    [("no_stream_options", STREAMED), ("no_temperature", OURS), ("no_max_tokens", replace(OURS, stream=True))],
)
def test_calls_that_are_refused_at_once_all_learn_from_it(server, dialect, request_):
    """One of them is told first: what it concedes is no longer what the others had sent."""
    server.configure(dialects=[dialect], errors={"error_latency_ms": 5})

    async def go():
        model = open_model("openai-compatible/cand-1", base_url=server.url)
        outcomes = await asyncio.gather(*(model.complete(request_) for _ in range(20)))
        await model.close()
        return outcomes

    assert {type(outcome).__name__ for outcome in asyncio.run(go())} == {"Reply"}


def test_calls_run_at_once(server):
    server.configure(latency={"kind": "fixed", "ms": 60})

    async def go():
        model = open_model("openai-compatible/cand-1", base_url=server.url)
        await asyncio.gather(*(model.complete(ASK) for _ in range(20)))
        await model.close()

    asyncio.run(go())
    assert server.stats()["in_flight_max"] == 20


def test_reachable_says_why_an_endpoint_is_not(server):
    async def reach(url, **options):
        model = open_model("openai-compatible/x", base_url=url, **options)
        try:
            return await model.reachable()
        finally:
            await model.close()

    server.configure()
    assert asyncio.run(reach(server.url)) is None
    assert "ClientConnector" in asyncio.run(reach("http://127.0.0.1:9/v1"))

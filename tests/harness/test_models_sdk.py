"""OpenAI, Azure and Anthropic through their real packages, against the mock server on loopback."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from markscheme.harness.models.anthropic_wire import messages_body, read_message
from markscheme.harness.models.catalog import open_model
from markscheme.harness.models.concessions import Concessions
from markscheme.harness.records import Failure, Reply, Request, Timing, Usage

from tests.servers.mock_openai import mock_server
from tests.servers.mock_replies import code_word

SYSTEM, USER = {"role": "system", "content": "Answer."}, {"role": "user", "content": "[[Q1]] The word?"}
ASK = Request((SYSTEM, USER))
SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "score": {"type": "integer", "minimum": 0, "maximum": 3}},
    "required": ["reasoning", "score"],
}
TOOL = {"type": "function", "function": {"name": "grading_function", "description": "Grade.", "parameters": SCHEMA}}
FORCED = {"type": "function", "function": {"name": "grading_function"}}
PROVIDERS = ("openai", "azure", "anthropic")
KEY = "planted-key-4711"


@pytest.fixture(scope="module")
def server():
    with mock_server() as running:
        yield running


@pytest.fixture(autouse=True)
def environment(server, monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.root)
    monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)


def ask(name, *requests, **options):
    async def go():
        model = open_model(name, **options)
        try:
            return [await model.complete(request) for request in requests]
        finally:
            await model.close()

    outcomes = asyncio.run(go())
    return outcomes[0] if len(outcomes) == 1 else outcomes


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reply_has_text_usage_timing_and_headroom(server, provider, stream):
    server.configure(headroom={"requests": 7, "tokens": 90, "reset": "2s"}, stream={"itl_ms": 1}, keep=True)
    reply = ask(f"{provider}/cand-1", replace(ASK, stream=stream))
    assert isinstance(reply, Reply), reply
    assert code_word(1) in reply.text
    assert reply.finish_reason == "stop"
    assert reply.served_model == "cand-1"
    assert not reply.usage.estimated
    assert (reply.headroom.requests, reply.headroom.tokens) == (7, 90)
    assert (reply.timing.ttft_s is not None) == stream
    assert len(reply.timing.gaps_s) == (len(reply.text.split()) - 1 if stream else 0)
    headers = server.stats()["recent"][-1]["headers"]
    assert KEY in str(headers)
    assert headers.get("x-stainless-retry-count", "0") == "0"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_tool_call_is_read(server, provider, stream):
    server.configure(correct_rate=1, keep=True)
    reply = ask(f"{provider}/judge-1", replace(ASK, tools=(TOOL,), tool_choice=FORCED, stream=stream))
    (call,) = reply.tool_calls
    assert (call.name, reply.finish_reason) == ("grading_function", "tool_calls")
    assert call.arguments.replace(" ", "").endswith('"score":3}')
    body = server.stats()["recent"][-1]["body"]
    if provider == "anthropic":
        assert body["tool_choice"] == {"type": "tool", "name": "grading_function"}
        assert body["tools"] == [{"name": "grading_function", "description": "Grade.", "input_schema": SCHEMA}]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_schema_is_followed(server, provider):
    server.configure(correct_rate=1)
    reply = ask(f"{provider}/judge-1", replace(ASK, schema=SCHEMA))
    assert reply.text.startswith('{"reasoning":"Compared')


def test_anthropic_gets_a_schema_without_the_bounds_that_it_refuses(server):
    server.configure(keep=True)
    ask("anthropic/judge-1", replace(ASK, schema=SCHEMA, params={"output_config": {"effort": "low"}}))
    wanted = server.stats()["recent"][-1]["body"]["output_config"]
    assert wanted["effort"] == "low"
    assert wanted["format"]["type"] == "json_schema"
    assert wanted["format"]["schema"]["additionalProperties"] is False
    assert "minimum" not in wanted["format"]["schema"]["properties"]["score"]
    assert list(wanted["format"]["schema"]["properties"]) == ["reasoning", "score"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [("r429", "rate_limited"), ("r500", "server_error"), ("drop", "network"), ("malformed", "malformed")],
)
def test_faults_get_their_kind_and_the_package_does_not_retry(server, provider, stream, fault, kind):
    server.configure(errors={"first": [fault], "retry_after": 3})
    failure, reply = ask(f"{provider}/cand-1", replace(ASK, stream=stream), replace(ASK, stream=stream))
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert failure.retry_after_s == (3.0 if fault == "r429" else None)
    assert failure.sent_at > 0
    assert isinstance(reply, Reply)
    assert server.stats()["received"] == 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_key_is_unauthorized_and_not_shown(server, provider):
    server.configure(keys=["another"])
    failure = ask(f"{provider}/cand-1", ASK)
    assert failure.kind == "unauthorized"
    assert KEY not in repr(failure)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_reply_in_time_is_a_timeout(server, provider):
    server.configure(latency={"kind": "fixed", "ms": 250})
    failure = ask(f"{provider}/cand-1", ASK, timeout_s=0.05)
    assert (failure.kind, failure.owner) == ("timeout", "candidate")


def test_nobody_listening_is_a_network_failure(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert ask("openai/cand-1", ASK).kind == "network"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_parameter_of_ours_is_dropped(server, provider):
    server.configure(dialects=["no_temperature"])
    request = replace(ASK, params={"temperature": 0.1}, ours=frozenset({"temperature"}))
    first, second = ask(f"{provider}/cand-1", request, request)
    assert first.dropped == second.dropped == ("temperature",)
    assert server.stats()["outcomes"] == {"400": 1, "ok": 2}
    assert ask(f"{provider}/cand-1", replace(request, ours=frozenset())).kind == "bad_request"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_schema_that_a_model_cannot_follow_is_unsupported(server, provider):
    server.configure(dialects=["no_json_schema"])
    assert ask(f"{provider}/judge-1", replace(ASK, schema=SCHEMA)).kind == "unsupported"


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_parameter_that_the_package_does_not_know_reaches_the_server(server, provider):
    server.configure(keep=True)
    assert isinstance(ask(f"{provider}/cand-1", replace(ASK, params={"new_dial": 3})), Reply)
    assert server.stats()["recent"][-1]["body"]["new_dial"] == 3


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_thinking_is_kept_apart(server, stream):
    server.configure(dialects=["reasoning_content"], stream={"itl_ms": 1})
    reply = ask("anthropic/cand-1", replace(ASK, stream=stream))
    assert reply.reasoning == "Let me think. The context names the word."
    assert reply.text.startswith("The code word is")
    if stream:
        assert reply.timing.ttfo_s > reply.timing.ttft_s


@pytest.mark.parametrize("stream", [False, True])
def test_an_anthropic_refusal_is_the_providers_own_signal(server, stream):
    server.configure(dialects=["content_filter"])
    reply = ask("anthropic/cand-1", replace(ASK, stream=stream))
    assert reply.finish_reason == "content_filter"
    assert reply.refusal


@pytest.mark.parametrize("dialect", ["stream_error", "stream_cut"])
def test_a_broken_anthropic_stream_is_a_failure(server, dialect):
    server.configure(dialects=[dialect])
    outcome = ask("anthropic/cand-1", replace(ASK, stream=True))
    # A stop_reason ends a message even where message_stop is missing.
    assert isinstance(outcome, Reply) if dialect == "stream_cut" else outcome.kind == "server_error"


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_cached_tokens_are_part_of_the_prompt(server, stream):
    server.configure()
    plain, cached = ask("anthropic/cand-1", replace(ASK, stream=stream), replace(ASK, shared=1, stream=stream))
    assert plain.usage.cached_tokens == 0
    assert cached.usage.cached_tokens > 0
    assert cached.usage.prompt_tokens > cached.usage.cached_tokens
    assert cached.usage.prompt_tokens >= plain.usage.prompt_tokens


def test_anthropic_usage_adds_what_the_cache_read_and_wrote():
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    body = b'{"type":"message","content":[],"stop_reason":"end_turn","usage":%s}'
    reply = read_message(body % str(usage).replace("'", '"').encode(), ASK, Timing(0.0, 1.0), ())
    assert reply.usage == Usage(140, 7, 100, 30, 4)


def test_cache_control_stands_on_the_last_shared_message_only():
    shots = ({"role": "user", "content": "shot"}, {"role": "assistant", "content": "so"})
    body, _ = messages_body(Request((SYSTEM, *shots, USER), shared=3), "m", Concessions())
    assert "cache_control" not in body["system"][0]
    assert body["messages"][1]["content"] == [{"type": "text", "text": "so", "cache_control": {"type": "ephemeral"}}]
    assert "cache_control" not in str(body["messages"][0]) + str(body["messages"][2])


def test_openais_words_become_anthropics():
    history = (
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    )
    request = Request((SYSTEM, USER, *history), {"max_completion_tokens": 5, "stop": "END"}, (TOOL,), "required")
    body, _ = messages_body(request, "m", Concessions())
    assert body["system"] == [{"type": "text", "text": "Answer."}]
    assert (body["max_tokens"], body["stop_sequences"]) == (5, ["END"])
    assert body["tool_choice"] == {"type": "any"}
    assert body["messages"][1]["content"] == [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]
    assert body["messages"][2] == {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "42"}],
    }


@pytest.mark.parametrize("provider", PROVIDERS)
def test_text_that_is_no_unicode_is_a_failure_not_an_exception(server, provider):
    server.configure()
    broken = Request(({"role": "user", "content": "half a pair: \ud800"},))
    assert ask(f"{provider}/cand-1", broken).kind == "bad_request"


def test_azure_asks_for_its_deployment(server):
    server.configure(keep=True)
    reply = ask("azure/my-deployment", ASK)
    assert isinstance(reply, Reply)
    assert server.stats()["recent"][-1]["headers"]["api-key"] == KEY


def test_opening_a_model_loads_no_package_yet():
    code = (
        "import sys; from markscheme.harness.models.catalog import open_model;"
        "open_model('openai/x'); open_model('anthropic/x'); open_model('vllm/x');"
        "print(sorted({'openai', 'anthropic', 'httpx2', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_azure_without_its_address_is_refused(monkeypatch):
    from markscheme.harness.errors import InputError

    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT")
    with pytest.raises(InputError, match="AZURE_OPENAI_ENDPOINT"):
        open_model("azure/x")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_model_serves_several_event_loops(server, provider):
    server.configure()
    model = open_model(f"{provider}/cand-1")

    async def once():
        reply = await model.complete(ASK)
        await model.close()
        await model.close()
        return reply

    assert isinstance(asyncio.run(once()), Reply)
    assert isinstance(asyncio.run(once()), Reply)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_reachable_asks_for_the_list_of_models(server, provider, monkeypatch):
    async def reach():
        model = open_model(f"{provider}/x")
        try:
            return await model.reachable()
        finally:
            await model.close()

    server.configure()
    assert asyncio.run(reach()) is None
    assert server.stats()["received"] == 0
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    assert "Connect" in asyncio.run(reach())

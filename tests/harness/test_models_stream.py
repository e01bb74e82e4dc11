"""Server-sent events, think tags and error bodies, byte by byte."""

import time
from email.utils import formatdate

import orjson
import pytest
from markscheme.harness.models.concessions import Concessions, complete_with_concessions
from markscheme.harness.models.faults import ServerError, error_in, headroom, read_error, retry_after
from markscheme.harness.models.stream import ChatStream, Clock, Events, ThinkTags
from markscheme.harness.models.wire import read_reply, split_content, to_json
from markscheme.harness.records import Failure, Request, Timing

ASK = Request(({"role": "user", "content": "Why?"},))
STREAM = b'data: {"a":1}\n\n: comment\r\n\r\nevent: x\r\ndata:{"b":2}\r\n\r\ndata: one\ndata: two\n\ndata: [DONE]\n\n'
EVENTS = [b'{"a":1}', b'{"b":2}', b"one\ntwo", b"[DONE]"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_the_bytes_arrive(size):
    events = Events()
    found = [event for i in range(0, len(STREAM), size) for event in events.feed(STREAM[i : i + size])]
    assert found == EVENTS
    assert events.end() == []


def test_an_event_without_its_last_blank_line_is_not_lost():
    events = Events()
    assert events.feed(b"data: last") == []
    assert events.end() == [b"last"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(
    ("whole", "text", "reasoning"),
    [
        ("<think>hm, <b></think>\n\nyes <think>no</think>", "yes <think>no</think>", "hm, <b>"),
        ("  <think>hm</think>yes", "yes", "hm"),
        ("<think>never closed", "", "never closed"),
        ("<table> first", "<table> first", ""),
        ("<th", "<th", ""),
        ("plain </think> text", "plain </think> text", ""),
        ("<think></think>yes", "yes", ""),
    ],
)
def test_think_tags_are_found_however_they_are_split(whole, text, reasoning, size):
    tags = ThinkTags()
    for i in range(0, len(whole), size):
        tags.feed(whole[i : i + size])
    tags.end()
    assert ("".join(tags.text), "".join(tags.reasoning)) == (text, reasoning)
    assert split_content({"content": whole}) == (text, reasoning)


def chunk(delta, **more):
    return orjson.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more})


def test_text_held_back_as_a_possible_tag_counts_from_its_first_piece():
    stream = ChatStream(Clock(0.0))
    for now, piece in ((1.0, "<t"), (2.0, "able>"), (4.0, " end")):
        stream.feed(chunk({"content": piece}), now)
    stream.feed(b"[DONE]", 5.0)
    reply = stream.outcome(ASK, 100.0, 6.0, ())
    assert reply.text == "<table> end"
    assert reply.timing == Timing(100.0, 4.0, 1.0, 1.0, (1.0, 2.0))


def test_role_and_usage_chunks_move_no_clock():
    stream = ChatStream(Clock(0.0))
    stream.feed(chunk({"role": "assistant", "content": ""}), 1.0)
    stream.feed(chunk({"role": "assistant", "content": None}), 2.0)
    stream.feed(chunk({"content": "hi"}), 3.0)
    stream.feed(orjson.dumps({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1}}), 9.0)
    stream.feed(b"[DONE]", 9.0)
    reply = stream.outcome(ASK, 0.0, 9.5, ())
    assert reply.timing == Timing(0.0, 3.0, 3.0, 3.0, ())
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (5, 1)


def test_an_empty_stream_ends_when_it_ends():
    stream = ChatStream(Clock(1.0))
    stream.feed(b"[DONE]", 2.0)
    assert stream.outcome(ASK, 0.0, 3.0, ()).timing == Timing(0.0, 2.0, None, None, ())


@pytest.mark.parametrize(
    "event",
    [b"{", b"[]", b'"text"', b'{"choices":[3]}', b'{"choices":[{"delta":{"tool_calls":[1]}}]}', b'{"choices":{"a":1}}'],
)
def test_a_hostile_event_is_malformed_not_an_exception(event):
    stream = ChatStream(Clock(0.0))
    stream.feed(event, 1.0)
    assert stream.outcome(ASK, 0.0, 1.0, ()).kind == "malformed"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{}]}', b'{"choices":[{"message":"x"}]}', b"<html>"],
)
def test_a_body_that_is_no_reply_is_malformed(body):
    outcome = read_reply(body, ASK, Timing(0.0, 1.0), ())
    assert isinstance(outcome, Failure)
    assert outcome.kind == "malformed"


def test_an_error_in_a_body_with_status_200_keeps_its_own_status():
    body = b'{"error":{"message":"slow down","code":429}}'
    outcome = read_reply(body, ASK, Timing(0.0, 1.0), ())
    assert isinstance(outcome, ServerError)
    assert outcome.failure().kind == "rate_limited"


def test_an_error_inside_a_choice_is_the_upstream_providers():
    choice = {"error": {"code": 502, "message": "upstream"}, "finish_reason": "error", "delta": {}, "message": {}}
    body = orjson.dumps({"choices": [choice]})
    stream = ChatStream(Clock(0.0))
    stream.feed(body, 1.0)
    for outcome in (read_reply(body, ASK, Timing(0.0, 1.0), ()), stream.outcome(ASK, 0.0, 1.0, ())):
        assert outcome.failure().kind == "server_error"


def test_tool_arguments_sent_as_an_object_become_text():
    message = {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}
    body = to_json({"choices": [{"message": message, "finish_reason": "tool_calls"}]})
    assert read_reply(body, ASK, Timing(0.0, 1.0), ()).tool_calls[0].arguments == '{"a":1}'


@pytest.mark.parametrize(
    ("status", "payload", "kind"),
    [
        (
            400,
            {"error": {"message": "maximum context length is 10", "code": "context_length_exceeded"}},
            "context_overflow",
        ),
        (400, {"error": {"message": "prompt is too long: 300000 tokens > 200000 maximum"}}, "context_overflow"),
        (
            400,
            {"error": {"message": "'max_tokens' is too large: 9. This model's maximum context length is 8"}},
            "bad_request",
        ),
        (400, {"error": {"message": "x", "code": "content_filter"}}, "content_filter"),
        (400, {"error": {"message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, "content_filter"),
        (400, {"object": "error", "message": "nonsense", "code": 400}, "bad_request"),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "bad_request"),
        (401, {"error": "no"}, "unauthorized"),
        (402, {"error": {"message": "no credit"}}, "unauthorized"),
        (403, {"message": "no"}, "unauthorized"),
        (404, {"error": {"message": "no such model"}}, "not_found"),
        (408, {}, "timeout"),
        (413, {"error": {"message": "too big"}}, "context_overflow"),
        (429, [{"error": {"message": "quota", "status": "RESOURCE_EXHAUSTED"}}], "rate_limited"),
        (429, {"error": {"message": "pay first", "code": "insufficient_quota"}}, "unauthorized"),
        (500, {"error": {"message": "oops"}}, "server_error"),
        (501, {"error": {"message": "not implemented"}}, "unsupported"),
        (503, "upstream is down", "server_error"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "server_error"),
    ],
)
def test_statuses_and_error_bodies_have_their_kind(status, payload, kind):
    body = payload.encode() if isinstance(payload, str) else orjson.dumps(payload)
    error = read_error(status, {}, body, 5.0)
    failure = error.failure()
    assert failure.kind == kind
    assert failure.status == status
    assert failure.sent_at == 5.0
    assert failure.detail


def test_a_redirect_is_not_followed_but_named():
    failure = read_error(307, {"location": "https://other.example/v1"}, b"", 0.0).failure()
    assert "https://other.example/v1" in failure.detail


def test_details_are_trimmed():
    body = orjson.dumps({"error": {"message": "long " * 1000}})
    assert len(read_error(500, {}, body, 0.0).failure().detail) == 300


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rate_limit_error", "rate_limited"),
        ("overloaded_error", "server_error"),
        ("invalid_request_error", "bad_request"),
    ],
)
def test_an_error_inside_a_stream_is_told_by_its_type(kind, expected):
    assert error_in({"error": {"type": kind, "message": "m"}}, 0).failure().kind == expected


def test_retry_after_is_read_in_seconds_milliseconds_and_as_a_date():
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after": "9", "retry-after-ms": "1500"}) == 1.5
    assert retry_after({"retry-after": formatdate(time.time() + 60, usegmt=True)}) == pytest.approx(60, abs=2)
    assert retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({}) is retry_after({"retry-after": "soon"}) is retry_after({"retry-after": "inf"}) is None


def test_headroom_is_read_in_both_vocabularies():
    ours = headroom({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "120ms"})
    assert (ours.requests, ours.tokens, ours.reset_s) == (5, None, 0.12)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))
    theirs = headroom({"anthropic-ratelimit-tokens-remaining": "800", "anthropic-ratelimit-tokens-reset": later})
    assert theirs.tokens == 800
    assert theirs.reset_s == pytest.approx(30, abs=2)
    assert headroom({"content-type": "x"}) is None


def refuse(errors, request):
    """Run the concessions against a server that answers with ``errors`` in turn and then accepts."""
    import asyncio

    concessions, sent, left = Concessions(), [], list(errors)

    async def send(request):
        sent.append(dict(concessions.options(request)[0]))
        return ServerError(400, *left.pop(0)) if left else Failure("network", "accepted")

    return asyncio.run(complete_with_concessions(send, request, concessions, "p/m")), sent


@pytest.mark.parametrize(
    "message",
    [
        "`temperature` is deprecated for this model.",
        "temperature: Extra inputs are not permitted",
        "Unsupported value: 'temperature' does not support 0.1 with this model.",
    ],
)
def test_a_refused_option_is_found_in_the_message(message):
    request = Request((), {"temperature": 0.1, "n": 1}, ours=frozenset({"temperature"}))
    outcome, sent = refuse([(message,)], request)
    assert outcome.detail == "accepted"
    assert sent == [{"temperature": 0.1, "n": 1}, {"n": 1}]


def test_max_tokens_under_both_names_refused_is_left_out():
    request = Request((), {"max_tokens": 9}, ours=frozenset({"max_tokens"}))
    _, sent = refuse([("no max_tokens",), ("no max_completion_tokens",)], request)
    assert sent == [{"max_tokens": 9}, {"max_completion_tokens": 9}, {}]


def test_a_server_that_refuses_for_ever_is_not_asked_for_ever():
    request = Request((), {"temperature": 0.1}, ours=frozenset({"temperature"}))
    outcome, sent = refuse([("`temperature` is refused",)] * 100, request)
    assert outcome.kind == "bad_request"
    assert len(sent) <= 10


def test_tool_calling_behind_a_server_flag_is_unsupported():
    tool = {"type": "function", "function": {"name": "f"}}
    message = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    outcome, _ = refuse([(message,)], Request((), tools=(tool,)))
    assert outcome.kind == "unsupported"

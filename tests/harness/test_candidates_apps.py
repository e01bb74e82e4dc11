"""Applications as candidates: Python callables and runnables, and services behind HTTP."""

from __future__ import annotations

import asyncio
import contextvars
import json
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import aiohttp.web
import pytest
from markscheme.harness.candidates.build import build_candidate
from markscheme.harness.candidates.returned import reply_from
from markscheme.harness.errors import InputError
from markscheme.harness.exam import CandidateSpec
from markscheme.harness.records import (
    Call,
    Failed,
    Failure,
    Reply,
    Retrieved,
    Said,
    Sample,
    Timing,
    ToolCall,
    Usage,
)

SAMPLE = Sample(
    "q1",
    "What is kappa?",
    context=("Kappa is agreement.",),
    reference="SECRET LABEL",
    relevant={"d1": 2},
    cluster="d1",
    metadata={"user": "ann"},
    sha256="x",
)
TURNS = Sample("t", turns=("One?", "Two?"))


class Caller:
    """Exactly-once in memory, without retries."""

    run, salt = "run", ""

    def __init__(self) -> None:
        self.known: dict[str, Call] = {}
        self.live: list[Call] = []

    async def perform(self, key, model, work):
        if key in self.known:
            return replace(self.known[key], reused=True)
        call = Call(key, self.run, "candidate", "c", model, await work())
        self.live.append(call)
        if isinstance(call.outcome, Reply):
            self.known[key] = call
        return call


def build(model, base=None, caller=None, slot=0, **spec):
    given = CandidateSpec.model_validate({"name": "c", "model": model, **spec}, context={"base": base})
    return build_candidate(given, open_model=lambda _: pytest.fail("no model"), caller=caller or Caller(), slot=slot)


@pytest.fixture
def app(tmp_path, monkeypatch):
    """Write a module of the user's; returns its candidate. Modules have names of their own: imports are cached."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(source: str, name: str, entry: str = "answer", **more):
        (tmp_path / f"{name}.py").write_text(source)
        return build(f"python:{name}:{entry}", tmp_path, **more)

    return write


def outcome(candidate, sample=SAMPLE, trial=0, attempt=0):
    return asyncio.run(candidate.answer(sample, trial, attempt)).outcome


def test_a_function_gets_a_sample_without_labels_and_returns_text(app):
    source = (
        "import json\n"
        "def answer(sample):\n"
        "    labels = [sample.reference, sample.relevant, sample.tool_calls, sample.safety, sample.cluster]\n"
        "    return json.dumps([sample.id, sample.question, sample.context, sample.metadata, labels])\n"
    )
    given = json.loads(outcome(app(source, "app_text")).text)
    assert given == ["q1", "What is kappa?", ["Kappa is agreement."], {"user": "ann"}, [None, {}, None, {}, ""]]


def test_an_async_function_runs_in_the_loop_and_a_plain_one_in_a_thread(app):
    name = "import threading\n{}def answer(sample): return threading.current_thread().name\n"
    assert outcome(app(name.format("async "), "app_async")).text == threading.main_thread().name
    assert outcome(app(name.format(""), "app_sync")).text == "markscheme-app"


def test_what_it_retrieved_called_and_spent_comes_along(app):
    source = """
def answer(sample):
    return {
        "text": "It is agreement.",
        "retrieved": ["p", {"text": "q", "id": 7, "score": 0.5}],
        "tool_calls": [{"name": "search", "arguments": {"q": "kappa"}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3},
    }
"""
    caller = Caller()
    said = outcome(app(source, "app_full", caller=caller))
    assert said == Said(
        "It is agreement.",
        (ToolCall("search", '{"q": "kappa"}'),),
        (Retrieved("p"), Retrieved("q", "7", 0.5)),
    )
    assert caller.live[0].outcome.usage == Usage(11, 3)


def test_a_runnable_gets_the_question_or_the_fields_that_it_declares(app):
    source = """
class Runnable:
    def invoke(self, given): return repr(given)
class Prompted:
    def get_input_jsonschema(self):
        return {"type": "object", "properties": {"question": {}, "context": {}, "user": {}}}
    async def ainvoke(self, given): return repr(given)
plain, prompted = Runnable(), Prompted()
"""
    assert outcome(app(source, "app_runnable", "plain")).text == "'What is kappa?'"
    fields = {"question": "What is kappa?", "context": "Kappa is agreement.", "user": "ann"}
    assert outcome(app(source, "app_prompted", "prompted")).text == repr(fields)


def test_what_an_application_raises_is_its_own_failure(app):
    candidate = app("def answer(sample): raise KeyError('index')", "app_raises")
    assert outcome(candidate) == Failed("candidate_error", "candidate", "KeyError: 'index'")
    assert outcome(app("def answer(sample): raise StopIteration", "app_stops")).kind == "candidate_error"
    assert outcome(app("import sys\ndef answer(sample): sys.exit(1)", "app_exits")).kind == "candidate_error"


@pytest.mark.parametrize("what", ["SystemExit(3)", "asyncio.CancelledError()", "KeyError('index')"])
def test_an_asynchronous_application_cannot_end_the_run(app, what):
    source = f"import asyncio\nasync def answer(sample): raise {what}"
    assert outcome(app(source, f"app_async_{what[:6]}")).kind == "candidate_error"


def test_an_asynchronous_application_is_cancelled_with_the_run(app):
    candidate = app("import asyncio\nasync def answer(sample): await asyncio.sleep(60)", "app_waits")

    async def main():
        task = asyncio.create_task(candidate.answer(SAMPLE, 0))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())


def test_a_return_value_that_is_no_answer_is_its_own_failure(app):
    said = outcome(app("def answer(sample): return {'reply': 'x'}", "app_odd"))
    assert said.kind == "candidate_error"
    assert "returned dict with keys 'reply'; wanted text, or a mapping" in said.detail


def test_an_answer_that_takes_too_long_is_a_time_out_even_in_a_thread(app):
    source = "import time\ndef answer(sample): time.sleep(0.3)"
    start = time.perf_counter()
    said = outcome(app(source, "app_slow", timeout_s=0.02))
    assert said == Failed("timeout", "candidate", "no answer within 0.02 s")
    assert time.perf_counter() - start < 0.25


def test_its_own_time_out_error_is_not_taken_for_ours(app):
    assert outcome(app("def answer(sample): raise TimeoutError('db')", "app_db")).kind == "candidate_error"


def test_context_variables_reach_the_thread(app):
    tenant.set("acme")
    source = (
        "import contextvars\n"
        "def answer(sample):\n"
        "    return {v.name: x for v, x in contextvars.copy_context().items()}['tenant']"
    )
    assert outcome(app(source, "app_context")).text == "acme"


tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")


def test_equal_inputs_share_a_call_and_a_corrected_reference_asks_nothing(app):
    caller = Caller()
    candidate = app("def answer(sample): return 'x'", "app_once", caller=caller)
    first = asyncio.run(candidate.answer(SAMPLE, 0))
    again = asyncio.run(candidate.answer(replace(SAMPLE, id="other", reference="new", sha256="y", tags=("t",)), 0))
    assert (len(caller.live), first.origin, again.origin) == (1, "live", "reused")
    assert first.fingerprint == again.fingerprint == candidate.fingerprint(SAMPLE, 0)
    for other in (replace(SAMPLE, question="Why?"), replace(SAMPLE, metadata={"user": "bob"})):
        assert candidate.fingerprint(other, 0) != first.fingerprint
    assert len({candidate.fingerprint(SAMPLE, trial) for trial in (0, 1)}) == 2
    asyncio.run(candidate.answer(SAMPLE, 0, attempt=1))
    assert len(caller.live) == 2


def test_the_key_holds_the_version_or_else_the_hash_of_the_file_with_a_note(app):
    source = "def answer(sample): return 'x'\n"
    plain, changed = app(source, "app_v1"), app(source + "# changed\n", "app_v2")
    assert plain.app.version != changed.app.version
    assert "no version is given" in plain.notes[0]
    versioned = app(source, "app_v3", version="7")
    assert (versioned.app.version, versioned.notes) == ("7", ())


def test_a_module_that_was_edited_since_is_loaded_anew(app):
    before = app("def answer(sample): return 'old'\n", "app_edited")
    after = app("def answer(sample): return 'new!'\n", "app_edited")
    assert outcome(after).text == "new!"
    assert before.app.version != after.app.version


def test_turns_are_asked_one_by_one_with_the_history(app):
    source = "def answer(sample): return f'{sample.question}{[m[\"content\"] for m in sample.messages]}'"
    candidate = app(source, "app_turns")
    answer = asyncio.run(candidate.answer(TURNS, 0))
    assert answer.outcome.turns == ("One?[]", "Two?['One?', 'One?[]']")
    assert len(answer.calls) == 2
    assert answer.fingerprint == candidate.fingerprint(TURNS, 0)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("app_nowhere:answer", "there is no module 'app_nowhere' in"),
        ("app_named:other", "module 'app_named' has no 'other'; it has Thing, answer"),
        ("app_named:LIMIT", "is int; wanted a function, or an object with invoke"),
        ("app_named:Thing", "is a class; name an instance"),
        ("app_broken:answer", "importing 'app_broken' raised ZeroDivisionError"),
        ("app_needy:answer", "importing 'app_needy': No module named 'no_such_dependency'; install it here"),
    ],
)
def test_what_cannot_be_called_is_refused_with_a_remedy(app, tmp_path, reference, says):
    (tmp_path / "app_named.py").write_text("LIMIT = 3\nclass Thing: pass\ndef answer(sample): return ''\n")
    (tmp_path / "app_broken.py").write_text("1 / 0\n")
    (tmp_path / "app_needy.py").write_text("import no_such_dependency\n")
    with pytest.raises(InputError) as caught:
        build(f"python:{reference}", tmp_path)
    assert says in str(caught.value)


def test_returned_objects_of_the_usual_libraries_are_read():
    timing = Timing(0.0, 1.0)
    message = SimpleNamespace(
        content=[{"type": "text", "text": "It is "}, {"type": "text", "text": "agreement."}],
        tool_calls=[{"name": "f", "args": {"a": 1}, "id": "c1"}],
        usage_metadata={"input_tokens": 4, "output_tokens": 2},
    )
    document = SimpleNamespace(page_content="p", metadata={"source": "d.md"})
    for value in (message, {"messages": ["hi", message]}):
        reply = reply_from(value, timing, "?")
        assert (reply.text, reply.usage) == ("It is agreement.", Usage(4, 2))
        assert reply.tool_calls == (ToolCall("f", '{"a": 1}', "c1"),)
    reply = reply_from({"input": "?", "answer": "x", "context": [document]}, timing, "four char")
    assert reply.payload == {"retrieved": [{"text": "p", "id": "d.md", "score": None}]}
    assert reply.usage == Usage(3, 1, estimated=True)
    assert reply_from(Said("x", retrieved=(Retrieved("p", "d"),)), timing, "").payload is not None
    assert reply_from(
        {"text": "", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}, timing, ""
    ).tool_calls


class Service:
    """An HTTP application on loopback; ``said`` is what it answers, ``got`` what it was sent."""

    def __init__(self, *said) -> None:
        self.said = list(said)
        self.got: list[tuple[dict, object]] = []

    async def __call__(self, request):
        body = await request.read()
        self.got.append((dict(request.headers), json.loads(body) if body else None))
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, aiohttp.web.Response):
            return said
        if said == "hang":
            await asyncio.sleep(0.3)
        if said == "drop":
            request.transport.close()
        return aiohttp.web.json_response(said)

    def ask(self, sample=SAMPLE, caller=None, path="/ask", **spec):
        """Answer one sample over real HTTP."""
        spec.setdefault("request", {"body": {"q": "{{ question }}"}})
        spec.setdefault("response", {"text": "$.answer"})

        async def main():
            runner = aiohttp.web.ServerRunner(aiohttp.web.Server(self), shutdown_timeout=0.1)
            await runner.setup()
            site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            candidate = build(f"http:http://127.0.0.1:{port}{path}", caller=caller, **spec)
            try:
                return await candidate.answer(sample, 0)
            finally:
                await candidate.close()
                await runner.cleanup()

        return asyncio.run(main())


def failure(said, **spec):
    caller = Caller()
    Service(said).ask(caller=caller, **spec)
    assert isinstance(caller.live[0].outcome, Failure)
    return caller.live[0].outcome


def test_a_service_is_asked_by_template_and_read_by_path(monkeypatch):
    monkeypatch.setenv("APP_TOKEN", "s3cret-token")
    service = Service(
        {
            "out": [{"answer": "It is "}, {"answer": "agreement."}],
            "docs": [{"text": "p", "id": "d1"}],
            "calls": [{"name": "f", "arguments": "{}"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2},
        }
    )
    caller = Caller()
    answer = service.ask(
        caller=caller,
        request={
            "body": {
                "q": "Q: {{ question }}",
                "docs": "{{ contexts }}",
                "n": 3,
                "user": ["{{ item.user }}"],
                "pair": "{{ question }} / {{ item.id }}",
            },
            "headers": {"Authorization": "Bearer ${APP_TOKEN}"},
            "method": "PUT",
        },
        response={"text": "$.out[*].answer", "contexts": "$.docs", "tool_calls": "$.calls", "usage": "$.usage"},
    )
    headers, body = service.got[0]
    assert body == {
        "q": "Q: What is kappa?",
        "docs": ["Kappa is agreement."],
        "n": 3,
        "user": ["ann"],
        "pair": "What is kappa? / q1",
    }
    assert headers["Authorization"] == "Bearer s3cret-token"
    assert answer.outcome == Said("It is agreement.", (ToolCall("f", "{}"),), (Retrieved("p", "d1"),))
    assert caller.live[0].outcome.usage == Usage(5, 2)
    assert caller.live[0].outcome.timing.e2e_s > 0


def test_several_passages_may_be_found_one_by_one():
    service = Service({"answer": "x", "docs": [{"body": "p"}, {"body": "q"}]})
    answer = service.ask(response={"text": "$.answer", "contexts": "$.docs[*].body"})
    assert answer.outcome.retrieved == (Retrieved("p"), Retrieved("q"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "server_error"),
        (401, "unauthorized"),
        (408, "timeout"),
        (400, "candidate_error"),
        (404, "candidate_error"),
        (302, "candidate_error"),
    ],
)
def test_a_status_has_its_owner(status, kind):
    headers = {"Retry-After": "2", "Location": "/elsewhere"}
    found = failure(aiohttp.web.Response(status=status, text="because", headers=headers))
    assert (found.kind, found.status, found.retry_after_s) == (kind, status, 2.0)
    assert ("/elsewhere" if status == 302 else "because") in found.detail


def test_a_dropped_connection_is_ours_and_a_slow_answer_its_own():
    assert failure("drop").kind == "network"
    assert failure("hang", timeout_s=0.05).kind == "timeout"


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (aiohttp.web.Response(text="<html>"), "the response is not JSON: '<html>'"),
        ({"reply": "x"}, 'response.text finds nothing in {"reply":"x"}'),
        ({"answer": {"deep": 1}}, "returned dict with keys 'text'; wanted text"),
    ],
)
def test_a_body_that_holds_no_answer_is_its_own_failure(said, says):
    found = failure(said)
    assert found.kind == "candidate_error"
    assert says in found.detail


def test_another_port_needs_no_call_and_another_body_does():
    caller, service = Caller(), Service({"answer": "x"})
    first, again = service.ask(caller=caller), service.ask(caller=caller)
    assert (first.origin, again.origin, first.fingerprint) == ("live", "reused", again.fingerprint)
    service.ask(caller=caller, request={"body": {"query": "{{ question }}"}})
    service.ask(caller=caller, path="/other")
    service.ask(caller=caller, version="2")
    service.ask(caller=caller, response={"text": "$.answer", "contexts": "$.docs"})
    assert len(caller.live) == 5


def test_a_header_is_nowhere_to_be_found(monkeypatch):
    monkeypatch.setenv("APP_TOKEN", "s3cret-token")
    spec = {"request": {"body": None, "headers": {"X-Key": "${APP_TOKEN}"}}, "response": {"text": "$.a"}}
    candidate = build("http:http://127.0.0.1:9/ask?key=in-the-query", **spec)
    assert "s3cret" not in repr(candidate)
    echo = failure(aiohttp.web.Response(status=400, text="bad key s3cret-token"), **spec)
    assert echo.detail == "HTTP 400: bad key ***"
    assert "in-the-query" not in candidate.model


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"request": {"body": {"a": ["{{ reference }}"]}}}, "request.body.a[0]:1: unknown variable 'reference'"),
        ({"request": {"body": "{{ question"}}, "request.body:1: is not a Jinja template"),
        ({"request": {"body": {}, "headers": {"X": "${UNSET_VARIABLE}"}}}, "export UNSET_VARIABLE="),
        ({"response": {"text": "$..["}}, "'$..[' is not a JSONPath"),
    ],
)
def test_a_mistaken_request_or_path_is_refused_before_any_call(spec, says):
    spec = {"request": {"body": {}}, "response": {"text": "$.a"}, **spec}
    with pytest.raises(InputError) as caught:
        build("http:http://127.0.0.1:9/ask", **spec)
    assert says in str(caught.value)

"""What a prompted model is asked, and what counts as its answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from markscheme.harness.candidates.build import build_candidate
from markscheme.harness.errors import InputError
from markscheme.harness.exam import CandidateSpec
from markscheme.harness.keys import call_key
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Call, Failed, Failure, Reply, Said, Sample, Timing, ToolCall, Usage

QUESTION = Sample("q1", "What is kappa?", context=("Kappa is agreement.", "It corrects for chance."))
IMAGE = {"type": "image", "media_type": "image/png", "sha256": "ab", "path": "/somewhere/x.png"}


class Caller:
    """Exactly-once in memory: one key, one call."""

    run, salt = "run", ""

    def __init__(self) -> None:
        self.known: dict[str, Call] = {}

    async def complete(self, model, request, draw):
        key = call_key(model.identity, request, draw)
        if key in self.known:
            return replace(self.known[key], reused=True)
        call = Call(key, self.run, "candidate", "c", model.name, await model.complete(request))
        if isinstance(call.outcome, Reply):
            self.known[key] = call
        return call


class Bench:
    """A candidate over a scripted model, and what the model was asked."""

    def __init__(self, replies=lambda request: "It is agreement.", slot: int = 0, caller=None, base=None, **spec):
        self.model = ScriptedModel(replies, name="vllm/m")
        self.caller = caller or Caller()
        given = CandidateSpec.model_validate({"name": "c", "model": "vllm/m", **spec}, context={"base": base})
        self.candidate = build_candidate(given, open_model=lambda _: self.model, caller=self.caller, slot=slot)

    def answer(self, sample, trial=0, attempt=0):
        return asyncio.run(self.candidate.answer(sample, trial, attempt))

    def asked(self, sample):
        return [message["content"] for message in self.candidate.preview(sample).messages]


def reply(text="", **more):
    return Reply(text, Usage(5, 7), Timing(1.0, 0.1), **more)


@pytest.fixture
def template(tmp_path):
    def write(text):
        (tmp_path / "p.j2").write_text(text)
        return {"prompt": "p.j2", "base": tmp_path}

    return write


def test_the_default_prompt_shows_the_context_where_there_is_one():
    assert Bench().asked(Sample("q", "What is kappa?")) == ["What is kappa?"]
    assert Bench().asked(QUESTION) == [
        "Answer the question from the context.\n\n"
        "Context:\nKappa is agreement.\n\nIt corrects for chance.\n\nQuestion: What is kappa?"
    ]


def test_a_template_renders_the_samples_fields(template):
    sample = replace(QUESTION, metadata={"level": "easy", "items": ["<a>", "é"]})
    prompt = template(
        "{{ question }}|{{ context }}|{{ contexts[1] }}|{{ item.level }}|{{ item.items | tojson }}|{{ item.id }}\n"
    )
    assert Bench(**prompt).asked(sample) == [
        'What is kappa?|Kappa is agreement.\n\nIt corrects for chance.|It corrects for chance.|easy|["<a>", "é"]|q1'
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one\n{{ reference }}", "p.j2:2: unknown variable 'reference': a candidate may not see it"),
        ("{{ level }}", "write item.level for a column; there are context, contexts, item, messages, question, turn"),
        ("{% if %}", "p.j2:1: is not a Jinja template"),
        ("{{ question | nofilter }}", "p.j2:1: is not a Jinja template"),
    ],
)
def test_a_mistaken_template_is_refused_before_any_call_with_its_line(template, text, says):
    with pytest.raises(InputError) as caught:
        Bench(**template(text))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["{{ item.nosuch }}", "{{ item.nosuch | tojson }}", "{{ 1 / 0 }}", "{% include 'x' %}"]
)
def test_a_template_that_cannot_render_names_its_file_and_the_sample(template, text):
    with pytest.raises(InputError, match=r"p\.j2: sample 'q1': "):
        Bench(**template(text)).candidate.preview(QUESTION)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ question.__class__.__mro__ }}",
        "{{ item._columns }}",
        "{{ ''.__class__ }}",
        "{{ item.__init__.__globals__ }}",
    ],
)
def test_templates_are_sandboxed(template, attack):
    with pytest.raises(InputError, match=r"SecurityError|Undefined"):
        Bench(**template(attack)).candidate.preview(QUESTION)


def test_a_system_file_is_one_shared_message(tmp_path):
    (tmp_path / "s.txt").write_text("Be brief.\n")
    bench = Bench(system="s.txt", base=tmp_path)
    first, second = bench.candidate.preview(QUESTION), bench.candidate.preview(Sample("q2", "Why?"))
    assert first.messages[0] == {"role": "system", "content": "Be brief."}
    assert first.messages[0] is second.messages[0]
    assert first.shared == 1
    assert Bench().candidate.preview(QUESTION).shared == 0


def test_our_token_limit_is_marked_as_ours_and_gives_way_to_the_users():
    ours = Bench(params={"temperature": 0.5}).candidate.preview(QUESTION)
    assert ours.params == {"temperature": 0.5, "max_tokens": 1024}
    assert ours.ours == {"max_tokens"}
    for params in ({"max_tokens": 9}, {"max_completion_tokens": 9}):
        theirs = Bench(params=params).candidate.preview(QUESTION)
        assert (theirs.params, theirs.ours) == (params, frozenset())
    assert Bench(params={"max_tokens": None}).candidate.preview(QUESTION).params == {}


def test_candidates_stream_unless_told_otherwise_and_offer_the_samples_tools():
    tool = {"type": "function", "function": {"name": "f"}}
    request = Bench().candidate.preview(replace(QUESTION, tools=(tool,)))
    assert request.stream
    assert request.tools == (tool,)
    assert not Bench(stream=False).candidate.preview(QUESTION).stream


def test_an_answer_points_at_its_call():
    bench = Bench([reply("It is agreement.", tool_calls=(ToolCall("f", "{}"),))])
    answer = bench.answer(QUESTION)
    assert answer.outcome == Said("It is agreement.", (ToolCall("f", "{}"),))
    assert answer.calls == tuple(bench.caller.known)
    assert (answer.run, answer.sample_id, answer.candidate, answer.origin) == ("run", "q1", "c", "live")


def test_what_was_answered_before_is_reused_and_says_so():
    caller = Caller()
    first = Bench(caller=caller).answer(QUESTION)
    again = Bench([], caller=caller).answer(replace(QUESTION, id="other", reference="new", cluster="x", sha256="y"))
    assert (first.origin, again.origin) == ("live", "reused")
    assert again.calls == first.calls


def test_the_fingerprint_is_that_of_the_answer_and_changes_with_what_is_asked():
    bench = Bench()
    print_of = bench.candidate.fingerprint
    assert bench.answer(QUESTION, trial=1).fingerprint == print_of(QUESTION, 1)
    assert bench.answer(QUESTION, trial=1, attempt=2).fingerprint == print_of(QUESTION, 1)
    assert print_of(replace(QUESTION, reference="corrected", sha256="new"), 1) == print_of(QUESTION, 1)
    changed = {
        print_of(QUESTION, 0),
        print_of(QUESTION, 1),
        print_of(replace(QUESTION, question="Why?"), 0),
        Bench(params={"temperature": 1}).candidate.fingerprint(QUESTION, 0),
        Bench(slot=1).candidate.fingerprint(QUESTION, 0),
    }
    assert len(changed) == 5


def test_identical_candidates_trials_and_attempts_draw_anew():
    caller = Caller()
    first, twin = Bench(caller=caller), Bench(slot=1, caller=caller)
    answers = [first.answer(QUESTION), twin.answer(QUESTION), first.answer(QUESTION, 1), first.answer(QUESTION, 0, 1)]
    assert len({answer.calls for answer in answers}) == 4


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        (Failure("timeout", "slow"), Failed("timeout", "candidate", "slow")),
        (Failure("server_error", "502"), Failed("server_error", "ours", "502")),
        (reply("no", refusal="I will not."), Failed("content_filter", "candidate", "I will not.", "no")),
    ],
)
def test_a_failure_keeps_its_owner(outcome, failed):
    assert Bench([outcome]).answer(QUESTION).outcome == failed


@pytest.mark.parametrize("text", ["It is", ""])
def test_text_cut_by_the_token_limit_is_truncated_and_no_answer(text):
    outcome = Bench([reply(text, finish_reason="length")]).answer(QUESTION).outcome
    assert (outcome.kind, outcome.owner, outcome.text) == ("truncated", "candidate", text)
    assert "after 7 tokens; raise params.max_tokens" in outcome.detail


def test_the_providers_filter_is_a_failure_and_an_empty_answer_is_not():
    filtered = Bench([reply("par", finish_reason="content_filter")]).answer(QUESTION).outcome
    assert (filtered.kind, filtered.text) == ("content_filter", "par")
    assert Bench([reply("")]).answer(QUESTION).outcome == Said("")


HISTORY = Sample(
    "h",
    messages=(
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "What is kappa?"},
    ),
)


def test_a_fixed_history_is_sent_as_it_is(tmp_path):
    assert Bench().candidate.preview(HISTORY).messages == HISTORY.messages
    (tmp_path / "s.txt").write_text("Be brief.")
    assert Bench(system="s.txt", base=tmp_path).asked(HISTORY) == ["Be brief.", "Hi", "Hello", "What is kappa?"]


def test_a_users_template_words_the_last_message_of_a_history(template):
    bench = Bench(**template("Q: {{ question }} ({{ messages | length }} before)"))
    assert bench.asked(HISTORY) == ["Hi", "Hello", "Q: What is kappa? (2 before)"]


def test_two_system_messages_become_one(tmp_path):
    (tmp_path / "s.txt").write_text("Be brief.")
    sample = replace(HISTORY, messages=({"role": "system", "content": "You are kind."}, *HISTORY.messages))
    request = Bench(system="s.txt", base=tmp_path).candidate.preview(sample)
    assert [m["role"] for m in request.messages] == ["system", "user", "assistant", "user"]
    assert request.messages[0]["content"] == "Be brief.\n\nYou are kind."
    assert request.shared == 0


TURNS = Sample("t", turns=("What is kappa?", "And alpha?"), context=("Kappa is agreement.",))


def test_turns_are_answered_one_after_the_other_on_its_own_answers():
    bench = Bench(["It is agreement.", "So is alpha."])
    answer = bench.answer(TURNS)
    assert answer.outcome == Said("So is alpha.", turns=("It is agreement.", "So is alpha."))
    second = [message["content"] for message in bench.model.requests[1].messages]
    assert second[1:] == ["It is agreement.", "And alpha?"]
    assert second[0].startswith("Answer the question from the context.")
    assert len(set(answer.calls)) == 2
    assert answer.fingerprint == bench.candidate.fingerprint(TURNS, 0)


def test_a_template_sees_which_turn_it_is(template):
    bench = Bench(["one", "two"], **template("{{ turn }}: {{ question }}"))
    bench.answer(TURNS)
    assert [m["content"] for m in bench.model.requests[1].messages] == ["1: What is kappa?", "one", "2: And alpha?"]


def test_a_later_turn_that_changes_changes_the_fingerprint():
    other = replace(TURNS, turns=("What is kappa?", "And beta?"))
    assert Bench().candidate.fingerprint(TURNS, 0) != Bench().candidate.fingerprint(other, 0)


def test_a_turn_that_fails_ends_the_conversation_and_keeps_its_calls():
    bench = Bench(["It is agreement.", Failure("timeout", "slow")])
    answer = bench.answer(TURNS)
    assert answer.outcome == Failed("timeout", "candidate", "slow")
    assert len(answer.calls) == 2


def test_images_pass_through_and_their_paths_enter_no_key(template):
    def sample(path):
        return Sample("i", ({"type": "text", "text": "What is this?"}, {**IMAGE, "path": path}))

    bench = Bench(**template("Look: {{ question }}"))
    content = bench.candidate.preview(sample("/a.png")).messages[0]["content"]
    assert content == [{"type": "text", "text": "Look: What is this?"}, {**IMAGE, "path": "/a.png"}]
    assert bench.candidate.fingerprint(sample("/a.png"), 0) == bench.candidate.fingerprint(sample("/b.png"), 0)


def test_a_template_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "p.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        Bench(prompt="p.j2", base=tmp_path)


def test_tojson_writes_the_whole_item(template):
    sample = replace(QUESTION, metadata={"level": 2})
    (text,) = Bench(**template("{{ item | tojson }}")).asked(sample)
    assert json.loads(text) == {"id": "q1", "level": 2}

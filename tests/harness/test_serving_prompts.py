"""What is sent under load: the candidate's own prompts, each new to a cache of prefixes, of the length asked for."""

from __future__ import annotations

import asyncio

import pytest
from markscheme.app.uncalled import NoCaller
from markscheme.harness.candidates.baselines import baseline_candidate
from markscheme.harness.candidates.prompted import Prompt, PromptedCandidate, sampling
from markscheme.harness.errors import EndpointGone, InputError
from markscheme.harness.models.catalog import open_model
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Failure, Reply, Sample, Timing, Usage
from markscheme.harness.serving.loop import Asked
from markscheme.harness.serving.prompts import Prompts, at_most
from markscheme.harness.serving.purse import Purse
from markscheme.harness.serving.readiness import MOST, probe, warm
from mock_openai import mock_server

SAMPLES = [Sample(id=f"s{n}", question=f"[[Q{n}]] Which word?") for n in range(7)]


def candidate(model=None, params=None, system=None, stream=True):
    prompt = Prompt(system={"role": "system", "content": system} if system else None)
    return PromptedCandidate(
        "cand", model or ScriptedModel([]), NoCaller(), prompt, sampling(params or {}, stream), slot=0
    )


def prompts(order="0", **given):
    return Prompts(candidate(**given.pop("of", {})), SAMPLES, order, **given)


def first_words(found, count):
    return [found(number)[1].messages[0]["content"] for number in range(count)]


def test_fresh_prompts_begin_with_a_word_that_never_comes_again():
    texts = [t for place in ("a/0", "a/1", "b/0") for t in first_words(prompts(fresh=f"bench/{place}"), 200)]
    assert len({text[:14] for text in texts}) == 600
    assert all(text[0] == "[" and text[13:15] == "]\n" for text in texts)
    assert texts == [t for place in ("a/0", "a/1", "b/0") for t in first_words(prompts(fresh=f"bench/{place}"), 200)]


def test_the_word_stands_before_the_system_prompt_which_would_else_be_in_the_cache():
    _, request = prompts(fresh="x", of={"system": "You are terse."})(0)
    assert request.messages[0]["role"] == "system"
    assert request.messages[0]["content"].endswith("]\nYou are terse.")
    assert request.shared == 0, "no two are alike, so that there is nothing for the provider to cache"
    assert "[[Q" in request.messages[1]["content"][:4]


def test_the_word_stands_before_an_image():
    image = ({"type": "text", "text": "What is it?"}, {"type": "image", "media_type": "image/png", "sha256": "0"})
    found = Prompts(candidate(), [Sample(id="s", question=image)], "0", fresh="x")
    content = found(0)[1].messages[0]["content"]
    assert [part["type"] for part in content] == ["text", "text", "image"]
    assert content[0]["text"].startswith("[")


def test_cached_prompts_are_sent_as_the_candidate_words_them():
    found = prompts()
    assert sorted(first_words(found, 7)) == sorted(sample.question for sample in SAMPLES)
    assert found(0) == found(7) == found(14)


def test_samples_come_in_an_order_of_the_repeat_each_before_any_comes_again():
    orders = [[prompts(order)(number)[0] for number in range(14)] for order in ("0/0", "0/1", "0/0")]
    assert orders[0] == orders[2] != orders[1]
    assert all(sorted(order[:7]) == sorted(order[7:]) == [f"s{n}" for n in range(7)] for order in orders)


def test_a_stream_is_asked_for_whatever_the_exam_says():
    assert prompts(of={"stream": False})(0)[1].stream is True


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_fixed_length_sets_the_limit_of_the_candidate_and_keeps_the_model_from_stopping(name):
    _, request = prompts(output_tokens=64, of={"params": {name: 500, "temperature": 0}})(0)
    assert request.params == {name: 64, "temperature": 0, "ignore_eos": True, "min_tokens": 64}
    assert {"ignore_eos", "min_tokens"} <= request.ours, "a server that does not know them is asked without"
    assert name not in request.ours


def test_a_short_request_is_the_same_but_for_its_limit():
    request = prompts(of={"params": {"temperature": 0}})(0)[1]
    assert at_most(request, 8).params == {"temperature": 0, "max_tokens": 8}
    assert at_most(request, 8).messages == request.messages


def test_a_candidate_without_a_prompt_is_named():
    floor = baseline_candidate("floor", "baseline/extractive", caller=NoCaller())
    with pytest.raises(InputError, match="candidate 'floor': sample 's0' has no prompt to send"):
        Prompts(floor, SAMPLES[:1], "0")(0)


def probed(model, output_tokens=None):
    asked = Asked(prompts(fresh="x", of={"model": model}, output_tokens=output_tokens), model, Purse(None, 0.0, _free))
    asyncio.run(probe(asked, "cand", output_tokens))


def _free(model, usage):
    return 0.0


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        (Failure("network", "connection refused"), EndpointGone, "connection refused: check that the server runs"),
        (Failure("unauthorized", "401: wrong key"), EndpointGone, "401: wrong key: check .* its key"),
        (Failure("not_found", "404: no such model"), EndpointGone, "no such model"),
        (Failure("bad_request", "top_q is unknown"), InputError, "refuses its prompt: top_q is unknown"),
        (Failure("context_overflow", "4096 tokens"), InputError, "refuses its prompt: 4096 tokens"),
        (Reply("all", Usage(5, 3), Timing(0.0, 0.2)), InputError, "whole replies although a stream was asked for"),
    ],
)
def test_what_makes_a_cell_senseless_is_found_before_it_is_measured(outcome, error, said):
    with pytest.raises(error, match=said):
        probed(ScriptedModel(lambda request: outcome))


@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "timeout"])
def test_what_may_pass_does_not_stop_a_load_test(kind):
    probed(ScriptedModel(lambda request: Failure(kind, "busy")))


def test_the_trial_learns_what_the_server_refuses_and_whether_it_closes_connections():
    with mock_server({"dialects": ["no_stream_options", "stream_closes"]}) as server:

        async def go():
            model = open_model("openai-compatible/cand-1", base_url=server.url)
            asked = Asked(prompts(fresh="x", of={"model": model}), model, Purse(None, 0.0, _free))
            await probe(asked, "cand", None)
            before = server.stats()["received"]
            outcomes = [await model.complete(asked.ask(n)[1]) for n in range(5)]
            await model.close()
            return before, outcomes

        before, outcomes = asyncio.run(go())
        assert all(isinstance(outcome, Reply) for outcome in outcomes)
        assert server.stats()["received"] == before + 5, "nothing is sent twice any more"


def test_the_trial_is_short_and_of_few_tokens():
    model = ScriptedModel(lambda request: "word")
    probed(model)
    assert len(model.requests) <= MOST
    assert {request.params["max_tokens"] for request in model.requests} == {8}
    fixed = ScriptedModel(lambda request: "word")
    probed(fixed, output_tokens=4)
    assert {(r.params["max_tokens"], r.params["min_tokens"]) for r in fixed.requests} == {(4, 4)}


def test_prompts_to_be_cached_are_each_sent_once_and_paid_for():
    model = ScriptedModel(lambda request: "w", usage=Usage(10, 1))
    purse = Purse(None, 0.0, lambda name, usage: 0.01)
    asyncio.run(warm(Asked(prompts(of={"model": model}), model, purse), 7))
    sent = [request.messages[0]["content"] for request in model.requests]
    assert sorted(sent) == sorted(sample.question for sample in SAMPLES)
    assert purse.spent_usd == pytest.approx(0.07)

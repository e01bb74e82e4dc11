"""What is timed about a reply: each definition on one request, failures and the undefined."""

from dataclasses import replace

import numpy as np
import pytest
from markscheme.harness import timing
from markscheme.harness.serving.records import Loaded, Served, Setting

ONE = Served(
    number=0,
    sample_id="a",
    phase="measured",
    status="ok",
    detail="",
    scheduled_s=10.0,
    sent_s=10.25,
    ttft_s=0.5,
    ttfo_s=0.75,
    e2e_s=2.5,
    gaps_s=(0.5, 0.5, 1.0),
    prompt_tokens=100,
    completion_tokens=5,
    cached_tokens=0,
    usage_estimated=False,
    cost_usd=None,
)
FAILED = replace(
    ONE, number=1, status="timeout", ttft_s=None, ttfo_s=None, e2e_s=None, gaps_s=(), completion_tokens=None
)


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (timing.ttft, 0.5),
        (timing.ttft_sched, 0.75),
        (timing.ttfo, 0.75),
        (timing.e2e, 2.5),
        (timing.e2e_sched, 2.75),
        (timing.dispatch_delay, 0.25),
        (timing.tpot, 0.5),  # (2.5 - 0.5) / (5 - 1)
        (timing.ntpot, 0.5),  # 2.5 / 5
    ],
)
def test_each_time_is_what_its_definition_says(of, value):
    assert of(ONE) == pytest.approx(value)


@pytest.mark.parametrize("tokens", [None, 0, 1])
def test_time_per_token_is_undefined_for_fewer_than_two_tokens(tokens):
    assert timing.tpot(replace(ONE, completion_tokens=tokens)) is None
    assert np.isnan(timing.column([replace(ONE, completion_tokens=tokens)], timing.tpot)).all()


def test_a_reply_that_was_not_streamed_has_no_time_to_first_token():
    whole = replace(ONE, ttft_s=None, gaps_s=())
    assert np.isnan(timing.column([whole], timing.ttft)[0])
    assert timing.column([whole], timing.e2e)[0] == 2.5


@pytest.mark.parametrize("name", timing.LATENCIES)
def test_a_failure_is_slower_than_any_answer(name):
    found = timing.column([ONE, FAILED], timing.LATENCIES[name])
    assert np.isfinite(found[0])
    assert found[1] == np.inf


def test_a_failure_was_sent_all_the_same():
    assert timing.delays([ONE, FAILED]).tolist() == [0.25, 0.25]


def test_users_of_failed_requests_read_nothing():
    assert timing.user_rate([ONE, FAILED]).tolist() == [2.0, 0.0]


def test_gaps_are_pooled_and_know_their_request():
    gaps, numbers = timing.chunk_gaps([FAILED, ONE, replace(ONE, gaps_s=(0.1,))])
    assert gaps.tolist() == [0.5, 0.5, 1.0, 0.1]
    assert numbers.tolist() == [1, 1, 1, 2]


def test_warm_up_and_cool_down_are_left_out_and_failures_kept():
    requests = (replace(ONE, phase="warm_up"), ONE, FAILED, replace(ONE, phase="cool_down"))
    loaded = Loaded(Setting("a", "closed", 1), 0, 0.0, 1.0, (), 0.0, requests)
    assert timing.measured(loaded) == (ONE, FAILED)


def test_three_tools_give_the_same_letters_to_different_things():
    called = {alias.name: (alias.vllm, alias.guidellm, alias.aiperf) for alias in timing.ALIASES}
    assert called["TPOT"][0] == "TPOT"
    assert called["NTPOT"][1].startswith("TPOT")
    assert called["Gap"][0] == called["TPOT"][2] == "ITL"
    assert set(timing.LATENCIES) >= {a.key for a in timing.ALIASES if a.key in timing.LATENCIES}

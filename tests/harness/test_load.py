"""A run comes back as tables with every pointer to a call resolved."""

import math

from markscheme.harness.records import Answer, Call, Failed, Failure, Grade, Reply, Said, Sample, Scored, Timing, Usage
from markscheme.harness.store import codec, frames, runs
from markscheme.harness.store.load import load
from markscheme.harness.store.store import Store


def reply(text, e2e_s, ttft_s=None, tokens=5):
    return Reply(text, Usage(10, tokens), Timing(1.0, e2e_s, ttft_s, gaps_s=(0.1, 0.3, 0.2)))


def build(tmp_path):
    store = Store(tmp_path)
    run = runs.begin(store, "e.yaml", {"markscheme": "0"})
    config = {"candidates": [{"name": "mini", "trials": 2}], "judges": [{"name": "strict"}]}
    runs.describe_run(store, run, "f", config, {})
    store.put_samples(
        run.id,
        [
            Sample("b", "first?", context=("p1", "p2"), reference="r", cluster="doc", sha256="1"),
            Sample("a", turns=("one", ({"type": "text", "text": "two"},)), sha256="2"),
        ],
    )

    def call(key, outcome, paid_by=run.id, cost=0.01, role="candidate"):
        return codec.call_to_row(Call(key, paid_by, role, "x", "m", outcome, 1, cost, 86400.0), None)

    def answer(sample, trial, outcome, *keys, candidate="mini"):
        return codec.answer_to_row(Answer(run.id, sample, candidate, trial, outcome, keys), 0)

    store.put(
        {
            "calls": [
                call("live", reply("hi", 1.0, 0.4)),
                call("turn1", reply("1", 1.0, 0.5)),
                call("turn2", reply("2", 2.0, 0.6), cost=None),
                call("old", reply("old", 9.0), paid_by="earlier"),
                call("dead", Failure("timeout", "60 s")),
                call("verdict", reply("{}", 0.5), role="judge"),
                call("first draw", reply("cut", 7.0), cost=0.5),
                call("not ours", reply("hi", 1.0), paid_by="earlier"),
            ],
            "answers": [
                answer("b", 0, Said("hi"), "live"),
                answer("b", 1, Said("old"), "old"),
                answer("a", 0, Said("2", turns=("1", "2")), "turn1", "turn2"),
                answer("a", 1, Failed("timeout", "candidate", "60 s"), "dead"),
                answer("b", 0, Said("gone"), candidate="no-longer-in-the-exam"),
            ],
            "grades": [
                codec.grade_to_row(Grade(run.id, "b", "mini", 0, "strict", c, Scored(2.0), calls=("verdict",)), 0)
                for c in ("correctness", "readability")
            ],
        }
    )
    return store, runs.find(store, "latest")


def test_tables_have_the_columns_that_frames_lists_in_exam_order(tmp_path):
    store, run = build(tmp_path)
    data = load(store, run)
    store.close()
    for name in ("samples", "answers", "grades", "scores", "calls"):
        columns = getattr(frames, name[:-1].upper() + "_COLUMNS")
        assert tuple(getattr(data, name).columns) == columns
    assert list(data.samples["sample_id"]) == ["b", "a"]
    assert list(data.samples["question"]) == ["first?", "one\ntwo"]
    assert [tuple(row) for row in data.answers[["sample_id", "trial"]].values] == [
        ("b", 0),
        ("b", 1),
        ("a", 0),
        ("a", 1),
    ]
    assert set(data.answers["candidate"]) == {"mini"}
    assert list(data.answers["cluster"]) == ["doc", "doc", "a", "a"]


def test_latency_is_of_live_replies_only_and_turns_are_summed(tmp_path):
    store, run = build(tmp_path)
    live, old, turns, dead = load(store, run).answers.to_dict("records")
    store.close()
    assert (live["e2e_s"], live["ttft_s"], round(live["gap_p50_s"], 6)) == (1.0, 0.4, 0.2)
    assert math.isnan(old["e2e_s"])
    assert (old["origin"], old["reply_run"], old["reply_date"]) == ("reused", "earlier", "1970-01-02")
    assert (turns["e2e_s"], turns["ttft_s"], turns["n_calls"], turns["completion_tokens"]) == (3.0, 0.5, 2, 10)
    assert math.isnan(turns["cost_usd"])
    assert (dead["status"], dead["owner"], dead["n_calls"]) == ("timeout", "candidate", 1)
    assert dead["origin"] == "live", "asked by this run, though nothing came back"
    assert math.isnan(dead["cost_usd"])


def test_a_call_that_two_grades_point_at_is_one_row(tmp_path):
    store, run = build(tmp_path)
    data = load(store, run)
    store.close()
    verdicts = data.calls[data.calls["role"] == "judge"]
    assert list(verdicts["who"]) == ["strict"]
    assert verdicts["cost_usd"].sum() == 0.01


def test_a_call_that_nothing_points_at_any_more_is_still_among_what_the_run_paid(tmp_path):
    store, run = build(tmp_path)
    calls = load(store, run).calls
    store.close()
    assert "not ours" not in set(calls["key"])
    (replaced,) = calls[calls["superseded"]].to_dict("records")
    assert (replaced["key"], replaced["role"], replaced["who"]) == ("first draw", "candidate", "x")
    assert (replaced["cost_usd"], replaced["reused"]) == (0.5, False)

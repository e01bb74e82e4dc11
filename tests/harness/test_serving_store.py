"""Load tests in the workspace: what was measured comes back as it was, and is found again."""

from __future__ import annotations

import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.serving.records import Loaded, Served, Setting
from markscheme.harness.store import serving
from markscheme.harness.store.store import Store

CONFIG = {"name": "exam", "serving": {"repeats": 3}}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "workspace")
    yield store
    store.close()


def request(number, **changes):
    given = {
        "number": number,
        "sample_id": f"s{number}",
        "phase": "measured",
        "status": "ok",
        "detail": "",
        "scheduled_s": number / 8,
        "sent_s": number / 8 + 0.001,
        "ttft_s": 0.25,
        "ttfo_s": 0.5,
        "e2e_s": 1.0,
        "gaps_s": (0.125, 0.25),
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cached_tokens": 64,
        "usage_estimated": False,
        "cost_usd": 0.01,
    }
    return Served(**{**given, **changes})


FAILED = {
    "status": "timeout",
    "detail": "no reply",
    "cost_usd": None,
    "gaps_s": (),
    "capped": True,
    **dict.fromkeys(("ttft_s", "ttfo_s", "e2e_s", "prompt_tokens", "completion_tokens", "cached_tokens")),
}


def loaded(repeat=0, level=4.0, **setting):
    requests = (request(0, phase="warm_up"), request(1), request(2, **FAILED), request(10))
    return Loaded(Setting("cand", "poisson", level, **setting), repeat, 1e9, 2.5, (0.001, 0.002), 0.75, requests)


def test_what_was_measured_comes_back_as_it_was(store):
    bench = serving.begin(store, "exam.yaml", "exam", CONFIG, {"markscheme": "1"})
    kept = [loaded(0), loaded(1), loaded(0, contexts=3, output_tokens=64)]
    for one in kept:
        serving.put_loaded(store, bench.id, one)
    found, loads = serving.load_bench(store, bench.id)
    assert found == bench
    assert sorted(loads, key=lambda one: (one.setting.key, one.repeat)) == kept
    assert serving.measured(store, bench.id) == {("cand/poisson/4", 0), ("cand/poisson/4", 1), (kept[2].setting.key, 0)}


def test_a_cell_that_is_put_again_is_there_once(store):
    bench = serving.begin(store, "exam.yaml", "exam", CONFIG, {})
    serving.put_loaded(store, bench.id, loaded())
    serving.put_loaded(store, bench.id, loaded())
    assert [len(one.requests) for one in serving.load_bench(store, bench.id)[1]] == [4]


def test_only_the_latest_and_unfinished_of_the_same_configuration_is_continued(store):
    first = serving.begin(store, "exam.yaml", "exam", CONFIG, {})
    assert serving.unfinished(store, "exam.yaml", CONFIG) == first
    assert serving.unfinished(store, "other.yaml", CONFIG) is None
    assert serving.unfinished(store, "exam.yaml", {**CONFIG, "serving": {"repeats": 5}}) is None
    serving.note_dropped(store, first.id, 0.5)
    assert serving.unfinished(store, "exam.yaml", CONFIG).id == first.id, "what it cost is no setting"
    serving.finish(store, first.id)
    assert serving.unfinished(store, "exam.yaml", CONFIG) is None
    assert serving.find_bench(store, first.id).finished_at is not None


def test_money_counts_that_was_paid_for_what_is_not_kept(store):
    bench = serving.begin(store, "exam.yaml", "exam", CONFIG, {})
    assert serving.spent_usd(store, bench.id) == 0
    serving.put_loaded(store, bench.id, loaded())
    serving.note_dropped(store, bench.id, 0.2)
    serving.note_dropped(store, bench.id, 0.0)
    serving.note_dropped(store, bench.id, 0.1)
    assert serving.kept_usd(store, bench.id) == pytest.approx(0.03)
    assert serving.spent_usd(store, bench.id) == pytest.approx(0.33)


def test_a_load_test_is_found_by_id_prefix_name_or_as_the_latest(store):
    first = serving.begin(store, "a.yaml", "a", CONFIG, {})
    second = serving.begin(store, "b.yaml", "b", CONFIG, {})
    assert serving.find_bench(store, first.id[:-1]).exam in ("a.yaml", "b.yaml")
    assert [serving.find_bench(store, word).id for word in (first.id, "a", "latest")] == [first.id, first.id, second.id]
    with pytest.raises(InputError, match=f"no load test 'gone'; the latest are: {second.id}, {first.id}"):
        serving.find_bench(store, "gone")

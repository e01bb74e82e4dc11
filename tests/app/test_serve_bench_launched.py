"""`markscheme serve-bench` with servers that it starts; a stand-in plays vLLM."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from markscheme.harness.store import serving
from markscheme.harness.store.servers import read_servers
from markscheme.harness.store.store import Store

STANDIN = Path(__file__).parents[1] / "servers" / "vllm"


@pytest.fixture
def rig(desk, monkeypatch):
    """A base model and its adapter on one server, and another model after them on the same GPU."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{STANDIN.parent}:{os.environ['PATH']}")
    launch = {"gpus": [0], "adapters": {"tuned": "org/lora"}}
    desk.exam["candidates"] = [
        {"name": "base", "model": "vllm/org/Llama", "launch": launch, "usd_per_gpu_hour": 3.6},
        {"name": "tuned", "model": "vllm/org/Llama", "launch": launch, "adapter": "tuned"},
        {"name": "qwen", "model": "vllm/org/Qwen", "launch": {"gpus": [0]}},
    ]
    desk.exam["serving"] = {"loads": [{"closed": 1}], "requests": 14, "repeats": 2}

    def behave(**how):
        monkeypatch.setenv("VLLM_STANDIN", json.dumps({"diary": str(desk.folder / "diary"), **how}))

    desk.behave = behave
    behave()
    return desk


def bench(desk, *words):
    return desk.command("serve-bench", str(desk.save()), "--json", *words)


def stored(desk):
    store = Store(desk.folder / ".markscheme")
    try:
        found, loads = serving.load_bench(store, "latest")
        return found, loads, read_servers(store, found.id)
    finally:
        store.close()


def test_servers_take_turns_and_each_starts_once_for_all_repeats(rig):
    code, out, err = bench(rig)
    assert code == 0, err
    assert len(json.loads(out.splitlines()[-1])["cells"]) == 3
    _, loads, servers = stored(rig)
    assert [server.name for server in servers] == ["Llama", "Qwen"]
    assert servers[0].stopped_at <= servers[1].started_at
    assert all(server.startup_s > 0 for server in servers)
    assert sorted((one.setting.candidate, one.repeat) for one in loads) == sorted(
        (name, repeat) for name in ("base", "tuned", "qwen") for repeat in (0, 1)
    )
    began = {one.setting.candidate: one.started_at for one in loads}
    assert max(began["base"], began["tuned"]) < servers[1].started_at < began["qwen"]


def test_a_plan_names_the_servers_in_their_order_and_starts_none(rig):
    code, out, err = bench(rig, "--plan")
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["servers"] == ["Llama", "Qwen"]
    assert not (rig.folder / "diary").exists()


def test_a_server_that_dies_ends_the_load_test_and_only_what_is_left_is_started_again(rig):
    rig.behave(models={"org/Qwen": {"die_after": 24, "config": {"stream": {"ttft_ms": 40}}}})
    code, _, err = bench(rig)
    assert code == 3
    assert "CUDA out of memory" in err, "the end of its log"
    first, loads, _ = stored(rig)
    assert {one.setting.candidate for one in loads} >= {"base", "tuned"}
    rig.behave()
    code, _, err = bench(rig)
    assert code == 0, err
    again, loads, servers = stored(rig)
    assert (again.id, len(loads)) == (first.id, 6)
    assert [server.name for server in servers] == ["Llama", "Qwen", "Qwen"]

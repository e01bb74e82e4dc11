"""Servers that are started, waited for and stopped; a stand-in plays vLLM."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from markscheme.harness.errors import InputError, ServerFailed, Stopped
from markscheme.harness.records import Failure, Reply, Request
from markscheme.harness.serving.child import Child
from markscheme.harness.serving.fleet import Fleet, LaunchedModel
from markscheme.harness.serving.phases import Server
from markscheme.harness.serving.server import House, Running, executable

STANDIN = Path(__file__).parents[1] / "servers" / "vllm"
ASK = Request(messages=({"role": "user", "content": "[[Q1]] Which code word?"},))


@pytest.fixture
def standin(tmp_path, monkeypatch):
    """A `vllm` on the PATH, and how it behaves."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{STANDIN.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("MARKSCHEME_VLLM", raising=False)

    def behave(**how):
        monkeypatch.setenv("VLLM_STANDIN", json.dumps({"diary": str(tmp_path / "diary"), **how}))

    behave()
    return behave


@pytest.fixture
def house(tmp_path):
    """A house, what it recorded, and what it said."""
    folder = tmp_path / "exam"
    folder.mkdir()
    uses, said = [], []
    made = House("run-1", folder, tmp_path / "logs", asyncio.Event(), uses.append, said.append)
    return made, uses, said


def server(name="m", **changes) -> Server:
    given = {"args": (), "adapters": (), "gpus": (), "timeout_s": 20.0, "usd_per_gpu_hour": None, **changes}
    return Server(name=name, model=f"org/{name}", **given)


def diary(tmp_path) -> list[dict]:
    path = tmp_path / "diary"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int, within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_a_server_starts_with_the_first_call_and_ends_with_its_fleet(standin, house, tmp_path):
    made, uses, said = house
    one = server(gpus=(1, 2), args=("--seed", "7"), usd_per_gpu_hour=3.0)

    async def use():
        async with Fleet(made) as fleet:
            model = LaunchedModel(one, fleet)
            assert diary(tmp_path) == []
            replies = await asyncio.gather(*(model.complete(ASK) for _ in range(5)))
            await model.close()
            return replies

    assert all(isinstance(reply, Reply) for reply in asyncio.run(use()))
    start, end = diary(tmp_path)
    assert (start["model"], start["others"], start["gpus"]) == ("org/m", ["--seed", "7"], "1,2")
    assert start["folder"] == str(made.folder)
    assert end["received"] == 5
    assert not alive(start["pid"])
    assert [(use.ready_at is None, use.stopped_at is None) for use in uses] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    last = uses[-1]
    assert last.started_at < last.ready_at < last.stopped_at
    assert last.cost_usd == pytest.approx((last.stopped_at - last.started_at) / 3600 * 3.0 * 2)
    assert said[0].startswith("starting m: vllm serve org/m; its log: ")
    assert said[1].startswith("m is ready after ")


def test_the_adapter_is_what_the_server_is_asked_for(standin, house, tmp_path):
    standin(config={"keep": True})
    one = server(adapters=(("tuned", "/adapters/tuned"),))

    async def use():
        async with Fleet(house[0]) as fleet:
            replies = []
            for adapter in (None, "tuned"):
                model = LaunchedModel(one, fleet, adapter=adapter)
                replies.append(await model.complete(ASK))
                await model.close()
            return replies

    base, tuned = asyncio.run(use())
    assert (base.served_model, tuned.served_model) == ("org/m", "tuned")
    (start, _) = diary(tmp_path)
    assert start["lora"] == ["tuned=/adapters/tuned"]


def test_each_server_wants_a_key_of_its_own_that_stands_nowhere(standin, house, tmp_path):
    made, uses, said = house

    async def use():
        import aiohttp

        async with Fleet(made) as fleet:
            running = await fleet.running(server("a"))
            other = await fleet.running(server("b"))
            model = LaunchedModel(server("a"), fleet)
            assert isinstance(await model.complete(ASK), Reply)
            await model.close()
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{running.base_url}/chat/completions", json={"model": "x", "messages": []}) as response,
            ):
                assert response.status == 401
            return running.key, other.key, repr(running) + repr(model)

    key, other, shown = asyncio.run(use())
    assert key != other
    assert len(key) >= 32
    logs = "".join(path.read_text() for path in made.logs.iterdir())
    for text in (shown, repr(uses), *said, logs, json.dumps(diary(tmp_path))):
        assert key not in text


def test_a_server_that_fails_at_its_start_is_named_with_the_end_of_its_log(standin, house):
    standin(fail="\x1b[31mValueError: --max-model-len 8192 is too long\x1b[0m")

    async def use():
        async with Fleet(house[0]) as fleet:
            model = LaunchedModel(server(), fleet)
            return await asyncio.gather(*(model.complete(ASK) for _ in range(3)), return_exceptions=True)

    errors = asyncio.run(use())
    assert all(isinstance(error, ServerFailed) for error in errors)
    text = str(errors[0])
    assert "server m ended with status 1 before it was ready; the end of its log" in text
    assert "  | Loading weights.\n  | ValueError: --max-model-len 8192 is too long" in text
    assert "\x1b" not in text


def test_a_server_that_never_listens_is_given_up_and_ended(standin, house, tmp_path):
    standin(hang=True)

    async def use():
        async with Fleet(house[0]) as fleet:
            await fleet.running(server(timeout_s=3.0))

    with pytest.raises(ServerFailed, match=r"was not ready after 3 s \(raise launch.timeout_s .*\n  \| Loading"):
        asyncio.run(use())
    assert gone(diary(tmp_path)[0]["pid"])


def test_without_vllm_the_remedy_is_named(monkeypatch, house, tmp_path):
    monkeypatch.delenv("MARKSCHEME_VLLM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"no executable `vllm` on the PATH\. Install vLLM"):
        executable()
    monkeypatch.setenv("MARKSCHEME_VLLM", "/opt/nowhere/vllm")
    with pytest.raises(InputError, match="MARKSCHEME_VLLM='/opt/nowhere/vllm' is no executable file"):
        executable()
    monkeypatch.setenv("MARKSCHEME_VLLM", str(STANDIN))
    assert executable() == str(STANDIN)


def test_a_server_that_dies_ends_the_work_at_once(standin, house):
    standin(die_after=3)

    async def use():
        async with Fleet(house[0]) as fleet:
            model = LaunchedModel(server(), fleet)
            try:
                for _ in range(200):
                    outcome = await model.complete(ASK)
                    assert isinstance(outcome, Reply), outcome
            finally:
                await model.close()

    with pytest.raises(ServerFailed, match=r"in the middle of its work; (.*\n)*.*CUDA out of memory"):
        asyncio.run(use())


def test_a_dying_server_that_still_listens_is_looked_at_again(house, standin, monkeypatch, tmp_path):
    standin()

    async def use():
        async with Fleet(house[0]) as fleet:
            running = await fleet.running(server())
            await running.must_live()
            listens = Running._listens

            async def listens_for_the_last_time(self):
                heard = await listens(self)
                if heard:
                    os.kill(diary(tmp_path)[0]["pid"], signal.SIGKILL)
                return heard

            monkeypatch.setattr(Running, "_listens", listens_for_the_last_time)
            await running.must_live()

    with pytest.raises(ServerFailed, match="in the middle of its work"):
        asyncio.run(use())


def test_a_stop_ends_the_waiting_and_the_server(standin, house, tmp_path):
    standin(hang=True)
    made = house[0]

    async def use():
        async with Fleet(made) as fleet:
            asyncio.get_running_loop().call_later(0.5, made.stop.set)
            await fleet.running(server(timeout_s=60.0))

    with pytest.raises(Stopped):
        asyncio.run(use())
    assert gone(diary(tmp_path)[0]["pid"])


def test_a_cancelled_run_leaves_no_server(standin, house, tmp_path):
    standin(hang=True)

    async def use():
        async with Fleet(house[0]) as fleet:
            await fleet.running(server(timeout_s=60.0))

    async def cancelled():
        task = asyncio.create_task(use())
        await asyncio.sleep(0.7)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert gone(diary(tmp_path)[0]["pid"])
    assert house[1][-1].stopped_at is not None


def test_only_the_servers_of_a_phase_go_on(standin, house, tmp_path):
    async def use():
        async with Fleet(house[0]) as fleet:
            a, b = server("a", gpus=(0,)), server("b", gpus=(1,))
            await asyncio.gather(fleet.running(a), fleet.running(b))
            await fleet.only([b])
            kept = await fleet.running(b)
            again = await fleet.running(a)
            return kept.child.status, again.child.status

    assert asyncio.run(use()) == (None, None)
    events = [(note["event"], note.get("model")) for note in diary(tmp_path)]
    assert sorted(events[:2]) == [("start", "org/a"), ("start", "org/b")]
    assert events[2:4] == [("end", None), ("start", "org/a")]


def child(tmp_path, *command, grace_s=0.5) -> Child:
    return Child(command, cwd=tmp_path, env=dict(os.environ), log=tmp_path / "child.log", grace_s=grace_s)


def test_a_stubborn_server_and_what_it_started_are_killed(tmp_path, standin):
    standin(stubborn=True, child=True)
    started = child(tmp_path, str(STANDIN), "serve", "org/m", "--port", "0")
    until = time.monotonic() + 10
    while not diary(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    (note,) = diary(tmp_path)
    time.sleep(0.2)
    asyncio.run(started.stop())
    assert gone(note["pid"], 3)
    assert gone(note["child"], 3)


def test_a_supervisor_that_is_killed_leaves_no_server_behind(tmp_path):
    started = child(tmp_path, "sh", "-c", "echo $$; exec sleep 600")
    until = time.monotonic() + 10
    while not started.tail() and time.monotonic() < until:
        time.sleep(0.02)
    pid = int(started.tail())
    assert select.select([started._supervisor.stdout], [], [], 10)[0]
    started._supervisor.kill()
    asyncio.run(started.stop())
    assert gone(pid)


def test_a_command_that_cannot_be_run_says_so_in_its_log(tmp_path):
    started = child(tmp_path, str(tmp_path / "nothing"))
    asyncio.run(asyncio.to_thread(started._supervisor.wait, 10))
    assert started.status == 127
    assert started.tail().endswith("nothing: No such file or directory")
    asyncio.run(started.stop())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_however_we_die_the_server_dies_too(tmp_path, number):
    code = (
        "import os, pathlib, time; from markscheme.harness.serving.child import Child\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "command = ['sh', '-c', 'echo $$; exec sleep 600']\n"
        "Child(command, cwd=folder, env=dict(os.environ), log=folder / 'log', grace_s=1)\n"
        "time.sleep(600)\n"
    )
    ours = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    log, until = tmp_path / "log", time.monotonic() + 20
    while (not log.exists() or not log.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.02)
    pid = int(log.read_text())
    assert alive(pid)
    os.kill(ours.pid, number)
    ours.wait()
    assert gone(pid)


def test_a_tail_is_short_and_clean(tmp_path):
    (tmp_path / "child.log").write_text("of an earlier start\n")
    lines = "".join(f"line {n}\\r\\n" for n in range(30))
    started = child(tmp_path, "sh", "-c", f"printf '{lines}\\033[1mbold\\033[0m\\a%01000d' 7")
    asyncio.run(asyncio.to_thread(started._supervisor.wait, 10))
    tail = started.tail(4).split("\n")
    asyncio.run(started.stop())
    assert tail[:3] == ["line 27", "line 28", "line 29"]
    assert tail[3].startswith("bold000")
    assert len(tail[3]) == 300
    assert "earlier" not in started.tail(100)


def test_a_failure_of_a_living_server_is_an_ordinary_one(standin, house):
    standin(config={"errors": {"first": ["drop"]}})

    async def use():
        async with Fleet(house[0]) as fleet:
            model = LaunchedModel(server(), fleet)
            outcome = await model.complete(ASK)
            await model.close()
            return outcome

    outcome = asyncio.run(use())
    assert isinstance(outcome, Failure)
    assert outcome.kind == "network"

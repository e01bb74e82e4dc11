"""`markscheme run` with servers that it starts; a stand-in plays vLLM."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

STANDIN = Path(__file__).parents[1] / "servers" / "vllm"
LLAMA, QWEN, JUDGE = "vllm/meta-llama/Llama-3.1-8B", "vllm/Qwen/Qwen3-8B", "vllm/org/judge-7b"


class Rig:
    """A desk with a `vllm`."""

    def __init__(self, desk, monkeypatch):
        self.desk, self._monkeypatch = desk, monkeypatch
        self.path = f"{Path(sys.executable).parent}:{STANDIN.parent}:{os.environ['PATH']}"
        monkeypatch.setenv("PATH", self.path)
        self.behave()
        desk.exam["candidates"] = [
            {"name": "base", "model": LLAMA, "launch": {"gpus": [0], "adapters": {"tuned": "org/lora"}}},
            {
                "name": "tuned",
                "model": LLAMA,
                "launch": {"gpus": [0], "adapters": {"tuned": "org/lora"}},
                "adapter": "tuned",
            },
            {"name": "qwen", "model": QWEN, "launch": {"gpus": [0]}, "usd_per_gpu_hour": 3.6},
        ]
        desk.exam["judges"][0] |= {"model": JUDGE, "launch": {"gpus": [0]}}
        del desk.exam["judges"][0]["base_url"]

    def behave(self, **how):
        self._monkeypatch.setenv("VLLM_STANDIN", json.dumps({"diary": str(self.desk.folder / "diary"), **how}))

    def diary(self, event="start"):
        path = self.desk.folder / "diary"
        notes = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [note for note in notes if note["event"] == event]

    def forget(self):
        (self.desk.folder / "diary").unlink(missing_ok=True)

    def servers(self):
        with sqlite3.connect(self.desk.folder / ".markscheme" / "markscheme.db") as connection:
            query = "SELECT name, ready_at - started_at, stopped_at, log FROM servers ORDER BY started_at"
            rows = connection.execute(query).fetchall()
        connection.close()
        return rows


@pytest.fixture
def rig(desk, monkeypatch) -> Rig:
    """Base and tuned on one server, another model and the judge after them, all on one GPU."""
    return Rig(desk, monkeypatch)


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def waited(condition, within_s=20.0):
    until = time.monotonic() + within_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def test_servers_take_turns_on_a_gpu_and_the_judge_comes_last(rig):
    result = rig.desk.run()
    assert result["answers"] == {"ok": 30, "failed": 0}
    assert result["grades"] == {"ok": 30}
    starts, ends = rig.diary(), rig.diary("end")
    assert [start["model"] for start in starts] == ["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-8B", "org/judge-7b"]
    assert [end["received"] for end in ends] == [20, 10, 10]
    for start, end, after in zip(starts, ends, [*starts[1:], None], strict=True):
        assert start["pid"] == end["pid"]
        assert after is None or end["at"] < after["at"]
    assert [(name, ready > 0, stopped is not None) for name, ready, stopped, _ in rig.servers()] == [
        ("Llama-3.1-8B", True, True),
        ("Qwen3-8B", True, True),
        ("judge-7b", True, True),
    ]
    assert all((rig.desk.folder / ".markscheme" / log).is_file() for *_, log in rig.servers())


def test_what_is_done_starts_no_server(rig, monkeypatch):
    rig.desk.run()
    rig.forget()
    monkeypatch.setenv("PATH", "/nowhere")
    assert rig.desk.run()["calls"] == {"live": 0, "reused": 0}
    assert rig.diary() == []


def test_only_the_server_of_what_is_missing_is_started(rig):
    rig.desk.run()
    rig.forget()
    rig.desk.exam["candidates"][2]["params"] = {"temperature": 0.9}
    # It answers in the same words: the judge has been asked about them.
    assert rig.desk.run()["calls"] == {"live": 10, "reused": 10}
    assert [start["model"] for start in rig.diary()] == ["Qwen/Qwen3-8B"]


def test_an_argument_of_the_engine_is_another_server_and_other_answers(rig):
    first = rig.desk.run()["run"]
    rig.forget()
    for candidate in rig.desk.exam["candidates"][:2]:
        candidate["launch"] = {**candidate["launch"], "args": ["--dtype", "float16"]}
    again = rig.desk.run()
    assert (again["run"], again["calls"]["live"]) == (first, 20)
    assert [start["model"] for start in rig.diary()] == ["meta-llama/Llama-3.1-8B"]


def test_another_gpu_asks_nothing_again(rig):
    rig.desk.run()
    rig.forget()
    for spec in (*rig.desk.exam["candidates"], *rig.desk.exam["judges"]):
        spec["launch"] = {**spec["launch"], "gpus": [3], "timeout_s": 100.0}
    assert rig.desk.run()["calls"]["live"] == 0
    assert rig.diary() == []


def test_servers_on_other_gpus_run_at_the_same_time(rig):
    rig.desk.exam["candidates"][2]["launch"] = {"gpus": [1]}
    rig.behave(delay_s=0.3)
    rig.desk.run()
    (llama, qwen, judge), ends = rig.diary(), rig.diary("end")
    ended = {end["pid"]: end["at"] for end in ends}
    assert {llama["gpus"], qwen["gpus"]} == {"0", "1"}
    assert max(llama["at"], qwen["at"]) < min(ended[llama["pid"]], ended[qwen["pid"]])
    assert max(ended[llama["pid"]], ended[qwen["pid"]]) < judge["at"]


def test_candidates_without_a_server_hold_no_gpu(rig, mock):
    rig.desk.exam["candidates"].append({"name": "hosted", "model": "openai-compatible/x", "base_url": mock.url})
    rig.desk.exam["judges"][0] = {
        **rig.desk.exam["judges"][0],
        "model": "openai-compatible/judge",
        "base_url": mock.url,
    }
    del rig.desk.exam["judges"][0]["launch"]
    result = rig.desk.run()
    assert result["answers"]["ok"] == result["grades"]["ok"] == 40
    assert mock.stats()["received"] == 20
    assert max(end["at"] for end in rig.diary("end")) < time.time()
    assert len(rig.diary()) == 2


def test_the_plan_prints_the_order_and_starts_nothing(rig):
    rig.desk.exam["candidates"].append({"name": "floor", "model": "baseline/lead"})
    code, out, err = rig.desk.command("run", str(rig.desk.save()), "--plan")
    assert code == 0, err
    assert (
        "order of the servers; each is started when a call needs it, and stopped before the next:\n"
        "  1. Llama-3.1-8B (GPU 0): candidates base, tuned\n"
        "  2. Qwen3-8B (GPU 0): candidate qwen\n"
        "  3. no server: candidate floor\n"
        "  4. judge-7b (GPU 0): judge judge\n"
    ) in out
    _, out, _ = rig.desk.command("run", str(rig.desk.save()), "--plan", "--json")
    phases = json.loads(out.splitlines()[-1])["phases"]
    assert [phase["names"] for phase in phases] == [["base", "tuned"], ["qwen"], ["floor"], ["judge"]]
    assert phases[0]["servers"] == [
        {"name": "Llama-3.1-8B", "model": "meta-llama/Llama-3.1-8B", "gpus": [0], "usd_per_gpu_hour": None}
    ]
    assert rig.diary() == []
    assert not (rig.desk.folder / ".markscheme").exists()


def test_an_exam_without_servers_plans_no_order(desk):
    _, out, _ = desk.command("run", str(desk.save()), "--plan")
    assert "order of the servers" not in out


def test_without_vllm_the_exam_is_refused_with_the_remedy(rig, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    error = rig.desk.run(expect=2)["stderr"]
    assert "there is no executable `vllm` on the PATH. Install vLLM where the GPUs are" in error


def test_a_crash_at_the_start_can_be_continued(rig):
    rig.behave(models={"Qwen/Qwen3-8B": {"fail": "ValueError: not enough memory"}})
    error = rig.desk.run(expect=3)["stderr"]
    assert "server Qwen3-8B ended with status 1 before it was ready" in error
    assert "  | ValueError: not enough memory" in error
    assert "continue with: markscheme run" in error
    rig.behave()
    rig.forget()
    result = rig.desk.run()
    assert (result["answers"]["ok"], result["grades"]["ok"], result["calls"]["live"]) == (30, 30, 20)
    assert [start["model"] for start in rig.diary()] == ["Qwen/Qwen3-8B", "org/judge-7b"]
    assert [ready is None for _, ready, *_ in rig.servers()] == [False, True, False, False]


def test_a_server_that_dies_at_work_loses_no_answer_that_was_paid(rig):
    rig.desk.exam["concurrency"] = 2
    rig.behave(models={"meta-llama/Llama-3.1-8B": {"die_after": 7, "config": {"stream": {"ttft_ms": 10}}}})
    error = rig.desk.run(expect=3)["stderr"]
    assert "server Llama-3.1-8B ended with status 1 in the middle of its work" in error
    assert "  | torch.OutOfMemoryError: CUDA out of memory." in error
    rig.behave()
    result = rig.desk.run()
    assert (result["answers"], result["grades"]) == ({"ok": 30, "failed": 0}, {"ok": 30})
    assert 30 <= result["calls"]["live"] < 40


def test_a_server_that_is_not_ready_in_time_is_named(rig):
    rig.behave(hang=True)
    for candidate in rig.desk.exam["candidates"]:
        candidate["launch"]["timeout_s"] = 3.0
    error = rig.desk.run(expect=3)["stderr"]
    assert "was not ready after 3 s (raise launch.timeout_s if it only needs longer)" in error
    assert waited(lambda: not alive(rig.diary()[0]["pid"]))


def test_the_report_has_a_line_for_each_start(rig):
    rig.behave(delay_s=0.2)
    code, _, err = rig.desk.command("run", str(rig.desk.save()), "--quiet")
    assert code == 0, err
    page = next((rig.desk.folder / ".markscheme" / "reports").rglob("report.html"))
    text, markdown = page.read_text(), page.with_suffix(".md").read_text()
    for shown in (text, markdown):
        assert "Servers that were started" in shown
        assert all(name in shown for name in ("Llama-3.1-8B", "Qwen3-8B", "judge-7b"))
    (row,) = [line for line in markdown.splitlines() if line.startswith("| Qwen3-8B")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:3] == ["Qwen/Qwen3-8B", "0"]
    assert float(cells[3]) >= 0.2
    assert float(cells[4]) >= float(cells[3])
    assert cells[5].startswith("$")
    assert cells[6].startswith("$")
    (row,) = [line for line in markdown.splitlines() if line.startswith("| judge-7b")]
    assert row.count("unknown") == 2
    assert "vllm serve, adapter tuned, GPU 0" in markdown
    assert "vllm serve, adapter tuned, GPU 0" in text


def test_no_key_of_a_server_is_kept(rig):
    rig.behave(config={"keep": True})
    rig.desk.command("run", str(rig.desk.save()), "--quiet")
    kept = b"".join(path.read_bytes() for path in (rig.desk.folder / ".markscheme").rglob("*") if path.is_file())
    assert b"VLLM_API_KEY" not in kept
    assert b"Bearer" not in kept


def started(rig, *words):
    """`markscheme run` as a process of its own."""
    command = [
        sys.executable,
        "-m",
        "markscheme.app.cli",
        "run",
        str(rig.desk.save()),
        "--no-report",
        "--quiet",
        *words,
    ]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_run_leaves_no_server_and_is_continued(rig):
    rig.behave(config={"stream": {"ttft_ms": 400}})
    rig.desk.exam["concurrency"] = 2
    ours = started(rig)
    assert waited(rig.diary)
    time.sleep(1.0)
    ours.kill()
    ours.communicate()
    assert waited(lambda: not alive(rig.diary()[0]["pid"]))
    rig.behave()
    assert rig.desk.run()["answers"]["ok"] == 30
    assert rig.servers()[0][2] is None


@pytest.mark.parametrize("how", [{"hang": True}, {"config": {"stream": {"ttft_ms": 400}}}])
def test_an_interrupt_stops_the_server_and_says_how_to_go_on(rig, how):
    rig.behave(**how)
    rig.desk.exam["concurrency"] = 2
    ours = started(rig)
    assert waited(rig.diary)
    time.sleep(1.0)
    os.killpg(ours.pid, signal.SIGINT)
    _, err = ours.communicate(timeout=30)
    assert ours.returncode == 3, err
    assert "interrupted" in err
    assert not alive(rig.diary()[0]["pid"])
    assert rig.servers()[0][2] is not None


def test_probes_start_the_server_of_their_judge(rig):
    rig.desk.run()
    rig.forget()
    code, _, err = rig.desk.command("judge", "probe", str(rig.desk.folder / "exam.yaml"), "--n", "4", "--quiet")
    assert code in (0, 1), err
    assert [start["model"] for start in rig.diary()] == ["org/judge-7b"]
    assert waited(lambda: not alive(rig.diary()[0]["pid"]))


def test_doctor_says_whether_there_is_a_vllm_to_start(rig, monkeypatch):
    code, out, _ = rig.desk.command("doctor", str(rig.desk.save()))
    assert code == 0, out
    assert f"base ({LLAMA}): there is a vllm that can be started" in out
    monkeypatch.setenv("PATH", "/nowhere")
    code, out, _ = rig.desk.command("doctor", str(rig.desk.save()))
    assert code == 1
    assert f"PROBLEM  base ({LLAMA}): launch: there is no executable `vllm` on the PATH" in out
    assert rig.diary() == []


def test_a_load_test_takes_servers_in_turns_too(rig):
    rig.behave(config={"stream": {"ttft_ms": 2, "itl_ms": 1}})
    rig.desk.exam["serving"] = {"loads": [{"closed": [1, 2]}], "requests": 14, "repeats": 1}
    code, _, err = rig.desk.command("serve-bench", str(rig.desk.save()), "--json")
    assert code == 0, err
    assert [start["model"] for start in rig.diary()] == ["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-8B"]
    assert rig.diary("end")[0]["at"] < rig.diary()[1]["at"]
    assert all(ready > 0 and stopped for _, ready, stopped, _ in rig.servers())

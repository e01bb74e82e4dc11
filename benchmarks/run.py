"""The table of the README, measured: `make bench`, or `python benchmarks/run.py [--runs 5] [--samples 1000 10000]`.

Each program runs as a process of its own against one mock server (50 ms a call), in turn: A B C A B C. CPU seconds
are user + system of the process as the operating system counts them; calls in flight are the server's own count.
Medians are printed; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.request import Request, urlopen

import questions

ROOT = Path(__file__).parent.parent
CONCURRENCY = 64
CONFIG = {"latency": {"kind": "fixed", "ms": 50}}
EXAM = """\
dataset: {samples}
candidates:
  - name: cand
    model: openai-compatible/cand-1
    base_url: {url}
    stream: false
judges:
  - name: judge
    model: openai-compatible/judge-1
    base_url: {url}
    rubric: {rubric}
    shots: 0
concurrency: {concurrency}
"""
RUBRIC = """\
name: code_word
scale: [0, 1]
sees: [question, context, reference]
criteria:
  - name: correctness
    weight: 1.0
    description: The submitted answer must state the same code word as the reference answer.
    levels:
      - {score: 0, description: It does not.}
      - {score: 1, description: It does.}
"""


@dataclass
class Cost:
    """One process: CPU seconds, wall seconds, peak resident set in MB, mean calls in flight, calls received."""

    cpu_s: float
    wall_s: float
    rss_mb: float
    in_flight: float
    calls: int


@contextmanager
def server() -> Iterator[str]:
    """The mock server in a process of its own; yields its address."""
    command = [sys.executable, str(ROOT / "tests/servers/mock_openai.py"), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['listening']}"
    finally:
        process.kill()
        process.wait()


def ask(url: str, body: dict | None = None) -> dict:
    """GET, or POST of a JSON body."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data)) as reply:
        return json.load(reply)


def measure(command: list[str], url: str, folder: Path) -> Cost:
    """Run a command to its end and read what it cost."""
    ask(f"{url}/config", CONFIG)
    env = {**os.environ, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "none", "PYTHONDONTWRITEBYTECODE": ""}
    started = os.times().elapsed
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{output.decode()}")
    stats = ask(f"{url}/stats")
    return Cost(
        usage.ru_utime + usage.ru_stime,
        os.times().elapsed - started,
        usage.ru_maxrss / 1024,
        stats["in_flight_mean"],
        stats["received"],
    )


def median(costs: list[Cost]) -> Cost:
    """Field by field."""
    return Cost(*(statistics.median(values) for values in zip(*(asdict(c).values() for c in costs), strict=True)))


def compare(url: str, samples: int, runs: int, folder: Path) -> dict[str, Cost]:
    """Interleaved runs of the bare loops and of ours, and of ours once more over its finished run."""
    data = folder / f"questions_{samples}.jsonl"
    questions.write(data, samples)
    exam = folder / f"exam_{samples}.yaml"
    (folder / "rubric.yaml").write_text(RUBRIC)
    exam.write_text(EXAM.format(samples=data, url=f"{url}/v1", rubric="rubric.yaml", concurrency=CONCURRENCY))
    ours = [str(Path(sys.executable).parent / "markscheme"), "run", str(exam), "--no-report", "--json", "--quiet"]
    floors = ROOT / "benchmarks/floors"
    costs: dict[str, list[Cost]] = {}
    for turn in range(runs):
        workspace = ["--workspace", f"workspace_{samples}_{turn}"]
        for name, command in {
            "openai_sdk": [sys.executable, str(floors / "openai_sdk.py"), str(data), str(CONCURRENCY)],
            "bare_aiohttp": [sys.executable, str(floors / "bare_aiohttp.py"), str(data), str(CONCURRENCY)],
            "markscheme": [*ours, *workspace],
            "markscheme_again": [*ours, *workspace],
            "help": [ours[0], "--help"],
        }.items():
            costs.setdefault(name, []).append(measure(command, url, folder))
    return {name: median(found) for name, found in costs.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--samples", type=int, nargs="+", default=[1000])
    parser.add_argument("--server", help="address of another mock server, e.g. http://127.0.0.1:8901")
    options = parser.parse_args()
    results: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, server() as own:
        for samples in options.samples:
            found = compare(options.server or own, samples, options.runs, Path(folder))
            results[str(samples)] = {name: asdict(cost) for name, cost in found.items()}
            report(samples, found)
    packages = {name: version(name) for name in ("openai", "aiohttp", "sqlalchemy", "pydantic", "typer")}
    print(json.dumps({"python": platform.python_version(), **packages, "results": results}))


def report(samples: int, found: dict[str, Cost]) -> None:
    """The table of one size."""
    print(f"{samples} samples, one answer and one verdict each, 50 ms a call, concurrency {CONCURRENCY}")
    print(f"{'':18}{'CPU s':>8}{'ms/call':>9}{'in flight':>11}{'RSS MB':>8}{'calls':>8}{'wall s':>8}")
    for name, cost in found.items():
        per_call = 1000 * cost.cpu_s / (2 * samples)
        print(
            f"{name:18}{cost.cpu_s:8.2f}{per_call:9.3f}{cost.in_flight:11.1f}{cost.rss_mb:8.0f}{cost.calls:8.0f}"
            f"{cost.wall_s:8.2f}"
        )
    print(f"markscheme / openai_sdk, CPU: {found['markscheme'].cpu_s / found['openai_sdk'].cpu_s:.3f}\n", flush=True)


if __name__ == "__main__":
    main()

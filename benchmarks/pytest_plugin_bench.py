"""What the plugin adds to a pytest run that does not use it: `python benchmarks/pytest_plugin_bench.py [--runs 41]`.

A suite of 200 tests that assert nothing, run by pytest as a process of its own, with the plugin and with
`-p no:markscheme` in turn. CPU seconds are user + system as the operating system counts them. Medians, and of the
differences within a turn; the last line is one JSON object.
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
import time
from importlib.metadata import version
from pathlib import Path

TESTS = 200
SUITE = "import pytest\n\n@pytest.mark.parametrize('n', range({tests}))\ndef test_nothing(n):\n    assert n >= 0\n"
WAYS = {"with the plugin": (), "without": ("-p", "no:markscheme")}


def once(folder: Path, words: tuple[str, ...]) -> tuple[float, float]:
    """CPU and wall seconds of one run."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=41)
    runs = parser.parse_args().runs
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text(SUITE.format(tests=TESTS))
        for words in WAYS.values():
            once(folder, words)  # byte code is written
        for turn in range(runs):
            for way in list(WAYS)[:: 1 if turn % 2 else -1]:
                found[way].append(once(folder, WAYS[way]))
    result: dict[str, object] = {"python": platform.python_version(), "pytest": version("pytest"), "runs": runs}
    for index, kind in enumerate(("cpu_s", "wall_s")):
        each = {way: [one[index] for one in taken] for way, taken in found.items()}
        added = [a - b for a, b in zip(each["with the plugin"], each["without"], strict=True)]
        medians = {way: statistics.median(taken) for way, taken in each.items()} | {"added": statistics.median(added)}
        print(f"{kind:8}" + "  ".join(f"{way} {value:.3f}" for way, value in medians.items()))
        result[kind] = medians
    print(json.dumps(result))


if __name__ == "__main__":
    main()

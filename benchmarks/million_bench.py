"""CPU seconds and peak memory of a report and a comparison of runs with a million grades.

`python benchmarks/million_bench.py [--samples 100000] [--candidates 10] [--clusters 0] [--runs 1] [--keep DIR]`. Two
fresh runs of one exam: so many samples × candidates answers, each with its call, one grade on one criterion and the
call of that; texts of about 20 words. The first candidate is the declared baseline. The workspace is made beforehand;
``--keep`` makes it in a folder that stays, and uses it again.

Each command is a process of its own, from its start to the written pages. Medians; CPU seconds are user + system as the
operating system counts them. The last line is one JSON object.
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
from importlib.metadata import version
from pathlib import Path

from million_workspace import Shape, make

BASELINE, NEW = "baseline", "new"
COMMANDS = {
    "report": ["report", NEW],
    "compare with the run before": ["compare", NEW, BASELINE],
}


def command(words: list[str], workspace: Path) -> tuple[float, float]:
    """CPU seconds and peak resident set in MB of one command."""
    program = [str(Path(sys.executable).parent / "markscheme"), *words]
    folder = str(workspace.parent / "pages")
    process = subprocess.Popen(
        [*program, "--workspace", str(workspace), "--output", folder],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{output}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measured(folder: Path, shape: Shape, runs: int) -> dict[str, tuple[float, float]]:
    """Medians of CPU seconds and MB by command."""
    workspace = folder / "workspace"
    if not workspace.exists():
        make(folder, shape, [BASELINE, NEW])
    found = {}
    for name, words in COMMANDS.items():
        costs = [command(words, workspace) for _ in range(runs)]
        found[name] = (statistics.median(cpu for cpu, _ in costs), statistics.median(mb for _, mb in costs))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--clusters", type=int, default=0, help="of samples; 0: each is one of its own")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder of the workspace, to be used again")
    options = parser.parse_args()
    shape = Shape(options.samples, options.candidates, options.clusters)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = measured(folder, shape, options.runs)
    print(f"{shape.samples * shape.candidates:,} grades: {shape.samples:,} samples × {shape.candidates} candidates")
    for name, (seconds, mb) in found.items():
        print(f"{name:45} {seconds:6.1f} s CPU, peak RSS {mb:.0f} MB")
    names = ("numpy", "scipy", "pandas", "sqlalchemy")
    versions = {name: version(name) for name in names} | {"python": platform.python_version()}
    print(json.dumps({"command": found, "versions": versions}))


if __name__ == "__main__":
    main()

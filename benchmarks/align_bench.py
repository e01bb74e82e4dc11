"""CPU seconds and peak memory of agreement with all intervals: 100,000 grades beside 3 annotators each.

`python benchmarks/align_bench.py [--grades 100000] [--annotators 3] [--levels 4] [--clusters 1000] [--runs 3]`. A tenth
of the labels is missing. First the statistics alone: every grade a cluster of its own, then they share that many. The
judge against the humans, the humans among themselves, and all raters together; scipy's import counts.

Then `markscheme judge align` as a process of its own, on 4 criteria and on 1: the file of labels read for the first
time, once more, and not at all, the labels being in the workspace. Medians; CPU seconds are user + system as the
operating system counts them. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import align_workspace
import numpy as np
from align_workspace import Shape
from markscheme.harness.statistics.agreement import (
    continuous_agreement,
    human_agreement,
    judge_agreement,
    reliability,
)


def made_up(grades: int, annotators: int, levels: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A judge (n,) and annotators (n, R) who see the same thing, each with noise."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, levels, (grades, 1))
    seen = np.clip(truth + rng.integers(-1, 2, (grades, annotators + 1)), 0, levels - 1).astype(float)
    humans = seen[:, 1:]
    humans[rng.random(humans.shape) < 0.1] = np.nan
    return seen[:, 0], humans


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(judge: np.ndarray, humans: np.ndarray, levels: range, clusters: np.ndarray | None) -> float:
    """CPU seconds of everything that an alignment needs; every interval must be there."""
    start = cpu_s()
    agreement, ceiling = judge_agreement(judge, humans, levels, clusters), human_agreement(humans, levels, clusters)
    together = reliability(np.column_stack([judge, humans]), levels, clusters)
    composite = continuous_agreement(judge, humans, clusters)
    taken = cpu_s() - start
    assert ceiling is not None
    found = [*agreement.estimates.values(), *together.values(), *composite.values()]
    found += [estimate for name, estimate in ceiling.estimates.items() if name != "bias"]
    assert all(estimate.low is not None for estimate in found)
    return taken


def command(words: list[str]) -> tuple[float, float]:
    """CPU seconds and peak resident set in MB of `markscheme judge align`; every interval must be there."""
    align = [str(Path(sys.executable).parent / "markscheme"), "judge", "align", "--json"]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen([*align, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"judge align failed:\n{output}")
    for one in json.loads(output.splitlines()[-1])["criteria"]:
        assert all(estimate["low"] is not None for estimate in one["estimates"].values())
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def commands(shape: Shape, runs: int, folder: Path) -> dict[str, tuple[float, float]]:
    """Medians of CPU seconds and MB by where the labels come from; making the workspace is not measured."""
    folder.mkdir()
    made, labels = align_workspace.make(folder, shape)
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(runs):
        work = folder / "work"
        shutil.copytree(made, work)
        where = ["--workspace", str(work)]
        found.setdefault("labels from a file, the first time", []).append(command([*where, "--labels", str(labels)]))
        found.setdefault("from the same file again", []).append(command([*where, "--labels", str(labels)]))
        found.setdefault("from the workspace", []).append(command(where))
        shutil.rmtree(work)
    return {
        name: (statistics.median(cpu for cpu, _ in costs), statistics.median(mb for _, mb in costs))
        for name, costs in found.items()
    }


def whole(grades: int, annotators: int, runs: int) -> dict[str, dict[str, tuple[float, float]]]:
    """The command on two shapes of as many grades, 5 candidates each."""
    shapes = [Shape(grades // (5 * criteria), 5, criteria, annotators) for criteria in (4, 1)]
    with tempfile.TemporaryDirectory() as folder:
        return {
            f"{shape.answers:,} answers × {shape.criteria} criteria": commands(shape, runs, Path(folder, str(number)))
            for number, shape in enumerate(shapes)
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grades", type=int, default=100_000)
    parser.add_argument("--annotators", type=int, default=3)
    parser.add_argument("--levels", type=int, default=4)
    parser.add_argument("--clusters", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=3, help="of the command; 0 leaves it out")
    options = parser.parse_args()
    judge, humans = made_up(options.grades, options.annotators, options.levels)
    shared = np.random.default_rng(2).integers(0, options.clusters, options.grades)
    taken = {
        "each grade by itself": measured(judge, humans, range(options.levels), None),
        f"{options.clusters:,} clusters": measured(judge, humans, range(options.levels), shared),
    }
    process_s = cpu_s()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.grades:,} grades × {options.annotators} annotators, {options.levels} levels, all intervals")
    for name, seconds in taken.items():
        print(f"{name:24} {seconds:6.2f} s CPU")
    print(f"{'whole process':24} {process_s:6.2f} s CPU, peak RSS {peak_mb:.0f} MB")
    commanded = whole(options.grades, options.annotators, options.runs) if options.runs else {}
    for shape, found in commanded.items():
        print(f"\nmarkscheme judge align: {shape}, {options.annotators} labels a grade, medians of {options.runs}")
        for name, (seconds, mb) in found.items():
            print(f"{name:36} {seconds:6.2f} s CPU, peak RSS {mb:.0f} MB")
    names = ("numpy", "scipy", "pandas", "sqlalchemy")
    versions = {name: version(name) for name in names} | {"python": platform.python_version()}
    process = {"cpu_s": process_s, "peak_rss_mb": peak_mb}
    print(json.dumps({"cpu_s": taken, "process": process, "command": commanded, "versions": versions}))


if __name__ == "__main__":
    main()

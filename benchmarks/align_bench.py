"""CPU seconds and peak memory of agreement with all intervals: 100,000 grades beside 3 annotators each.

`python benchmarks/align_bench.py [--grades 100000] [--annotators 3] [--levels 4] [--clusters 1000]`. A tenth of the
labels is missing. First every grade is a cluster of its own, then they share that many. The judge against the humans,
the humans among themselves, and all raters together; scipy's import counts. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
from importlib.metadata import version

import numpy as np
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grades", type=int, default=100_000)
    parser.add_argument("--annotators", type=int, default=3)
    parser.add_argument("--levels", type=int, default=4)
    parser.add_argument("--clusters", type=int, default=1_000)
    options = parser.parse_args()
    judge, humans = made_up(options.grades, options.annotators, options.levels)
    shared = np.random.default_rng(2).integers(0, options.clusters, options.grades)
    taken = {
        "each grade by itself": measured(judge, humans, range(options.levels), None),
        f"{options.clusters:,} clusters": measured(judge, humans, range(options.levels), shared),
    }
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.grades:,} grades × {options.annotators} annotators, {options.levels} levels, all intervals")
    for name, seconds in taken.items():
        print(f"{name:24} {seconds:6.2f} s CPU")
    print(f"{'whole process':24} {cpu_s():6.2f} s CPU, peak RSS {peak_mb:.0f} MB")
    versions = {name: version(name) for name in ("numpy", "scipy")} | {"python": platform.python_version()}
    print(json.dumps({"cpu_s": taken, "process_cpu_s": cpu_s(), "peak_rss_mb": peak_mb, "versions": versions}))


if __name__ == "__main__":
    main()

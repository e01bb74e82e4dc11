"""The benchmark of a million grades, on a few hundred of them."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_benchmark_reports_and_compares_two_made_up_runs(tmp_path):
    words = ["--samples", "60", "--candidates", "3", "--clusters", "20", "--keep", str(tmp_path)]
    program = [sys.executable, str(ROOT / "benchmarks" / "million_bench.py"), *words]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])["command"]
    assert set(measured) == {"report", "compare with the run before"}
    text = (tmp_path / "pages" / "report.md").read_text(encoding="utf-8")
    assert "All are compared with the baseline model-0 alone" in text
    assert "60** questions in **20** clusters" in text
    assert (tmp_path / "pages" / "compare.md").exists()

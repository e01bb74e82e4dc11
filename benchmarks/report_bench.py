"""The page of a large run: CPU seconds of writing it, its size, and how soon it can be used in headless Chromium.

`python benchmarks/report_bench.py [--questions 2500] [--candidates 4] [--words 150] [--runs 3]`. `markscheme report`
runs as a process of its own on a workspace made beforehand; user + system seconds as the operating system counts them.
In the browser: from opening the file until its answers can be sorted and opened, by the page's own mark; then a search
through all of them, a jump to the end of the list, and the next question side by side, until the page has drawn it.
Medians. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import report_workspace
from report_workspace import Shape

_BEFORE = "const search = document.getElementById('search'), start = performance.now();"
_AFTER = (
    "await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"
    "return performance.now() - start;"
)
STEPS = {
    "a search through all answers": "search.value = 'zzzz'; search.dispatchEvent(new Event('input'));",
    "all answers again": "search.value = ''; search.dispatchEvent(new Event('input'));",
    "sorting by score": "document.querySelectorAll('#list thead button')[2].click();",
    "a jump to the end": "document.getElementById('list').scrollTop = 1e9;",
    "side by side": "document.getElementById('beside').click();",
    "the next question": "document.getElementById('later').click();",
}


def written(workspace: Path, folder: Path) -> dict[str, float]:
    """CPU seconds, peak resident set in MB and size of the page in MB of `markscheme report`."""
    words = [str(Path(sys.executable).parent / "markscheme"), "report", "latest", "--workspace", str(workspace)]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen([*words, "--output", str(folder)], env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("markscheme report failed")
    size = (folder / "report.html").stat().st_size
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024, "page_mb": size / 1e6}


def opened(page_file: Path) -> dict[str, float]:
    """Seconds in a fresh Chromium: until the answers are ready, and of each step after that."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready]")
        ready: float = page.evaluate("performance.getEntriesByName('answers-ready')[0].startTime")
        found = {"ready": ready / 1000}
        for name, step in STEPS.items():
            found[name] = page.evaluate(f"async () => {{ {_BEFORE} {step} {_AFTER} }}") / 1000
        browser.close()
    return found


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def measured(shape: Shape, runs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = report_workspace.make(Path(folder), shape)
        pages = [written(workspace, Path(folder, "page")) for _ in range(runs)]
        views = [opened(Path(folder, "page", "report.html")) for _ in range(runs)]
        return {"written": medians(pages), "opened": medians(views)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2_500)
    parser.add_argument("--candidates", type=int, default=4)
    parser.add_argument("--words", type=int, default=150)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    found = measured(Shape(options.questions, options.candidates, options.words), options.runs)
    print(f"{options.questions * options.candidates:,} answers of {options.words} words, medians of {options.runs}")
    page = found["written"]
    print(f"writing: {page['cpu_s']:.2f} s CPU, peak RSS {page['peak_mb']:.0f} MB; page {page['page_mb']:.1f} MB")
    for name, seconds in found["opened"].items():
        print(f"{name:32} {seconds:6.2f} s")
    versions = {name: version(name) for name in ("pandas", "orjson", "playwright")}
    print(json.dumps({**found, "versions": {**versions, "python": platform.python_version()}}))


if __name__ == "__main__":
    main()

"""Makes docs/report.png: runs an exam on scripted models and photographs its report in headless Chromium.

python docs/make_picture.py [FILE]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import markscheme as ms
from scripted_models import scripted_models

WIDTH, HEIGHT = 1180, 1120
SERVERS = {
    "large": {"stream": {"ttft_ms": 640, "itl_ms": 19, "chunk_words": 2}},
    "small": {"stream": {"ttft_ms": 210, "itl_ms": 7, "chunk_words": 2}},
    "local": {"stream": {"ttft_ms": 90, "itl_ms": 11, "chunk_words": 2}},
    "judge": {"latency": {"kind": "lognormal", "median_ms": 60, "sigma": 0.4}},
}
MODELS = {"large": "large", "small": "small", "local": "local-8b", "judge": "judge"}
PRICES = {"large": (2.5, 10.0), "small": (0.15, 0.6), "local": (0.04, 0.04), "judge": (2.5, 10.0)}


def exam(urls: dict[str, str]) -> dict[str, object]:
    """Three scripted models and a baseline on docs_qa, graded by a scripted judge."""
    price = ("input_usd_per_million", "output_usd_per_million")
    wired = [{"name": n, "model": f"scripted/{MODELS[n]}", "base_url": urls[n]} for n in ("large", "small", "local")]
    return {
        "dataset": "docs_qa",
        "candidates": [*wired, {"name": "floor", "model": "baseline/extractive"}],
        "judges": [
            {"name": "strict", "model": f"scripted/{MODELS['judge']}", "base_url": urls["judge"], "rubric": "docs_qa"}
        ],
        "endpoints": [{"name": "scripted", "base_url": urls["judge"]}],
        "prices": {f"scripted/{MODELS[n]}": dict(zip(price, pair, strict=True)) for n, pair in PRICES.items()},
    }


def photograph(page: Path, picture: Path) -> None:
    """The upper part of the page at twice its size, in 64 colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
        view.goto(page.as_uri())
        view.screenshot(path=picture)
        browser.close()
    with Image.open(picture) as image:
        image.convert("RGB").quantize(64).save(picture, optimize=True)


def main() -> None:
    """Run, render, photograph."""
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "report.png")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        urls = {name: servers.enter_context(scripted_models(**config)) for name, config in SERVERS.items()}
        run = ms.run(exam(urls), workspace=Path(folder) / "workspace")
        photograph(run.report(folder), picture)
        if len(sys.argv) > 2:
            shutil.copy(Path(folder) / "report.html", sys.argv[2])


if __name__ == "__main__":
    main()

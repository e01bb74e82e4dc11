"""Makes docs/review.png: serves a review of packaged answers and photographs its page in headless Chromium.

python docs/make_review_picture.py [FILE]
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import markscheme as ms
from scripted_models import scripted_models

WIDTH, HEIGHT = 1180, 700
REVIEW = ("--name", "first", "--rater", "ann", "--rater", "ben", "--n", "40", "--seed", "6")


def exam(url: str) -> dict[str, object]:
    """The packaged sheets of docs_qa that are written to be good and flawed, graded by a scripted judge."""
    sheets = [{"name": name, "model": f"replay/docs_qa/planted/{name}.jsonl"} for name in ("full", "flawed")]
    judge = {"name": "strict", "model": "scripted/judge", "base_url": url, "rubric": "docs_qa"}
    endpoint = {"name": "scripted", "base_url": url}
    return {"dataset": "docs_qa", "candidates": sheets, "judges": [judge], "endpoints": [endpoint]}


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """The address of the page as `markscheme review serve` prints it."""
    command = [sys.executable, "-m", "markscheme.app.cli", "review", "serve", *REVIEW, "--workspace", str(workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:  # noqa: S603 - our own command
        assert serving.stdout is not None
        try:
            found = next(match for line in serving.stdout if (match := re.search(r"http://127\.0\.0\.1\S+", line)))
            yield found[0]
        finally:
            serving.terminate()


def photograph(address: str, picture: Path) -> None:
    """The page of a rater who has rated two items and is at the third, at twice its size, in 64 colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
        view.goto(address)
        view.get_by_role("button", name="ann").click()
        for number in range(1, 4):
            view.locator("body:not([aria-busy]) #place").filter(has_text=f"Item {number} of").wait_for()
            for digit in "323" if number < 3 else "1":
                view.keyboard.press(digit)
        view.screenshot(path=picture)
        browser.close()
    with Image.open(picture) as image:
        image.convert("RGB").quantize(64).save(picture, optimize=True)


def main() -> None:
    """Run, begin a review, serve, photograph."""
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "review.png")
    with tempfile.TemporaryDirectory() as folder, scripted_models() as url:
        workspace = Path(folder) / "workspace"
        ms.run(exam(url), workspace=workspace)
        with served(workspace) as address:
            photograph(address, picture)


if __name__ == "__main__":
    main()

"""Runs examples/notebook.ipynb, keeps its output, and photographs some for the guide: `python docs/make_notebook.py`.

Everything in it is packaged, so that nobody is paid and nothing is fetched; what differs from one run to the next (ids,
dates) is all that changes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).resolve().parent.parent / "examples" / "notebook.ipynb"
PICTURE = Path(__file__).resolve().parent / "notebook.png"
SHOWN = ("\nlast_week", 'candidates=["bot"])')
"""How the cells end that are on the picture."""
WIDTH = 1020
ALLOWED_S = 180


def executed(path: Path = NOTEBOOK) -> NotebookNode:
    """The notebook with its cells run anew, in an empty folder and by this interpreter.

    Raises CellExecutionError where a cell fails; a cell that warns does.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as folder, _without_settings():
        client = NotebookClient(
            notebook,
            kernel_name="python3",  # jupyter_client takes this interpreter for `python` in a kernel's command
            timeout=ALLOWED_S,
            resources={"metadata": {"path": folder}},
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # the kernel warns that others on this machine may listen
        )
        client.execute()
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return notebook


@contextmanager
def _without_settings() -> Iterator[None]:
    """Without what a reader's machine may set, and with warnings as errors."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("MARKSCHEME_")]:
        del os.environ[name]
    os.environ |= {"PYTHONWARNINGS": "error:::markscheme", "IPYTHONDIR": tempfile.gettempdir(), "NO_COLOR": "1"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def photograph(notebook: NotebookNode, picture: Path) -> None:
    """The cells that show a run and a comparison, as a notebook frames them, in 64 colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    shown = "".join(_cell(cell) for cell in notebook.cells if cell.source.endswith(SHOWN))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": WIDTH, "height": 100}, device_scale_factor=2)
        view.set_content(f'<body style="margin: 16px; background: white">{shown}</body>')
        view.screenshot(path=picture, full_page=True)
        browser.close()
    with Image.open(picture) as image:
        image.convert("RGB").quantize(64).save(picture, optimize=True)


def _cell(cell: NotebookNode) -> str:
    [output] = cell.outputs
    source = cell.source.rpartition("\n")[2]
    return f'<pre style="background: #f5f5f5; padding: 8px 12px">{escape(source)}</pre>{output.data["text/html"]}'


def main() -> None:
    """Renew the notebook and its picture."""
    notebook = executed()
    nbformat.write(notebook, NOTEBOOK)
    photograph(notebook, PICTURE)
    sys.stdout.write(f"{NOTEBOOK}: {len(notebook.cells)} cells\n")


if __name__ == "__main__":
    main()

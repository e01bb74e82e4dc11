"""Runs examples/notebook.ipynb and keeps its output: `python docs/make_notebook.py`.

Everything in it is packaged, so that nobody is paid and nothing is fetched; what differs from one run to the next (ids,
dates) is all that changes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).resolve().parent.parent / "examples" / "notebook.ipynb"
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


def main() -> None:
    """Renew the notebook."""
    notebook = executed()
    nbformat.write(notebook, NOTEBOOK)
    sys.stdout.write(f"{NOTEBOOK}: {len(notebook.cells)} cells\n")


if __name__ == "__main__":
    main()

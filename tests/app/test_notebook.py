"""The example notebook: run anew, it shows what it holds."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

DOCS = Path(__file__).parents[2] / "docs"
SIZE = 200_000
"""Bytes of the file, output included."""


def script(name: str) -> ModuleType:
    """A script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


make_notebook = script("make_notebook")


def shown(cell: Any) -> list[str]:
    """What a cell put out, as words: ids of runs and dates stand for any."""
    found = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {"text/plain": output.get("text", "")})
        for kind in ("text/plain", "text/html"):
            text = re.sub(r"<style>.*?</style>", "", str(data.get(kind, "")), flags=re.DOTALL)
            found.append(re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "RUN", text))
    return found


# nbclient and jupyter_client leave their loop and its sockets to the collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_example_notebook_shows_what_it_did_when_it_was_made():
    kept = nbformat.read(make_notebook.NOTEBOOK, as_version=4)
    new = make_notebook.executed()
    assert [cell.source for cell in new.cells] == [cell.source for cell in kept.cells]
    for before, after in zip(kept.cells, new.cells, strict=True):
        assert shown(after) == shown(before), f"python docs/make_notebook.py renews it; in {after.source[:60]!r}"


def test_the_notebook_is_kept_with_its_output_and_small():
    kept = nbformat.read(make_notebook.NOTEBOOK, as_version=4)
    nbformat.validate(kept)
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.outputs for cell in code)
    assert [o for cell in code for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"] == []
    assert make_notebook.NOTEBOOK.stat().st_size < SIZE

"""What stands behind RUN and BASELINE on the command line: an id, a name, `latest`, or a bundle file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..harness.store import runs
from ..harness.store.frames import RunData
from ..harness.store.load import load
from ..harness.store.runs import Run
from ..harness.store.store import Store


@contextmanager
def opened_run(reference: str, workspace: str | Path) -> Iterator[tuple[Store, Run]]:
    """The store that holds the run, open for the length of the block, and the run. InputError if there is none."""
    store = Store(workspace)
    try:
        yield store, runs.find(store, reference)
    finally:
        store.close()


def load_run(reference: str, workspace: str | Path) -> RunData:
    """The run's tables."""
    with opened_run(reference, workspace) as (store, run):
        return load(store, run)

"""What stands behind RUN and BASELINE on the command line: an id, a name, `latest`, or a bundle file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..harness.errors import InputError
from ..harness.store import runs
from ..harness.store.frames import RunData
from ..harness.store.load import load
from ..harness.store.runs import Run
from ..harness.store.store import Store
from ..harness.store.wordless import MARK, without_texts


def opened(workspace: str | Path) -> Store:
    """A workspace that must exist already."""
    if "://" not in str(workspace) and not (Path(workspace) / "markscheme.db").exists():
        raise InputError(
            f"--workspace {str(workspace)!r} holds no markscheme.db: run an exam first, or name another folder"
        )
    return Store(workspace)


@contextmanager
def opened_run(reference: str, workspace: str | Path) -> Iterator[tuple[Store, Run]]:
    """The store that holds the run, open for the length of the block, and the run. InputError if there is none.

    A bundle is a store of its own (``store.bundle`` is its file): what is written to it is gone with the block.
    """
    if (path := bundle_file(reference)) is not None:
        from ..harness.store.bundle_read import unpacked

        with unpacked(path) as (store, manifest):
            yield store, runs.find(store, manifest.runs[0])
        return
    store = opened(workspace)
    try:
        yield store, runs.find(store, reference)
    finally:
        store.close()


def load_run(reference: str, workspace: str | Path) -> RunData:
    """The run's tables."""
    with opened_run(reference, workspace) as (store, run):
        data = load(store, run)
    return without_texts(data) if run.config.get(MARK) else data


def bundle_file(reference: str) -> Path | None:
    """The bundle that is meant; ``None`` for an id, a name or `latest`. Raises InputError for one that is not there."""
    from ..harness.store.bundle_read import SUFFIX, is_bundle

    path = Path(reference)
    if is_bundle(path):
        return path
    if path.suffix == SUFFIX:
        raise InputError(f"{reference}: there is no such file; markscheme bundle RUN -o {path.name} makes one")
    return None

"""`bundle` and `bundle merge`: a run as one file, and files and workspaces joined into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import BaseModel

from ..harness.errors import InputError
from ..harness.store.label_sets import earlier_runs
from ..harness.store.store import Store
from ..harness.store.wordless import MARK
from .commands import emit
from .references import bundle_file, opened, opened_run
from .session import WORKSPACE
from .shown import Shown

if TYPE_CHECKING:
    from ..harness.store.merge import Merged


class BundleOutput(Shown):
    """`markscheme bundle RUN`: ``runs`` begins with the run asked for; earlier ones follow whose labels correct its
    scores. ``rows`` counts the rows of each table, ``bytes`` is the size of the file."""

    path: str
    runs: list[str]
    finished: bool
    texts: bool
    rows: dict[str, int]
    bytes: int


class MergedSource(BaseModel):
    """What one bundle or workspace brought: rows by table, of ``differing`` ones the row that was there stays.
    ``kept_apart`` replies to a request that had another reply there were added beside it."""

    source: str
    runs_added: list[str]
    runs_present: list[str]
    added: dict[str, int]
    present: dict[str, int]
    differing: dict[str, int]
    kept_apart: int
    notes: list[str]


class MergeOutput(Shown):
    """`markscheme bundle merge`: one entry a source, in the order given."""

    into: str
    sources: list[MergedSource]


def bundle(
    reference: str = "latest", output: str | Path = "run.mks", workspace: str | Path = WORKSPACE, texts: bool = True
) -> BundleOutput:
    """Write a run to the file ``output``, which is there whole or not at all; without ``texts`` numbers and hashes
    alone. The same run makes the same bytes. Raises InputError where there is no such run."""
    from .. import __version__
    from ..harness.store.bundle import write_bundle

    path = Path(output)
    with opened_run(reference, workspace) as (store, run):
        ids = [run.id, *(other.id for other in earlier_runs(store, run))]
        manifest = write_bundle(store, ids, path, __version__, texts and not run.config.get(MARK))
    return BundleOutput(
        path=str(path),
        runs=ids,
        finished=run.finished_at is not None,
        texts=manifest.texts,
        rows={table: member.rows for table, member in manifest.members.items()},
        bytes=path.stat().st_size,
    )


def merge(sources: Sequence[str | Path], into: str | Path) -> MergeOutput:
    """Add what bundles and workspaces hold to the workspace ``into``, which is made if missing. What is there already
    stays as it is; to merge twice changes nothing. Raises InputError for a source that is none, and RunBusy where a
    process works on a run in question."""
    from ..harness.store.merge import merge as merge_stores

    if not sources:
        raise InputError("bundle merge needs a source: a bundle (FILE.mks), a workspace's folder, or a database URL")
    found = []
    target = Store(into)
    try:
        for source in map(str, sources):
            with _source(source) as store:
                if store.engine.url == target.engine.url:
                    raise InputError(f"{source}: is what --into names: name another workspace to merge")
                found.append(_merged(source, merge_stores(store, target)))
    finally:
        target.close()
    return MergeOutput(into=target.where, sources=found)


@contextmanager
def _source(name: str) -> Iterator[Store]:
    if (path := bundle_file(name)) is not None:
        from ..harness.store.bundle_read import unpacked

        with unpacked(path) as (store, _):
            yield store
        return
    if "://" not in name and not (Path(name) / "markscheme.db").exists():
        raise InputError(f"{name}: is neither a bundle nor a folder with a markscheme.db, nor a database URL")
    store = opened(name)
    try:
        yield store
    finally:
        store.close()


def _merged(source: str, done: Merged) -> MergedSource:
    return MergedSource(
        source=source,
        runs_added=done.runs_added,
        runs_present=done.runs_present,
        added=dict(done.added),
        present=dict(done.present),
        differing=dict(done.differing),
        kept_apart=done.kept_apart,
        notes=list(_notes(done)),
    )


def _notes(done: Merged) -> Iterator[str]:
    for table, n in done.differing.items():
        rows = "1 row differs from the one" if n == 1 else f"{n} rows differ from those"
        first = done.first[table]
        yield f"{table}: {rows} there with the same key, which {'stays' if n == 1 else 'stay'} (first: {first})"
    if done.kept_apart:
        replies = "1 request has" if done.kept_apart == 1 else f"{done.kept_apart} requests have"
        yield f"calls: {replies} another reply there; both are kept"


def print_bundle(made: BundleOutput, json: bool) -> None:
    """Print what was written."""
    if json:
        emit(made)
        return
    rows = ", ".join(f"{made.rows[table]:,} {table}" for table in ("answers", "grades", "calls") if table in made.rows)
    words = "" if made.texts else ", without texts"
    typer.echo(f"{made.path}: run {made.runs[0]}{words}: {rows or 'no rows'}; {_size(made.bytes)}")
    if others := made.runs[1:]:
        typer.echo(f"with {', '.join(others)}, whose labels correct its scores")
    if not made.finished:
        typer.echo("note: the run is not finished; the bundle holds what there is so far", err=True)


def print_merge(made: MergeOutput, json: bool) -> None:
    """Print what was joined, and what differed."""
    if json:
        emit(made)
        return
    for one in made.sources:
        runs = f"{len(one.runs_added)} of {len(one.runs_added) + len(one.runs_present)} runs added"
        typer.echo(f"{one.source}: {runs}, {sum(one.added.values()):,} rows; {sum(one.present.values()):,} were there")
        for note in one.notes:
            typer.echo(f"note: {note}", err=True)


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"

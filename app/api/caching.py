"""The recorded replies of a workspace: what they save, in and out, upkeep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..session import WORKSPACE
from .running import noted

if TYPE_CHECKING:
    from ..caching.output import CacheExportOutput, CacheImportOutput, CachePruneOutput, CacheStatsOutput


def cache_stats(*, workspace: str | Path = WORKSPACE) -> CacheStatsOutput:
    """How often replies were re-used, and what that saved in USD, by model."""
    from ..caching.commands import counted

    return counted(workspace)


def cache_prune(
    *,
    older_than: str = "",
    model: str = "",
    also_used: bool = False,
    dry_run: bool = False,
    workspace: str | Path = WORKSPACE,
) -> CachePruneOutput:
    """Forget recorded calls ``older_than`` an age (`12h`, `30d`, `4w`) or of a ``model``.

    Those of runs stay unless ``also_used``; ``dry_run`` removes nothing. Raises InputError where neither is given.
    """
    from ..caching.commands import forgotten

    return forgotten(workspace, older_than, model, also_used, dry_run)


def cache_export(
    output: str | Path | None = None,
    *,
    mongodb: str = "",
    collection: str = "",
    database: str = "",
    model: str = "",
    workspace: str | Path = WORKSPACE,
) -> CacheExportOutput:
    """Write prompts and responses to a JSONL file, or to the ``collection`` of a MongoDB; InputError for neither."""
    from ...harness.errors import InputError
    from ..caching.moving import Place, exported

    if output is None and not collection:
        raise InputError("cache_export: give the file to write, or collection=NAME with mongodb=ADDRESS")
    return exported(workspace, Place(_path(output), mongodb, collection, database), model)


def cache_import(
    file: str | Path | None = None,
    *,
    mongodb: str = "",
    collection: str = "",
    database: str = "",
    model: str = "",
    params: Mapping[str, Any] | None = None,
    workspace: str | Path = WORKSPACE,
) -> CacheImportOutput:
    """Record prompts and responses of a JSONL file or a MongoDB, to be found by runs and by `cached`.

    ``model`` and ``params`` are what gave the responses, where the documents do not say. What cannot be used is counted
    and a warning.
    """
    from ..caching.moving import Place, notes, taken_from, to_output

    with noted() as say:
        taken, _ = taken_from(workspace, Place(_path(file), mongodb, collection, database), model, params or {})
        for note in notes(taken):
            say(note)
    return to_output(taken)


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)

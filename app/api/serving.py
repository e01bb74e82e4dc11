"""Load tests: latency, throughput and cost under load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...harness.store import serving as stored
from ...harness.store.store import Store
from ..session import WORKSPACE
from .running import noted

if TYPE_CHECKING:
    from ...reports.serving.report import ServingReport
    from ..serving.output import ServePlanOutput


def serve_bench(
    exam: str | Path,
    *,
    workspace: str | Path = WORKSPACE,
    fresh: bool = False,
    candidates: Sequence[str] = (),
    quick: bool = False,
    output: str | Path | None = None,
    progress: bool = False,
) -> ServingReport:
    """Measure latency, throughput and cost under load as the exam's `serving:` says; continues, and writes pages.

    ``quick`` measures every cell once, with few requests. Raises InputError for an exam without that section,
    `Unfinished` where it is stopped: the same call continues.
    """
    from ..serving.benching import measured
    from ..serving.reporting import write_pages
    from ..serving.tasks import BenchOptions, task_of

    def say(text: str) -> None:
        if progress:
            print(text)  # noqa: T201 - what was asked for

    options = BenchOptions(str(workspace), fresh, quick, tuple(candidates))
    task = task_of(Path(exam), options)
    store = Store(workspace)
    try:
        with noted() as note:
            bench, loads = stored.load_bench(store, measured(task, options, store, note, say))
            return write_pages(store, bench, loads, None if output is None else Path(output))[0]
    finally:
        store.close()


def serve_plan(
    exam: str | Path,
    *,
    workspace: str | Path = WORKSPACE,
    fresh: bool = False,
    candidates: Sequence[str] = (),
    quick: bool = False,
) -> ServePlanOutput:
    """What a load test is going to take: cells, requests, tokens, USD, minutes. Calls nothing, writes nothing."""
    from ..serving.planning import plan_of
    from ..serving.tasks import BenchOptions, task_of

    options = BenchOptions(str(workspace), fresh, quick, tuple(candidates))
    return plan_of(task_of(Path(exam), options), options)

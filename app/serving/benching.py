"""`markscheme serve-bench`: put the exam's loads on its candidates, keep every repeat, write the report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from ...harness.dispatch.budget import budget_usd
from ...harness.errors import EndpointGone, Unfinished
from ...harness.keys import digest
from ...harness.serving.fleet import Fleet
from ...harness.serving.grid import Cell
from ...harness.serving.loop import FATAL, Rules, measure
from ...harness.serving.phases import phases_of
from ...harness.serving.purse import Purse
from ...harness.serving.records import Bench, Loaded
from ...harness.store import serving
from ...harness.store.store import Store
from ..launching import house_of
from ..loops import run_anywhere
from ..session import exam_identity
from ..signals import on_signals
from ..telling import resume_command
from .desk import Desk, opened_desk
from .planning import plan_of
from .planning import to_text as plan_text
from .reporting import conclude
from .tasks import BenchOptions, Task, begun_bench, known_bench, rehearse, task_of
from .telling import told

Say = Callable[[str], None]


def serve_bench(
    exam_file: Path, options: BenchOptions, output: Path | None, *, json: bool = False, quiet: bool = False
) -> None:
    """Measure what is not measured yet, write the report, print what came of it."""
    task = task_of(exam_file, options)
    store = Store(options.workspace)
    try:
        try:
            bench = measured(task, options, store, _note, _silent if quiet else _progress)
        except Unfinished as stop:
            raise type(stop)(f"{stop}\n  continue with: {resume_command()}") from stop
        conclude(store, bench, output, json=json)
    finally:
        store.close()


def measured(task: Task, options: BenchOptions, store: Store, note: Say, say: Say) -> str:
    """Measure what is not measured yet; the id of the load test. Raises Unfinished where it was stopped."""
    rehearse(task)
    for text in task.dataset.notes:
        note(text)
    identity = digest(exam_identity(task.exam, store))[:12]
    with store.lease(f"bench-{identity}"):
        known = None if options.fresh else known_bench(store, task)
        bench = known or begun_bench(store, task)
        say(f"load test {bench.id}: {'continued' if known else 'begun'}")
        run_anywhere(lambda: perform(task, store, bench, say))
        serving.finish(store, bench.id)
    return bench.id


def show_plan(exam_file: Path, options: BenchOptions, *, json: bool = False) -> None:
    """Print what would be measured, and what it takes. Calls nothing, writes nothing."""
    made = plan_of(task_of(exam_file, options), options)
    typer.echo(made.model_dump_json() if json else plan_text(made))


async def perform(task: Task, store: Store, bench: Bench, say: Say) -> None:
    """Measure what is not measured yet, a phase of servers after the other.

    Raises Unfinished where that cannot be finished now: what was measured to its end is kept.
    """
    spent = serving.spent_usd(store, bench.id)
    purse = Purse(budget_usd(task.exam.budget_usd), spent, task.prices.cost_usd)
    stop, kept_before = asyncio.Event(), serving.kept_usd(store, bench.id)
    with interruptible(stop):
        try:
            async with (
                Fleet(house_of(task.exam, store, bench.id, stop, say)) as fleet,
                opened_desk(task, bench.id, purse, fleet, store, say) as desk,
            ):
                await _measure_all(desk, store, say)
        finally:
            kept = serving.kept_usd(store, bench.id) - kept_before
            serving.note_dropped(store, bench.id, purse.spent_usd - spent - kept)


async def _measure_all(desk: Desk, store: Store, say: Say) -> None:
    task = desk.task
    due = task.order(serving.measured(store, desk.bench))
    total = len(task.cells) * task.spec.repeats
    done = total - len(due)
    for phase in phases_of(task.exam):
        here = [(cell, repeat) for cell, repeat in due if cell.candidate.name in phase.names]
        if phase.role != "candidate" or not here:
            continue
        await desk.fleet.only(phase.servers)
        for cell, repeat in here:
            loaded = await _measured(desk, cell, repeat)
            serving.put_loaded(store, desk.bench, loaded)
            done += 1
            say(f"{done}/{total} {told(loaded, task.spec.repeats)}")


async def _measured(desk: Desk, cell: Cell, repeat: int) -> Loaded:
    """One repeat of a cell. Raises EndpointGone where not one request of it came through."""
    spec = desk.task.spec
    rules = Rules(spec.warm, spec.max_in_flight, spec.seed)
    loaded = await measure(cell, repeat, await desk.asked(cell, repeat), rules)
    kinds = {one.status for one in loaded.requests}
    if kinds and kinds <= {*FATAL, "network", "server_error"}:
        raise EndpointGone(f"{cell.setting.key}: every request failed; the last one: {loaded.requests[-1].detail}")
    return loaded


@contextmanager
def interruptible(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C (or SIGTERM) drops the cell at work at once: a cell that is cut short says nothing. Raises Unfinished."""
    task = asyncio.current_task()

    def interrupt() -> None:
        stop.set()
        if task is not None:
            task.cancel()

    try:
        with on_signals(interrupt):
            yield
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        raise Unfinished("interrupted: the cell at work is dropped, those before it are kept") from None


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


def _progress(text: str) -> None:
    typer.echo(text, err=True)


def _silent(text: str) -> None:
    """With --quiet nobody hears."""

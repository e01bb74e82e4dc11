"""What a load test is going to take: requests, tokens, dollars, minutes. Calls nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...harness.candidates.build import build_candidate
from ...harness.candidates.retrieving import Finder, shelves
from ...harness.dispatch.budget import worst_case
from ...harness.errors import BugError
from ...harness.records import Request, Usage
from ...harness.retrieval.spec import RetrieverSpec
from ...harness.serving.grid import Cell, expected
from ...harness.serving.phases import phases_of
from ...harness.serving.prompts import Prompts
from ...harness.store import serving
from ...harness.store.store import Store
from ..plan import ASSUMED_ANSWER_TOKENS, ASSUMED_LATENCY_S
from ..uncalled import NoCaller
from .output import ServePlanOutput, ServePlanRow
from .tasks import BenchOptions, Task, known_bench
from .telling import cell_of

_SHOWN_SAMPLES = 20
"""So many prompts are rendered of each cell: their mean length stands for all."""


def plan_of(task: Task, options: BenchOptions) -> ServePlanOutput:
    """What is not measured yet, cell by cell in the order of the file."""
    bench, known = _known(task, options)
    due = task.order(known)
    rows, prompt = [], ""
    for cell in task.cells:
        requests = _requests(task, cell)
        prompt = prompt or _prompt(requests[0])
        if repeats := sum(other is cell for other, _ in due):
            rows.append(_row(task, cell, repeats, requests))
    usd = [row.usd for row in rows]
    names = {spec.name for spec in task.candidates}
    phases = [phase for phase in phases_of(task.exam) if phase.role == "candidate" and names & set(phase.names)]
    return ServePlanOutput(
        bench=bench,
        rows=rows,
        servers=[server.name for phase in phases for server in phase.servers],
        requests=sum(row.requests for row in rows),
        usd=None if None in usd else sum(amount for amount in usd if amount is not None),
        minutes=round(sum(row.minutes for row in rows), 1),
        prompt=prompt,
    )


def _known(task: Task, options: BenchOptions) -> tuple[str | None, set[tuple[str, int]]]:
    """The load test that would be continued, and what of it is measured."""
    workspace = options.workspace
    if options.fresh or ("://" not in workspace and not (Path(workspace) / "markscheme.db").exists()):
        return None, set()
    store = Store(workspace)
    try:
        bench = known_bench(store, task)
        return (None, set()) if bench is None else (bench.id, serving.measured(store, bench.id))
    finally:
        store.close()


def _requests(task: Task, cell: Cell) -> list[Request]:
    """Some of its requests; retrieved passages are stand-ins of their usual length."""
    candidate = build_candidate(
        cell.candidate,
        open_model=task.model,
        caller=NoCaller(),
        slot=0,
        shelf_of=shelves([cell.candidate], _not_in_a_plan),
    )
    fresh = "plan" if task.spec.prompts == "fresh" else ""
    tokens = task.spec.output_tokens
    prompts = Prompts(candidate, task.dataset.samples, "0", fresh=fresh, output_tokens=tokens)
    return [prompts(number)[1] for number in range(min(_SHOWN_SAMPLES, len(task.dataset.samples)))]


async def _not_in_a_plan(spec: RetrieverSpec) -> Finder:
    raise BugError("a plan opens no retriever")


def _row(task: Task, cell: Cell, repeats: int, shown: Sequence[Request]) -> ServePlanRow:
    requests, seconds = expected(cell.pace, cell.setting, ASSUMED_LATENCY_S)
    prompt_tokens = sum(worst_case(request).prompt_tokens // 4 for request in shown) // len(shown)
    completion_tokens = cell.setting.output_tokens or ASSUMED_ANSWER_TOKENS
    cost = task.prices.cost_usd(task.model(cell.candidate).name, Usage(prompt_tokens, completion_tokens))
    count = repeats * requests
    return ServePlanRow(
        cell=cell_of(cell.setting),
        repeats=repeats,
        requests=count,
        prompt_tokens=count * prompt_tokens,
        completion_tokens=count * completion_tokens,
        usd=None if cost is None else count * cost,
        minutes=round(repeats * seconds / 60, 2),
    )


def _prompt(request: Request) -> str:
    return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in request.messages)


def to_text(plan: ServePlanOutput) -> str:
    """The plan for a terminal."""
    lines = [f"continues load test {plan.bench}" if plan.bench else "a new load test"]
    for row in plan.rows:
        tokens = f"{row.prompt_tokens} prompt and {row.completion_tokens} completion tokens"
        usd = "price unknown" if row.usd is None else f"about ${row.usd:.4f}"
        lines.append(
            f"  {row.cell}: {row.repeats} × {row.requests // row.repeats} requests, about {tokens}, {usd}, "
            f"about {row.minutes:.1f} min"
        )
    if plan.servers:
        lines.append(f"servers, in this order: {', '.join(plan.servers)}")
    total = "price unknown" if plan.usd is None else f"about ${plan.usd:.4f}"
    lines.append(f"total: {plan.requests} requests, {total}, about {plan.minutes:.1f} min")
    lines.append(
        f"assumed: 4 characters a token, {ASSUMED_ANSWER_TOKENS} tokens an answer that stops by itself, "
        f"{ASSUMED_LATENCY_S:.0f} s a request; before each candidate a few short requests that are not counted here"
    )
    return "\n".join([*lines, "", "--- first prompt ---", plan.prompt])

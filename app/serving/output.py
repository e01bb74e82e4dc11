"""What `markscheme serve-bench --json` prints: one object, the last line of standard output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from ..output import EstimateOutput
from ..shown import Shown

if TYPE_CHECKING:
    from ...reports.serving.cells import Cell
    from ...reports.serving.costs import Costs, Stated


class ServingCellRow(BaseModel):
    """One cell with all its repeats; seconds, requests and tokens a second. ``level`` is users (closed, ramp) or
    requests a second. Percentiles count failures as slower than any answer; null where that leaves no number, and where
    nothing is known."""

    candidate: str
    load: str
    level: float
    contexts: int | None
    output_tokens: int | None
    repeats: int
    requests: int
    failures: dict[str, int]
    capped: float
    ttft_p50_s: EstimateOutput | None
    ttft_p95_s: EstimateOutput | None
    gap_p95_s: EstimateOutput | None
    e2e_p50_s: EstimateOutput | None
    e2e_sched_p95_s: EstimateOutput | None
    requests_per_s: EstimateOutput
    output_tokens_per_s: EstimateOutput
    goodput: EstimateOutput | None
    usd_per_1000: EstimateOutput
    over_capacity: bool
    client_bottleneck: str


class ServingCostRow(BaseModel):
    """Servers of one candidate, paid by the hour, against the API that the exam names. USD are null where a price is
    unknown, months where no users are declared. ``reached`` is no where a server is never cheaper."""

    candidate: str
    contexts: int | None
    output_tokens: int | None
    usd_per_gpu_hour: float
    gpus: int
    utilisation: float
    capacity_per_s: EstimateOutput | None
    usd_per_1000: EstimateOutput
    servers: int | None
    usd_month: float | None
    api: str
    api_usd_per_1000: EstimateOutput | None
    api_usd_month: float | None
    break_even_per_s: EstimateOutput | None
    reached: Literal["yes", "no", "unsure"] | None


class ServeBenchOutput(BaseModel):
    """`markscheme serve-bench`: ``spent_usd`` is null where a price is unknown."""

    bench: str
    exam: str
    cells: list[ServingCellRow]
    costs: list[ServingCostRow]
    spent_usd: float | None
    report: str | None


class ServePlanRow(BaseModel):
    """All repeats of one cell. Dollars are null where no price is known."""

    cell: str
    repeats: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    minutes: float


class ServePlanOutput(Shown):
    """`markscheme serve-bench --plan`: what is not measured yet. Nothing is called; ``bench`` is what it continues."""

    bench: str | None
    rows: list[ServePlanRow]
    servers: list[str]
    requests: int
    usd: float | None
    minutes: float
    prompt: str


def cell_rows(cells: Sequence[Cell]) -> list[ServingCellRow]:
    """The rows of an output."""
    return [_row(cell) for cell in cells]


def _row(cell: Cell) -> ServingCellRow:
    def time(name: str, number: str) -> EstimateOutput | None:
        found = cell.times.get(name)
        return None if found is None else EstimateOutput.of(getattr(found, number))

    setting = cell.setting
    return ServingCellRow(
        candidate=setting.candidate,
        load=setting.shape,
        level=setting.level,
        contexts=setting.contexts,
        output_tokens=setting.output_tokens,
        repeats=cell.repeats,
        requests=cell.attempted,
        failures=dict(cell.failures),
        capped=cell.capped,
        ttft_p50_s=time("ttft_s", "p50"),
        ttft_p95_s=time("ttft_s", "p95"),
        gap_p95_s=time("gap_s", "p95"),
        e2e_p50_s=time("e2e_s", "p50"),
        e2e_sched_p95_s=time("e2e_sched_s", "p95"),
        requests_per_s=EstimateOutput.of(cell.requests_per_s),
        output_tokens_per_s=EstimateOutput.of(cell.output_tokens_per_s),
        goodput=None if cell.goodput is None else EstimateOutput.of(cell.goodput),
        usd_per_1000=EstimateOutput.of(cell.price.usd_per_1000),
        over_capacity=cell.over_capacity,
        client_bottleneck=cell.client.bottleneck,
    )


def cost_rows(found: Sequence[Costs], stated: Stated) -> list[ServingCostRow]:
    """One a variant of a candidate whose GPUs have a price."""
    return [_cost_row(one, stated) for one in found]


def _cost_row(one: Costs, stated: Stated) -> ServingCostRow:
    of, rival, even = EstimateOutput.of, one.rival, one.even
    finite = even is not None and even.queries_per_s.value != float("inf")
    return ServingCostRow(
        candidate=one.candidate,
        contexts=one.contexts,
        output_tokens=one.output_tokens,
        usd_per_gpu_hour=one.hire.usd_per_gpu_hour,
        gpus=one.hire.gpus,
        utilisation=stated.utilisation,
        capacity_per_s=None if one.capacity is None else of(one.capacity),
        usd_per_1000=of(one.saturated),
        servers=None if one.bill is None else one.bill.servers,
        usd_month=None if one.bill is None else one.bill.total_usd,
        api=stated.api,
        api_usd_per_1000=None if rival is None else of(rival.usd_per_1000),
        api_usd_month=None if rival is None or rival.bill is None else rival.bill.total_usd,
        break_even_per_s=of(even.queries_per_s) if even is not None and finite else None,
        reached=None if even is None else even.reached,
    )

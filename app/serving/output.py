"""What `markscheme serve-bench --json` prints: one object, the last line of standard output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ..output import EstimateOutput

if TYPE_CHECKING:
    from ...reports.serving.cells import Cell


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
    over_capacity: bool
    client_bottleneck: str


class ServeBenchOutput(BaseModel):
    """`markscheme serve-bench`: ``spent_usd`` is null where a price is unknown."""

    bench: str
    exam: str
    cells: list[ServingCellRow]
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


class ServePlanOutput(BaseModel):
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
        over_capacity=cell.over_capacity,
        client_bottleneck=cell.client.bottleneck,
    )

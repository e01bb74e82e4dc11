"""What serving costs: a query, a month, and from which load on a server of one's own is cheaper than an API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...harness.records import Estimate
from ...harness.serving.gpu_hours import (
    DAY_S,
    Bill,
    BreakEven,
    break_even_of,
    inverted,
    monthly_api_bill,
    monthly_bill,
    queries_a_month,
    saturated_cost_per_query,
    scaled,
    servers_for,
    startup_cost,
)
from ...harness.serving.records import Bench, ServerUse
from .cells import Cell
from .operating import Operating
from .prices import Hire

Asked = Mapping[tuple[str, int | None], Estimate]
"""USD per answer of a candidate with so many contexts, from a run of the same exam."""
Variant = tuple[str, int | None, int | None]
"""Candidate, contexts, output length."""
NO_COST = Estimate(None, None, None, 0, "price unknown")


@dataclass(frozen=True, slots=True)
class Stated:
    """What the exam says of money: see `CostSpec`."""

    utilisation: float = 1.0
    users: int | None = None
    queries_per_user_day: float | None = None
    fixed_usd_month: float = 0.0
    api: str = ""

    @property
    def queries_month(self) -> float | None:
        """Of all users; ``None`` where nobody says."""
        if self.users is None or self.queries_per_user_day is None:
            return None
        return queries_a_month(self.users, self.queries_per_user_day)

    @property
    def queries_per_s(self) -> float | None:
        """Their mean load."""
        if self.users is None or self.queries_per_user_day is None:
            return None
        return self.users * self.queries_per_user_day / DAY_S


@dataclass(frozen=True, slots=True)
class Rival:
    """The API: USD per 1,000 answers, where that is from, and its month. ``why`` says why there is no price."""

    name: str
    usd_per_1000: Estimate
    source: str
    bill: Bill | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Costs:
    """Servers of one candidate with one number of contexts and output length, over all its loads.

    ``best`` is the cell with the most throughput that keeps the limits, ``capacity`` its requests a second; ``None``
    where no cell keeps them. ``saturated`` is USD per 1,000 answers at that capacity and the stated utilisation.
    """

    candidate: str
    contexts: int | None
    output_tokens: int | None
    hire: Hire
    cells: tuple[Cell, ...]
    best: Cell | None
    saturated: Estimate
    bill: Bill | None
    rival: Rival | None
    even: BreakEven | None

    @property
    def capacity(self) -> Estimate | None:
        """Answered requests a second of one server at most."""
        return None if self.best is None else self.best.requests_per_s

    @property
    def usd_per_server_hour(self) -> float:
        """Of all its GPUs."""
        return self.hire.usd_per_gpu_hour * self.hire.gpus


@dataclass(frozen=True, slots=True)
class Started:
    """What the starts of servers cost together, and what that adds to 1,000 of the requests sent to them."""

    servers: int
    usd: float
    requests: int
    usd_per_1000: float


def stated(config: Mapping[str, Any]) -> Stated:
    """The section `serving: cost:` of a load test's exam."""
    section = (config.get("serving") or {}).get("cost") or {}
    return Stated(
        float(section.get("utilisation") or 1.0),
        section.get("users"),
        section.get("queries_per_user_day"),
        float(section.get("fixed_usd_month") or 0.0),
        str(section.get("api") or ""),
    )


def costs(
    found: Sequence[Cell],
    said: Stated,
    hired: Mapping[str, Hire],
    points: Sequence[Operating] = (),
    asked: Asked | None = None,
) -> tuple[Costs, ...]:
    """One for each variant of a candidate whose GPUs have a price, in the order of ``found``."""
    variants: dict[Variant, list[Cell]] = {}
    for cell in found:
        s = cell.setting
        if s.candidate in hired and s.candidate != said.api:
            variants.setdefault((s.candidate, s.contexts, s.output_tokens), []).append(cell)
    return tuple(
        _costs(variant, own, _fit(own, points), hired[variant[0]], said, _rival(found, said, variant, asked or {}))
        for variant, own in variants.items()
    )


def _fit(own: Sequence[Cell], points: Sequence[Operating]) -> list[Cell]:
    """Cells that show what a server can take: those that keep the limits, or without any all but a growing load."""
    if points:
        kept = [stand.cell for point in points for stand in point.stands if not stand.broken]
        return [cell for cell in own if cell in kept]
    return [cell for cell in own if cell.setting.shape != "ramp"]


def started(bench: Bench, found: Sequence[Cell], servers: Sequence[ServerUse]) -> Started | None:
    """Start-up as a line of its own; ``None`` where no server was started, or the price of one is unknown."""
    launched = {one["name"] for one in bench.config.get("candidates") or () if one.get("launch")}
    requests = sum(cell.attempted for cell in found if cell.setting.candidate in launched)
    each = [_start_usd(server) for server in servers]
    if not each or not requests or None in each:
        return None
    usd = sum(one for one in each if one is not None)
    return Started(len(each), usd, requests, 1000 * usd / requests)


def _start_usd(server: ServerUse) -> float | None:
    if server.usd_per_gpu_hour is None or server.startup_s is None:
        return None
    return startup_cost(server.usd_per_gpu_hour, max(1, len(server.gpus)), server.startup_s, 1)


def _costs(
    variant: Variant, own: Sequence[Cell], fit: Sequence[Cell], hire: Hire, said: Stated, rival: Rival | None
) -> Costs:
    best = max(
        (cell for cell in fit if cell.requests_per_s.value),
        key=lambda cell: cell.requests_per_s.value or 0.0,
        default=None,
    )
    per_hour = hire.usd_per_gpu_hour * hire.gpus
    capacity = None if best is None else best.requests_per_s
    per_answer = NO_COST if rival is None else scaled(rival.usd_per_1000, 0.001)
    return Costs(
        *variant,
        hire,
        tuple(own),
        best,
        at_use(hire, said.utilisation, capacity),
        _bill(per_hour, capacity, said),
        rival,
        None if capacity is None else break_even_of(per_hour, per_answer, capacity, said.utilisation),
    )


def at_use(hire: Hire, utilisation: float, per_s: Estimate | None) -> Estimate:
    """USD per 1,000 answers of a server that can answer ``per_s``, by throughput alone."""
    if per_s is None:
        return NO_COST
    return inverted(per_s, 1000 * saturated_cost_per_query(hire.usd_per_gpu_hour, hire.gpus, 1.0, utilisation))


def _bill(per_hour: float, capacity: Estimate | None, said: Stated) -> Bill | None:
    if capacity is None or not capacity.value or said.queries_month is None or said.queries_per_s is None:
        return None
    servers = servers_for(said.queries_per_s, capacity.value, said.utilisation)
    return monthly_bill(said.queries_month, per_hour, servers, said.fixed_usd_month)


def _rival(found: Sequence[Cell], said: Stated, variant: Variant, asked: Asked) -> Rival | None:
    if not said.api:
        return None
    price, source = next(_prices(found, said.api, variant, asked), (NO_COST, ""))
    bill = None
    if price.value is not None and said.queries_month is not None:
        bill = monthly_api_bill(said.queries_month, price.value / 1000, said.fixed_usd_month)
    return Rival(said.api, price, source, bill, "" if source else _no_price(variant))


def _prices(found: Sequence[Cell], api: str, variant: Variant, asked: Asked) -> Iterator[tuple[Estimate, str]]:
    """What the API costs for the same contexts and output length: in this test, else in a run of the exam.

    Tokens cost the same at every load, so the cell with the most requests stands for all.
    """
    _, contexts, output = variant
    alike = [
        cell
        for cell in found
        if (cell.setting.candidate, cell.setting.contexts, cell.setting.output_tokens) == (api, contexts, output)
        and cell.price.usd_per_1000.value is not None
    ]
    if alike:
        yield max(alike, key=lambda cell: cell.attempted).price.usd_per_1000, "this load test"
    run = asked.get((api, contexts))
    if output is None and run is not None and run.value is not None:
        yield scaled(run, 1000), "a run of the exam"


def _no_price(variant: Variant) -> str:
    _, contexts, output = variant
    where = "neither this load test nor a finished run has a price" if output is None else "this load test has no price"
    parts = [] if contexts is None else [f"{contexts} contexts"]
    parts += [] if output is None else [f"{output} tokens out"]
    return where + " of its answers" + (f" with {' and '.join(parts)}" if parts else "")

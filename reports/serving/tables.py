"""Tables of a load test, the same rows for HTML and Markdown: cells as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .. import words
from . import said
from .cells import Cell
from .operating import Operating, Stand
from .report import ServingReport, Start

TIMES: Mapping[str, str] = {
    "ttft_s": "TTFT",
    "ttft_sched_s": "Scheduled TTFT",
    "ttfo_s": "TTFO",
    "tpot_s": "TPOT",
    "gap_s": "Gap",
    "ntpot_s": "NTPOT",
    "e2e_s": "E2E",
    "e2e_sched_s": "Scheduled E2E",
    "dispatch_delay_s": "Dispatch delay",
}
SCHEDULED = ("ttft_sched_s", "e2e_sched_s", "dispatch_delay_s")
CELL_TITLES = (
    "Load|n|TTFT p50 s|TTFT p95 s|Gap p95 s|E2E p50 s|E2E p95 s|Tokens/s per user|Requests/s|Output tokens/s|"
    "Goodput|USD per 1,000"
)
TIME_TITLES = "Load|Time|Mean s|p50 s|p90 s|p95 s|p99 s"
POINT_TITLES = "Setting|Standing|TTFT p95 s|Gap p95 s|Requests/s|USD per 1,000|Score|Worth"
START_TITLES = "Server|GPUs|Start-up s|Start-up USD|Held s|Held USD"
SAME = 0.0005
"""Seconds below which scheduled and service latency are one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of text; ``mark`` is a class of the style sheet."""

    texts: tuple[str, ...]
    mark: str = ""


def by_candidate(report: ServingReport) -> dict[str, list[Cell]]:
    """The cells of each candidate."""
    found: dict[str, list[Cell]] = {}
    for cell in report.cells:
        found.setdefault(cell.setting.candidate, []).append(cell)
    return found


def cell_row(cell: Cell) -> Row:
    """One setting: what stands first in a report."""
    times = cell.times

    def at(name: str, number: str) -> str:
        return said.time(getattr(times[name], number)) if name in times else words.NONE

    return Row(
        (
            said.place(cell.apart) + (" (over capacity)" if cell.over_capacity else ""),
            _attempted(cell),
            *(at("ttft_s", number) for number in ("p50", "p95")),
            at("gap_s", "p95"),
            *(at("e2e_s", number) for number in ("p50", "p95")),
            said.amount(cell.user_tokens_per_s),
            said.amount(cell.requests_per_s),
            said.amount(cell.output_tokens_per_s),
            said.share(cell.goodput),
            said.usd(cell.price.usd_per_1000),
        ),
        "over" if cell.over_capacity else "",
    )


def time_rows(found: Sequence[Cell]) -> Iterator[Row]:
    """Every time of every setting; scheduled ones only where they differ from service times."""
    for cell in found:
        for name, title in TIMES.items():
            if name not in cell.times or (name in SCHEDULED and not _differs(cell)):
                continue
            times = cell.times[name]
            numbers = (times.mean, times.p50, times.p90, times.p95, times.p99)
            yield Row((said.place(cell.apart), title, *(said.time(number) for number in numbers)))


def point_rows(found: Operating) -> Iterator[Row]:
    """The operating point, what cannot be told from it, and its neighbours."""
    shown = [stand for stand in found.stands if stand is found.point or stand in (*found.tied, *found.neighbours)]
    for stand in shown or found.stands:
        yield Row(_point(stand, found), "best" if stand is found.point else "")


def start_row(start: Start) -> Row:
    """A server that we started, in time and in money."""
    return Row(
        (
            start.name,
            ", ".join(map(str, start.gpus)) or words.NONE,
            said.seconds(start.startup_s),
            words.usd(start.startup_usd),
            said.seconds(start.held_s),
            words.usd(start.held_usd),
        )
    )


def failure_rows(found: Sequence[Cell]) -> Iterator[Row]:
    """How many requests of a setting failed, by kind."""
    for cell in found:
        for kind, n in cell.failures.items():
            yield Row((said.named(cell), words.reason(kind), f"{n:,} of {cell.attempted:,}"))


def _attempted(cell: Cell) -> str:
    failed = sum(cell.failures.values())
    return words.count(cell.attempted) + (f" ({words.count(failed)} failed)" if failed else "")


def _differs(cell: Cell) -> bool:
    delay = cell.times.get("dispatch_delay_s")
    return delay is not None and (delay.p95.value or 0.0) > SAME


def _point(stand: Stand, found: Operating) -> tuple[str, ...]:
    cell = stand.cell
    standing = "operating point" if stand is found.point else ", ".join(stand.broken)
    if not standing:
        standing = "cannot be told from it" if stand in found.tied else "keeps the limits"
    ttft, gap = (said.time(cell.times[n].p95) if n in cell.times else words.NONE for n in ("ttft_sched_s", "gap_s"))
    return (
        said.place(cell.apart),
        standing,
        ttft,
        gap,
        said.amount(cell.requests_per_s),
        said.usd(cell.price.usd_per_1000),
        words.estimate(stand.quality),
        said.amount(stand.worth),
    )

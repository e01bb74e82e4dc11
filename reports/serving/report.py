"""A load test -> a `ServingReport`: everything that its pages say, as plain records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...harness.serving.records import Bench, Loaded, ServerUse
from ...harness.statistics.latency import ENOUGH_REPEATS
from ...harness.timing import FOREIGN
from .. import words
from ..headline import Fact, Line, line, strong
from ..setup import day
from . import said
from .cells import Cell, cells
from .costs import Asked, Costs, Started, Stated, costs, started, stated
from .operating import LIMITED, Operating, Quality, operating
from .prices import hires

LATE = 1.05
"""Waiting before sending is worth a word from this ratio of scheduled to service latency on."""
CACHED = 0.05
"""Share of prompt tokens from the server's cache from which prompts were not fresh to it."""
MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Start:
    """A server that we started: seconds until it answered and while it was held, and USD of either."""

    name: str
    gpus: tuple[int, ...]
    startup_s: float | None
    startup_usd: float | None
    held_s: float | None
    held_usd: float | None


@dataclass(frozen=True, slots=True)
class ServingReport:
    """Everything that the pages say of one load test."""

    bench: str
    title: str
    date: str
    verdict: Line
    caveats: tuple[Line, ...]
    facts: tuple[Fact, ...]
    cells: tuple[Cell, ...]
    operating: tuple[Operating, ...]
    limits: Mapping[str, float]
    slo: Mapping[str, float]
    starts: tuple[Start, ...]
    footer: str
    stated: Stated = field(default_factory=Stated)
    costs: tuple[Costs, ...] = ()
    started: Started | None = None
    unpriced: tuple[str, ...] = ()
    """Candidates whose price nobody knows, where the exam asks for costs."""

    def __repr__(self) -> str:
        return f"Load test {self.bench}: {''.join(span.text for span in self.verdict)}"

    def _repr_html_(self) -> str:
        from ..notebook.systems import serving_html

        return serving_html(self)


def build(
    bench: Bench,
    loads: Sequence[Loaded],
    servers: Sequence[ServerUse] = (),
    quality: Quality | None = None,
    asked: Asked | None = None,
) -> ServingReport:
    """Compute everything; calls no model and reads no clock. ``quality`` and ``asked``, what answers cost by their
    tokens, are of a run of the same exam."""
    serving = bench.config.get("serving") or {}
    slo, limits = _stated(serving.get("slo"), said.SLO), _stated(serving.get("limits"), LIMITED)
    hired, money = hires(bench.config, loads), stated(bench.config)
    found = cells(loads, slo, hired)
    points = operating(found, limits, quality)
    return ServingReport(
        bench=bench.id,
        title=bench.name or bench.exam,
        date=day(bench.created_at),
        verdict=line(_verdict(found, points, limits)),
        caveats=tuple(line(text) for text in (*_caveats(found, points, serving), *_imported(bench))),
        facts=tuple(_facts(bench, found, points)),
        cells=found,
        operating=points,
        limits=limits,
        slo=slo,
        starts=tuple(_start(server) for server in servers),
        footer=_footer(bench),
        stated=money,
        costs=costs(found, money, hired, points, asked),
        started=started(bench, found, servers),
        unpriced=_unpriced(found) if money != Stated() else (),
    )


def _unpriced(found: Sequence[Cell]) -> tuple[str, ...]:
    names = dict.fromkeys(cell.setting.candidate for cell in found)
    return tuple(n for n in names if not any(c.price.basis for c in found if c.setting.candidate == n))


def _stated(section: Mapping[str, Any] | None, known: Iterable[str]) -> dict[str, float]:
    """The limits that are stated, in the order in which they are told; the others bind nobody."""
    return {name: float((section or {})[name]) for name in known if (section or {}).get(name) is not None}


def _verdict(found: Sequence[Cell], points: Sequence[Operating], limits: Mapping[str, float]) -> str:
    if not any(cell.attempted for cell in found):
        return "Nothing was measured." if found else "Nothing was measured yet."
    sentences = [said.chosen(one, limits) for one in points] or list(said.saturation(found))
    if len(sentences) > MOST_NAMED + 1:
        others = f"{len(sentences) - MOST_NAMED} other candidates stand below."
        sentences = [*sentences[:MOST_NAMED], others]
    return " ".join(sentences)


def _caveats(found: Sequence[Cell], points: Sequence[Operating], serving: Mapping[str, Any]) -> Iterator[str]:
    """What has to be said right under the verdict."""
    chosen = [one for one in points if one.point is not None]
    for why in dict.fromkeys(one.why for one in chosen if one.why):
        yield f"{words.listed(strong(one.candidate) for one in chosen if one.why == why)}: {why}."
    for one in points:
        yield from _doubts(one)
    for text, about in (
        (f"{strong('Over capacity')}, a mean latency says nothing there", [c for c in found if c.over_capacity]),
        ("A cap on requests in flight held some back, so the loop was not open", [c for c in found if c.capped]),
        ("Requests were sent late: read scheduled latency, service latency hides it", [c for c in found if _late(c)]),
    ):
        if about:
            yield f"{text}: {_listed(about, found)}."
    yield from _client(found)
    yield from _samples(found)
    yield from _prompts(found, serving)
    yield from _counted(found)


def _doubts(one: Operating) -> Iterator[str]:
    """What the choice of an operating point does not rest on."""
    if one.point is None:
        return
    if one.point.unsure:
        yield f"{strong(one.candidate)}: the interval of its {words.listed(one.point.unsure)} reaches over the limit."
    if one.point.unknown:
        which = words.listed(one.point.unknown)
        yield f"{strong(one.candidate)}: its {which} has no interval, so that it keeps the limit is not shown."
    fit = [stand for stand in one.stands if not stand.broken]
    if len(fit) > 1 and one.point.worth.low is None:
        yield (
            f"{strong(one.candidate)}: {said.WORTH[one.by]} has no interval, so no other setting can be told from the "
            "operating point."
        )


def _client(found: Sequence[Cell]) -> Iterator[str]:
    slow = [cell for cell in found if cell.client.bottleneck]
    if slow:
        where = "there" if len(slow) == 1 else f"with {said.named(slow[0])},"
        yield (
            f"{strong('The client may be what was slow')}: {_listed(slow, found)}; {where} {slow[0].client.bottleneck}."
        )


def _samples(found: Sequence[Cell]) -> Iterator[str]:
    empty = [cell for cell in found if not cell.attempted]
    if empty:
        where = _listed(empty, found)
        yield f"Every request warmed up or cooled down, none was measured: {where}. Send more, or longer."
    few = [cell for cell in found if cell.attempted and cell.repeats < ENOUGH_REPEATS]
    if few:
        yield (
            f"Fewer than {ENOUGH_REPEATS} repeats of {_listed(few, found)}: percentiles have intervals as if requests "
            "did not depend on each other, which are too narrow, and rates have none."
        )
    small = [cell for cell in found if "ttft_s" in cell.times and _too_small(cell)]
    if small:
        yield f"n too small for an interval of p99: {_listed(small, found)}."


def _too_small(cell: Cell) -> bool:
    return cell.times["ttft_s"].p99.method.startswith("n too small")


def _prompts(found: Sequence[Cell], serving: Mapping[str, Any]) -> Iterator[str]:
    if serving.get("prompts") == "cached":
        yield "Prompts were cached: sent before, so the server may have taken them from its prefix cache."
        return
    warm = [cell for cell in found if (cell.cached_share or 0.0) > CACHED]
    if warm:
        most = max(cell.cached_share or 0.0 for cell in warm)
        yield f"Up to {words.percent(most)} of prompt tokens came from the server's cache: {_listed(warm, found)}."


def _counted(found: Sequence[Cell]) -> Iterator[str]:
    failed = [cell for cell in found if cell.failures]
    if failed:
        n, of = sum(sum(cell.failures.values()) for cell in failed), sum(cell.attempted for cell in found)
        yield f"{n:,} of {words.plural(of, 'request')} failed; a percentile counts each as slower than any answer."
    if any(cell.usage_estimated for cell in found):
        yield "The server did not count tokens: ours stand in for them, where numbers are per token."
    foreign = {cell.origin for cell in found} - {"markscheme"}
    for origin in sorted(foreign):
        differs = f": {FOREIGN[origin]}" if origin in FOREIGN else ""
        yield f"Read from files of {origin}, not measured here{differs}."


def _imported(bench: Bench) -> Iterator[str]:
    """What was noted when files of another tool were read."""
    for note in (bench.config.get("imported") or {}).get("notes") or ():
        yield f"{str(note).replace('*', '')}."


def _late(cell: Cell) -> bool:
    service, planned = (cell.times[name].p95.value if name in cell.times else None for name in ("e2e_s", "e2e_sched_s"))
    return service is not None and planned is not None and planned > LATE * service


def _listed(about: Sequence[Cell], found: Sequence[Cell]) -> str:
    if len(about) == len(found) > 1:
        return "all settings"
    if len(about) > MOST_NAMED:
        return f"{len(about)} settings, first {said.named(about[0])}"
    return "; ".join(said.named(cell) for cell in about)


def _facts(bench: Bench, found: Sequence[Cell], points: Sequence[Operating]) -> Iterator[Fact]:
    """Size, failures, kind of prompts, and what saturates where the verdict says something else."""
    repeats = sorted({cell.repeats for cell in found})
    times = f" × {'–'.join(str(n) for n in repeats)} {'repeat' if repeats == [1] else 'repeats'}" if repeats else ""
    yield Fact(line(f"{strong(str(len(found)))} setting{'' if len(found) == 1 else 's'}{times}"))
    attempted, failed = sum(cell.attempted for cell in found), sum(sum(cell.failures.values()) for cell in found)
    yield Fact(line(f"{strong(f'{attempted:,}')} requests measured"))
    if failed:
        yield Fact(line(f"{strong(f'{failed:,}')} failed"), warn=True)
    if found and (alike := said.shared(found[0])):
        yield Fact(line(alike))
    serving = bench.config.get("serving") or {}
    if "prompts" in serving:
        yield Fact(line(f"{strong(str(serving['prompts']))} prompts"))
    if bench.finished_at is None:
        yield Fact(line("not finished"), warn=True)
    if points and attempted:
        yield from (Fact(line(text.removesuffix("."))) for text in said.saturation(found))


def _start(server: ServerUse) -> Start:
    gpus = max(1, len(server.gpus))
    price = None if server.usd_per_gpu_hour is None else server.usd_per_gpu_hour * gpus / 3600
    startup, held = server.startup_s, None if server.stopped_at is None else server.stopped_at - server.started_at
    return Start(
        server.name,
        server.gpus,
        startup,
        None if price is None or startup is None else price * startup,
        held,
        server.cost_usd,
    )


def _footer(bench: Bench) -> str:
    parts = [f"markscheme {bench.versions.get('markscheme', '')}".strip(), f"bench {bench.id}", f"exam {bench.exam}"]
    made_by = "markscheme import load" if "imported" in bench.config else "markscheme serve-bench"
    return " · ".join([*parts, f"made by: {made_by}"])

"""A load test as one HTML file, by the rules of the run's report: no network, no script, names only as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ...harness.records import Estimate
from ...harness.timing import ALIASES
from .. import words
from ..figures.load_boxes import Box, load_boxes
from ..figures.load_curves import Dot, Track, load_curves, trade_off
from ..html import asset, environment, static_page
from . import said, tables
from .cells import Cell
from .costs_html import costs_section
from .operating import curves, knee
from .report import ServingReport


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with its title and what to know about it."""

    title: str
    words: str
    svg: Markup


def render_html(report: ServingReport) -> str:
    """The page; the same report gives the same bytes."""
    templates = environment()
    templates.filters.update(cell_row=tables.cell_row, start_row=tables.start_row)
    return static_page(
        "serving",
        templates,
        report=report,
        said=said,
        tables=tables,
        aliases=ALIASES,
        drawings=drawings(report.cells),
        costs=costs_section(report, templates, asset("serving_costs.html.j2")),
    )


def drawings(found: Sequence[Cell]) -> list[Drawing]:
    """Figures of the load that has most levels, closed loops first; those that there is something to draw for."""
    shape, shown = _shown(found)
    if not shown:
        return []
    across = "users at once" if shape == "closed" else "users" if shape == "ramp" else "requests asked for a second"
    drawn = [
        (
            "Time to first token",
            f"{BOXES} By load, a colour a variant.",
            load_boxes(_boxes(shown, "ttft_s"), across, "TTFT, s"),
        ),
        ("Time between two chunks", BOXES, load_boxes(_boxes(shown, "gap_s"), across, "gap, s")),
        ("Throughput", "Answered requests a second; 95 % intervals.", _throughput(shown, across)),
        ("Latency against throughput", KNEE if shape == "closed" else MARKS, _trade(shown)),
        ("Cost per 1,000 answers", "By load; 95 % intervals.", _cost(shown, across)),
    ]
    return [Drawing(title, text, svg) for title, text, svg in drawn if svg is not None]


BOXES = "Box: quartiles; whiskers: p5 and p95."
MARKS = "Median E2E; numbers are loads."
KNEE = (
    "Median E2E; numbers are users. Ringed, the knee: the load with the most power, requests/s over median E2E "
    "(Kleinrock 1979). Beyond it, waiting grows faster than throughput; no ring where the last load has the most."
)


def _shown(found: Sequence[Cell]) -> tuple[str, list[tuple[Cell, ...]]]:
    """The shape that is drawn and its curves."""
    every = curves(found)
    if not every:
        return "", []
    shapes = list(dict.fromkeys(curve[0].setting.shape for curve in every))
    shape = "closed" if "closed" in shapes else max(shapes, key=lambda s: sum(c[0].setting.shape == s for c in every))
    return shape, [curve for curve in every if curve[0].setting.shape == shape]


def _name(curve: Sequence[Cell], every: Sequence[Sequence[Cell]]) -> str:
    setting = curve[0].apart
    many = len({other[0].setting.candidate for other in every}) > 1
    variant = said.variant(setting)
    return ", ".join(part for part in (setting.candidate if many or not variant else "", variant) if part)


def _boxes(shown: Sequence[Sequence[Cell]], name: str) -> list[Box]:
    return [
        Box(f"{cell.setting.level:g}", _name(curve, shown), cell.times[name].box)
        for curve in shown
        for cell in curve
        if name in cell.times
    ]


def _throughput(shown: Sequence[Sequence[Cell]], across: str) -> Markup | None:
    tracks = [
        Track(_name(curve, shown), tuple(Dot(c.setting.level, c.requests_per_s) for c in curve)) for curve in shown
    ]
    return load_curves(tracks, across, "requests/s", "{:g}".format)


def _cost(shown: Sequence[Sequence[Cell]], across: str) -> Markup | None:
    tracks = [
        Track(_name(curve, shown), tuple(Dot(c.setting.level, c.price.usd_per_1000) for c in curve)) for curve in shown
    ]
    return load_curves(tracks, across, "USD per 1,000 answers", words.usd)


def _trade(shown: Sequence[Sequence[Cell]]) -> Markup | None:
    return trade_off([_traded(curve, shown) for curve in shown], "requests/s", "E2E p50, s", "{:g}".format)


def _traded(curve: Sequence[Cell], shown: Sequence[Sequence[Cell]]) -> Track:
    best = knee(curve)
    dots = [
        Dot(cell.requests_per_s.value, _bare(cell.times["e2e_s"].p50), f"{cell.setting.level:g}", cell is best)
        for cell in curve
        if cell.requests_per_s.value is not None and "e2e_s" in cell.times
    ]
    return Track(_name(curve, shown), tuple(dots))


def _bare(estimate: Estimate) -> Estimate:
    """The value alone: whiskers of both axes would hide the curve."""
    return Estimate(estimate.value, None, None, estimate.n, estimate.method)

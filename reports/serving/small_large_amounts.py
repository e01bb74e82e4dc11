"""What two candidates take, side by side: seconds and dollars in a run, memory as declared, and both under load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot, log
from typing import Any

from ...harness.records import Estimate
from ...harness.statistics.ratios import geometric_ratio, ratio_of_means
from ...harness.store.frames import RunData
from .. import words
from ..cells import Scores
from ..exam import candidates_of
from ..operations import CandidateCost
from . import said
from .cells import Cell, compared


@dataclass(frozen=True, slots=True)
class Ratio:
    """One amount of both and how many times the large one's the small one's is. ``what`` says of what, ``unit`` is s,
    USD or GB; ``why`` says why there is no ratio."""

    what: str
    unit: str
    small: Estimate
    large: Estimate
    ratio: Estimate
    why: str = ""


def in_run(scores: Scores, costs: Mapping[str, CandidateCost], names: tuple[str, str]) -> Iterator[Ratio]:
    """Seconds of live replies and USD of tokens, each paired by question."""
    small, large = (costs[name] for name in names)
    clusters = scores.grid.clusters

    def values(measure: str) -> tuple[Any, Any]:
        one, other = (scores.grid.per_sample((name, "", measure)) for name in names)
        return one, other

    for what, key, one, other in (
        ("E2E p50", "e2e_s", small.p50, large.p50),
        ("TTFT p50", "ttft_s", small.ttft_p50, large.ttft_p50),
    ):
        ratio = geometric_ratio(*values(key), clusters)
        why = "" if ratio.value is not None else "no question has a live reply of both that was timed"
        yield Ratio(what, "s", one, other, ratio, why)
        if key == "e2e_s":
            yield Ratio("E2E p95", "s", small.p95, large.p95, over(small.p95, large.p95), why)
    ratio = ratio_of_means(*values("cost_usd"), clusters)
    unknown = [name for name, cost in zip(names, (small, large), strict=True) if cost.usd_per_1000.value is None]
    why = f"no price is known of the tokens of {words.listed(unknown)}" if unknown else ""
    yield Ratio("1,000 answers by their tokens", "USD", small.usd_per_1000, large.usd_per_1000, ratio, why)


def memory(data: RunData, names: tuple[str, str]) -> Iterator[Ratio]:
    """What the candidates declare."""
    declared = {str(one["name"]): one.get("memory_gb") for one in data.info.config.get("candidates") or ()}
    small, large = (_exact(declared.get(name)) for name in names)
    both = small.value is not None and large.value is not None
    ratio = _exact((small.value or 0.0) / large.value if both and large.value else None)
    yield Ratio("memory, as declared", "GB", small, large, ratio, "" if both else "not declared: memory_gb")


def _exact(value: Any) -> Estimate:
    return Estimate(None if value is None else float(value), None, None, 0, "as declared")


def _places(data: RunData, name: str) -> tuple[set[str], int | None]:
    """As a load test calls it: with a list of contexts, their number is no part of its name."""
    view = next(view for view in candidates_of(data) if view.name == name)
    return {name, name.removesuffix(f"-ctx{view.contexts}")}, view.contexts


def under_load(data: RunData, names: tuple[str, str], found: Sequence[Cell]) -> Iterator[tuple[str, tuple[Ratio, ...]]]:
    """Each load that was put on both, in words: TTFT, E2E, requests a second and cost."""
    small, large = (_places(data, name) for name in names)
    theirs = {_load(cell): cell for cell in found if _is_of(cell, large)}
    for one in (cell for cell in found if _is_of(cell, small)):
        other = theirs.get(_load(one))
        if other is not None:
            yield said.load(one.setting), tuple(_under_load(one, other))


def _is_of(cell: Cell, place: tuple[set[str], int | None]) -> bool:
    names, contexts = place
    return cell.setting.candidate in names and cell.setting.contexts in (None, contexts)


def _load(cell: Cell) -> tuple[str, float, int | None]:
    return cell.setting.shape, cell.setting.level, cell.setting.output_tokens


def _under_load(one: Cell, other: Cell) -> Iterator[Ratio]:
    none = Estimate(None, None, None, 0, "no values")
    for what, key in (("TTFT p50", "ttft_s"), ("E2E p50", "e2e_s")):
        a, b = (cell.times[key].p50 if key in cell.times else none for cell in (one, other))
        yield Ratio(what, "s", a, b, compared(one, other, key, "p50"))
    yield Ratio(
        "requests/s", "", one.requests_per_s, other.requests_per_s, over(one.requests_per_s, other.requests_per_s)
    )
    a, b = one.price.usd_per_1000, other.price.usd_per_1000
    why = "" if a.value is not None and b.value is not None else "price unknown"
    yield Ratio("1,000 answers", "USD", a, b, over(a, b), why)


def over(one: Estimate, other: Estimate) -> Estimate:
    """``one`` / ``other`` of two measurements; on logarithms their half-widths add in quadrature."""
    if not one.value or not other.value:
        return Estimate(None, None, None, 0, "no ratio")
    value = one.value / other.value
    if not one.low or not other.low or one.high is None or other.high is None:
        return Estimate(value, None, None, min(one.n, other.n), "no interval of one of them")
    below = hypot(log(one.value / one.low), log(other.high / other.value))
    above = hypot(log(one.high / one.value), log(other.value / other.low))
    return Estimate(
        value, value * exp(-below), value * exp(above), min(one.n, other.n), "half-widths in quadrature, on logarithms"
    )

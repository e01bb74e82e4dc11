"""Where to run a server: the setting with the most quality per dollar that keeps the limits, and what is near it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Literal

from ...harness.records import Estimate
from .. import words
from .cells import Cell, place

Quality = Mapping[tuple[str, int | None], Estimate]
"""Score of a candidate with so many contexts, from a graded run of the same exam."""
By = Literal["quality per dollar", "cost", "throughput"]

LIMITED: Mapping[str, tuple[str, str]] = {
    "ttft_p95_s": ("TTFT p95", "ttft_sched_s"),
    "gap_p95_s": ("gap p95", "gap_s"),
}
"""Names of limits: what they are called, and whose 95th percentile they bound. Users wait from the planned moment."""
FAILING = 0.05
"""Share of requests from which on the 95th percentile of one that counts failures is endless."""
LEVELLED = 0.9
"""Throughput has levelled off from the first level that has this share of the highest."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A cell as a place to run at. ``broken`` says why it is none, ``unsure`` which limits its intervals straddle, and
    ``unknown`` which ones it has no interval for.

    ``worth`` is what the choice is by (higher is better): quality per USD of 1,000 answers, answers per USD, or
    requests per second.
    """

    cell: Cell
    broken: tuple[str, ...]
    unsure: tuple[str, ...]
    quality: Estimate | None
    worth: Estimate
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operating:
    """The ``point`` of one candidate (``None``: no setting keeps the limits) and those that cannot be told from it.

    ``neighbours`` are one step of contexts or load away, ``stands`` all settings that were weighed.
    """

    candidate: str
    by: By
    why: str
    """Why the choice is not by quality per dollar; '' where it is."""
    point: Stand | None
    tied: tuple[Stand, ...]
    neighbours: tuple[Stand, ...]
    stands: tuple[Stand, ...]


def operating(found: Sequence[Cell], limits: Mapping[str, float], quality: Quality | None) -> tuple[Operating, ...]:
    """One choice a candidate, in the order of ``found``; none without limits: then more load is always cheaper."""
    if not limits:
        return ()
    names = dict.fromkeys(cell.setting.candidate for cell in found)
    return tuple(_chosen(name, weighed, limits, quality or {}) for name in names if (weighed := _weighed(found, name)))


def _weighed(found: Sequence[Cell], name: str) -> list[Cell]:
    """Closed loops, whose load is a concurrency; where there is none, the steady open ones."""
    own = [cell for cell in found if cell.setting.candidate == name]
    closed = [cell for cell in own if cell.setting.shape == "closed"]
    return closed or [cell for cell in own if cell.setting.shape != "ramp"]


def _chosen(name: str, found: Sequence[Cell], limits: Mapping[str, float], quality: Quality) -> Operating:
    by, why = _basis(found, quality)
    stands = tuple(_stand(cell, by, limits, quality) for cell in found)
    fit = [stand for stand in stands if not stand.broken and stand.worth.value is not None]
    point = max(fit, key=lambda stand: stand.worth.value or 0.0, default=None)
    tied = tuple(stand for stand in fit if point is not None and stand is not point and _overlap(stand, point))
    near = tuple(stand for stand in stands if point is not None and _adjacent(stand.cell, point.cell, found))
    return Operating(name, by, why, point, tied, near, stands)


def _basis(found: Sequence[Cell], quality: Quality) -> tuple[By, str]:
    prices = [cell.price.usd_per_1000.value for cell in found if cell.answered]
    if any(not price for price in prices):
        why = "some answers are free" if 0.0 in prices else "no price is known"
        return "throughput", f"{why}, so the choice is by requests per second"
    graded = [quality.get((cell.setting.candidate, cell.setting.contexts)) for cell in found]
    if any(one is None or one.value is None for one in graded):
        return "cost", "no graded run says how good the answers are, so the choice is by cost alone"
    return "quality per dollar", ""


def _stand(cell: Cell, by: By, limits: Mapping[str, float], quality: Quality) -> Stand:
    score = quality.get((cell.setting.candidate, cell.setting.contexts))
    broken, unsure, unknown = [], [], []
    if cell.over_capacity:
        broken.append("over capacity")
    if failing(cell):
        broken.append(f"more than {words.percent(FAILING)} failed")
    for title, limit, found in _bounded(cell, limits):
        if found is None or found.value is None:
            broken.append(f"{title} unknown")
        elif found.value > limit:
            broken.append(f"{title} over {limit:g} s")
        elif found.high is None:
            unknown.append(title)
        elif found.high > limit:
            unsure.append(title)
    return Stand(cell, tuple(broken), tuple(unsure), score, _worth(cell, by, score), tuple(unknown))


def failing(cell: Cell) -> bool:
    """Whether so many requests failed that the gaps of those that were answered say too little."""
    return sum(cell.failures.values()) > FAILING * cell.attempted


def _bounded(cell: Cell, limits: Mapping[str, float]) -> Iterator[tuple[str, float, Estimate | None]]:
    for name, limit in limits.items():
        title, time = LIMITED[name]
        yield title, limit, cell.times[time].p95 if time in cell.times else None


def _worth(cell: Cell, by: By, score: Estimate | None) -> Estimate:
    if by == "throughput":
        return cell.requests_per_s
    usd = cell.price.usd_per_1000
    if not usd.value:
        return Estimate(None, None, None, usd.n, usd.method)
    if by == "cost":
        low, high = (None, None) if usd.high is None or not usd.low else (1000 / usd.high, 1000 / usd.low)
        return Estimate(1000 / usd.value, low, high, usd.n, usd.method)
    assert score is not None and score.value is not None
    return _per_dollar(score, usd)


def _per_dollar(score: Estimate, usd: Estimate) -> Estimate:
    """Quality over cost; their relative half-widths add in quadrature, both being of different measurements."""
    assert score.value is not None and usd.value is not None
    value = score.value / usd.value
    if score.low is None or score.high is None or not score.value or usd.low is None or usd.high is None:
        return Estimate(value, None, None, usd.n, "no interval of quality or of cost")
    below = hypot((score.value - score.low) / score.value, (usd.high - usd.value) / usd.value)
    above = hypot((score.high - score.value) / score.value, (usd.value - usd.low) / usd.value)
    return Estimate(value, max(0.0, value * (1 - below)), value * (1 + above), usd.n, "relative widths in quadrature")


def _overlap(one: Stand, other: Stand) -> bool:
    a, b = one.worth, other.worth
    return a.low is not None and a.high is not None and b.low is not None and a.high >= b.low


def _adjacent(cell: Cell, point: Cell, found: Sequence[Cell]) -> bool:
    """One step of load at the same contexts, or one step of contexts at the same load."""
    a, b = cell.setting, point.setting
    if (a.shape, a.output_tokens) != (b.shape, b.output_tokens):
        return False
    alike = [c.setting for c in found if (c.setting.shape, c.setting.output_tokens) == (b.shape, b.output_tokens)]
    if a.contexts == b.contexts:
        return _steps([s.level for s in alike if s.contexts == b.contexts], a.level, b.level) == 1
    if a.level != b.level or a.contexts is None or b.contexts is None:
        return False
    return (
        _steps([s.contexts for s in alike if s.level == b.level and s.contexts is not None], a.contexts, b.contexts)
        == 1
    )


def _steps(values: Sequence[float], one: float, other: float) -> int:
    ordered = sorted(set(values))
    return abs(ordered.index(one) - ordered.index(other))


def curves(found: Sequence[Cell]) -> tuple[tuple[Cell, ...], ...]:
    """Cells that differ in their level alone, levels ascending: closed loops first where there are any."""
    groups: dict[tuple[str, tuple[str, int, int]], list[Cell]] = {}
    for cell in found:
        groups.setdefault((cell.setting.candidate, place(cell.setting)), []).append(cell)
    return tuple(tuple(sorted(group, key=lambda c: c.setting.level)) for group in groups.values())


def knee(curve: Sequence[Cell]) -> Cell | None:
    """The level with the most power, throughput over latency (Kleinrock 1979): beyond it waiting grows faster.

    Requests a second over the median E2E. ``None`` for fewer than three levels, and where the last has the most.
    """
    known = [(power, cell) for cell in curve if (power := _power(cell)) is not None]
    if len(known) < 3:
        return None
    best = max(known, key=lambda pair: pair[0])[1]
    return None if best is known[-1][1] else best


def levelled(curve: Sequence[Cell]) -> Cell | None:
    """The first level with 90 % of the highest throughput; ``None`` where this is the last, and for open loops."""
    known = [(cell.requests_per_s.value, cell) for cell in curve if cell.requests_per_s.value]
    if len(known) < 2 or known[0][1].setting.shape != "closed":
        return None
    most = max(value for value, _ in known)
    first = next(cell for value, cell in known if value >= LEVELLED * most)
    return None if first is known[-1][1] else first


def _power(cell: Cell) -> float | None:
    served, took = cell.requests_per_s.value, cell.times.get("e2e_s")
    if cell.setting.shape != "closed" or not served or took is None or not took.p50.value:
        return None
    return served / took.p50.value

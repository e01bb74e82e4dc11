"""Load tests in words: what a setting is called, seconds of which some are endless, what was found in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isinf

from ...harness.records import Estimate
from ...harness.serving.records import Setting
from .. import words
from ..headline import strong
from .cells import Cell
from .operating import FAILING, LIMITED, Operating, Stand, curves, failing, levelled

ENDLESS = "∞"
MOST_TIED = 3
NO_GAIN = 0.02
"""Throughput that repeats of one setting differ by, too."""
CHOSEN: Mapping[str, str] = {
    "quality per dollar": "the most quality per dollar",
    "cost": "the cheapest",
    "throughput": "the highest throughput",
}

WORTH: Mapping[str, str] = {
    "quality per dollar": "score over USD per 1,000 answers",
    "cost": "answers per USD",
    "throughput": "requests per second",
}
SLO: Mapping[str, str] = {"ttft_s": "scheduled TTFT", "gap_s": "mean gap", "e2e_s": "scheduled E2E"}
HOW = (
    "Times in seconds, of the measured window: warm-up and cool-down are left out, failures are not. From three "
    "repeats on, intervals (95 %) come from the spread between these, since requests within one depend on each other. "
    "No reply comes from our own cache of calls."
)


def plain(text: str) -> str:
    """``text`` without the marks of `strong`."""
    return text.replace("\0", "")


def seconds(value: float | None) -> str:
    """As everywhere, with three digits below a second, since gaps are short; ``∞`` where so many requests failed."""
    if value is not None and 0.0001 <= value < 1:
        return f"{value:#.3g}"
    return ENDLESS if value is not None and isinf(value) else words.seconds(value)


def limits(estimate: Estimate) -> str:
    """``[0.40, 0.44]``, or nothing where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"[{seconds(estimate.low)}, {seconds(estimate.high)}]"


def time(estimate: Estimate | None) -> str:
    """``0.42 [0.40, 0.44]``; ``n too small`` where a percentile has too few requests for an interval."""
    if estimate is None or estimate.value is None:
        return words.NONE
    why = "n too small" if estimate.method.startswith("n too small") else ""
    return " ".join(part for part in (seconds(estimate.value), limits(estimate) or (why and f"({why})")) if part)


def amount(estimate: Estimate) -> str:
    """A rate with its interval: ``9.1 [8.8, 9.4]``, without decimals from a hundred on."""
    if estimate.value is None:
        return words.NONE
    decimals = 0 if estimate.value >= 100 else 1 if estimate.value >= 10 else 2
    value, *ends = (f"{v:,.{decimals}f}" for v in (estimate.value, estimate.low, estimate.high) if v is not None)
    return f"{value} [{', '.join(ends)}]" if len(ends) == 2 else value


def usd(estimate: Estimate) -> str:
    """``$0.14 [$0.13, $0.15]``; ``unknown`` where no price is known."""
    shown = words.usd(estimate.value)
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return shown
    return f"{shown} [{words.usd(estimate.low)}, {words.usd(estimate.high)}]"


def share(estimate: Estimate | None) -> str:
    """``97 % [94, 99]``."""
    if estimate is None or estimate.value is None:
        return words.NONE
    if estimate.low is None or estimate.high is None:
        return words.percent(estimate.value)
    return f"{words.percent(estimate.value)} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def load(setting: Setting) -> str:
    """``32 users``, ``4/s Poisson``."""
    if setting.shape in ("closed", "ramp"):
        users = words.plural(int(setting.level), "user")
        return users if setting.shape == "closed" else f"up to {users}, one more a second"
    if setting.shape == "trace":
        return f"{setting.level:g}/s as recorded"
    return f"{setting.level:g}/s {'constant' if setting.shape == 'constant' else 'Poisson'}"


def variant(setting: Setting) -> str:
    """What beside the load sets it apart: ``5 contexts, 128 tokens out``."""
    parts = [] if setting.contexts is None else [words.plural(setting.contexts, "context")]
    parts += [] if setting.output_tokens is None else [f"{setting.output_tokens} tokens out"]
    return ", ".join(parts)


def shared(cell: Cell) -> str:
    """What beside the load is the same in all cells, and no label tells: ``48 tokens out``."""
    contexts = cell.setting.contexts if cell.apart.contexts is None else None
    output_tokens = cell.setting.output_tokens if cell.apart.output_tokens is None else None
    return variant(replace(cell.setting, contexts=contexts, output_tokens=output_tokens))


def place(setting: Setting) -> str:
    """``5 contexts, 32 users``."""
    return ", ".join(part for part in (variant(setting), load(setting)) if part)


def named(cell: Cell) -> str:
    """``mini, 5 contexts, 32 users``."""
    return f"{cell.setting.candidate}, {place(cell.apart)}"


def bounds(stated: Mapping[str, float]) -> str:
    """``TTFT p95 ≤ 1 s and gap p95 ≤ 0.1 s``."""
    return words.listed(f"{LIMITED[name][0]} ≤ {limit:g} s" for name, limit in stated.items())


def chosen(found: Operating, stated: Mapping[str, float]) -> str:
    """The operating point in a sentence or two, or that there is none."""
    if found.point is None and all(failing(stand.cell) for stand in found.stands):
        return (
            f"More than {words.percent(FAILING)} of the requests to {strong(found.candidate)} failed in every setting."
        )
    if found.point is None:
        return f"No setting of {strong(found.candidate)} keeps {bounds(stated)}{_nearest(found, stated)}."
    said = (
        f"Run {strong(found.candidate)} with {strong(place(found.point.cell.apart))}: {_worth(found.point)}, "
        f"{CHOSEN[found.by]} that keeps {bounds(stated)}."
    )
    return said + _tied(found.tied)


def _worth(point: Stand) -> str:
    price = point.cell.price.usd_per_1000.value
    parts = [] if point.quality is None else [f"a score of {words.number(point.quality.value)}"]
    parts += [f"{amount(Estimate(point.cell.requests_per_s.value, None, None, 0, ''))} requests/s"]
    parts += [] if price is None else [f"{words.usd(price)} per 1,000 answers"]
    return words.listed(parts)


def _tied(tied: Sequence[Stand]) -> str:
    if not tied:
        return ""
    if len(tied) > MOST_TIED:
        return f" {words.plural(len(tied), 'other setting')} cannot be told from it."
    return f" It cannot be told from {words.listed(place(stand.cell.apart) for stand in tied)}."


def _nearest(found: Operating, stated: Mapping[str, float]) -> str:
    """The least that was measured of the first limit that nothing keeps."""
    for name, limit in stated.items():
        title, key = LIMITED[name]
        known = [
            (stand.cell.times[key].p95.value or 0.0, stand)
            for stand in found.stands
            if key in stand.cell.times and stand.cell.times[key].p95.value is not None
        ]
        if known and (least := min(known, key=lambda pair: pair[0]))[0] > limit:
            return f": its lowest {title} is {seconds(least[0])} s, with {place(least[1].cell.apart)}"
    return ""


def saturation(found: Sequence[Cell]) -> Iterator[str]:
    """What saturates where, one sentence a candidate: of its closed loop, else of its open ones."""
    for name in dict.fromkeys(cell.setting.candidate for cell in found):
        own = [curve for curve in curves(found) if curve[0].setting.candidate == name]
        closed = [curve for curve in own if curve[0].setting.shape == "closed"]
        yield _closed(closed[0]) if closed else _open(name, [cell for curve in own for cell in curve])


def _closed(curve: Sequence[Cell]) -> str:
    last, level = curve[-1], levelled(curve)
    name, with_ = strong(last.setting.candidate), variant(last.apart)
    at = f" with {with_}" if with_ else ""
    if level is not None:
        served = f"{amount(Estimate(level.requests_per_s.value, None, None, 0, ''))} requests/s"
        return f"{name}{at} levels off at {strong(load(level.setting))}, {served}: {_beyond(curve, level)}."
    if len(curve) < 2 and last.requests_per_s.value is None:
        return f"{name}{at} {_first(last)} with {strong(load(last.setting))}."
    if len(curve) < 2:
        return f"{name}{at} serves {amount(last.requests_per_s)} requests/s with {strong(load(last.setting))}."
    return f"{name}{at} still gains at {strong(load(last.setting))}, {amount(last.requests_per_s)} requests/s."


def _beyond(curve: Sequence[Cell], level: Cell) -> str:
    """What more users than ``level`` bring: up to a tenth of the highest throughput can be left to gain."""
    more = max(cell.requests_per_s.value or 0.0 for cell in curve) / (level.requests_per_s.value or 1.0) - 1
    return "more users only wait" if more < NO_GAIN else f"more users gain {words.percent(more)} at most"


def _first(cell: Cell) -> str:
    """Of a cell whose rates nobody knows."""
    value = cell.times["ttft_s"].p50.value if "ttft_s" in cell.times else None
    if value is None:
        return "was measured"
    return (
        "failed more than half of its requests"
        if isinf(value)
        else f"takes {seconds(value)} s to the first token (p50)"
    )


def _open(name: str, own: Sequence[Cell]) -> str:
    over = [cell for cell in own if cell.over_capacity]
    if over:
        least = min(over, key=lambda cell: cell.setting.level)
        return f"{strong(name)} is over capacity at {strong(load(least.setting))}: requests wait longer and longer."
    most = max(own, key=lambda cell: cell.setting.level)
    at = strong(load(most.setting))
    if most.growth is None or most.growth.low is None:
        why = "a ramp is at no load for long" if most.growth is None else most.growth.method
        return f"Whether {strong(name)} keeps up with {at} cannot be told: {why}."
    return f"{strong(name)} keeps up with {at}, the most that was asked of it."

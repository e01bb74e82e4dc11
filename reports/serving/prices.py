"""What an answer of a cell costs: GPU hours where a candidate declares them, else the prices of its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...harness import timing
from ...harness.records import Estimate
from ...harness.serving import rates
from ...harness.serving.gpu_hours import cost_per_query
from ...harness.serving.records import Loaded, Setting
from ...harness.statistics.latency import ENOUGH_REPEATS, spread_of


@dataclass(frozen=True, slots=True)
class Hire:
    """The GPUs that serve a candidate: USD for an hour of each."""

    usd_per_gpu_hour: float
    gpus: int = 1


@dataclass(frozen=True, slots=True)
class Price:
    """USD per 1,000 answers, and what they come from: ``GPU hours``, ``tokens``, or '' where unknown."""

    usd_per_1000: Estimate
    basis: str


def hires(config: Mapping[str, Any], loads: Sequence[Loaded] = ()) -> dict[str, Hire]:
    """By candidate: the ``usd_per_gpu_hour`` that it declares, else that of `serving: cost:`, which is for candidates
    whose replies in ``loads`` have no price of tokens, and not for the API."""
    found = _general((config.get("serving") or {}).get("cost") or {}, loads)
    for spec in config.get("candidates") or ():
        if (usd := spec.get("usd_per_gpu_hour")) is not None:
            gpus = (spec.get("launch") or {}).get("gpus") or ()
            found[str(spec["name"])] = Hire(float(usd), max(1, len(gpus)))
    return found


def _general(cost: Mapping[str, Any], loads: Sequence[Loaded]) -> dict[str, Hire]:
    if cost.get("usd_per_gpu_hour") is None:
        return {}
    priced = {load.setting.candidate for load in loads for one in load.requests if one.cost_usd is not None}
    names = {load.setting.candidate for load in loads} - priced - {cost.get("api")}
    return {name: Hire(float(cost["usd_per_gpu_hour"]), int(cost.get("gpus") or 1)) for name in sorted(names)}


def price(setting: Setting, loads: Sequence[Loaded], hire: Hire | None) -> Price:
    """Per answer that came: what failed was paid for by those that did not."""
    each = [_by_the_hour(setting, load, hire) if hire else _by_tokens(load) for load in loads]
    known = [usd for usd in each if usd is not None]
    if not known or len(known) < len(each):
        return Price(Estimate(None, None, None, 0, "price unknown"), "")
    found = spread_of([1000 * usd for usd in known])
    if len(known) < ENOUGH_REPEATS:
        found = Estimate(found.value, None, None, found.n, "fewer than 3 repeats: no interval")
    return Price(found, "GPU hours" if hire else "tokens")


def _by_the_hour(setting: Setting, load: Loaded, hire: Hire) -> float | None:
    """With so many in flight as there are users. In an open loop, and where some failed, with as many of those that
    were answered as there were on average (Little's law)."""
    asked = timing.measured(load)
    ok = [one for one in asked if one.status == timing.OK and one.e2e_s is not None]
    served = rates.requests_per_s(load)
    if not ok or not served:
        return None
    whole = sum(one.e2e_s or 0.0 for one in ok) / len(ok)
    boot = sum(one.ttft_s or 0.0 for one in ok) / len(ok)
    parallel = setting.level if setting.shape == "closed" and len(ok) == len(asked) else served * whole
    return cost_per_query(hire.usd_per_gpu_hour, hire.gpus, boot, whole - boot, parallel)


def _by_tokens(load: Loaded) -> float | None:
    """The mean over answers; unknown as soon as one has no price."""
    ok = [one for one in timing.measured(load) if one.status == timing.OK]
    if not ok or any(one.cost_usd is None for one in ok):
        return None
    return sum(one.cost_usd or 0.0 for one in timing.measured(load)) / len(ok)

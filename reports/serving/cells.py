"""Load tests -> cells: the numbers of one setting over its repeats, each with its interval or the reason for none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...harness import timing
from ...harness.records import Estimate
from ...harness.serving import rates
from ...harness.serving.records import Loaded, Served, Setting
from ...harness.statistics.latency import (
    ENOUGH_REPEATS,
    mean_of_repeats,
    nearest,
    percentile_of_repeats,
    ratio,
    spread_of,
)
from ...harness.statistics.quantiles import quantile_interval
from ...harness.statistics.rates import rate_interval
from ...harness.statistics.trend import growth
from .prices import Hire, Price, price

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
BOX = (0.05, 0.25, 0.5, 0.75, 0.95)
STEADY = ("constant", "poisson", "trace")
"""Open loops that are meant to be the same throughout: latency that grows shows that the server cannot keep up."""
OVER = "over capacity: latency grows as long as the load lasts"


@dataclass(frozen=True, slots=True)
class Times:
    """One latency of a cell, in seconds; ``box`` is p5, the quartiles and p95 of all that is known, empty for none.

    ``each`` holds mean, p50, p90, p95 and p99 of every repeat on its own, for comparisons.
    """

    mean: Estimate
    p50: Estimate
    p90: Estimate
    p95: Estimate
    p99: Estimate
    box: tuple[float, ...]
    each: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Client:
    """What our own side had to do: the worst of the repeats. ``bottleneck`` says why it may be what was slow."""

    lag_p99_s: float | None
    cpu_share: float | None
    bottleneck: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A setting with all its repeats. ``times`` by name as in `timing.LATENCIES`, and ``gap_s``, ``dispatch_delay_s``.

    ``goodput`` is the share of attempted requests within the limits, ``good_per_s`` how many a second; both ``None``
    where none are stated. ``growth`` is what latency gains each second (s/s); ``None`` for closed loops. ``apart`` is
    the setting without what all cells share: what labels tell.
    """

    setting: Setting
    apart: Setting
    repeats: int
    attempted: int
    failures: Mapping[str, int]
    times: Mapping[str, Times]
    requests_per_s: Estimate
    output_tokens_per_s: Estimate
    user_tokens_per_s: Estimate
    goodput: Estimate | None
    good_per_s: Estimate | None
    growth: Estimate | None
    capped: float
    prompt_tokens: float | None
    completion_tokens: float | None
    cached_share: float | None
    usage_estimated: bool
    client: Client
    price: Price
    origin: str

    @property
    def answered(self) -> int:
        """Requests of the measured window that did not fail."""
        return self.attempted - sum(self.failures.values())

    @property
    def over_capacity(self) -> bool:
        """Whether latency surely grew: then a mean says how long the test was, and nothing about the server."""
        return self.growth is not None and self.growth.low is not None and self.growth.low > 0


def cells(
    loads: Sequence[Loaded], slo: Mapping[str, float] | None = None, hires: Mapping[str, Hire] | None = None
) -> tuple[Cell, ...]:
    """One cell a setting; candidates in the order of ``loads``, then shapes, contexts, lengths and levels.

    ``slo`` has the limits of one request (see `rates.good`), ``hires`` what the GPUs of a candidate cost.
    """
    order = list(dict.fromkeys(one.setting.candidate for one in loads))
    found: dict[Setting, list[Loaded]] = {}
    for one in sorted(loads, key=lambda load: load.repeat):
        found.setdefault(one.setting, []).append(one)
    settings = sorted(found, key=lambda s: (order.index(s.candidate), place(s), s.level))
    told = _apart(settings)
    return tuple(_cell(found[s], told[s], slo or {}, (hires or {}).get(s.candidate)) for s in settings)


def _apart(settings: Sequence[Setting]) -> dict[Setting, Setting]:
    """Each setting without the contexts and the output length that all have."""
    contexts, lengths = {s.contexts for s in settings}, {s.output_tokens for s in settings}
    return {
        s: replace(
            s,
            contexts=s.contexts if len(contexts) > 1 else None,
            output_tokens=s.output_tokens if len(lengths) > 1 else None,
        )
        for s in settings
    }


def place(setting: Setting) -> tuple[str, int, int]:
    """Shape, contexts and output length: what cells of one curve share."""
    contexts, length = (-1 if n is None else n for n in (setting.contexts, setting.output_tokens))
    return setting.shape, contexts, length


def compared(first: Cell, second: Cell, name: str, number: str) -> Estimate:
    """How many times as long the ``number`` (``p50`` …) of time ``name`` is in ``first`` as in ``second``.

    The interval is by the spread between repeats, since requests within one depend on each other.
    """
    a, b = (cell.times[name].each[number] if name in cell.times else () for cell in (first, second))
    return ratio(a, b)


def _cell(loads: Sequence[Loaded], apart: Setting, slo: Mapping[str, float], hire: Hire | None) -> Cell:
    setting = loads[0].setting
    kept = [timing.measured(load) for load in loads]
    every = [one for requests in kept for one in requests]
    grows = _growth(kept) if setting.shape in STEADY else None
    over = grows is not None and grows.low is not None and grows.low > 0
    ok = [one for one in every if one.status == timing.OK]
    return Cell(
        setting=setting,
        apart=apart,
        repeats=len(loads),
        attempted=len(every),
        failures=dict(sorted(Counter(one.status for one in every if one.status != timing.OK).items())),
        times=_all_times(kept, over),
        requests_per_s=_rate([rates.requests_per_s(load) for load in loads]),
        output_tokens_per_s=_rate([rates.output_tokens_per_s(load) for load in loads]),
        user_tokens_per_s=percentile_of_repeats([_known(timing.user_rate(r)) for r in kept], 0.5),
        goodput=_goodput(kept, slo) if slo else None,
        good_per_s=_rate([_good_per_s(load, slo) for load in loads]) if slo else None,
        growth=grows,
        capped=sum(one.capped for one in every) / len(every) if every else 0.0,
        prompt_tokens=_mean([one.prompt_tokens for one in ok]),
        completion_tokens=_mean([one.completion_tokens for one in ok]),
        cached_share=_cached_share(ok),
        usage_estimated=any(one.usage_estimated for one in ok),
        client=_client(loads),
        price=price(setting, loads, hire),
        origin=", ".join(dict.fromkeys(load.origin for load in loads)),
    )


def _all_times(kept: Sequence[Sequence[Served]], over: bool) -> dict[str, Times]:
    columns = {
        name: [_known(timing.column(requests, of)) for requests in kept] for name, of in timing.LATENCIES.items()
    }
    columns["dispatch_delay_s"] = [timing.delays(requests) for requests in kept]
    found = {name: _times(repeats, over) for name, repeats in columns.items() if any(map(len, repeats))}
    pooled = [timing.chunk_gaps(requests) for requests in kept]
    if any(len(gaps) for gaps, _ in pooled):
        found["gap_s"] = _gaps(pooled, over)
    return found


def _times(repeats: Sequence[Floats], over: bool) -> Times:
    import numpy as np

    each = {"mean": tuple(_finite_mean(values) for values in repeats if len(values))}
    each |= {name: tuple(nearest(values, q) for values in repeats if len(values)) for name, q in PERCENTILES.items()}
    quantiles = {name: percentile_of_repeats(repeats, q) for name, q in PERCENTILES.items()}
    mean, pooled = mean_of_repeats(repeats), np.concatenate(repeats)
    if over:
        mean = Estimate(None, None, None, mean.n, OVER)
    return Times(mean=mean, **quantiles, box=tuple(nearest(pooled, q) for q in BOX), each=each)


def _gaps(pooled: Sequence[tuple[Floats, NDArray[np.intp]]], over: bool) -> Times:
    """Gaps of one reply are alike: without enough repeats, requests are the clusters of their interval."""
    found = _times([gaps for gaps, _ in pooled], over)
    if sum(1 for gaps, _ in pooled if len(gaps)) >= ENOUGH_REPEATS:
        return found
    import numpy as np

    gaps = np.concatenate([gaps for gaps, _ in pooled])
    # Numbers of different repeats are of different requests.
    clusters = np.concatenate([numbers * len(pooled) + i for i, (_, numbers) in enumerate(pooled)])
    quantiles = {name: quantile_interval(gaps, q, clusters=clusters) for name, q in PERCENTILES.items()}
    return Times(mean=found.mean, **quantiles, box=found.box, each=found.each)


def _growth(kept: Sequence[Sequence[Served]]) -> Estimate:
    import numpy as np

    return growth([(np.array([o.scheduled_s for o in r]), timing.column(r, timing.e2e_sched)) for r in kept])


def _rate(each: Sequence[float | None]) -> Estimate:
    """The mean of the repeats; unknown where it is unknown for one."""
    known = [value for value in each if value is not None]
    if len(known) < len(each):
        return Estimate(None, None, None, len(each), "unknown in a repeat")
    found = spread_of(known)
    few = len(known) < ENOUGH_REPEATS
    return Estimate(found.value, None, None, found.n, "fewer than 3 repeats: no interval") if few else found


def _goodput(kept: Sequence[Sequence[Served]], slo: Mapping[str, float]) -> Estimate:
    """Of attempted requests; repeats that are all alike show no spread, and then Wilson's interval stands."""
    import numpy as np

    kept = [requests for requests in kept if requests]
    each = [rates.good(requests, slo).astype(float) for requests in kept]
    if not each:
        return Estimate(None, None, None, 0, "no values")
    pooled = np.concatenate(each)
    shares = [float(flags.mean()) for flags in each]
    if len(each) < ENOUGH_REPEATS or max(shares) == min(shares):
        return rate_interval(pooled)
    return spread_of(shares, float(pooled.mean()), len(pooled), most=1.0)


def _good_per_s(load: Loaded, slo: Mapping[str, float]) -> float | None:
    served, requests = rates.requests_per_s(load), timing.measured(load)
    answered = sum(1 for one in requests if one.status == timing.OK)
    if served is None:
        return None
    return served * float(rates.good(requests, slo).sum()) / answered if answered else 0.0


def _client(loads: Sequence[Loaded]) -> Client:
    lags = [lag for load in loads if (lag := rates.lag_p99(load)) is not None]
    shares = [share for load in loads if (share := rates.cpu_share(load)) is not None]
    reasons = [why for load in loads if (why := rates.bottleneck(load))]
    return Client(max(lags, default=None), max(shares, default=None), reasons[0] if reasons else "")


def _cached_share(ok: Sequence[Served]) -> float | None:
    """Of prompt tokens, those that the server took from its prefix cache; ``None`` where it does not say."""
    known = [(one.cached_tokens, one.prompt_tokens) for one in ok if one.cached_tokens is not None]
    prompt = sum(tokens or 0 for _, tokens in known)
    return sum(cached or 0 for cached, _ in known) / prompt if prompt else None


def _known(values: Floats) -> Floats:
    import numpy as np

    return values[~np.isnan(values)]


def _finite_mean(values: Floats) -> float:
    import numpy as np

    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("inf")


def _mean(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None

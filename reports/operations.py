"""What answers and grades took: seconds of live replies, tokens, dollars, and where the replies come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.records import Estimate
from ..harness.statistics.intervals import mean_interval
from ..harness.statistics.quantiles import quantile_interval
from ..harness.store.frames import RunData
from . import words
from .cells import Scores
from .exam import CandidateView, pairwise_judges_of
from .grid import Grid

if TYPE_CHECKING:
    import pandas as pd

_SHEET = "replay/"
"""Begins the model of a sheet: its seconds were taken elsewhere, or in production."""


@dataclass(frozen=True, slots=True)
class CandidateCost:
    """Seconds (live replies only), tokens per answer, and USD; ``None`` is unknown, never nothing.

    ``spread`` are the 5, 25, 50, 75 and 95 % quantiles of seconds for a box plot, empty without live replies.
    ``usd_per_1000`` is per 1,000 answers; ``paid_usd`` all that this run paid, failed and superseded calls included.
    """

    candidate: str
    live: int
    reused: int
    p50: Estimate
    p95: Estimate
    ttft_p50: Estimate
    ttft_p95: Estimate
    spread: tuple[float, ...]
    prompt_tokens: float | None
    completion_tokens: float | None
    reasoning_tokens: float | None
    usage_estimated: bool
    usd_per_1000: Estimate
    unpriced: int
    paid_usd: float | None
    retries: int
    in_flight: int | None = None
    """Most calls of the run that an endpoint had to answer at once; ``None`` where nobody knows."""


@dataclass(frozen=True, slots=True)
class JudgeCost:
    """What a judge took for the grades that stand. ``cached_share`` is the share of prompt tokens that came from the
    provider's cache; ``paid_usd`` is of all calls that this run paid, also for grades that another has replaced."""

    judge: str
    model: str
    calls: int
    reused: int
    failed: int
    prompt_tokens: float
    completion_tokens: float
    cached_tokens: float
    cached_share: float | None
    p50_s: float | None
    usd: float | None
    paid_usd: float | None
    usd_per_1000: float | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """``n`` replies of a candidate that come from one run and day."""

    candidate: str
    run: str
    date: str
    reused: bool
    n: int


def candidate_costs(data: RunData, scores: Scores) -> tuple[CandidateCost, ...]:
    """One row per candidate, in exam order."""
    return tuple(_candidate(data, scores.grid, c) for c in scores.candidates)


def judge_costs(data: RunData, scores: Scores) -> tuple[JudgeCost, ...]:
    """One row per judge that made calls, in exam order; that of a jury is of its members' calls once more."""
    calls = data.calls[data.calls["role"] == "judge"]
    rows = ((j, calls[calls["who"].isin(j.members or (j.name,))]) for j in scores.judges)
    again = ", their calls once more"
    return tuple(_judge(j.name, j.model + again * bool(j.members), own, data) for j, own in rows if len(own))


def pairwise_costs(data: RunData) -> tuple[JudgeCost, ...]:
    """One row per pairwise judge that made calls; USD are per 1,000 answers, each of which is in several pairs."""
    calls = data.calls[data.calls["role"] == "judge"]
    rows = ((j.name, j.model, calls[calls["who"] == j.name]) for j in pairwise_judges_of(data))
    return tuple(_judge(name, model, own, data) for name, model, own in rows if len(own))


def how_timed(costs: Sequence[CandidateCost]) -> str:
    """Under which load the seconds of candidates were taken, and how many replies are not among them."""
    reused = sum(cost.reused for cost in costs)
    beside = f"{words.plural(reused, 're-used reply is', 're-used replies are')} not among them." if reused else ""
    if all(cost.p50.value is None for cost in costs):
        return f"Nothing was timed. {words.plural(reused, 'reply was', 'replies were')} re-used." if reused else ""
    most = max((cost.in_flight or 0 for cost in costs), default=0)
    if most > 1:
        load = f"Seconds were taken with up to {most:,} calls in flight at each endpoint, so from loaded servers."
    elif most == 1:
        load = "Seconds were taken with one call in flight at a time, so from servers that this run did not load."
    else:
        load = "Seconds were taken under a load that nobody recorded."
    return f"{load} {beside or 'No reply was re-used.'}"


def provenance(data: RunData, scores: Scores) -> tuple[Provenance, ...]:
    """Per candidate, which runs and days its replies come from, oldest first."""
    answers = data.answers[data.answers["status"] == "ok"]
    places = (answers[name] for name in ("candidate", "reply_run", "reply_date", "origin"))
    counts = Counter(zip(*places, strict=True))
    order = {c.name: i for i, c in enumerate(scores.candidates)}
    rows = sorted(counts.items(), key=lambda item: (order[item[0][0]], item[0][2], item[0][1], item[0][3]))
    return tuple(Provenance(name, run, date, origin == "reused", n) for (name, run, date, origin), n in rows)


def paid(calls: pd.DataFrame) -> float | None:
    """USD of the calls that this run paid; ``None`` where any of them has no known price.

    A failed call without a cost was not billed as far as anyone can tell.
    """
    own = calls[~calls["reused"].astype(bool)]
    if bool((own["cost_usd"].isna() & (own["status"] == "ok")).any()):
        return None
    return float(own["cost_usd"].sum())


def _candidate(data: RunData, grid: Grid, candidate: CandidateView) -> CandidateCost:
    name = candidate.name
    answers = data.answers[data.answers["candidate"] == name]
    ok = answers[answers["status"] == "ok"]
    calls = data.calls[(data.calls["role"] == "candidate") & (data.calls["who"] == name)]
    e2e, ttft = (_known(grid, name, measure) for measure in ("e2e_s", "ttft_s"))
    return CandidateCost(
        candidate=name,
        live=int((ok["origin"] == "live").sum()),
        reused=int((ok["origin"] == "reused").sum()),
        p50=_quantile(e2e, 0.5),
        p95=_quantile(e2e, 0.95),
        ttft_p50=_quantile(ttft, 0.5),
        ttft_p95=_quantile(ttft, 0.95),
        spread=_spread(e2e[0]),
        prompt_tokens=_mean(ok["prompt_tokens"]),
        completion_tokens=_mean(ok["completion_tokens"]),
        reasoning_tokens=_mean(ok["reasoning_tokens"]),
        usage_estimated=bool(ok["usage_estimated"].astype(bool).any()),
        usd_per_1000=_usd_per_1000(ok, grid, name),
        unpriced=int(ok["cost_usd"].isna().sum()),
        paid_usd=paid(calls),
        retries=int((calls["attempts"].astype(float) - 1).clip(lower=0).sum()),
        in_flight=None if candidate.model.startswith(_SHEET) else data.info.config.get("concurrency"),
    )


def _usd_per_1000(ok: pd.DataFrame, grid: Grid, name: str) -> Estimate:
    """Unknown as soon as one answer has no price: the mean of the others would be of other answers."""
    import numpy as np

    if not len(ok) or bool(ok["cost_usd"].isna().any()):
        return Estimate(None, None, None, 0, "price unknown" if len(ok) else "no answers")
    per_sample = grid.per_sample((name, "", "cost_usd"))
    there = ~np.isnan(per_sample)
    free = not per_sample[there].any()
    estimate = mean_interval(1000 * per_sample[there], grid.clusters[there])
    return Estimate(0.0, None, None, estimate.n, "free") if free else estimate


def _judge(name: str, model: str, every: pd.DataFrame, data: RunData) -> JudgeCost:
    calls = every[~every["superseded"].astype(bool)]
    ok = calls[calls["status"] == "ok"]
    prompt, cached = float(ok["prompt_tokens"].sum()), float(ok["cached_tokens"].sum())
    known = not bool(ok["cost_usd"].isna().any())
    usd = float(calls["cost_usd"].sum()) if known else None
    graded = _answers_judged(data, name)
    live = ok.loc[~ok["reused"].astype(bool), "e2e_s"].dropna()
    return JudgeCost(
        judge=name,
        model=model,
        calls=len(calls),
        reused=int(calls["reused"].astype(bool).sum()),
        failed=len(calls) - len(ok),
        prompt_tokens=prompt,
        completion_tokens=float(ok["completion_tokens"].sum()),
        cached_tokens=cached,
        cached_share=cached / prompt if prompt else None,
        p50_s=float(live.median()) if len(live) else None,
        usd=usd,
        paid_usd=paid(every),
        usd_per_1000=1000 * usd / graded if usd is not None and graded else None,
    )


def _answers_judged(data: RunData, name: str) -> int:
    """How many answers a judge graded, or compared with another."""
    found = data.grades[data.grades["judge"] == name]
    places = set(zip(found["sample_id"], found["candidate"], found["trial"], strict=True))
    pairs = data.preferences[data.preferences["rater"] == name]
    for side in ("left", "right"):
        places.update(zip(pairs["sample_id"], pairs[side], pairs["trial"], strict=True))
    return len(places)


def _known(grid: Grid, name: str, measure: str) -> tuple[Any, Any]:
    """The values that there are, of every trial, and the clusters of their questions."""
    import numpy as np

    values = grid.values[name, "", measure]
    there = ~np.isnan(values)
    return values[there], np.repeat(grid.clusters[:, None], values.shape[1], axis=1)[there]


def _quantile(known: tuple[Any, Any], q: float) -> Estimate:
    return quantile_interval(known[0], q, clusters=known[1])


def _spread(values: Any) -> tuple[float, ...]:
    import numpy as np

    return tuple(float(v) for v in np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))) if len(values) else ()


def _mean(column: pd.Series[Any]) -> float | None:
    known = column.astype(float).dropna()
    return float(known.mean()) if len(known) else None


def by_candidate(costs: tuple[CandidateCost, ...]) -> Mapping[str, CandidateCost]:
    """The rows by name."""
    return {cost.candidate: cost for cost in costs}

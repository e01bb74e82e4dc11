"""Load tests of a known server: so many slots, a prefill by contexts, a steady pace, first come, first served."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from markscheme.harness.serving.records import Bench, Loaded, Phase, Served, Setting, Shape

SLOTS, PREFILL_S, GAP_S, TOKENS = 4, 0.05, 0.01, 40
"""One request alone takes 0.05 + 39 * 0.01 = 0.44 s: the server ends about nine requests a second."""


def load(
    candidate: str = "mini",
    shape: Shape = "closed",
    level: float = 4,
    contexts: int | None = None,
    repeat: int = 0,
    n: int = 120,
    fail: float = 0.0,
    stall: tuple[float, float] | None = None,
    output: int | None = None,
    **given: object,
) -> Loaded:
    """One repeat; ``stall`` = (from, seconds): the server begins nothing meanwhile. Further fields are of `Loaded`."""
    rng = np.random.default_rng([repeat, n, int(100 * level), contexts or 0, len(shape)])
    requests = _served(rng, shape, level, contexts or 0, n, fail, stall)
    marked = _marked(requests, shape, int(level))
    kept = [one for one in marked if one.phase == "measured"]
    ends = [one.sent_s + (one.e2e_s or 0.0) for one in kept]
    window = max(ends) - min(one.sent_s for one in kept)
    setting = Setting(candidate, shape, level, contexts, output)
    values = {"lag_s": (0.0001,) * 100, "client_cpu_s": 0.1 * window, "origin": "markscheme"} | given
    return Loaded(setting, repeat, 1_790_000_000.0, window, requests=tuple(marked), **values)  # type: ignore[arg-type]


def loads(
    levels: Sequence[float] = (1, 2, 4, 8, 16),
    contexts: Sequence[int | None] = (None,),
    candidates: Sequence[str] = ("mini",),
    shape: Shape = "closed",
    repeats: int = 3,
    **given: object,
) -> list[Loaded]:
    """Every candidate at every level with every number of contexts, repeated."""
    return [
        load(name, shape, level, k, repeat, **given)  # type: ignore[arg-type]
        for repeat in range(repeats)
        for name in candidates
        for k in contexts
        for level in levels
    ]


def bench(**config: object) -> Bench:
    """A bench of the exam ``docs_qa``."""
    serving = {"repeats": 3, "requests": 120, "prompts": "fresh"} | config.pop("serving", {})  # type: ignore[operator]
    candidates = [{"name": "mini", "model": "vllm/mini"}, {"name": "large", "model": "openai/gpt-4o"}]
    whole = {"name": "docs_qa", "candidates": candidates, "serving": serving} | config
    return Bench(
        "20261121-120000-ab12", "docs_qa", "", 1_795_262_400.0, 1_795_263_000.0, {"markscheme": "0.1.0"}, whole
    )


def _served(
    rng: np.random.Generator, shape: Shape, level: float, contexts: int, n: int, fail: float,
    stall: tuple[float, float] | None,
) -> list[Served]:  # fmt: skip
    slots = [0.0] * SLOTS
    users = [0.0] * int(level) if shape == "closed" else []
    planned = np.cumsum(rng.exponential(1 / level, n)) if shape == "poisson" else np.arange(n) / level
    found = []
    for i in range(n):
        at = heapq.heappop(users) if users else float(planned[i])
        begin = max(at, heapq.heappop(slots))
        if stall and stall[0] <= begin < stall[0] + stall[1]:
            begin = stall[0] + stall[1]
        gaps = rng.gamma(16, GAP_S / 16, TOKENS - 1)
        first = begin + (PREFILL_S * (1 + 0.2 * contexts)) * rng.uniform(0.9, 1.1)
        end = first + float(gaps.sum())
        heapq.heappush(slots, end)
        if shape == "closed":
            heapq.heappush(users, end)
        bad = rng.random() < fail
        found.append(_one(i, at, None if bad else first - at, None if bad else end - at, () if bad else tuple(gaps)))
    return found


def _one(i: int, at: float, ttft: float | None, e2e: float | None, gaps: tuple[float, ...]) -> Served:
    return Served(
        number=i,
        sample_id=f"q{i}",
        phase="measured",
        status="ok" if e2e is not None else "timeout",
        detail="" if e2e is not None else "no reply within 120 s",
        scheduled_s=at,
        sent_s=at,
        ttft_s=ttft,
        ttfo_s=ttft,
        e2e_s=e2e,
        gaps_s=gaps,
        prompt_tokens=400,
        completion_tokens=TOKENS if e2e is not None else None,
        cached_tokens=0,
        usage_estimated=False,
        cost_usd=None,
    )


def _marked(requests: list[Served], shape: Shape, users: int) -> list[Served]:
    """The first tenth warms up; in a closed loop the last requests run while users leave."""
    from dataclasses import replace

    cool = users - 1 if shape == "closed" else 0
    phases: list[Phase] = ["warm_up"] * 12 + ["measured"] * (len(requests) - 12 - cool) + ["cool_down"] * cool
    return [replace(one, phase=phase) for one, phase in zip(requests, phases, strict=True)]

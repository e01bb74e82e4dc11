"""Load tests as plain records: what was asked of a server, how, and when each part of each reply came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["closed", "constant", "poisson", "ramp", "trace"]
"""closed: so many users, each asking when the last reply has come; ramp: the same, with one new user a second. The
others are open loops, whose arrivals do not wait for replies: at a constant rate, as a Poisson process, as recorded."""
Phase = Literal["warm_up", "measured", "cool_down"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One cell of a load test. ``level`` is the concurrency of a closed loop, else requests a second (users in a ramp).

    ``contexts`` is the number of retrieved passages (``None``: the samples' own), ``output_tokens`` a fixed output
    length (``None``: the model stops by itself).
    """

    candidate: str
    shape: Shape
    level: float
    contexts: int | None = None
    output_tokens: int | None = None

    @property
    def key(self) -> str:
        """The cell's name in the store, the same in every repeat."""
        parts = [self.candidate, self.shape, f"{self.level:g}"]
        parts += [] if self.contexts is None else [f"ctx{self.contexts}"]
        parts += [] if self.output_tokens is None else [f"out{self.output_tokens}"]
        return "/".join(parts)


@dataclass(frozen=True, slots=True)
class Served:
    """One request of a load test. Seconds on one monotonic clock: ``scheduled_s`` and ``sent_s`` from the cell's start,
    the others from the moment before the request was written. ``ttft_s`` and ``e2e_s`` are ``None`` where it failed.

    ``status`` is ok or a FailureKind, ``capped`` says that it waited for a free place under a cap on an open loop.
    """

    number: int
    sample_id: str
    phase: Phase
    status: str
    detail: str
    scheduled_s: float
    sent_s: float
    ttft_s: float | None
    ttfo_s: float | None
    e2e_s: float | None
    gaps_s: tuple[float, ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    usage_estimated: bool
    cost_usd: float | None
    capped: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One repeat of one cell: its requests in the order of their schedule, and what the client itself had to do.

    ``lag_s`` are the client's own delays: how late its loop woke, sampled through the cell. ``window_s`` is the
    measured window from its first sending to its last reply. ``origin`` is ours, or the tool whose file was read.
    """

    setting: Setting
    repeat: int
    started_at: float
    window_s: float
    lag_s: tuple[float, ...]
    client_cpu_s: float
    requests: tuple[Served, ...]
    origin: str = "markscheme"


@dataclass(frozen=True, slots=True)
class Bench:
    """One `serve-bench` of an exam; ``config`` is the resolved exam with its section `serving`."""

    id: str
    exam: str
    name: str
    created_at: float
    finished_at: float | None
    versions: Mapping[str, str]
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServerUse:
    """A server that we started: how long it took to answer, and how long it was held. Unix times; USD by GPU hour."""

    owner: str
    """Id of the run or bench that it was started for."""
    name: str
    command: tuple[str, ...]
    gpus: tuple[int, ...]
    usd_per_gpu_hour: float | None
    started_at: float
    ready_at: float | None
    stopped_at: float | None
    log: str

    @property
    def startup_s(self) -> float | None:
        """Seconds from its start to its first healthy answer."""
        return None if self.ready_at is None else self.ready_at - self.started_at

    @property
    def cost_usd(self) -> float | None:
        """USD of the GPUs while it was held; ``None`` where no price is declared or it still runs."""
        if self.usd_per_gpu_hour is None or self.stopped_at is None:
            return None
        return (self.stopped_at - self.started_at) / 3600 * self.usd_per_gpu_hour * max(1, len(self.gpus))

"""What a probe of a judge found: numbers beside limits, and a verdict that a small sample cannot earn by luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .records import Estimate

Verdict = Literal["pass", "fail", "underpowered", "not run"]


@dataclass(frozen=True, slots=True)
class Limit:
    """The values that are allowed: from ``low`` to ``high``, an open end being ``None``."""

    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"≥ {self.low:g}" if self.low is not None else f"≤ {self.high:g}"
        if self.low == -self.high:
            return f"within ±{self.high:g}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One number of a probe. Without a ``limit`` it is there to be read and decides nothing.

    ``needed`` is about how many items would tell, were the value to stay what it is; ``None`` where it told already or
    no number would. ``failed`` marks what no interval must prove, like an attack that went through.
    """

    metric: str
    estimate: Estimate
    limit: Limit | None = None
    unit: str = "items"
    failed: bool = False

    @property
    def verdict(self) -> Verdict | None:
        """Pass where the whole interval is allowed, fail where none of it is; otherwise too few items to tell."""
        if self.limit is None:
            return None
        return "fail" if self.failed else verdict_of(self.estimate, self.limit)

    @property
    def needed(self) -> int | None:
        """See the class."""
        return needed(self.estimate, self.limit) if self.limit and self.verdict == "underpowered" else None


@dataclass(frozen=True, slots=True)
class Power:
    """The chance that a probe with ``n`` items passes the judge described in ``assumed``; ``wanted`` items were asked
    for. ``catches`` says what it would catch, where that is a question of its own."""

    n: int
    wanted: int
    power: float
    assumed: str
    catches: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """An item on which the judge did what the probe looks for. ``text`` is what it was shown, hostile as ever."""

    sample_id: str
    kind: str
    text: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of one judge. ``why`` says why it was not run."""

    code: str
    name: str
    judge: str
    findings: tuple[Finding, ...] = ()
    power: Power | None = None
    examples: tuple[Failing, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Fail where any finding fails, pass where all pass."""
        found = [finding.verdict for finding in self.findings if finding.verdict]
        if not found:
            return "not run"
        if "fail" in found:
            return "fail"
        return "pass" if set(found) == {"pass"} else "underpowered"


@dataclass(frozen=True, slots=True)
class Spread:
    """How a judge used the scale of one criterion in ``n`` grades: shares by level, and their entropy in bits."""

    judge: str
    criterion: str
    n: int
    shares: Mapping[float, float]
    entropy: float

    @property
    def ceiling(self) -> float:
        """The share of the highest level."""
        return self.shares[max(self.shares)]

    @property
    def floor(self) -> float:
        """The share of the lowest level."""
        return self.shares[min(self.shares)]

    @property
    def unused(self) -> tuple[float, ...]:
        """Levels that no grade has."""
        return tuple(level for level, share in self.shares.items() if share == 0)


@dataclass(frozen=True, slots=True)
class Probing:
    """Everything that one invocation found."""

    run: str
    exam: str
    judge: str
    date: str
    probes: tuple[Probe, ...]
    spreads: tuple[Spread, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    spent_usd: float | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of the probes that were run."""
        return worst([probe.verdict for probe in self.probes])


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Fail before underpowered before pass; what was not run says nothing."""
    order: tuple[Verdict, ...] = ("fail", "underpowered", "pass")
    return next((verdict for verdict in order if verdict in verdicts), "not run")


def verdict_of(estimate: Estimate, limit: Limit) -> Verdict:
    """Where the interval of ``estimate`` lies: all allowed, all forbidden, or it cannot be told."""
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return "underpowered"
    if (limit.low is not None and high < limit.low) or (limit.high is not None and low > limit.high):
        return "fail"
    enough = (limit.low is None or low >= limit.low) and (limit.high is None or high <= limit.high)
    return "pass" if enough else "underpowered"


def needed(estimate: Estimate, limit: Limit) -> int | None:
    """About how many items would tell on which side of the limit the value lies; ``None`` where it is on the limit.

    A rate by Wilson's interval, anything else by the square root of n; the clusters are taken to stay as they are.
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None:
        return None
    wanted = []
    for edge, bound in ((limit.low, low), (limit.high, high)):
        if edge is None:
            continue
        other = low + high - bound
        reached = bound if (bound < value) == (edge < value) else other
        if abs(value - edge) < 1e-12 or reached == value:
            return None
        wanted.append(
            _size(value, edge) / _size(value, reached)
            if _is_rate(estimate)
            else ((value - reached) / (value - edge)) ** 2
        )
    return max(estimate.n + 1, round(estimate.n * max(wanted) + 0.5))


def _size(rate: float, bound: float) -> float:
    """Wilson's interval of ``rate`` ends at ``bound`` for so many items, up to a constant factor."""
    return bound * (1 - bound) / (rate - bound) ** 2


def _is_rate(estimate: Estimate) -> bool:
    return estimate.method.startswith("Wilson")

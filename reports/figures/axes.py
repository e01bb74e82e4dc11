"""Axes: from values to pixels, and where the ticks go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

WIDE = 20.0
"""An axis whose largest value is more than this many times the smallest is drawn in logarithms."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps ``low``..``high`` to pixels ``start``..``end``; ``ticks`` are values."""

    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Pixel of ``value``, kept on the axis."""
        low, high, value = (self._scaled(v) for v in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 1)

    def _scaled(self, value: float) -> float:
        return log10(max(value, self.low)) if self.log else value


def linear(low: float, high: float, start: float, end: float, ticks: int = 4) -> Axis:
    """An axis from ``low`` to ``high`` with about ``ticks`` round values on it."""
    step = _round_step((high - low) / ticks)
    values = [i * step for i in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
    return Axis(low, high, start, end, False, tuple(round(v, 10) for v in values))


def amounts(values: Iterable[float], start: float, end: float) -> Axis:
    """An axis for amounts above zero: from zero where they are alike, in logarithms where they differ widely."""
    known = [v for v in values if v > 0]
    least, most = min(known), max(known)
    if most / least < WIDE:
        return linear(0.0, most * 1.08, start, end)
    return logarithmic(known, start, end)


def logarithmic(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis in logarithms for ``values`` above zero."""
    least, most = min(values), max(values)
    low, high = least / 1.6, most * 1.6
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [10.0**k for k in decades if low <= 10.0**k <= high]
    if len(ticks) < 3:
        ticks = [m * 10.0**k for k in decades for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    return Axis(low, high, start, end, True, tuple(float(f"{t:.6g}") for t in ticks))


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    power: float = 10.0 ** floor(log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)


Format = Callable[[float], str]


def label(kind: str, x: float, y: float, text: str, fits: int) -> Markup:
    """A name of which ``fits`` characters are shown, and all on hovering; ``kind`` is its class."""
    return Markup('<text class="{}" x="{}" y="{}"><title>{}</title>{}</text>').format(
        kind, round(x, 1), round(y, 1), text, trimmed(text, fits)
    )


def trimmed(text: str, most: int = 24) -> str:
    """A name that fits beside a figure."""
    return text if len(text) <= most else text[: most - 1] + "…"

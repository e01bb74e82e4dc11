"""A mean as a bar on its scale, with the interval as a whisker."""

from __future__ import annotations

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words

WIDTH, BAR = 144, 104


def bar(estimate: Estimate, scale: tuple[float, float] | None, most: float, mark: str = "") -> Markup:
    """An SVG of one line; without a scale the bar runs from zero to ``most``. ``mark`` is a class of the number."""
    low, high = scale or (0.0, most or 1.0)

    def x(value: float) -> float:
        return round(1 + (BAR - 2) * min(1.0, max(0.0, (value - low) / (high - low))), 1)

    if estimate.value is None:
        return Markup('<span class="soft">no score</span>')
    label = words.estimate(estimate)
    parts = [
        Markup('<svg class="mean" width="{}" height="24" viewBox="0 0 {} 24" role="img" aria-label="{}">').format(
            WIDTH, WIDTH, label
        ),
        Markup('<rect class="rail" y="7" x="1" height="10" width="{}" rx="2"/>').format(BAR - 2),
        Markup('<rect class="bar" y="7" x="1" height="10" width="{}" rx="2"/>').format(round(x(estimate.value) - 1, 1)),
    ]
    if estimate.low is not None and estimate.high is not None:
        a, b = x(estimate.low), x(estimate.high)
        parts.append(Markup('<path class="ci" d="M{} 12H{}M{} 8v8M{} 8v8"/>').format(a, b, a, b))
    parts.append(
        Markup('<text class="{}" x="{}" y="16.5">{}</text></svg>').format(
            f"name {mark}".rstrip(), BAR + 8, words.number(estimate.value)
        )
    )
    return Markup("").join(parts)

"""A value with its interval beside what is allowed."""

from __future__ import annotations

from markupsafe import Markup

from ...harness.probing import Finding

WIDTH, HEIGHT, PAD = 150, 22, 4


def limits(finding: Finding) -> Markup:
    """An SVG of one line: the allowed zone, the interval and the value. Nothing where there is no limit or interval."""
    estimate, limit = finding.estimate, finding.limit
    if limit is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return Markup("")
    known = [estimate.low, estimate.high, *(edge for edge in (limit.low, limit.high) if edge is not None)]
    low, high = min(known), max(known)
    margin = 0.15 * (high - low) or 0.1
    low, high = low - margin, high + margin

    def x(value: float) -> float:
        return round(PAD + (WIDTH - 2 * PAD) * (value - low) / (high - low), 1)

    start = x(low if limit.low is None else limit.low)
    end = x(high if limit.high is None else limit.high)
    a, b, middle = x(estimate.low), x(estimate.high), HEIGHT // 2
    return Markup(
        '<svg class="limits {}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<rect class="rail" x="{}" y="4" width="{}" height="14" rx="2"/><rect class="zone" x="{}" y="4" width="{}" '
        'height="14" rx="2"/><path class="ci" d="M{} {}H{}M{} {}v8M{} {}v8"/>'
        '<circle class="at" cx="{}" cy="{}" r="3.5"/></svg>'
    ).format(
        finding.verdict, WIDTH, HEIGHT, WIDTH, HEIGHT, f"{finding.metric}: {finding.verdict}; allowed {limit}",
        PAD, WIDTH - 2 * PAD, start, round(end - start, 1),
        a, middle, b, a, middle - 4, b, middle - 4, x(estimate.value), middle,
    )  # fmt: skip

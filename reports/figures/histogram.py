"""How often each level was given: a small bar chart to stand in a table."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .. import words

WIDTH, HEIGHT = 132, 40


def histogram(labels: Sequence[str], counts: Sequence[int]) -> Markup:
    """Bars over ``labels``, as high as their share of the largest; each names its count on hover."""
    total, most = sum(counts), max(counts, default=0)
    if not total:
        return Markup('<span class="soft">no score</span>')
    slot = WIDTH / len(counts)
    said = ", ".join(f"{label}: {count}" for label, count in zip(labels, counts, strict=True))
    parts = [
        Markup('<svg class="histogram" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, WIDTH, HEIGHT, said
        )
    ]
    for i, (label, count) in enumerate(zip(labels, counts, strict=True)):
        height = round(max(1.0 if count else 0.0, (HEIGHT - 2) * count / most), 1)
        parts.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {} ({})</title></rect>').format(
                "level" if count else "rail",
                round(i * slot + 1, 1),
                round(HEIGHT - height - 1, 1),
                round(slot - 2, 1),
                height,
                label,
                f"{count:,}",
                words.percent(count / total),
            )
        )
    parts.append(Markup('<path class="axis" d="M0 {}H{}"/></svg>').format(HEIGHT - 0.5, WIDTH))
    return Markup("").join(parts)

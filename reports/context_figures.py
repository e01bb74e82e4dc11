"""Which curves the sections on retrieved passages show."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from ..harness.records import Estimate
from .contexts import ContextRow, Contexts
from .figures.curves import Curve, curves

UNIT = (0.0, 1.0)


def context_figures(found: Contexts) -> list[Markup]:
    """Quality by contexts, the retriever's recall by contexts, quality by prompt tokens; those that have points."""
    quality = _curves(found, lambda row: row.contexts, lambda row: row.quality)
    recall = _curves(found, lambda row: row.contexts or None, lambda row: row.recall)
    tokens = _curves(found, lambda row: row.prompt_tokens, lambda row: row.quality)
    drawn = (
        curves(quality, "contexts", found.quality, found.scale),
        curves(recall, "contexts", "recall of the retriever", UNIT),
        curves(tokens, "prompt tokens per answer", found.quality, found.scale),
    )
    return [figure for figure in drawn if figure is not None]


def _curves(
    found: Contexts, across: Callable[[ContextRow], float | None], up: Callable[[ContextRow], Estimate]
) -> list[Curve]:
    points: dict[str, list[tuple[float, Estimate]]] = {}
    for row in found.rows:
        x = across(row)
        if x is not None:
            points.setdefault(row.family, []).append((x, up(row)))
    return [Curve(name, tuple(sorted(those, key=lambda point: point[0]))) for name, those in points.items()]

"""The headline differences within the samples of each tag, corrected for how many were looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from ...harness.statistics.alternative import benjamini_hochberg
from .differences import Family, differences
from .records import Difference, Slice
from .sides import Aligned, Sides

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

FEWEST = 10
"""Samples of a tag, below which nothing is said of it."""


def sliced(sides: Sequence[Sides], new: Aligned, clusters: NDArray[Any]) -> tuple[tuple[Slice, ...], Mapping[str, int]]:
    """Every tag's differences, the smallest q first, and the tags with too few samples.

    Benjamini and Hochberg's correction goes over all slices. A tag that all samples bear is no slice.
    """
    tags = _tags(new)
    found = [
        (tag, one)
        for tag, rows in tags.items()
        if FEWEST <= len(rows) < len(clusters)
        for one in _within(sides, rows, clusters)
    ]
    qs = benjamini_hochberg([one.p for _, one in found])
    slices = [Slice(tag, one, q) for (tag, one), q in zip(found, qs, strict=True)]
    slices.sort(key=lambda one: (one.q, one.difference.p))
    return tuple(slices), {tag: len(rows) for tag, rows in tags.items() if len(rows) < FEWEST}


def _within(sides: Sequence[Sides], rows: Rows, clusters: NDArray[Any]) -> tuple[Difference, ...]:
    own = [replace(one, new=one.new[rows], old=one.old[rows]) for one in sides]
    return differences(own, clusters[rows], Family(frozenset(), ""))


def _tags(new: Aligned) -> dict[str, Rows]:
    """Tag -> rows of the matched samples that bear it, by name."""
    import numpy as np

    found: dict[str, list[int]] = {}
    for row, text in enumerate(new.data.samples["tags"].to_numpy()[new.matched]):
        for tag in orjson.loads(text or "[]"):
            found.setdefault(tag, []).append(row)
    return {tag: np.array(found[tag], dtype=np.intp) for tag in sorted(found)}

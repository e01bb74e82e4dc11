"""A tuned model between its base and a large one, in words and a table, the same on every page."""

from __future__ import annotations

from collections.abc import Iterator

from ...harness.records import Estimate
from ...harness.statistics.gap import NO_GAP
from .. import words
from ..headline import strong
from ..regression.records import Difference
from ..regression.said import change
from .small_large_base import Based, Three
from .tables import Row

HOW = (
    "Means with 95 % intervals, each of its own samples; differences are paired by sample, and clustered. The share of "
    "a score is of what lies above the lowest level; the share of the gap is what tuning gained of what the large "
    "model is ahead of the base, with Fieller's interval, on samples that all three have a score of."
)


def titles(found: Based, small: str, large: str) -> tuple[str, ...]:
    """Of the columns."""
    return (
        "Measure",
        found.name,
        small,
        large,
        f"{small} less {found.name}",
        f"{small} less {large}",
        f"Of {large}'s score",
        "Of the gap",
    )


def rows(found: Based) -> Iterator[Row]:
    """A row a measure."""
    for one in found.measures:
        means = (words.estimate(mean) for mean in (one.base, one.small, one.large))
        yield Row((named(one), *means, _apart(one.gained), _apart(one.short), share(one.share), closed(one)))


def named(one: Three) -> str:
    """``composite by strict``."""
    about = one.subject
    return f"{about.measure} by {about.source}" if about.source else about.measure


def _apart(one: Difference) -> str:
    return change(one) + (", by people" if one.corrected else "")


def share(estimate: Estimate) -> str:
    """``97 % [94 %, 99 %]``; a model that fell behind has less than nothing of a gap."""
    shown = [_percent(v) for v in (estimate.value, estimate.low, estimate.high) if v is not None]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(shown) == 3 else shown[0] if shown else words.NONE


def _percent(value: float) -> str:
    return f"−{words.percent(-value)}" if value < 0 else words.percent(value)


def closed(one: Three) -> str:
    """The share of the gap, or that there is none."""
    return NO_GAP if one.closed.method == NO_GAP else share(one.closed)


def sentence(found: Based, small: str, large: str) -> str:
    """What tuning gained, and how much of the gap to the large model that is; '' without a score of all three."""
    one = found.headline
    if one is None:
        return ""
    gained = f"From {strong(found.name)} to {strong(small)} the score moves by {change(one.gained)}"
    if one.closed.value is not None:
        return f"{gained}: {strong(share(one.closed))} of the gap to {strong(large)}, which is {change(one.gap)}."
    if one.closed.method != NO_GAP:
        return f"{gained}. The share of the gap is not known: {one.closed.method}."
    high = one.gap.estimate.high
    why = f"{large} is worse than {found.name}" if high is not None and high < 0 else _unshown(found.name, large)
    return f"{gained}. There is {strong(NO_GAP)}: {why}, {change(one.gap)}."


def _unshown(base: str, large: str) -> str:
    return f"it is not shown that {large} is better than {base}"

"""A number of every sample, or a bag of names -> how it went over the windows, with a test for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...harness.records import Estimate
from ...harness.statistics import two_samples
from ...harness.statistics.intervals import mean_interval
from ...harness.statistics.quantiles import quantile_interval
from ...harness.statistics.rates import rate_interval
from ...harness.statistics.two_samples import windows_of_clusters
from ...harness.statistics.two_samples_mix import DRAWS, mix_change, new_change
from ..exam import UNIT_SCALE, Scale
from .bags import Bags, folded, movers
from .periods import Placed
from .records import LEAST, LEAST_CLUSTERS, SAME, Against, Change, Point, Subject, Track

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """A subject's value of every sample (n,), NaN where there is none."""

    subject: Subject
    values: Floats
    scale: Scale | None = None


@dataclass(frozen=True)
class Mixed:
    """A subject's bag of every sample; only those in ``there`` (n,) have one, be it an empty one.

    ``new`` names the share that the reference did not have; '' where nobody asks.
    """

    subject: Subject
    bags: Bags
    there: Mask
    new: str = ""


def track_of(column: Column, placed: Placed) -> Track:
    """A number over the windows. One that is always the same is followed, but not tested."""
    import numpy as np

    there = ~np.isnan(column.values) & (placed.window >= 0)
    points = tuple(_point(column, placed, there & placed.within([at])) for at in range(len(placed.periods)))
    base = _point(column, placed, there & placed.within(placed.reference))
    constant = int(there.sum()) >= LEAST and float(np.ptp(column.values[there])) == 0.0
    changes = tuple(
        Change(at, against, few=SAME)
        if constant
        else compared(column, at, against, there & placed.within(base), placed)
        for at, against, base in placed.pairs()
    )
    return Track(column.subject, points, changes, column.scale, base)


def compared(column: Column, window: int, against: Against, early: Mask, placed: Placed) -> Change:
    """The window's samples against the ``early`` ones, those with a value."""
    import numpy as np

    late = ~np.isnan(column.values) & placed.within([window])
    if few := too_few(placed.clusters, early, late):
        return Change(window, against, few=few)
    found = change_of(column, early, late, placed.clusters)
    return Change(window, against, found.estimate, found.p)


def change_of(column: Column, early: Mask, late: Mask, clusters: Codes) -> two_samples.Change:
    """By the test of the subject."""
    first, second = column.values[early], column.values[late]
    windows = windows_of_clusters(clusters[early], clusters[late])
    if column.subject.how == "amount":
        return two_samples.superiority(first, second, windows)
    if column.subject.how == "share":
        return two_samples.rate_change(first, second, windows)
    return two_samples.mean_change(first, second, windows, scale=column.scale)


def mixed_track(one: Mixed, placed: Placed, seed: int, draws: int = DRAWS) -> Track:
    """A mix over the windows."""
    changes = tuple(_mixes(one, placed, seed, draws))
    return Track(one.subject, (None,) * len(placed.periods), changes)


def new_track(one: Mixed, placed: Placed, seed: int, draws: int = DRAWS) -> Track:
    """How much of a mix the reference did not have, window by window."""
    points: list[Point | None] = [None] * len(placed.periods)
    changes = []
    for at, early, late, few in _sides(one, placed):
        if few:
            changes.append(Change(at, "reference", few=few))
            continue
        windows = windows_of_clusters(placed.clusters[early], placed.clusters[late])
        found = new_change(one.bags.matrix[early], one.bags.matrix[late], windows, seed + at, draws)
        points[at] = Point(found.share)
        effect = _less(found.share, found.chance)
        changes.append(Change(at, "reference", effect, found.p, chance=found.chance, limit=found.limit))
    subject = replace(one.subject, measure=one.new, how="new")
    return Track(subject, tuple(points), tuple(changes), UNIT_SCALE)


def _less(one: Estimate, chance: float) -> Estimate:
    low, high = (None if end is None else end - chance for end in (one.low, one.high))
    return Estimate(None if one.value is None else one.value - chance, low, high, one.n, one.method, one.notes)


def _sides(one: Mixed, placed: Placed) -> Iterator[tuple[int, Mask, Mask, str]]:
    """Each later window, the rows of the reference and its own, and why they are too few."""
    filled = one.there & one.bags.filled()
    for at, against, base in placed.pairs():
        if against == "reference":
            early, late = filled & placed.within(base), filled & placed.within([at])
            yield at, early, late, too_few(placed.clusters, early, late)


def with_movers(track: Track, one: Mixed, placed: Placed) -> Track:
    """The track with what rose and fell, where the last window's mix is another than the reference's."""
    if track.subject.how != "mix" or not any(one.moved and one.window == placed.last for one in track.changes):
        return track
    early, late = (one.there & placed.within(own) for own in (placed.reference, [placed.last]))
    return replace(track, movers=movers(one.bags, early, late))


def _mixes(one: Mixed, placed: Placed, seed: int, draws: int) -> Iterator[Change]:
    matrix, filled = folded(one.bags), one.there & one.bags.filled()
    for number, (at, against, base) in enumerate(placed.pairs()):
        early, late = filled & placed.within(base), filled & placed.within([at])
        if few := too_few(placed.clusters, early, late):
            yield Change(at, against, few=few)
            continue
        windows = windows_of_clusters(placed.clusters[early], placed.clusters[late])
        found = mix_change(matrix[early], matrix[late], windows, seed + number, draws)
        yield Change(at, against, found.beyond, found.p, None, "", found.distance, found.chance, found.limit)


def too_few(clusters: Codes, early: Mask, late: Mask) -> str:
    """``too few: 12 samples``; '' where both windows have enough."""
    import numpy as np

    for own in (late, early):
        if (n := int(own.sum())) < LEAST:
            return f"too few: {n} sample{'' if n == 1 else 's'}"
        if (groups := len(np.unique(clusters[own]))) < LEAST_CLUSTERS:
            return f"too few: {groups} cluster{'' if groups == 1 else 's'}"
    return ""


def _point(column: Column, placed: Placed, own: Mask) -> Point | None:
    import numpy as np

    values, clusters = column.values[own], placed.clusters[own]
    if not len(values):
        return None
    if column.subject.how == "amount":
        low, high = np.quantile(values, [0.25, 0.75])
        return Point(quantile_interval(values, 0.5, clusters=clusters), (float(low), float(high)))
    return Point(estimate_of(column, values, clusters))


def estimate_of(column: Column, values: Floats, clusters: Codes) -> Estimate:
    """The mean or share of these values."""
    if column.subject.how == "share":
        return rate_interval(values, clusters)
    return mean_interval(values, clusters, scale=column.scale)

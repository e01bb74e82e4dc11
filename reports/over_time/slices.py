"""Which slices of the traffic moved, and how much of the change is another mix of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError
from ...harness.statistics.two_samples import windows_of_clusters
from ...harness.statistics.two_samples_slices import composition
from ...harness.store.frames import RunData
from ...harness.windows import ASKED_AT
from .periods import Placed
from .questions import tags_of
from .records import Change, Part, Slice, Sliced
from .tracks import Column, change_of, estimate_of, too_few

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.intp]

NONE = "none"
MOST = 200
"""Slices of a decomposition; the smaller ones beyond are one."""
TAG, CLUSTER, CANDIDATE = "tag", "cluster", "candidate"

Names = list[tuple[str, ...]]
"""The slices of every sample."""


@dataclass(frozen=True)
class _Rows:
    """The headline of one candidate, or of all below each other, with the slices of every row."""

    candidate: str
    column: Column
    placed: Placed
    names: Names


def sliced(
    data: RunData, headlines: Mapping[str, Column], placed: Placed, by: str, metadata: Mapping[str, Mapping[str, Any]]
) -> Sliced | None:
    """Slices by ``by`` (tag, tag:PREFIX, cluster, candidate, or a field of the metadata), by default tags, else
    candidates, where there are several. ``None`` where there is no headline, or nothing to slice by.

    Raises InputError for a ``by`` that no sample has.
    """
    by = by or _default(data, headlines)
    if not headlines or not by:
        return None
    rows = list(_rows(data, headlines, placed, by, metadata))
    if len({name for one in rows for names in one.names for name in names}) < 2 and by == TAG:
        return None
    found = tuple(one for own in rows for one in _slices(own))
    headline = next(iter(headlines.values())).subject
    return Sliced(by, headline, found, tuple(part for own in rows for part in _parts(own)))


def _default(data: RunData, headlines: Mapping[str, Column]) -> str:
    if len({tag for tags in tags_of(data) for tag in tags}) > 1:
        return TAG
    return CANDIDATE if len(headlines) > 1 else ""


def _rows(
    data: RunData, headlines: Mapping[str, Column], placed: Placed, by: str, metadata: Mapping[str, Mapping[str, Any]]
) -> Iterator[_Rows]:
    import numpy as np

    if by == CANDIDATE:
        columns = list(headlines.values())
        joined = replace(columns[0], values=np.concatenate([one.values for one in columns]))
        again = replace(
            placed, window=np.tile(placed.window, len(columns)), clusters=np.tile(placed.clusters, len(columns))
        )
        yield _Rows("", joined, again, [(name,) for name in headlines for _ in range(len(placed.window))])
        return
    names = _names(data, by, metadata)
    yield from (_Rows(candidate, column, placed, names) for candidate, column in headlines.items())


def _names(data: RunData, by: str, metadata: Mapping[str, Mapping[str, Any]]) -> Names:
    if by == CLUSTER:
        return [(str(name),) for name in data.samples["cluster"]]
    kind, _, prefix = by.partition(":")
    if kind == TAG:
        chosen = [tuple(tag for tag in tags if tag.startswith(prefix)) for tags in tags_of(data)]
    else:
        fields = [metadata.get(str(name), {}).get(by) for name in data.samples["sample_id"]]
        chosen = [() if value in (None, "") else (str(value),) for value in fields]
    if not any(chosen):
        others = sorted({name for own in metadata.values() for name in own} - {ASKED_AT})[:12]
        raise InputError(
            f"--by {by!r}: no sample has {'such a tag' if kind == TAG else 'such a field in its metadata'}; "
            f"wanted tag, tag:PREFIX, cluster, candidate{', or one of ' + ', '.join(others) if others else ''}"
        )
    return [own or (NONE,) for own in chosen]


def _slices(rows: _Rows) -> Iterator[Slice]:
    """Of the last window against the reference; a sample with several tags counts for each."""
    import numpy as np

    placed, column = rows.placed, rows.column
    there = ~np.isnan(column.values)
    early, late = there & placed.within(placed.reference), there & placed.within([placed.last])
    members: dict[str, list[int]] = {}
    for row in np.flatnonzero(early | late):
        for name in rows.names[row]:
            members.setdefault(name, []).append(int(row))
    for name, own in members.items():
        mask = np.zeros(len(there), dtype=bool)
        mask[own] = True
        yield _slice(rows, name, early & mask, late & mask)


def _slice(rows: _Rows, name: str, early: Any, late: Any) -> Slice:
    placed, column = rows.placed, rows.column
    few = too_few(placed.clusters, early, late)
    change = Change(placed.last, "reference", few=few)
    if not few:
        found = change_of(column, early, late, placed.clusters)
        change = replace(change, estimate=found.estimate, p=found.p)
    first, second = (estimate_of(column, column.values[own], placed.clusters[own]) for own in (early, late))
    return Slice(rows.candidate, name, first, second, change)


def _parts(rows: _Rows) -> Iterator[Part]:
    """Of every later window with enough samples; one with several tags is in the slice of all of them together."""
    import numpy as np

    placed, column = rows.placed, rows.column
    there = ~np.isnan(column.values)
    early = there & placed.within(placed.reference)
    groups = _numbered([" + ".join(names) for names in rows.names])
    for at, against, _ in placed.pairs():
        late = there & placed.within([at])
        if against == "reference" and not too_few(placed.clusters, early, late):
            windows = windows_of_clusters(placed.clusters[early], placed.clusters[late])
            first, second = ((column.values[own], groups[own]) for own in (early, late))
            yield Part(rows.candidate, at, composition(first, second, windows))


def _numbered(names: Sequence[str]) -> Codes:
    """Codes (n,), the largest slices first, all beyond the most that are told in one."""
    import numpy as np

    _, codes, counts = np.unique(np.array(names), return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.intp)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank[codes], MOST)

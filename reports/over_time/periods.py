"""Samples -> windows of time, and which of them the others are compared with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...harness.errors import InputError
from ...harness.store.frames import RunData
from ...harness.windows import ASKED_AT, Window, placed, windows_of
from .records import Against, Period

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.intp]
    Mask = NDArray[np.bool_]

FIRST = "first"
_FIRST_FEW = re.compile(r"(\d+)-windows?")


@dataclass(frozen=True)
class Placed:
    """The window of every sample, ``window`` (n,), -1 for none, its ``clusters`` (n,) as codes, and the reference."""

    periods: tuple[Period, ...]
    window: Codes
    clusters: Codes
    reference: tuple[int, ...]

    @property
    def untimed(self) -> int:
        """Samples that do not say when they were asked."""
        return int((self.window < 0).sum())

    def within(self, windows: Sequence[int]) -> Mask:
        """Which samples fall into these windows (n,)."""
        import numpy as np

        chosen = np.zeros(len(self.periods) + 1, dtype=bool)
        chosen[list(windows)] = True
        found: Mask = chosen[self.window]  # -1, no window, is the last one
        return found

    @property
    def known(self) -> tuple[int, ...]:
        """Windows with samples."""
        return tuple(at for at, period in enumerate(self.periods) if period.samples)

    @property
    def last(self) -> int:
        """The last window with enough samples to be compared (the present one may have just begun), else the last."""
        later = [at for at in self.known if at > self.reference[-1]]
        return next((at for at in reversed(later) if self.periods[at].enough), self.known[-1])

    def pairs(self) -> tuple[tuple[int, Against, tuple[int, ...]], ...]:
        """What is compared: every later window with the reference, and the last one with the one before it."""
        later = [at for at in self.known if at > self.reference[-1]]
        found: list[tuple[int, Against, tuple[int, ...]]] = [(at, "reference", self.reference) for at in later]
        before = [at for at in later if at < self.last]
        if before:
            found.append((self.last, "before", (before[-1],)))
        return tuple(found)


def placed_samples(data: RunData, times: Mapping[str, float], width: str, reference: str) -> Placed:
    """The samples of a run in windows of ``width``.

    Raises InputError where no sample has a time, all fall into one window, or the reference is none of the windows or
    has none after it.
    """
    import numpy as np

    ids = list(data.samples["sample_id"])
    known = [number for number, name in enumerate(ids) if name in times]
    if not known:
        raise InputError(
            f"run {data.info.id}: none of its {len(ids):,} samples says when it was asked; --over-time reads the field "
            f"{ASKED_AT!r} of a sample's metadata (ISO 8601 or Unix seconds): markscheme import otel fills it, and in "
            "a table it is a column: markscheme import csv FILE. Where texts were purged, the times went with them"
        )
    moments = [times[ids[number]] for number in known]
    windows = windows_of(moments, width)
    if len(windows) < 2:
        raise InputError(
            f"--window {width!r}: all {len(known):,} samples fall into one window, {windows[0].label}; choose a "
            "narrower one (hour, day), or a number of windows"
        )
    where = np.full(len(ids), -1, dtype=np.intp)
    where[known] = placed(windows, moments)
    clusters = np.unique(np.asarray(data.samples["cluster"], dtype=object).astype(str), return_inverse=True)[1]
    chosen = _reference(windows, reference)
    periods = tuple(_period(at, window, where, clusters, at in chosen) for at, window in enumerate(windows))
    return Placed(periods, where, clusters, chosen)


def _period(at: int, window: Window, where: Codes, clusters: Codes, reference: bool) -> Period:
    import numpy as np

    own = where == at
    return Period(window.label, window.start, window.end, int(own.sum()), len(np.unique(clusters[own])), reference)


def _reference(windows: Sequence[Window], written: str) -> tuple[int, ...]:
    labels = [window.label for window in windows]
    few = _FIRST_FEW.fullmatch(written)
    if written == FIRST:
        found: tuple[int, ...] = (0,)
    elif few is not None and int(few[1]) > 0:
        found = tuple(range(min(int(few[1]), len(windows))))
    elif written in labels:
        found = (labels.index(written),)
    else:
        shown = ", ".join(labels[:6]) + (", …" if len(labels) > 6 else "")
        raise InputError(f"--reference {written!r}: wanted first, N-windows, or one of {shown}")
    if found[-1] >= len(windows) - 1:
        raise InputError(
            f"--reference {written!r}: no window comes after it; there are {len(windows)}, the last is {labels[-1]}"
        )
    return found

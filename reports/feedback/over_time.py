"""Acceptance in windows of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...harness.statistics.rates import rate_interval
from ...harness.windows import Window, placed, windows_of
from ..expected import Expected
from .records import Clock, InWindow
from .spoken import Spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Timed:
    """When answers were asked for, by place (places,), and when each vote (v,) was given: NaN where that is unknown.

    The time that counts is the ``clock``'s: that of the question wherever any is known, so that it can be said of how
    many answers of a window there is feedback.
    """

    clock: Clock
    places: Floats
    words: Floats

    @classmethod
    def of(cls, samples: Sequence[float | None], words: Floats, each: int) -> Timed:
        """From the times of samples, each of which has so many places."""
        import numpy as np

        places = np.repeat(np.array([np.nan if time is None else time for time in samples], dtype=float), each)
        clock: Clock = "asked" if not np.isnan(places).all() else "said" if not np.isnan(words).all() else ""
        return cls(clock, places, words)

    def of_words(self, said: Spoken) -> Floats:
        """The time of every vote."""
        return self.places[said.place] if self.clock == "asked" else self.words

    def untimed(self, said: Spoken, expected: Expected) -> int:
        """Answers, or votes, that are in no window though others are."""
        import numpy as np

        if self.clock == "asked":
            return int((np.isnan(self.places) & expected.there).sum())
        return int(np.isnan(self.of_words(said)).sum()) if self.clock else 0


def over_time(
    said: Spoken, expected: Expected, candidates: Mapping[str, NDArray[np.bool_]], timed: Timed, width: str
) -> tuple[tuple[Window, ...], tuple[InWindow, ...]]:
    """The windows, and in each of them the candidates that have answers there. Raises InputError for the width."""
    import numpy as np

    of_words = timed.of_words(said)
    known = timed.places[expected.there] if timed.clock == "asked" else of_words
    windows = windows_of(sorted(known[~np.isnan(known)].tolist()), width)
    place, word = _numbers(windows, timed.places), _numbers(windows, of_words)
    rows = []
    for number in range(len(windows)):
        for name, members in candidates.items():
            own = said.of(members) & (word == number)
            answers = int((members & (place == number)).sum()) if timed.clock == "asked" else None
            if answers or own.any():
                rate = rate_interval(said.accepted[own], said.clusters[own])
                rows.append(InWindow(number, name, answers, len(np.unique(said.place[own])), rate))
    return tuple(windows), tuple(rows)


def _numbers(windows: Sequence[Window], times: Floats) -> NDArray[np.intp]:
    """The number of each time's window, -1 where it is unknown."""
    import numpy as np

    found = np.full(len(times), -1, dtype=np.intp)
    there = ~np.isnan(times)
    if windows:
        found[there] = placed(windows, times[there].tolist())
    return found

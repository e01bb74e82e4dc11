"""When samples were asked, and windows of time to put them in."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import DataError, InputError

ASKED_AT = "asked_at"
"""In a sample's metadata: when it was asked: ISO 8601 (UTC where no zone is named), or Unix seconds."""
WIDTHS = ("hour", "day", "week", "month")
_BASIC_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")
"""A date without signs, 20261121."""
_MOST = 1000
_YEAR_3000 = 32503680000


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to before ``end``, Unix seconds; the last of equal counts ends with its last sample."""

    start: float
    end: float
    label: str


def unix_time(value: Any) -> float | None:
    """Unix seconds of what `ASKED_AT` holds; None where it holds nothing. Raises ValueError for anything else."""
    if value is None or value == "":
        return None
    try:
        if _BASIC_DATE.fullmatch(str(value)):
            raise ValueError  # as seconds it would be in 1970
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is no time; wanted ISO 8601 or Unix seconds") from None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds) or not 0 <= seconds < _YEAR_3000:
        raise ValueError(f"{value!r} is no time in Unix seconds; milliseconds and nanoseconds must be divided first")
    return seconds


def times_of(metadata: Mapping[str, Mapping[str, Any]], run: str) -> dict[str, float]:
    """Sample -> when it was asked, Unix seconds; those that do not say are not there. Raises DataError."""
    found = {}
    for sample, own in metadata.items():
        try:
            moment = unix_time(own.get(ASKED_AT))
        except ValueError as wrong:
            raise DataError(
                f"run {run}: sample {sample!r} metadata.{ASKED_AT}: {wrong}; correct it and import the run again"
            ) from None
        if moment is not None:
            found[sample] = moment
    return found


def windows_of(times: Sequence[float], width: str) -> list[Window]:
    """Windows from the first to the last of ``times``: by the calendar in UTC, or N of equal counts for a number.

    A calendar's windows without any sample are among them. Raises InputError for another width, or over 1,000 windows.
    """
    if not times:
        return []
    if width in WIDTHS:
        return list(_calendar(min(times), max(times), width))
    if not width.isdecimal() or not 2 <= int(width) <= _MOST:
        raise InputError(f"--window {width!r}: wanted {', '.join(WIDTHS)}, or a number of windows from 2 to {_MOST}")
    return _equal(sorted(times), int(width))


def placed(windows: Sequence[Window], times: Sequence[float]) -> list[int]:
    """The place of the window that each of ``times`` falls into; the windows were made of them."""
    starts = [window.start for window in windows]
    return [bisect_right(starts, time) - 1 for time in times]


def _calendar(first: float, last: float, width: str) -> Iterator[Window]:
    start = _floor(datetime.fromtimestamp(first, UTC), width)
    for _ in range(_MOST):
        end = _next(start, width)
        yield Window(start.timestamp(), end.timestamp(), _label(start, width))
        if end.timestamp() > last:
            return
        start = end
    raise InputError(f"--window {width!r}: makes more than {_MOST} windows of what was asked; choose a wider one")


def _floor(moment: datetime, width: str) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return {
        "hour": hour,
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
    }[width]


def _next(start: datetime, width: str) -> datetime:
    if width == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[width]


def _label(start: datetime, width: str) -> str:
    if width == "week":
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02}"
    return start.strftime({"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "month": "%Y-%m"}[width])


def _equal(times: Sequence[float], count: int) -> list[Window]:
    """Equal times stay together, so windows can be fewer than asked for, and their counts differ."""
    cuts = sorted({times[number * len(times) // count] for number in range(count)})
    ends = [*cuts[1:], math.nextafter(times[-1], math.inf)]
    return [Window(start, end, f"{_day(start)} to {_day(end)}") for start, end in zip(cuts, ends, strict=True)]


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")

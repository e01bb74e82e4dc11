"""When the requests of an open loop are due: seconds from the start, ascending. Pure: the same for the same seed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

from ..errors import DataError


def constant(rate: float) -> Iterator[float]:
    """One request every ``1 / rate`` seconds, the first at once; without end.

    >>> [next(times) for times in [constant(4.0)] for _ in range(3)]
    [0.0, 0.25, 0.5]
    """
    return (number / rate for number in count())


def poisson(rate: float, rng: Random) -> Iterator[float]:
    """A Poisson process of ``rate`` requests a second: independent exponential gaps, never rescaled; without end."""
    at = 0.0
    while True:
        at += rng.expovariate(rate)
        yield at


def recorded(path: Path, speed: float = 1.0) -> Iterator[float]:
    """The arrivals of a trace, the first at 0, ``speed`` times as fast as they were recorded.

    A CSV with ``TIMESTAMP`` (date and time, as in the Azure LLM inference traces) or ``at_s`` (seconds); other columns
    are passed over. Read as far as asked. Raises DataError for what is no time, or goes back in time.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        column = _column(path, rows.fieldnames or ())
        first = last = None
        for row in rows:
            at = _seconds(path, rows.line_num, column, row[column] or "")
            first = at if first is None else first
            if last is not None and at < last:
                raise DataError(
                    f"{path}:{rows.line_num} {column}: {row[column]!r} is before the line above; sort the trace by time"
                )
            last = at
            yield (at - first) / speed
        if first is None:
            raise DataError(f"{path}: holds no arrival: a trace has a line for each request")


def _column(path: Path, names: Sequence[str]) -> str:
    for column in ("at_s", "TIMESTAMP"):
        if column in names:
            return column
    found = ", ".join(names) or "nothing"
    raise DataError(f"{path}:1: has the columns {found}; a trace needs at_s (seconds) or TIMESTAMP (date and time)")


def _seconds(path: Path, line: int, column: str, text: str) -> float:
    try:
        at = float(text) if column == "at_s" else _unix(datetime.fromisoformat(text.strip()))
    except ValueError:
        at = math.nan
    if not math.isfinite(at):
        wanted = "seconds, like 12.5" if column == "at_s" else "a date and time, like 2023-11-16 18:17:03.97"
        raise DataError(f"{path}:{line} {column}: {text!r} is no time; write {wanted}")
    return at


def _unix(moment: datetime) -> float:
    # A clock that is put back in autumn would make a trace go back in time.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

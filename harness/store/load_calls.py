"""The calls behind a run's answers and verdicts, and what each answer took of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .codec import unpack_floats
from .columns import Column, Keys, Names, Numbered, Numbers, Objects, fill
from .frames import CALL_COLUMNS
from .schema import calls

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
_NAMES = ("run", "role", "who", "model", "status", "served_model", "finish_reason", "dropped")
_NUMBERS = (
    "attempts", *TOKENS, "cache_write_tokens", "usage_estimated", "cost_usd", "e2e_s", "ttft_s", "created_at",
)  # fmt: skip
_SOME = 500
"""Keys a statement: below SQLite's oldest limit of 999 variables."""
_DAY_S = 86_400
_NO_DAY = -(10**9)


@dataclass(frozen=True)
class Pointing:
    """Rows of a table and the calls that they point at: of each pointer the row, ascending, and the number of its key.

    ``role`` is that of the calls; ``who`` (rows,) says whose each row is.
    """

    owner: Rows
    key: Rows
    role: str
    who: pd.Categorical


def pointing(made: tuple[Any, Any], rows: Rows, role: str, who: pd.Categorical) -> Pointing:
    """The part of what `Pointers` made that belongs to these ``rows``, in their order."""
    import numpy as np

    lengths, flat = made
    starts, own = (np.cumsum(lengths) - lengths)[rows], lengths[rows]
    owner = np.repeat(np.arange(len(rows)), own)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(own) - own, own)
    return Pointing(owner, flat[starts[owner] + within], role, who)


@dataclass(frozen=True)
class Calls:
    """Calls as they were read, and who points at them. ``row_of`` (keys,) is the row of a key's number, -1 for none."""

    table: pd.DataFrame
    row_of: Rows
    pointed: Sequence[Pointing]
    keys: Numbered

    def frame(self, run: str) -> pd.DataFrame:
        """A table of `CALL_COLUMNS`: in the order of the first pointers, then what nothing points at, by time."""
        import numpy as np
        import pandas as pd

        order, first = self._order()
        table = self.table.take(order)
        pointers = {"role": _roles(self.pointed), "who": _whos(self.pointed)}
        for name, values in pointers.items():  # what nothing points at keeps what it was paid for as
            paid_as = np.asarray(table[name], dtype=object)
            table[name] = pd.Categorical(np.where(first < 0, paid_as, np.append(values, "")[first]))
        table["reused"], table["superseded"] = table["run"] != run, first < 0
        table["attempts"] = table["attempts"].astype(int)
        return table[[name for name in CALL_COLUMNS if name in table]].reset_index(drop=True)

    def _order(self) -> tuple[Rows, Rows]:
        """Rows of the table, and of each the first pointer at it, -1 for none."""
        import numpy as np

        number, when = (self.table[name].to_numpy() for name in ("number", "created_at"))
        first = _first(self.pointed, len(self.keys))[number]
        pointed, others = np.flatnonzero(first >= 0), np.flatnonzero(first < 0)
        names = list(self.keys) if len(others) else []
        paid = sorted(others.tolist(), key=lambda row: (when[row], names[number[row]]))
        order = np.concatenate([pointed[np.argsort(first[pointed])], np.array(paid, dtype=np.intp)])
        return order, first[order]


def read_calls(
    connection: sa.Connection, run: str, keys: Numbered, pointed: Sequence[Pointing], words: bool, paid: bool = True
) -> Calls:
    """The calls that ``pointed`` points at and, if asked for, all others that the run ``paid``.

    ``words``: with keys, and with what only single answers need.
    """
    import numpy as np
    import pandas as pd

    wanted = _first(pointed, len(keys)) >= 0
    names = {"key": "number"} | {name: name for name in (*_NAMES, *_NUMBERS)}
    columns: dict[str, Column] = {"number": Keys(keys)}
    columns |= {name: Names() for name in _NAMES} | {name: Numbers() for name in _NUMBERS}
    if words:
        names |= {"reasoning": "reasoning", "gaps_s": "gaps_s"}
        columns |= {"reasoning": Objects(), "gaps_s": Objects()}
    query = sa.select(*(calls.c[name] for name in names))
    if paid:
        fill(connection, [query.where(calls.c.run == run)], columns)
    there = np.zeros(len(keys), dtype=bool)
    there[columns["number"].made()] = True
    missing = np.flatnonzero(wanted & ~there[: len(wanted)])
    fill(connection, (query.where(calls.c.key.in_(some)) for some in _some(keys, missing)), columns)
    table = pd.DataFrame({name: column.made() for name, column in columns.items()}, copy=False)
    if words:
        table["key"] = np.array(list(keys), dtype=object)[table["number"].to_numpy()]
    row_of = np.full(len(keys), -1, dtype=np.intp)
    row_of[table["number"].to_numpy()] = np.arange(len(table))
    return Calls(table, row_of, pointed, keys)


def _some(keys: Numbered, numbers: Rows) -> Iterator[list[str]]:
    names = list(keys) if len(numbers) else []
    for start in range(0, len(numbers), _SOME):
        yield [names[number] for number in numbers[start : start + _SOME]]


def _first(pointed: Sequence[Pointing], n: int) -> Rows:
    """Of each key the first pointer at it, all ``pointed`` counted together; -1 for none."""
    import numpy as np

    first = np.full(n, -1, dtype=np.intp)
    numbers = np.concatenate([np.zeros(0, dtype=np.int32), *(p.key for p in pointed)])
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return first


def _roles(pointed: Sequence[Pointing]) -> NDArray[Any]:
    import numpy as np

    return np.concatenate([np.full(len(p.key), p.role, dtype=object) for p in pointed])


def _whos(pointed: Sequence[Pointing]) -> NDArray[Any]:
    import numpy as np

    return np.concatenate([np.asarray(p.who, dtype=object)[p.owner] for p in pointed])


def took(asking: Pointing, found: Calls, run: str, replayed: Collection[str]) -> dict[str, Any]:
    """The columns of answers that come from their calls; a call that is not there is left out.

    Seconds are of live replies only: those of which this ``run`` paid every call. An answer of a candidate in
    ``replayed`` has no call, and nobody knows what it cost.
    """
    import numpy as np

    n = len(asking.who)
    rows = found.row_of[asking.key]
    owner, rows = asking.owner[rows >= 0], rows[rows >= 0]
    table = found.table
    good = np.asarray(table["status"] == "ok")[rows]
    foreign = np.asarray(table["run"] != run)[rows]
    own, ok = _Share(owner, rows, n), _Share(owner[good], rows[good], n)
    live = (ok.count > 0) & (_Share(owner[good & foreign], rows[good & foreign], n).count == 0)
    unknown = np.array([name in replayed for name in asking.who.categories], dtype=bool)[asking.who.codes]
    columns: dict[str, Any] = {
        "origin": _named(_Share(owner[foreign], rows[foreign], n).count == 0, "live", "reused"),
        "reply_run": _taken(table["run"].array, own.first, run),
        "reply_date": _days(table["created_at"].to_numpy(), own.first),
        "served_model": _taken(table["served_model"].array, ok.last, ""),
        "finish_reason": _taken(table["finish_reason"].array, ok.last, ""),
        "ttft_s": np.where(live, np.append(table["ttft_s"], np.nan)[ok.first], np.nan),
        "e2e_s": np.where(live, ok.total(table["e2e_s"]), np.nan),
    }
    if "gaps_s" in table:
        columns["gap_p50_s"] = _median_gaps(ok, live, table["gaps_s"].to_numpy())
        columns["reasoning"] = _reasoning(ok, table["reasoning"].to_numpy())
    columns |= {name: ok.total(table[name]) for name in TOKENS}
    columns["usage_estimated"] = ok.total(table["usage_estimated"].fillna(0.0)) > 0
    columns["cost_usd"] = np.where((own.count == 0) & ~unknown, 0.0, ok.total(table["cost_usd"]))
    columns["n_calls"] = own.count
    return columns


@dataclass(frozen=True)
class _Share:
    """Some calls of ``n`` answers: of each call whose it is, ascending, and its row in the table of calls."""

    owner: Rows
    rows: Rows
    n: int

    @property
    def count(self) -> Rows:
        """Calls of each answer (n,)."""
        import numpy as np

        return np.bincount(self.owner, minlength=self.n)

    @property
    def first(self) -> Rows:
        """The row of each answer's first call (n,), -1 for none."""
        import numpy as np

        found = np.full(self.n, -1, dtype=np.intp)
        found[self.owner[::-1]] = self.rows[::-1]
        return found

    @property
    def last(self) -> Rows:
        """The row of each answer's last call (n,), -1 for none."""
        import numpy as np

        found = np.full(self.n, -1, dtype=np.intp)
        found[self.owner] = self.rows
        return found

    def total(self, values: Any) -> NDArray[np.float64]:
        """Sum over each answer's calls (n,); NaN where one of them does not say, or there is none."""
        import numpy as np

        sums = np.bincount(self.owner, weights=np.asarray(values, dtype=float)[self.rows], minlength=self.n)
        return np.where(self.count > 0, sums, np.nan)


def _named(where: Any, yes: str, no: str) -> pd.Categorical:
    import numpy as np
    import pandas as pd

    names = sorted((yes, no))
    return pd.Categorical.from_codes(np.where(where, names.index(yes), names.index(no)), categories=names)


def _taken(names: Any, rows: Rows, otherwise: str) -> pd.Categorical:
    """``names`` at these rows, ``otherwise`` where the row is -1."""
    import numpy as np
    import pandas as pd

    every = names.set_categories(sorted({*names.categories, otherwise}))
    codes = np.append(every.codes, every.categories.get_loc(otherwise))[rows]
    return pd.Categorical.from_codes(codes, dtype=every.dtype)


def _days(unix: NDArray[np.float64], rows: Rows) -> pd.Categorical:
    """ISO dates, '' where the row is -1."""
    import numpy as np
    import pandas as pd

    days = np.append(np.floor(unix / _DAY_S), _NO_DAY)[rows].astype(np.int64)
    known, codes = np.unique(days, return_inverse=True)
    dates = ["" if day == _NO_DAY else datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat() for day in known]
    return pd.Categorical.from_codes(codes, categories=pd.Index(dates, dtype="str"))


def _median_gaps(ok: _Share, live: NDArray[np.bool_], blobs: NDArray[Any]) -> NDArray[np.float64]:
    """The upper median of all gaps between the pieces of each live answer's replies."""
    import numpy as np

    found = np.full(ok.n, np.nan)
    gaps: dict[int, list[float]] = {}
    for owner, row in zip(ok.owner.tolist(), ok.rows.tolist(), strict=True):
        if live[owner] and blobs[row]:
            gaps.setdefault(owner, []).extend(unpack_floats(blobs[row]))
    for owner, own in gaps.items():
        found[owner] = sorted(own)[len(own) // 2]
    return found


def _reasoning(ok: _Share, reasoning: NDArray[Any]) -> NDArray[Any]:
    """What each answer's model thought, call by call."""
    import numpy as np

    parts: dict[int, list[str]] = {}
    for owner, row in zip(ok.owner.tolist(), ok.rows.tolist(), strict=True):
        if isinstance(reasoning[row], str) and reasoning[row]:
            parts.setdefault(owner, []).append(reasoning[row])
    found = np.full(ok.n, "", dtype=object)
    for owner, own in parts.items():
        found[owner] = "\n\n".join(own)
    return found

"""The calls behind a run's answers and verdicts, and what each answer took of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..errors import BugError
from .codec import unpack_floats
from .columns import Column, Hashes, Names, Numbers, Objects, Whole, fill, frame_from, key_hash
from .frames import CALL_COLUMNS
from .schema import calls

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
_NAMES = ("run", "role", "who", "model", "status", "served_model", "finish_reason", "dropped")
_NUMBERS = (*TOKENS, "cache_write_tokens", "usage_estimated", "cost_usd", "e2e_s", "ttft_s", "created_at")
_SOME = 500
"""Keys a statement: below SQLite's oldest limit of 999 variables."""
_DAY_S = 86_400
_NO_DAY = -(10**9)


@dataclass(frozen=True, eq=False)
class Pointing:
    """Rows of a table and the calls that they point at: of each pointer the row, ascending, and the hash of its key.

    ``role`` is that of the calls; ``who`` (rows,) says whose each row is.
    """

    owner: Rows
    key: NDArray[np.int64]
    role: str
    who: pd.Categorical


def pointing(made: tuple[Any, Any], rows: Rows, role: str, who: pd.Categorical) -> Pointing:
    """The part of what `Pointers` made that belongs to these ``rows``, in their order."""
    import numpy as np

    lengths, keys = made
    starts, own = (np.cumsum(lengths) - lengths)[rows], lengths[rows]
    owner = np.repeat(np.arange(len(rows)), own)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(own) - own, own)
    return Pointing(owner, keys[starts[owner] + within], role, who)


@dataclass(frozen=True)
class Calls:
    """Calls as they were read, and who points at them; ``rows`` are those of the calls of ``pointed``, -1 for none."""

    table: pd.DataFrame
    pointed: Sequence[Pointing]
    rows: Sequence[Rows]

    def frame(self, run: str) -> pd.DataFrame:
        """A table of `CALL_COLUMNS` for the ``run``: in the order of the first pointers, then by time.

        What nothing points at comes last, and keeps the role and the name that it was paid for. The columns that were
        read are let go one by one: nothing else can be asked afterwards.
        """
        import numpy as np
        import pandas as pd

        first = self._first()
        order = np.lexsort([self.table["created_at"].to_numpy(), np.where(first < 0, np.iinfo(np.intp).max, first)])
        first = first[order]
        found: dict[str, Any] = {}
        for name in CALL_COLUMNS:
            if name in self.table:
                found[name] = self.table.pop(name).array.take(order)
        roles = [_coded(np.zeros(len(p.key), dtype=int), [p.role]) for p in self.pointed]
        found["role"] = _over(found["role"], roles, first)
        found["who"] = _over(found["who"], [p.who.take(p.owner) for p in self.pointed], first)
        found["reused"], found["superseded"] = found["run"] != run, first < 0
        return pd.DataFrame({name: found[name] for name in CALL_COLUMNS if name in found}, copy=False)

    def _first(self) -> Rows:
        """Of each call the first pointer at it, all of them counted together; -1 for none."""
        import numpy as np

        rows = np.concatenate(self.rows)
        there = np.flatnonzero(rows >= 0)
        first = np.full(len(self.table), -1, dtype=np.intp)
        first[rows[there[::-1]]] = there[::-1]
        return first


def read_calls(
    connection: sa.Connection,
    run: str,
    pointed: Sequence[Pointing],
    keys: Callable[[], Iterable[str]],
    words: bool,
    paid: bool = True,
) -> Calls:
    """The calls that ``pointed`` points at and, if asked for, all others that the run ``paid``.

    ``keys`` reads the keys behind the hashes again: only of calls that another run paid are they needed. ``words``:
    with what only single answers need.
    """
    import numpy as np

    hashed = Hashes()
    columns: dict[str, Column] = {"hash": hashed, "attempts": Whole()}
    columns |= {name: Names() for name in _NAMES} | {name: Numbers() for name in _NUMBERS}
    if words:
        columns |= {"key": Objects(), "reasoning": Objects(), "gaps_s": Objects()}
    query = sa.select(*(calls.c["key" if name == "hash" else name].label(name) for name in columns))
    if paid:
        fill(connection, [query.where(calls.c.run == run)], columns)
    rows = _rows_of(hashed.made(), pointed)
    missing = set(np.concatenate([p.key[found < 0] for p, found in zip(pointed, rows, strict=True)]).tolist())
    if missing:
        elsewhere = sorted({key for key in keys() if key_hash(key) in missing})
        some = (elsewhere[start : start + _SOME] for start in range(0, len(elsewhere), _SOME))
        fill(connection, (query.where(calls.c.key.in_(part)) for part in some), columns)
        rows = _rows_of(hashed.made(), pointed)
    del columns["hash"]
    return Calls(frame_from(columns), pointed, rows)


def _rows_of(hashed: NDArray[np.int64], pointed: Sequence[Pointing]) -> list[Rows]:
    """The rows with the keys of ``pointed``, -1 where there is none."""
    import pandas as pd

    index = pd.Index(hashed)
    if not index.is_unique:
        raise BugError("two calls have keys of the same hash, which another process would not see: try again")
    return [index.get_indexer(pd.Index(p.key)) for p in pointed]


def took(asking: Pointing, found: Calls, run: str, replayed: Collection[str]) -> dict[str, Any]:
    """The columns of answers that come from their calls; a call that is not there is left out.

    Seconds are of live replies only: those of which this ``run`` paid every call. An answer of a candidate in
    ``replayed`` has no call, and nobody knows what it cost.
    """
    import numpy as np

    n = len(asking.who)
    rows = found.rows[found.pointed.index(asking)]
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


def _over(paid_as: pd.Categorical, pointers: Sequence[pd.Categorical], first: Rows) -> pd.Categorical:
    """The names of all ``pointers`` together at ``first``; ``paid_as`` where that is -1."""
    import numpy as np

    every = sorted(set(paid_as.categories).union(*(p.categories for p in pointers)))
    codes = np.concatenate([p.set_categories(every).codes for p in pointers])
    chosen = np.where(first < 0, paid_as.set_categories(every).codes, np.append(codes, -1)[first])
    return _coded(chosen, every)


def _coded(codes: Any, names: Sequence[str]) -> pd.Categorical:
    import pandas as pd

    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype="str"))


def _named(where: Any, yes: str, no: str) -> pd.Categorical:
    import numpy as np

    names = sorted((yes, no))
    return _coded(np.where(where, names.index(yes), names.index(no)), names)


def _taken(names: Any, rows: Rows, otherwise: str) -> pd.Categorical:
    """``names`` at these rows, ``otherwise`` where the row is -1."""
    import numpy as np

    every = names.set_categories(sorted({*names.categories, otherwise}))
    codes = np.append(every.codes, every.categories.get_loc(otherwise))[rows]
    return _coded(codes, every.categories)


def _days(unix: NDArray[np.float64], rows: Rows) -> pd.Categorical:
    """ISO dates, '' where the row is -1."""
    import numpy as np

    days = np.append(np.floor(unix / _DAY_S), _NO_DAY)[rows].astype(np.int64)
    known, codes = np.unique(days, return_inverse=True)
    dates = ["" if day == _NO_DAY else datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat() for day in known]
    return _coded(codes, dates)


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

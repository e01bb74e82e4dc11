"""The rows of a query as the columns of a table, a chunk at a time: no row is an object for longer than its chunk."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, count
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import sqlalchemy as sa

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

CHUNK = 300
"""Rows that are held as they come from the database: with more they leave the processor's cache, which takes half as
long again."""
_FETCHED = 5_000
"""Rows that a server sends at a time."""
Keep = Callable[[Sequence[tuple[Any, ...]]], Sequence[bool]]
"""From the columns of a chunk to whether each of its rows is wanted."""


class Column(Protocol):
    """Takes the values of chunk after chunk, and gives them back as an array."""

    def extend(self, values: Sequence[Any]) -> None: ...

    def made(self) -> Any: ...


class Names:
    """Texts of which few differ: a categorical, its categories in the order of ``known`` or else sorted.

    With ``known`` a text that is not among them is missing.
    """

    def __init__(self, known: Iterable[str] | None = None) -> None:
        self._codes = array("i")
        self._fixed = known is not None
        self._numbers: defaultdict[Any, int] = defaultdict(count().__next__)
        for name in () if known is None else known:
            self._numbers[name]

    def extend(self, values: Sequence[Any]) -> None:
        """Take a chunk."""
        if self._fixed:
            found = self._numbers.get
            self._codes.extend(found(value, -1) for value in values)
        else:
            self._codes.extend(map(self._numbers.__getitem__, values))

    def made(self) -> pd.Categorical:
        """``None`` is a missing value."""
        import numpy as np
        import pandas as pd

        names = [name for name in self._numbers if name is not None]
        if not self._fixed:
            names.sort()
        places = np.full(len(self._numbers) + 1, -1, dtype=np.int32)  # the last is that of what is not known
        places[[self._numbers[name] for name in names]] = np.arange(len(names))
        codes = places[np.frombuffer(self._codes, dtype=np.int32)]
        return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"))


class Numbers:
    """Floats, NaN where the database has none."""

    def __init__(self) -> None:
        self._found = array("d")

    def extend(self, values: Sequence[Any]) -> None:
        """Take a chunk."""
        import numpy as np

        self._found.frombytes(np.array(values, dtype=np.float64).tobytes())

    def made(self) -> NDArray[np.float64]:
        """All of them (n,)."""
        import numpy as np

        return np.frombuffer(self._found, dtype=np.float64)


class Whole:
    """Integers, of which none is missing."""

    def __init__(self) -> None:
        self._found = array("q")

    def extend(self, values: Sequence[int]) -> None:
        """Take a chunk."""
        self._found.extend(values)

    def made(self) -> NDArray[np.int64]:
        """All of them (n,)."""
        import numpy as np

        return np.frombuffer(self._found, dtype=np.int64)


class Objects:
    """What the database holds, as it comes, or what ``read`` makes of it."""

    def __init__(self, read: Callable[[Any], Any] | None = None) -> None:
        self._values: list[Any] = []
        self._read = read

    def extend(self, values: Sequence[Any]) -> None:
        """Take a chunk."""
        self._values.extend(values if self._read is None else map(self._read, values))

    def made(self) -> NDArray[Any]:
        """An array of objects (n,)."""
        import numpy as np

        found = np.empty(len(self._values), dtype=object)
        found[:] = self._values
        return found


class Hashes:
    """Call keys as their hashes, which differ between processes: what two tables are joined by.

    Two of four million keys share a hash of 64 bits once in two million runs.
    """

    def __init__(self) -> None:
        self._found = array("q")

    def extend(self, values: Sequence[str]) -> None:
        """Take a chunk."""
        self._found.extend(map(key_hash, values))

    def made(self) -> NDArray[np.int64]:
        """A copy of all of them so far (n,)."""
        import numpy as np

        return np.array(self._found, dtype=np.int64)


class Pointers:
    """Lists of call keys as JSON."""

    def __init__(self) -> None:
        self._lengths, self._keys = Whole(), Hashes()

    def extend(self, values: Sequence[str]) -> None:
        """Take a chunk."""
        lists = key_lists(values)
        self._lengths.extend([len(keys) for keys in lists])
        self._keys.extend(list(chain.from_iterable(lists)))

    def made(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many keys each row has (n,), and the hashes of all keys, row after row."""
        return self._lengths.made(), self._keys.made()


def key_lists(values: Sequence[str]) -> list[list[str]]:
    """Many lists of keys, parsed at once."""
    found: list[list[str]] = orjson.loads(f"[{','.join(values)}]")
    return found


def key_hash(key: str) -> int:
    """64 bits."""
    return hash(key)


def fill(
    connection: sa.Connection,
    queries: Iterable[sa.Select[Any]],
    columns: Mapping[str, Column],
    keep: Keep | None = None,
) -> None:
    """Put the rows of ``queries``, or those that ``keep`` takes, into ``columns``: those of each query in its order."""
    for query in queries:
        for chunk in chunks(connection, query):
            values = list(zip(*chunk, strict=True))
            if keep is not None:
                wanted = keep(values)
                values = [tuple(compress(column, wanted)) for column in values]
            for column, some in zip(columns.values(), values, strict=True):
                column.extend(some)


def frame_from(columns: dict[str, Column]) -> pd.DataFrame:
    """The table of what was read; the columns are let go one by one, so that nothing is held twice."""
    import pandas as pd

    return pd.DataFrame({name: columns.pop(name).made() for name in list(columns)}, copy=False)


def chunks(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of ``query``."""
    if connection.dialect.name != "sqlite":
        with connection.execute(query, execution_options={"yield_per": _FETCHED}) as result:
            yield from result.partitions()
        return
    with connection.execute(query) as result:
        # The tuples of the driver: an object of SQLAlchemy for each row takes several times as long.
        cursor: Any = result.cursor
        while rows := cursor.fetchmany(CHUNK):
            yield rows


def among(places: Collection[tuple[Any, ...]]) -> Keep:
    """Keeps the rows whose first columns are one of ``places``."""

    def keep(values: Sequence[tuple[Any, ...]]) -> Sequence[bool]:
        width = len(next(iter(places), ()))
        return [place in places for place in zip(*values[:width], strict=True)]

    return keep

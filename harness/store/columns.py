"""The rows of a query as the columns of a table, a chunk at a time: no row is an object for longer than its chunk."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, count
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import sqlalchemy as sa

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

CHUNK = 10_000
"""Rows that are held as they come from the database."""
Numbered = defaultdict[Any, int]
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
        self._numbers = numbered()
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
        self._parts: list[NDArray[np.float64]] = []

    def extend(self, values: Sequence[Any]) -> None:
        """Take a chunk."""
        import numpy as np

        self._parts.append(np.array(values, dtype=np.float64))

    def made(self) -> NDArray[np.float64]:
        """All of them (n,)."""
        import numpy as np

        return np.concatenate([np.zeros(0), *self._parts])


class Whole(Numbers):
    """Integers, of which none is missing."""

    def made(self) -> Any:
        """All of them (n,)."""
        import numpy as np

        return super().made().astype(np.int64)


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


class Keys:
    """Call keys as numbers, those that are met for the first time included."""

    def __init__(self, numbers: Numbered) -> None:
        self._numbers = numbers
        self._found = array("i")

    def extend(self, values: Sequence[str]) -> None:
        """Take a chunk."""
        self._found.extend(map(self._numbers.__getitem__, values))

    def made(self) -> NDArray[np.int32]:
        """The numbers (n,)."""
        import numpy as np

        return np.frombuffer(self._found, dtype=np.int32)


class Pointers:
    """Lists of call keys as JSON. ``numbers`` counts keys as they are met; it may serve several columns."""

    def __init__(self, numbers: Numbered) -> None:
        self._numbers = numbers
        self._lengths, self._flat = array("i"), array("i")

    def extend(self, values: Sequence[str]) -> None:
        """Take a chunk."""
        for keys in orjson.loads(f"[{','.join(values)}]"):
            self._lengths.append(len(keys))
            self._flat.extend(map(self._numbers.__getitem__, keys))

    def made(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """How many keys each row has (n,), and the numbers of all keys, row after row."""
        import numpy as np

        return np.frombuffer(self._lengths, dtype=np.int32), np.frombuffer(self._flat, dtype=np.int32)


def fill(
    connection: sa.Connection,
    queries: Iterable[sa.Select[Any]],
    columns: Mapping[str, Column],
    keep: Keep | None = None,
) -> None:
    """Put the rows of ``queries`` into ``columns``, which are those of each query in its order."""
    for query in queries:
        for chunk in _chunks(connection, query):
            values = list(zip(*chunk, strict=True))
            if keep is not None:
                wanted = keep(values)
                values = [tuple(compress(column, wanted)) for column in values]
            for column, some in zip(columns.values(), values, strict=True):
                column.extend(some)


def _chunks(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Any]]:
    with connection.execute(query, execution_options={"yield_per": CHUNK}) as result:
        yield from result.partitions()


def numbered() -> Numbered:
    """Numbers texts in the order in which they are met, from 0."""
    return defaultdict(count().__next__)


def among(places: Collection[tuple[Any, ...]]) -> Keep:
    """Keeps the rows whose first columns are one of ``places``."""

    def keep(values: Sequence[tuple[Any, ...]]) -> Sequence[bool]:
        width = len(next(iter(places), ()))
        return [place in places for place in zip(*values[:width], strict=True)]

    return keep

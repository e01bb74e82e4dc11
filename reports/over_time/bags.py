"""Lists of names (the words of a question, its tags, retrieved documents) as rows of a sparse matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from .records import Mover

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

OWN, SHARED = 500, 140
"""The most frequent names have a column each; the others share some, by their hash."""
MOVERS = 6
"""Names that rose, and as many that fell."""
_CLEAR = 4.0
"""Standard errors, below which a single name is not told."""


@dataclass(frozen=True)
class Bags:
    """Which names each row holds, ``matrix`` (n, V) of zeros and ones."""

    matrix: csr_array
    names: tuple[str, ...]

    def filled(self) -> Mask:
        """Which rows hold anything (n,)."""
        import numpy as np

        found: Mask = np.diff(self.matrix.indptr) > 0
        return found


def bags_of(rows: Sequence[Iterable[str]]) -> Bags:
    """A row each; a name counts once in it."""
    import numpy as np
    from scipy import sparse

    numbers: dict[str, int] = {}
    own = [sorted({numbers.setdefault(name, len(numbers)) for name in row}) for row in rows]
    ends = np.cumsum([0, *map(len, own)])
    columns = np.fromiter((number for row in own for number in row), dtype=np.intp, count=int(ends[-1]))
    ones = np.ones(len(columns), dtype=np.float32)
    return Bags(sparse.csr_array((ones, columns, ends), shape=(len(own), max(1, len(numbers)))), tuple(numbers))


def folded(bags: Bags) -> csr_array:
    """The matrix with a column for each of the most frequent names, and few for all others."""
    import numpy as np
    from scipy import sparse

    if len(bags.names) <= OWN + SHARED:
        return bags.matrix
    counts = Counter(dict(enumerate(np.asarray(bags.matrix.sum(axis=0)).ravel().tolist())))
    place = np.array([OWN + crc32(name.encode("utf-8", "replace")) % SHARED for name in bags.names])
    place[[number for number, _ in counts.most_common(OWN)]] = np.arange(OWN)
    ones = np.ones(len(place), dtype=np.float32)
    onto = sparse.csr_array((ones, (np.arange(len(place)), place)), shape=(len(place), OWN + SHARED))
    found = sparse.csr_array(bags.matrix @ onto)
    found.data[:] = 1.0
    return found


def movers(bags: Bags, early: Mask, late: Mask) -> tuple[Mover, ...]:
    """The names whose share of rows rose most from ``early`` to ``late``, then those that fell most, by their z."""
    import numpy as np

    n, m = int(early.sum()), int(late.sum())
    first, second = (np.asarray(bags.matrix[own].sum(axis=0), dtype=float).ravel() for own in (early, late))
    pooled = (first + second) / (n + m)
    se = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / m))
    z = (second / m - first / n) / se
    order = np.argsort(-z, kind="stable")
    rose = [at for at in order[:MOVERS] if z[at] > _CLEAR]
    fell = [at for at in order[::-1][:MOVERS] if z[at] < -_CLEAR]
    return tuple(Mover(bags.names[at], float(first[at] / n), float(second[at] / m)) for at in (*rose, *fell))

"""Two windows of bags (the words of questions, tags, retrieved documents): did the mix change, and by how much?

The distance is that of Jensen and Shannon between the windows' shares, in bits: 0 for the same mix, 1 for nothing in
common. Small windows differ by chance, so it is held against windows that chance made: clusters are dealt out anew,
whole, and of a cluster that stands in both windows the two parts change places or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .intervals import cut, mean_interval, t_quantile
from .two_samples import Windows, error_of_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Floats = NDArray[Any]
    Codes = NDArray[np.intp]

DRAWS = 4_999
HITS = 20
"""Draws as far apart as what was seen, after which no more are needed (Besag, Clifford 1991)."""
TIE = 1e-7
"""Distances that differ by less are equal but for rounding."""
_FIRST, _BATCH = 249, 475
_BLOCK = 4_000_000


@dataclass(frozen=True, slots=True)
class MixChange:
    """``distance`` in bits, its mean by ``chance`` and the ``limit`` that chance passes in 5 % of windows like these.

    ``beyond`` is the distance less that by chance, with an interval where it passes the ``limit``. ``p`` is that of
    the distance.
    """

    distance: float
    chance: float
    limit: float
    beyond: Estimate
    p: float


def mix_change(early: csr_array, late: csr_array, windows: Windows, seed: int = 0, draws: int = DRAWS) -> MixChange:
    """From the bags of the ``early`` (n, D) and ``late`` (m, D) window, a row a sample, counts or zeros and ones.

    p is 1 / (1 + ``draws``) at least; fewer are made where chance is as far apart often enough.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    dealt = _Dealt.of(early, late, windows)
    seen = float(_distances(dealt.late[None], dealt.total)[0])
    p, drawn = _p_value(dealt, seen, _distances, draws, rng)
    chance = float(drawn.mean())
    limit, beyond = float(np.quantile(drawn, 0.95)), _beyond(seen, chance, (early, late), windows)
    if seen <= limit:  # near the same mix the distance has no slope, and the interval would be far too narrow
        beyond = replace(beyond, low=None, high=None, method="no interval: not beyond chance")
    return MixChange(seen, chance, limit, beyond, p)


@dataclass(frozen=True, slots=True)
class NewChange:
    """The ``share`` of late names that no early bag holds, its mean by ``chance`` and the ``limit`` that chance passes
    in 5 % of windows like these; the one-sided ``p`` of more."""

    share: Estimate
    chance: float
    limit: float
    p: float


def new_change(early: csr_array, late: csr_array, windows: Windows, seed: int = 0, draws: int = DRAWS) -> NewChange:
    """As `mix_change`, of what is new: a small window has seen little, so even the same mix brings something new."""
    import numpy as np

    rng = np.random.default_rng(seed)
    dealt = _Dealt.of(early, late, windows)
    seen = float(_new(dealt.late[None], dealt.total)[0])
    p, drawn = _p_value(dealt, seen, _new, draws, rng)
    unknown = (dealt.total - dealt.late == 0).astype(float)
    held, counts = np.asarray(late @ unknown, dtype=float), np.asarray(late.sum(axis=1), dtype=float)
    # The mean of these is the ratio of sums, and their spread that of the ratio (the delta method).
    values = seen + (held - seen * counts) / counts.mean() if counts.any() else np.zeros(len(counts))
    share = mean_interval(values, windows.late, scale=(0.0, 1.0))
    return NewChange(share, float(drawn.mean()), float(np.quantile(drawn, 0.95)), p)


def distance(early: Floats, late: Floats) -> float:
    """Of Jensen and Shannon between two lists of counts (D,), in bits (Lin 1991); 0 where one is empty."""
    return float(_distances(late[None], early + late)[0])


@dataclass(frozen=True)
class _Dealt:
    """``bags`` (D, B) are sums by cluster: the first ``single`` stand in one window, ``kept`` of them in the late one;
    then come those of clusters in both, the early parts before the late ones."""

    bags: csr_array
    single: int
    kept: int
    late: Floats
    total: Floats

    @classmethod
    def of(cls, early: csr_array, late: csr_array, windows: Windows) -> _Dealt:
        import numpy as np
        from scipy import sparse

        first, second = (size > 0 for size in windows.sizes())
        parts = [_by_cluster(early, windows.early, windows.count), _by_cluster(late, windows.late, windows.count)]
        both = first & second
        rows = [parts[0][first & ~both], parts[1][second & ~both], parts[0][both], parts[1][both]]
        bags = sparse.vstack(rows, format="csr")
        sums = [np.asarray(part.sum(axis=0), dtype=np.float32).ravel() for part in parts]
        late_alone = int((second & ~both).sum())
        return cls(bags.T.tocsr(), int((first & ~both).sum()) + late_alone, late_alone, sums[1], sums[0] + sums[1])

    def drawn(self, draws: int, rng: np.random.Generator) -> Floats:
        """Counts of late windows that chance makes (draws, D)."""
        import numpy as np

        chosen = np.zeros((draws, self.bags.shape[1]), dtype=np.float32)
        if 0 < self.kept < self.single:
            keys = rng.random((draws, self.single), dtype=np.float32)
            least = np.partition(keys, self.kept - 1, axis=1)[:, self.kept - 1 : self.kept]
            chosen[:, : self.single] = keys <= least
        elif self.kept:
            chosen[:, : self.single] = 1.0
        pairs = (self.bags.shape[1] - self.single) // 2
        turned = rng.integers(0, 2, size=(draws, pairs))
        chosen[:, self.single : self.single + pairs] = turned
        chosen[:, self.single + pairs :] = 1 - turned
        return np.asarray((self.bags @ chosen.T).T)


def _by_cluster(bags: csr_array, codes: Codes, count: int) -> csr_array:
    import numpy as np
    from scipy import sparse

    member = sparse.csr_array(
        (np.ones(len(codes), dtype=np.float32), (codes, np.arange(len(codes)))), (count, len(codes))
    )
    return sparse.csr_array(member @ bags)


def _p_value(
    dealt: _Dealt, seen: float, statistic: Callable[[Floats, Floats], Floats], draws: int, rng: np.random.Generator
) -> tuple[float, Floats]:
    """Hits over draws where there are enough, else (1 + hits) / (1 + draws); and what was drawn."""
    import numpy as np

    drawn = np.empty(0)
    for batch in _batches(len(dealt.total), draws):
        drawn = np.concatenate([drawn, statistic(dealt.drawn(batch, rng), dealt.total)])
        hits = np.flatnonzero(drawn >= seen - TIE)
        if len(hits) >= HITS:
            return HITS / float(hits[HITS - 1] + 1), drawn
    return (1 + len(hits)) / (1 + len(drawn)), drawn


def _batches(names: int, draws: int) -> Iterator[int]:
    """So many draws at a time that a block of counts stays below 16 MB; the first are enough where nothing changed."""
    most = max(10, min(_BATCH, _BLOCK // names))
    left = draws
    while left:
        batch = min(most, left, _FIRST if left == draws else left)
        left -= batch
        yield batch


def _new(late: Floats, total: Floats) -> Floats:
    """Share of the late counts (B, D) of names that are all late."""
    import numpy as np

    new = np.where(late == total, late, 0.0).sum(axis=1)
    found: Floats = new / np.maximum(late.sum(axis=1), 1.0)
    return found


def _distances(late: Floats, total: Floats) -> Floats:
    """Between late counts (B, D) and what they leave of the ``total`` (D,)."""
    import numpy as np

    second, first = _shares(late), _shares(total - late)
    found = _bits((first + second) / 2) - (_bits(first) + _bits(second)) / 2
    empty = (late.sum(axis=1) == 0) | (late.sum(axis=1) == total.sum())
    return np.where(empty, 0.0, np.clip(found, 0.0, 1.0))


def _shares(counts: Floats) -> Floats:
    import numpy as np

    found: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-30)
    return found


def _bits(shares: Floats) -> Floats:
    import numpy as np
    from scipy import special

    # In single precision a sum depends on how its rows lie in memory, and equal mixes would differ by more than `TIE`.
    found: Floats = special.entr(shares).sum(axis=1, dtype=np.float64) / np.log(2)
    return found


def _beyond(seen: float, chance: float, bags: tuple[csr_array, csr_array], windows: Windows) -> Estimate:
    """By t, with errors from what each sample moves of the distance (the delta method), by cluster."""
    import numpy as np

    shares = [_shares(np.asarray(one.sum(axis=0), dtype=float)[None])[0] for one in bags]
    middle = (shares[0] + shares[1]) / 2
    moves = [_moves(one, own, middle) for one, own in zip(bags, shares, strict=True)]
    se, df = error_of_difference(-moves[0], moves[1], windows)
    n = bags[0].shape[0] + bags[1].shape[0]
    if se <= TIE:
        return Estimate(seen - chance, None, None, n, "no spread: no interval")
    reach = t_quantile(0.95, df) * se
    low, high = cut(seen - chance - reach, seen - chance + reach, (-chance, 1.0))
    return Estimate(seen - chance, low, high, n, f"delta method over {windows.count} clusters, t, df {df:.0f}")


def _moves(bags: csr_array, shares: Floats, middle: Floats) -> Floats:
    import numpy as np

    there = shares > 0
    slope = np.where(there, np.log2(np.where(there, shares, 1.0) / np.where(there, middle, 1.0)) / 2, 0.0)
    counts = np.asarray(bags.sum(axis=1), dtype=float)
    found: Floats = (np.asarray(bags @ slope, dtype=float) - counts * float(shares @ slope)) / max(counts.mean(), 1e-30)
    return found

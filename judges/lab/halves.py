"""Labels in two halves: one selects, the other reports. No cluster has answers in both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def held_out(clusters: Sequence[str] | NDArray[np.str_], seed: int) -> NDArray[np.bool_]:
    """Which answers (n,) are held out: whole clusters, drawn with ``seed``, about half of the answers."""
    import numpy as np

    sizes = Counter(map(str, clusters))
    names = sorted(sizes)
    np.random.default_rng(seed).shuffle(names)
    chosen: set[str] = set()
    inside = 0
    for name in names:
        if 2 * inside + sizes[name] <= len(clusters):
            chosen.add(name)
            inside += sizes[name]
    return np.array([str(cluster) in chosen for cluster in clusters])

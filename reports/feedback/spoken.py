"""What users said, vote by vote, beside the answers that they said it of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...harness.feedback import Feedback
from ..expected import Expected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Spoken:
    """The votes by number (v,): the ``place`` of the answer, whether it was ``accepted`` (0, 1), the cluster, the share
    that was ``edited`` (NaN for no edit), and when it was said (NaN where that is unknown)."""

    place: NDArray[np.intp]
    accepted: NDArray[np.float64]
    clusters: NDArray[Any]
    edited: NDArray[np.float64]
    at: NDArray[np.float64]
    users: tuple[str, ...]
    crossed: bool
    """Whether users vote in several clusters, and clusters hold votes of several users: neither holds the other."""

    def of(self, members: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which votes are of answers at the places (places,) that are ``members``."""
        return members[self.place]


def spoken(words: Sequence[Feedback], expected: Expected) -> Spoken:
    """The votes on answers that the run has a place for."""
    import numpy as np
    import pandas as pd

    columns = ["sample_id", "candidate", "trial"]
    table = pd.DataFrame([(one.sample_id, one.candidate, one.trial) for one in words], columns=columns)
    place = expected.places(table)
    here = [one for one, at in zip(words, place, strict=True) if at >= 0]
    place = place[place >= 0]
    samples = np.asarray(expected.samples["cluster"].astype(str))[place // max(1, len(expected.asked))]
    clusters, crossed = _clusters(samples.tolist(), [one.user for one in here])
    return Spoken(
        place,
        np.array([float(one.accepted) for one in here]),
        np.array(clusters, dtype=str),
        np.array([np.nan if one.edit_share is None else one.edit_share for one in here]),
        np.array([np.nan if one.at is None else one.at for one in here]),
        tuple(one.user for one in here),
        crossed,
    )


def _clusters(samples: Sequence[str], users: Sequence[str]) -> tuple[list[str], bool]:
    """The user where every cluster of samples has one at most, else the cluster; and whether the two are crossed."""
    users_of: dict[str, set[str]] = {}
    clusters_of: dict[str, set[str]] = {}
    for sample, user in zip(samples, users, strict=True):
        users_of.setdefault(sample, set()).update(filter(None, (user,)))
        if user:
            clusters_of.setdefault(user, set()).add(sample)
    wide = any(len(found) > 1 for found in clusters_of.values())
    if not wide or any(len(found) > 1 for found in users_of.values()):
        return list(samples), wide
    return [f"user {next(iter(users_of[one]))}" if users_of[one] else one for one in samples], False

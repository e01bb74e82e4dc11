"""What the watch on a judge says: the same frozen answers graded again every night, beside a night of reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .records import Estimate

State = Literal["steady", "drifted", "unknown"]


@dataclass(frozen=True, slots=True)
class AnchorNight:
    """One night: the mean ``change`` of the anchors since the reference, in steps of the scale, and what the watch said
    then. ``run`` is the run in whose night they were graded."""

    run: str
    change: Estimate
    state: State


@dataclass(frozen=True, slots=True)
class Watched:
    """One judge on its anchors, up to the night in question, which is the last of ``nights``.

    ``why`` says why the state is unknown, ``detects`` the change that a night finds with 80 % by the test of means
    alone, ``None`` where the spread is not known. ``said`` are sentences on what was found.
    """

    judge: str
    state: State
    anchors: int
    reference: str = ""
    change: Estimate | None = None
    detects: float | None = None
    said: tuple[str, ...] = ()
    why: str = ""
    missing: bool = False
    """Whether it is unknown because nobody graded the anchors in that night."""
    nights: tuple[AnchorNight, ...] = ()


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """Frozen answers of one judge, and what it gave them on the night of reference.

    ``samples`` are (id, SHA-256 of the content), ``scores`` criterion -> score, aligned; ``config`` is what of the
    judge's description must not change, ``served`` counts replies by the model that the provider named.
    """

    id: str
    judge: str
    run: str
    date: str
    config: Mapping[str, Any]
    samples: tuple[tuple[str, str], ...]
    scores: tuple[Mapping[str, float], ...]
    served: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Regrade:
    """The anchors of a set, graded again in the night of ``run``; aligned with `AnchorSet.scores`, empty for none."""

    run: str
    created_at: float
    scores: tuple[Mapping[str, float], ...]
    served: Mapping[str, int]

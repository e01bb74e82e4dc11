"""What the watch on a judge says: the same frozen answers graded again every night, beside a night of reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    nights: tuple[AnchorNight, ...] = ()

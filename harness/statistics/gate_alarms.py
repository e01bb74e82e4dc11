"""How often a nightly gate alarms though nothing has changed: simulated, since nights that share a baseline are not
independent of each other.

A run's mean by one measure is normal around the truth, with the standard error of its own noise (sampling of answers
and of grades). What all nights share, the difficulty of the questions, cancels out in paired differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .gates import ALPHA, ONE_SIDED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MONTHS = 4000
"""Simulated months: a share of 0.25 is then right to 0.014."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One measure: the standard error ``se`` of one run's mean by its own noise, the margin and the least loss."""

    se: float
    margin: float
    margin_min: float = 0.0


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Of an unchanged model: alarms to expect in a month, and the share of months with one at least."""

    per_month: float
    months: float


@dataclass(frozen=True, slots=True)
class Expected:
    """False alarms of first runs, and those that a second fresh run confirms."""

    first: FalseAlarms
    confirmed: FalseAlarms


def false_alarms(
    watched: Sequence[Watched],
    nights: int = 30,
    pool: int = 3,
    fixed: bool = False,
    months: int = MONTHS,
    seed: int = 0,
) -> Expected:
    """Simulate months of ``nights`` runs of an unchanged model, measures independent (the worst case for a family).

    The baseline is the mean of ``pool`` runs: those of the nights before, or, ``fixed``, the same ones all month. An
    alarm is confirmed where a second run alarms on a measure that alarmed first, corrected over these alone.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    shape = (months, nights, len(watched))
    scale = np.array([one.se for one in watched])
    tonight, again = rng.normal(size=shape), rng.normal(size=shape)
    before = rng.normal(size=(months, pool, len(watched)))
    if fixed:
        baseline = before.mean(axis=1, keepdims=True)
    else:
        line = np.concatenate([before, tonight], axis=1)
        baseline = sum(line[:, lag : lag + nights] for lag in range(pool)) / pool
    spread = (1 + 1 / pool) ** 0.5
    first = _alarms((tonight - baseline) / spread, spread * scale, watched, np.ones(shape, dtype=bool))
    second = _alarms((again - baseline) / spread, spread * scale, watched, first)
    return Expected(_counted(first), _counted(first & second))


def _alarms(z: Floats, se: Floats, watched: Sequence[Watched], family: Flags) -> Flags:
    """Where `gates.decide` says regression, of the measures in the ``family``.

    ``z`` (months, nights, measures) are gains in units of ``se`` (measures,).
    """
    import numpy as np
    from scipy import special

    gains = z * se
    p = np.where(family, 2 * special.ndtr(-np.abs(z)), 1.0)
    margins, least = (np.array([getattr(one, name) for one in watched]) for name in ("margin", "margin_min"))
    passed = gains - special.ndtri(0.5 + ONE_SIDED / 2) * se > -margins
    below = z < special.ndtri(ALPHA / 2)
    found: Flags = family & ~passed & below & (-gains >= least) & (holm_rows(p, family.sum(axis=-1)) < ALPHA)
    return found


def holm_rows(p: Floats, size: NDArray[np.int64]) -> Floats:
    """`paired.holm` along the last axis of ``p``, for a family of ``size`` (the other axes); the rest has p = 1."""
    import numpy as np

    order = np.argsort(p, axis=-1)
    factors = np.maximum(size[..., None] - np.arange(p.shape[-1]), 1)
    adjusted = np.maximum.accumulate(np.minimum(np.take_along_axis(p, order, axis=-1) * factors, 1.0), axis=-1)
    found = np.empty_like(p)
    np.put_along_axis(found, order, adjusted, axis=-1)
    return found


def _counted(alarms: Flags) -> FalseAlarms:
    nightly = alarms.any(axis=-1)
    return FalseAlarms(float(nightly.sum(axis=-1).mean()), float(nightly.any(axis=-1).mean()))

"""Rogan–Gladen: a pass rate taken back through the judge's known errors, for labels that were not drawn at random.

It assumes that the judge errs equally often on passes, and equally often on fails, wherever its scores are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ..records import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEAST_INFORMED = 1.2
"""Below this sum of specificity and sensitivity the judge knows too little: the variance explodes."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a binary judge fared: ``specificity`` on ``fails`` labelled fails, ``sensitivity`` on ``passes``."""

    specificity: float
    fails: int
    sensitivity: float
    passes: int

    @property
    def informed(self) -> bool:
        """Whether the judge tells passes from fails well enough to be corrected."""
        return self.specificity + self.sensitivity >= LEAST_INFORMED


def calibration_of(judge: ArrayLike, human: ArrayLike) -> Calibration:
    """Compare 0/1 grades (n,) with 0/1 labels (n,); NaN labels are left out. Needs a pass and a fail."""
    import numpy as np

    scores, labels = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    fails, passes = scores[labels == 0], scores[labels == 1]
    if not len(fails) or not len(passes):
        raise ValueError(f"{len(passes)} labelled passes and {len(fails)} fails: need one of each")
    return Calibration(float(1 - fails.mean()), len(fails), float(passes.mean()), len(passes))


def rogan_gladen(rate: float, n: int, calibration: Calibration, level: float = 0.95) -> Estimate:
    """True pass rate behind a judged ``rate`` of ``n`` answers (Rogan, Gladen 1978), with the interval of Lee et al.

    θ = (rate + specificity - 1) / (specificity + sensitivity - 1), cut to 0..1; the interval adds pseudo-counts to
    every rate and shifts its centre (Lee et al. 2025, arXiv:2511.21140). No value where specificity and sensitivity
    sum to less than 1.2.
    """
    from scipy import special

    gain = calibration.specificity + calibration.sensitivity - 1
    if not calibration.informed:
        method = f"specificity and sensitivity sum to {gain + 1:.2f}, less than {LEAST_INFORMED}: no correction"
        return Estimate(None, None, None, n, method)
    theta = min(1.0, max(0.0, (rate + calibration.specificity - 1) / gain))
    centre, se = _shifted(rate, n, calibration, float(special.ndtri(0.5 + level / 2)))
    reach = float(special.ndtri(0.5 + level / 2)) * se
    low, high = (min(1.0, max(0.0, limit)) for limit in (centre - reach, centre + reach))
    return Estimate(theta, low, high, n, "Rogan–Gladen, Lee interval")


def _shifted(rate: float, n: int, calibration: Calibration, z: float) -> tuple[float, float]:
    """Centre and standard error of the interval, from rates with pseudo-counts."""
    size, fails, passes = n + z * z, calibration.fails + 2, calibration.passes + 2
    p = (n * rate + z * z / 2) / size
    q0 = (calibration.fails * calibration.specificity + 1) / fails
    q1 = (calibration.passes * calibration.sensitivity + 1) / passes
    theta = (p + q0 - 1) / (q0 + q1 - 1)
    v0, v1 = q0 * (1 - q0) / fails, q1 * (1 - q1) / passes
    shift = 2 * z * z * (theta * v1 - (1 - theta) * v0)
    se = sqrt(p * (1 - p) / size + (1 - theta) ** 2 * v0 + theta**2 * v1) / (q0 + q1 - 1)
    return theta + shift, se

"""Strata of a stratified set of labels: their shares of all answers, and why they may not serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .correction_case import Case, Sampling
from .ppi_parts import Strata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOT_ONE = 1e-3
"""How far shares may be from a sum of 1: they are often written with three digits."""


def strata_of(case: Case, sampling: Sampling) -> tuple[Strata | None, str]:
    """The strata of a stratified design (``None`` for a random one), or what is wrong with them."""
    if sampling.design != "stratified":
        return None, _one_cluster(case, case.labelled, "")
    if case.strata is None:
        return None, "the labels are stratified, but the strata of the answers are not known"
    return _strata(case, case.strata, sampling)


def _strata(case: Case, of: NDArray[np.str_], sampling: Sampling) -> tuple[Strata | None, str]:
    import numpy as np

    known = of != ""
    if not known[case.labelled].all():
        return None, "the labels are stratified, but not every labelled answer has a stratum"
    if not (known.all() or sampling.shares):
        return None, "the labels are stratified, but the shares of the strata are not known"
    names = np.unique(np.concatenate([of[known], np.array(list(sampling.shares), dtype=str)]))
    codes = np.where(known, np.searchsorted(names, of), -1)
    counted = np.bincount(codes[known], minlength=len(names)) / len(of)
    shares = np.array([sampling.shares.get(str(name), 0.0) for name in names]) if sampling.shares else counted
    gap = _gap(case, names, codes, shares)
    return (None, gap) if gap else (Strata(codes, shares / shares.sum()), "")


def _gap(case: Case, names: NDArray[np.str_], codes: NDArray[np.intp], shares: NDArray[np.float64]) -> str:
    if abs(shares.sum() - 1) > NOT_ONE:
        return f"the shares of the strata sum to {shares.sum():g}, not to 1"
    for code, name in enumerate(names):
        inside = case.labelled & (codes == code)
        if shares[code] > 0 and inside.sum() < 2:
            return f"stratum {str(name)!r} has fewer than two labels ({int(inside.sum())})"
        if shares[code] > 0 and (gap := _one_cluster(case, inside, f" in stratum {str(name)!r}")):
            return gap
    return ""


def _one_cluster(case: Case, inside: NDArray[np.bool_], where: str) -> str:
    """Why answers of a single cluster cannot tell how much clusters differ."""
    if case.clusters is None or inside.sum() < 2 or len(set(case.clusters[inside].tolist())) > 1:
        return ""
    return f"all {int(inside.sum())} labels{where} lie in one cluster"

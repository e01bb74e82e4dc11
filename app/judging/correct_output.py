"""What `judge correct --json` prints."""

from __future__ import annotations

from pydantic import BaseModel

from ..output import EstimateOutput
from ..shown import Shown


class CorrectedRow(BaseModel):
    """One mean: the judge's own, that of the labels alone, and the corrected one (null where there is none)."""

    candidate: str
    judge: str
    measure: str
    judge_only: EstimateOutput
    labels_only: EstimateOutput | None
    corrected: EstimateOutput | None
    method: str
    reason: str
    n_labels: int
    n_judged: int
    lam: float | None
    width_ratio: float | None
    labels: list[str]


class DifferenceRow(BaseModel):
    """``left`` less ``right`` on the same questions; ``p`` by Holm over all pairs. The judge's own scores, unless both
    answers of 50 questions or more are labelled (``corrected``)."""

    judge: str
    measure: str
    left: str
    right: str
    difference: EstimateOutput
    p: float
    corrected: bool


class PooledOutput(BaseModel):
    """Labels of all candidates together: the test of equal bias, and the means that it allows, by candidate."""

    judge: str
    measure: str
    biases: dict[str, float]
    n: dict[str, int]
    p: float | None
    test: str
    refusal: str
    means: dict[str, EstimateOutput]


class LabelsNeeded(BaseModel):
    """How many random labels on a candidate's answers make the 95 % interval as narrow as wanted: ``needed`` by ``sd``
    (of human scores) and ``rho`` (their correlation with the judge's), null where labelling all is not enough."""

    candidate: str
    judge: str
    measure: str
    n_labels: int
    n_judged: int
    sd: float
    rho: float
    known: bool
    needed: int | None


class CorrectOutput(Shown):
    """`markscheme judge correct`. Without `--pool` and `--plan` the lists of these are empty."""

    run: str
    rows: list[CorrectedRow]
    differences: list[DifferenceRow]
    pooled: list[PooledOutput]
    width: float | None
    plan: list[LabelsNeeded]
    drawn: str | None
    notes: list[str]

"""What `markscheme review serve`, `export`, `import` and `plan` print with `--json`."""

from __future__ import annotations

from pydantic import BaseModel

from ..shown import Shown
from .views import RaterProgress


class SheetLine(BaseModel):
    """One rater's sheet; ``rated`` of its ``items`` were rated before. ``left_out`` counts items whose answers are no
    longer those that were drawn."""

    rater: str
    path: str
    items: int
    rated: int
    left_out: int


class ExportedSheets(Shown):
    """`markscheme review export`: ``rubric`` is the file with the rubric, null where it is part of each workbook."""

    review: str
    run: str
    sheets: list[SheetLine]
    rubric: str | None


class SheetImport(BaseModel):
    """One file: rows that were rated for the first time, rated otherwise than before, as before, and not yet; ``wrong``
    are the cells that were refused, with file, row and column."""

    path: str
    review: str
    new: int
    changed: int
    same: int
    empty: int
    wrong: list[str]
    notes: list[str]


class ImportedSheets(Shown):
    """`markscheme review import`."""

    files: list[SheetImport]


class ServedReview(Shown):
    """`markscheme review serve`, when it ends: how far everybody is. ``round`` 2 is the adjudication."""

    review: str
    run: str
    round: int
    raters: list[RaterProgress]


class NeededRow(BaseModel):
    """How many of a candidate's answers people must rate if they correlate with the judge by ``rho``; ``labels`` is
    null where all ``n_judged`` are too few. ``sd`` is that of the judge's scores."""

    candidate: str
    n_judged: int
    sd: float
    rho: float
    labels: int | None


class NeededItems(BaseModel):
    """Items to draw at ``rho``, for all candidates together, and how many of them fall to one rater; null where some
    candidate has too few answers."""

    rho: float
    items: int | None
    each: int | None


class ReviewPlan(Shown):
    """`markscheme review plan`: for a 95 % interval of full ``width``, in points of the judge's scale."""

    run: str
    judge: str
    width: float
    raters: int
    overlap: float
    candidates: list[NeededRow]
    totals: list[NeededItems]

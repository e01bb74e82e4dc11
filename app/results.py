"""What functions return where commands write a page: records that a notebook shows as tables and figures."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..harness.alignment import Alignment
from ..harness.labwork import Lab
from ..harness.probing import Probing
from ..harness.review.results import ReviewResult


@dataclass(frozen=True, repr=False)
class AlignmentResult(Alignment):
    """How far the judges of a run agree with people."""

    def _repr_html_(self) -> str:
        from ..reports.notebook.judging import alignment_html

        return alignment_html(self)

    def __repr__(self) -> str:
        from ..reports.judging.alignment import verdict

        return f"Alignment of run {self.run}: {verdict(self)}"


@dataclass(frozen=True, repr=False)
class ProbingResult(Probing):
    """What probes found of a judge, and the ``page`` that was written."""

    page: Path = Path()

    def _repr_html_(self) -> str:
        from ..reports.notebook.judging import probing_html

        return probing_html(self)

    def __repr__(self) -> str:
        return f"Probing of judge {self.judge}: {self.verdict}; {self.page}"


@dataclass(frozen=True, repr=False)
class LabResult(Lab):
    """What the lab found, the ``page``, and the files of the ``pinned`` judge, none where none is recommended."""

    page: Path = Path()
    pinned: tuple[Path, ...] = ()

    def _repr_html_(self) -> str:
        from ..reports.notebook.judging import lab_html

        return lab_html(self)

    def __repr__(self) -> str:
        from ..reports.judging.lab import verdict

        return f"Lab of run {self.run}: {verdict(self)}"


@dataclass(frozen=True, repr=False)
class ReviewOutcome(ReviewResult):
    """What came of a review, and the ``page`` that was written."""

    page: Path = Path()

    def _repr_html_(self) -> str:
        from ..reports.notebook.judging import review_html

        return review_html(self)

    def __repr__(self) -> str:
        from ..reports.review.said import verdict

        return f"Review {self.review.name}: {verdict(self)}"


def parts(found: Any) -> dict[str, Any]:
    """The fields of a record by name, to make one of the above of it."""
    return {one.name: getattr(found, one.name) for one in fields(found)}

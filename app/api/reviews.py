"""People grade answers, blind: in the browser or on sheets, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..references import opened
from ..session import WORKSPACE

if TYPE_CHECKING:
    from ..results import ReviewOutcome
    from ..review.beginning import Asked
    from ..review.output import ExportedSheets, ImportedSheets, ReviewPlan, ServedReview

Files = str | Path | Sequence[str | Path]


def review_export(
    run: str = "latest",
    folder: str | Path = ".",
    *,
    raters: Sequence[str] = (),
    format: Literal["xlsx", "csv"] = "xlsx",
    workspace: str | Path = WORKSPACE,
    **draw: Any,
) -> ExportedSheets:
    """Write a blind sheet for each rater into ``folder``. The first call that names a review begins it.

    ``draw`` says how, of a new review: ``name``, ``mode`` (`grade` or `pairs`), ``rubric``, ``judge``, ``n`` (100),
    ``design`` (`random`, `candidate`, `score` or `disagreement`), ``overlap`` (0.3), ``attention`` (0), ``seed``.
    Raises InputError where the review was begun in another way, or a sheet is there already.
    """
    from ..review.beginning import begin_or_resume
    from ..review.exporting import write_sheets
    from ..review.names import names_of

    asked, store = _asked(raters, draw), opened(workspace)
    try:
        review = begin_or_resume(store, run, asked)
        return write_sheets(store, review, names_of(asked.raters) or review.raters, format, Path(folder))
    finally:
        store.close()


def review_import(
    files: Files, *, name: str = "", partial: bool = False, workspace: str | Path = WORKSPACE
) -> ImportedSheets:
    """Take filled-in sheets back; what came of each file, wrong cells by file, row and column.

    Of a file with a wrong cell nothing is kept, or with ``partial`` all but its row. ``name`` refuses sheets of
    another review.
    """
    from ..review.importing import imported

    paths = [files] if isinstance(files, str | Path) else files
    return imported([Path(path) for path in paths], workspace, name, partial)


def review_result(
    name: str = "latest", *, output: str | Path | None = None, workspace: str | Path = WORKSPACE
) -> ReviewOutcome:
    """What people say of the candidates, how far they agree with each other and with the judges; writes its pages.

    Raises InputError where there is no such review, or nobody has rated anything yet.
    """
    from ...harness.store.reviews import Reviews
    from ..reporting import report_folder
    from ..results import ReviewOutcome, parts
    from ..review.outcome import result_of, write_result

    store = opened(workspace)
    try:
        found = result_of(store, Reviews(store).find(name))
        folder = Path(output) if output else report_folder(store, found.review.run) / "review" / found.review.name
        return ReviewOutcome(**parts(found), page=write_result(found, folder))
    finally:
        store.close()


def review_plan(
    run: str | Path = "latest",
    *,
    judge: str = "",
    width: float = 0.2,
    raters: int = 2,
    overlap: float = 0.3,
    workspace: str | Path = WORKSPACE,
) -> ReviewPlan:
    """How many answers people must rate for a 95 % interval of a wanted full ``width``, in points of the scale."""
    from ..review.planning import Wanted, planned

    return planned(str(run), workspace, judge, Wanted(width, raters, overlap))


def review_serve(
    run: str = "latest",
    *,
    raters: Sequence[str] = (),
    port: int = 0,
    adjudicate: bool = False,
    workspace: str | Path = WORKSPACE,
    **draw: Any,
) -> ServedReview:
    """Grade in the browser, on this machine only, until interrupted; returns how far everybody is.

    Prints the address. ``draw`` is that of `review_export`; ``adjudicate`` is a second pass over the worst disputes.
    """
    from ..review.serving import served

    return served(run, workspace, _asked(raters, draw), port, adjudicate, print)


def _asked(raters: Sequence[str], draw: dict[str, Any]) -> Asked:
    from ..review.beginning import Asked

    return Asked(raters=tuple(raters), **draw)

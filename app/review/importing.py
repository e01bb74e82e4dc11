"""`markscheme review import`: filled-in sheets back into the workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import typer

from ...harness.data_rows import Row
from ...harness.errors import DataError, InputError
from ...harness.review.records import Rating, Review
from ...harness.store.reviews import Reviews
from ..commands import emit
from ..references import opened
from .csv_sheets import read_csv
from .output import ImportedSheets, SheetImport
from .reading import Findings, place_of, read_rows, review_named
from .workbook import read_workbook

_MOST_PROBLEMS = 50


def import_sheets(paths: Sequence[Path], workspace: str, name: str, partial: bool, json: bool) -> int:
    """Check the files, keep what they say, say what came of each; the exit code.

    Of a file with a wrong cell nothing is kept (exit code 2), or with ``partial`` all but its row (exit code 1).
    """
    files = imported(paths, workspace, name, partial).files
    for file in files:
        for text in (*_shortened(file.wrong), *(f"note: {note}" for note in file.notes)):
            typer.echo(text, err=True)
    if json:
        emit(ImportedSheets(files=files))
    else:
        for file in files:
            typer.echo(_told(file, partial))
    return (1 if partial else 2) if any(file.wrong for file in files) else 0


def imported(paths: Sequence[Path], workspace: str | Path, name: str, partial: bool) -> ImportedSheets:
    """Check the files and keep what they say: of a file with a wrong cell nothing, or ``partial`` all but its row."""
    store = opened(workspace)
    try:
        reviews = Reviews(store)
        checked = [_checked(reviews, path, name) for path in paths]
        return ImportedSheets(files=[_kept(reviews, review, findings, partial) for review, findings in checked])
    finally:
        store.close()


def _checked(reviews: Reviews, path: Path, name: str) -> tuple[Review, Findings]:
    """Raises DataError for what is no sheet, InputError where its review is not known here or not the one wanted."""
    rows = [*_rows(path)]
    named = review_named(path, rows)
    if name and named != name:
        raise InputError(f"{path}: is a sheet of review {named!r}, not of --name {name!r}; leave --name out for both")
    try:
        review = reviews.find(named if named != "latest" else "")
    except InputError as error:
        raise DataError(f"{path}: comes from a review that was begun elsewhere; {error}") from None
    return review, read_rows(path, rows, place_of(reviews, review))


def _rows(path: Path) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if suffix not in (".xlsx", ".csv", ".tsv"):
        raise DataError(f"{path}: the suffix {path.suffix!r} is not known; save the sheet as .xlsx or .csv")
    return read_workbook(path) if suffix == ".xlsx" else read_csv(path)


def _kept(reviews: Reviews, review: Review, findings: Findings, partial: bool) -> SheetImport:
    """Write what is new or different; the same file a second time writes nothing."""
    before = {(one.rater, one.item): one for one in reviews.ratings(review) if one.round == 1}
    done = SheetImport(
        path=str(findings.path),
        review=review.name,
        new=0,
        changed=0,
        same=0,
        empty=findings.empty,
        wrong=findings.wrong,
        notes=findings.notes,
    )
    if findings.wrong and not partial:
        return done
    changes, now = [], time.time()
    for item, rating in findings.ratings:
        known = before.get((rating.rater, rating.item))
        merged = _merged(rating, known)
        if merged == known:
            done.same += 1
            continue
        changes.append((item, replace(merged, rated_at=now)))
        done.new += known is None
        done.changed += known is not None
    reviews.rate_all(review, changes)
    return done


def _merged(rating: Rating, known: Rating | None) -> Rating:
    """What is written on top of what was said before: an empty cell takes nothing back."""
    if known is None:
        return rating
    scores, winner = {**known.scores, **rating.scores}, rating.winner or known.winner
    return replace(known, scores=scores, winner=winner, note=rating.note or known.note)


def _told(file: SheetImport, partial: bool) -> str:
    if file.wrong and not partial:
        return f"{file.path}: nothing kept, {len(file.wrong)} wrong cells; correct them, or keep the rest by --partial"
    counts = (("new", file.new), ("changed", file.changed), ("as before", file.same), ("not rated yet", file.empty))
    text = ", ".join(f"{count} {word}" for word, count in counts if count) or "no row"
    return f"{file.path}: review {file.review}: {text}" + f", {len(file.wrong)} wrong cells" * bool(file.wrong)


def _shortened(problems: Sequence[str]) -> list[str]:
    rest = len(problems) - _MOST_PROBLEMS
    return [*problems[:_MOST_PROBLEMS], *([f"… and {rest} more"] if rest > 0 else [])]

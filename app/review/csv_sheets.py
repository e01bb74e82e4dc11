"""Blind sheets as CSV, for whatever a rater has; no text in them is run as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...harness.data_rows import Row
from ...harness.errors import DataError
from ...harness.spreadsheets import safe

_SEPARATORS = ",;\t"
"""Spreadsheets write semicolons where decimals have a comma."""
_LONGEST_CELL = 2**31 - 1


def write_csv(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Write texts, with the mark by which Excel knows UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([safe(cell) for cell in row] for row in rows)


def read_csv(path: Path) -> Iterator[Row]:
    """Rows as texts, whichever separator a spreadsheet chose. Raises DataError."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = max(_SEPARATORS, key=first.count)
            file.seek(0)
            yield from _rows(path, csv.reader(file, delimiter=separator, strict=True))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason}); save it as CSV UTF-8, or as .xlsx") from None


def _rows(path: Path, reader: Iterator[list[str]]) -> Iterator[Row]:
    """A row that lost its last empty cells is filled up; one with more cells than columns is a mistake."""
    names: list[str] = []
    try:
        for line, cells in enumerate(reader, 1):
            if not names:
                names = [cell.strip() for cell in cells]
                _check_names(path, names)
            elif len(cells) > len(names) and any(cells[len(names) :]):
                raise DataError(
                    f"{path}:{line}: has {len(cells)} cells where the header has {len(names)}; quote cells that hold a "
                    "separator, or save it from a spreadsheet"
                )
            else:
                filled = [*cells, *[""] * (len(names) - len(cells))]
                yield Row(line, {name: cell for name, cell in zip(names, filled, strict=False) if name})
    except csv.Error as error:
        raise DataError(f"{path}: is not CSV: {error}; save it from a spreadsheet, or as .xlsx") from None


def _check_names(path: Path, names: Sequence[str]) -> None:
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise DataError(f"{path}:1: the column {twice!r} is there twice; rename one")

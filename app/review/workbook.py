"""Blind sheets as Excel workbooks: drop-down cells, the rest locked, every text a text. Needs openpyxl."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...harness.data_rows import Row
from ...harness.errors import DataError, MissingExtra
from .guidance import Guidance
from .sheets import KEYS, NOTE, BlindSheet

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""Excel reads `_x0041_` in a text as A; `_x005F_` is the underscore itself."""
_NARROW, _SCORE, _TEXT, _NOTE = 12, 18, 60, 40
_FROZEN = "D2"
"""The first cell that moves: below the names of the columns, right of the keys."""
_LINE, _HIGHEST = 15, 405
"""Points: of a line of text, and of the highest row that Excel draws."""


def write_workbook(sheet: BlindSheet, guidance: Guidance, path: Path) -> None:
    """Write the sheet, and the rubric on a second one. Raises MissingExtra without openpyxl."""
    openpyxl = _openpyxl("--xlsx")
    book = openpyxl.Workbook()
    book.properties.creator = "markscheme"
    answers: Worksheet = book.active
    answers.title = "Answers"
    _fill(answers, [sheet.columns, *sheet.rows], [_width(name, sheet) for name in sheet.columns], frozenset({0}))
    answers.freeze_panes = _FROZEN
    _offer(answers, sheet)
    _fill(book.create_sheet("Rubric"), guidance.rows, guidance.widths, guidance.bold)
    book.save(path)


def read_workbook(path: Path) -> Iterator[Row]:
    """The rows of the first worksheet that has our columns, as cells of any kind. Raises DataError, MissingExtra."""
    book = _opened(path)
    for found in book.worksheets:
        header, *rows = [*found.iter_rows(values_only=True)] or [()]
        names = ["" if name is None else str(name).strip() for name in header]
        if set(KEYS) <= set(names):
            break
    else:
        raise DataError(
            f"{path}:1: no worksheet has the columns {', '.join(KEYS)}: this is not a sheet of `review export`, or its "
            "first row was changed"
        )
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise DataError(f"{path}:1: the column {twice!r} is there twice; rename one")
    for line, cells in enumerate(rows, 2):
        yield Row(line, {name: _plain(cell) for name, cell in zip(names, cells, strict=True) if name})


def _plain(cell: Any) -> Any:
    from openpyxl.utils.escape import unescape

    return unescape(cell) if isinstance(cell, str) else cell


def _openpyxl(needed_for: str) -> Any:
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise MissingExtra("review", needed_for) from error
    return openpyxl


def _opened(path: Path) -> Workbook:
    openpyxl = _openpyxl(f"reading {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what other programs put into a file, and we do not read
            book: Workbook = openpyxl.load_workbook(path)  # formulas as they stand: they are no scores
    except Exception as error:  # a damaged file raises nearly anything, of the zip, XML and openpyxl layers
        raise DataError(f"{path}: cannot be read as a workbook ({error}); save it as .xlsx or .csv") from None
    return book


def _fill(worksheet: Worksheet, rows: Sequence[Sequence[str]], widths: Sequence[int], bold: frozenset[int]) -> None:
    """Write rows of texts, wrapped, and lock them against slips: without a password, and they may be made larger."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    wrapped, strong = Alignment(wrap_text=True, vertical="top"), Font(bold=True)
    for position, width in enumerate(widths, 1):
        worksheet.column_dimensions[get_column_letter(position)].width = width
    for line, row in enumerate(rows, 1):
        for position, text in enumerate(row, 1):
            cell = cast("Cell", worksheet.cell(line, position))
            cell.alignment = wrapped
            if line - 1 in bold:
                cell.font = strong
            if text:
                _write(cell, text)
        worksheet.row_dimensions[line].height = _height(row, widths)
    worksheet.protection.sheet = True
    worksheet.protection.formatColumns = False
    worksheet.protection.formatRows = False


def _write(cell: Cell, text: str) -> None:
    """As a text, whatever it looks like."""
    cell.value = _ESCAPE.sub("_x005F_", text)
    cell.data_type = "s"
    cell.quotePrefix = True  # it stays one when somebody edits the cell


def _width(name: str, sheet: BlindSheet) -> int:
    if name in KEYS:
        return _NARROW
    if name == NOTE:
        return _NOTE
    return max(_SCORE, len(name) + 2) if name in sheet.choices else _TEXT


def _height(row: Sequence[str], widths: Sequence[int]) -> int:
    """Points that the texts take when they are wrapped: not every program works it out itself."""
    lines = (
        sum(1 + len(line) // width for line in text.splitlines() or [""])
        for text, width in zip(row, widths, strict=True)
    )
    return min(_HIGHEST, _LINE * max(lines))


def _offer(worksheet: Worksheet, sheet: BlindSheet) -> None:
    """Open the cells that are to be filled in, and list what may be written there."""
    from openpyxl.styles import PatternFill, Protection
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    unlocked, light = Protection(locked=False), PatternFill("solid", fgColor="FFFBE6")
    for position, name in enumerate(sheet.columns, 1):
        choices = sheet.choices.get(name)
        if not sheet.rows or (choices is None and name != NOTE):
            continue
        letter, last = get_column_letter(position), len(sheet.rows) + 1
        for (cell,) in worksheet[f"{letter}2:{letter}{last}"]:
            cell.protection, cell.fill = unlocked, light
            if choices is not None:
                _choose(cell)
        if choices is not None:
            offered = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=True, showErrorMessage=True)
            offered.errorTitle, offered.error = name[:31], f"Choose one of {', '.join(choices)}, or leave it empty."
            offered.add(f"{letter}2:{letter}{last}")
            worksheet.add_data_validation(offered)


def _choose(cell: Cell) -> None:
    """What is chosen stands as the list would put it there: as a number where it is one."""
    cell.quotePrefix = False
    if (text := str(cell.value or "")).lstrip("-").isdigit():
        cell.value = int(text)

"""Sentences and tables on a terminal. rich is imported when a table is printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LOG_WIDTH = 200
"""Columns of a file or a pipe, which have no width to fit."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def printable(text: str) -> str:
    """Without what a terminal would take for a command: a model wrote it, or it comes with somebody's bundle."""
    return _CONTROL.sub("\ufffd", text)


def say(out: TextIO, text: str) -> None:
    """Write ``text``, printable, and end the line."""
    out.write(f"{printable(text)}\n")


def console(out: TextIO) -> Console:
    """Writes to ``out`` as wide as it is, without colouring numbers."""
    from rich.console import Console

    return Console(file=out, width=None if out.isatty() else LOG_WIDTH, highlight=False)


def grid(titles: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1, wordy: Sequence[str] = ()) -> Table:
    """Columns without lines; the first ``left`` and those titled as in ``wordy`` hold words, the others numbers.

    Titles and cells are never read as markup, nor as commands of the terminal.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, title in enumerate(titles):
        words = place < left or title in wordy
        table.add_column(Text(printable(title)), overflow="fold", justify="left" if words else "right")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table

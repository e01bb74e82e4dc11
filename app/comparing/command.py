"""The command `compare`, once its words are parsed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ...reports.regression.records import Compared
from ..commands import emit
from .comparing import compare
from .output import print_comparison, to_output


def run(
    references: tuple[str, Sequence[str]],
    workspace: str,
    candidates: Sequence[str],
    intersection: bool,
    family: Sequence[str],
    worst: int,
    json: bool,
) -> None:
    """Compare and print what came of it."""
    new, baseline = references
    found = compare(
        new,
        *baseline,
        workspace=workspace,
        candidates=candidates,
        intersection=intersection,
        family=family,
        worst=worst,
    )
    tell(found, None, json)


def tell(found: Compared, page: Path | None, json: bool) -> None:
    """Print the comparison, or its JSON object."""
    if json:
        emit(to_output(found, str(page) if page else None))
        return
    print_comparison(found, sys.stdout)
    if page:
        sys.stdout.write(f"report: {page}\n")

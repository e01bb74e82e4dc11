"""The command `compare`, once its words are parsed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ...reports.regression.compare import Options
from ...reports.regression.records import Compared
from ..commands import emit
from .comparing import candidate_pairs, comparison_folder, found_by, write_comparison
from .output import print_comparison, to_output


def chosen(candidates: Sequence[str], intersection: bool, family: Sequence[str], worst: int) -> Options:
    """The words of the command line as `Options`."""
    return Options(candidate_pairs(candidates), intersection, tuple(family), worst)


def run(
    references: tuple[str, Sequence[str]], options: Options, workspace: str, output: Path | None, json: bool
) -> None:
    """Compare, write compare.html and compare.md into ``output`` (else beside the new run's report), and print what
    came of it."""
    found = found_by(references[0], references[1], workspace, options)
    tell(found, write_comparison(found, output or comparison_folder(found, workspace)), json)


def tell(found: Compared, page: Path, json: bool) -> None:
    """Print the comparison, or its JSON object."""
    if json:
        emit(to_output(found, str(page)))
        return
    print_comparison(found, sys.stdout)
    sys.stdout.write(f"report: {page}\n")

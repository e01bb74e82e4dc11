"""The command `small-large`, once its words are parsed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...harness.errors import InputError
from ...harness.store import serving
from ...reports import words
from ...reports.serving import small_large_base_said as based_said
from ...reports.serving import small_large_said as said
from ...reports.serving.cells import Cell, cells
from ...reports.serving.prices import hires
from ...reports.serving.said import plain
from ...reports.serving.small_large import SmallLarge, small_against_large
from ...reports.serving.small_large_base import Based
from ...reports.serving.small_large_pages import render_small_large, small_large_markdown
from ...reports.serving.untrained import untrained
from ..commands import emit
from ..references import load_run, opened
from ..reporting import reports_of
from ..terminal import console, grid, say
from .small_large_output import to_output
from .trained_on import learned_in


@dataclass(frozen=True, slots=True)
class Asked:
    """Names of the candidates, the loss that is accepted in points, and which measure and load test are meant.

    ``base`` is the candidate that the small one was tuned from, ``trained_on`` the export that it was tuned with.
    """

    small: str
    large: str
    margin: float
    measure: str = ""
    bench: str = ""
    base: str = ""
    trained_on: Path | None = None


def run(reference: str, asked: Asked, workspace: str, output: Path | None, json: bool) -> None:
    """Compare, write small-large.html and small-large.md into ``output`` (else beside the run's report), print."""
    found = found_by(reference, asked, workspace)
    page = write_pages(found, output or reports_of(workspace) / found.run.id)
    if json:
        emit(to_output(found, str(page)))
        return
    _print(found)
    sys.stdout.write(f"report: {page}\n")


def found_by(reference: str, asked: Asked, workspace: str) -> SmallLarge:
    """The comparison. Raises InputError for a run, a candidate, a measure or a load test that is not there, and for
    samples that were trained on."""
    learned = learned_in(asked.trained_on) if asked.trained_on else ()
    bench = _bench(asked.bench, workspace) if asked.bench else ("", ())
    data = load_run(reference, workspace)
    unseen = untrained(data, learned, str(asked.trained_on)) if asked.trained_on else ""
    found = small_against_large(data, (asked.small, asked.large), asked.margin, asked.measure, bench, asked.base)
    if asked.bench and not found.loads:
        loaded = words.listed(dict.fromkeys(cell.setting.candidate for cell in bench[1])) or "nobody"
        raise InputError(
            f"--bench {asked.bench!r}: load test {bench[0]} put no load on both {asked.small!r} and {asked.large!r}, "
            f"but on {loaded}; name both under serving.candidates, or leave --bench out"
        )
    return replace(found, untrained=unseen)


def write_pages(found: SmallLarge, folder: Path) -> Path:
    """The HTML page, and Markdown beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "small-large.html"
    page.write_text(render_small_large(found), encoding="utf-8")
    page.with_suffix(".md").write_text(small_large_markdown(found), encoding="utf-8")
    return page


def _bench(reference: str, workspace: str) -> tuple[str, Sequence[Cell]]:
    store = opened(workspace)
    try:
        bench, loads = serving.load_bench(store, reference)
    finally:
        store.close()
    return bench.id, cells(loads, {}, hires(bench.config, loads))


def _print(found: SmallLarge) -> None:
    for text in (*said.lines(found), said.untrained(found)):
        if text:
            say(sys.stdout, plain(text))
    sys.stdout.write("\n")
    if found.based is not None:
        _print_three(found, found.based)
    titles = ["", found.small, found.large, "ratio"]
    shown = [said.quality_row(found), *said.rows(found.ratios)]
    console(sys.stdout).print(grid(titles, (row.texts for row in shown), left=1))
    for where, ratios in found.loads:
        console(sys.stdout).print(grid([where, *titles[1:]], (row.texts for row in said.rows(ratios)), left=1))
    for text in said.caveats(found):
        say(sys.stdout, f"note: {text}")


def _print_three(found: SmallLarge, three: Based) -> None:
    """Two narrow tables: what all three score, then how far apart they are."""
    rows = [row.texts for row in based_said.rows(three)]
    titles = ("", *based_said.titles(three, found.small, found.large)[1:])
    for places in ((0, 1, 2, 3), (0, 4, 5, 6, 7)):
        shown = ([texts[place] for place in places] for texts in rows)
        console(sys.stdout).print(grid([titles[place] for place in places], shown, left=1))

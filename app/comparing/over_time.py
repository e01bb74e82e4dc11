"""The windows of a run of production traces, as a function and as the command `compare RUN --over-time`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...harness.errors import InputError
from ...harness.store.load import load
from ...harness.store.metadata import sample_metadata
from ...harness.windows import times_of
from ...reports.over_time.drift import Asked, Options
from ...reports.over_time.drift import over_time as followed
from ...reports.over_time.records import OverTime
from ..commands import emit
from ..references import opened_run
from ..reporting import reports_of
from .over_time_output import print_over_time, to_output


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the command line that are about windows; ``wanted`` is `--over-time` itself."""

    wanted: bool
    window: str = ""
    reference: str = ""
    by: str = ""
    fail: bool = False


def followed_over_time(reference: str, options: Options, workspace: str | Path) -> OverTime:
    """What drifted between the windows of a run.

    Raises DataError for a time that is none, naming its sample, and InputError where there are no times, no answers, or
    no two windows.
    """
    with opened_run(reference, workspace) as (store, run):
        metadata = sample_metadata(store, run)
        times = times_of(metadata, run.id)
        return followed(load(store, run), Asked(times, metadata), options)


def run(reference: str, options: Options, fail: bool, places: tuple[str, Path | None], json: bool) -> int:
    """Follow a run, write over-time.html and over-time.md into the folder that is named (else beside the run's report),
    and print; returns the exit code: 1 where something moved and ``fail`` asks for it."""
    workspace, output = places
    found = followed_over_time(reference, options, workspace)
    page = write_over_time(found, output or reports_of(workspace) / found.run.id)
    if json:
        emit(to_output(found, page))
    else:
        print_over_time(found, sys.stdout)
        sys.stdout.write(f"report: {page}\n")
    return int(fail and found.moved)


def write_over_time(found: OverTime, folder: Path) -> Path:
    """The HTML page, and Markdown beside it."""
    from ...reports.over_time.html import render_over_time
    from ...reports.over_time.markdown import over_time_markdown

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "over-time.html"
    page.write_text(render_over_time(found), encoding="utf-8")
    page.with_suffix(".md").write_text(over_time_markdown(found), encoding="utf-8")
    return page


def options_of(asked: Words, candidates: Sequence[str], **others: object) -> Options | None:
    """The words as options; ``None`` where `--over-time` was not asked for.

    Raises InputError for words that do not go together.
    """
    given = {"--window": asked.window, "--reference": asked.reference, "--by": asked.by, "--fail-on-drift": asked.fail}
    if not asked.wanted:
        for name, value in given.items():
            if value:
                raise InputError(f"{name} is about windows of time: add --over-time")
        return None
    for name, value in others.items():
        if value:
            raise InputError(f"--over-time compares the windows of one run with each other: leave {_option(name)} out")
    if len(candidates) > 1 or any("=" in one for one in candidates):
        raise InputError(f"--candidate {' '.join(candidates)!r}: with --over-time it is one name, or left out for all")
    standard = Options()
    return Options(
        asked.window or standard.window,
        asked.reference or standard.reference,
        asked.by,
        candidates[0] if candidates else "",
    )


def _option(name: str) -> str:
    return "BASELINE" if name == "baseline" else f"--{name}"

"""`markscheme rubric diff`: what differs between two rubrics, for a person or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import typer

from ..judges.rubric import load_rubric
from ..judges.rubric_diff import Change, RubricDiff, rubric_diff
from .commands import emit
from .rubrics import source_of
from .rubrics_output import RubricChange, RubricDiffOutput

_VERDICTS = {
    (False, False): "Verdicts stand: a judge is shown the same words and follows the same rules.",
    (False, True): "Verdicts of few-shot judges can differ; those of zero-shot judges stand.",
    (True, True): "Verdicts can differ, zero-shot and few-shot.",
}
_SHORT = 60
"""Characters up to which both texts of a change stand on one line."""


def diff(before: str, after: str, json: bool) -> None:
    """Print what differs, and what the difference can reach."""
    was, now = (load_rubric(source_of(name), 0) for name in (before, after))
    found = rubric_diff(was, now)
    if json:
        emit(_output(found))
        return
    for line in _told(found):
        typer.echo(line)
    unnamed = (was.name, was.version) == (now.name, now.version)
    if unnamed and (found.few_shot or found.composites):
        typer.echo(f"Both are {now.name!r}, version {now.version!r}: raise the version, to tell their results apart.")


def _output(found: RubricDiff) -> RubricDiffOutput:
    return RubricDiffOutput(
        changes=[RubricChange(**asdict(change)) for change in found.changes],
        zero_shot=found.zero_shot,
        few_shot=found.few_shot,
        composites=found.composites,
    )


def _told(found: RubricDiff) -> Iterator[str]:
    for change in found.changes:
        yield from _change(change)
    yield _VERDICTS[found.zero_shot, found.few_shot]
    if found.composites:
        yield "Composites can differ for the same verdicts."


def _change(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if before is not None and after is not None and max(len(before), len(after)) <= _SHORT:
        yield f"{change.where}: {before or '(empty)'} → {after or '(empty)'}"
        return
    yield f"{change.where}:"
    yield from (f"  {sign} {text or '(empty)'}" for sign, text in (("-", before), ("+", after)) if text is not None)

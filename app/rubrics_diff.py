"""`markscheme rubric diff`: what differs between two rubrics, for a person or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import typer

from ..harness.errors import InputError
from ..judges.pairwise_rubric import load_pairwise_rubric
from ..judges.rubric import load_rubric, rubric_kind
from ..judges.rubric_diff import Change, RubricDiff, pairwise_diff, rubric_diff
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
    found, names = _compared(before, after)
    if json:
        emit(_output(found))
        return
    for line in _told(found):
        typer.echo(line)
    if len(names) == 1 and (found.few_shot or found.composites):
        [(name, version)] = names
        typer.echo(f"Both are {name!r}, version {version!r}: raise the version, to tell their results apart.")


def difference(before: str, after: str) -> RubricDiffOutput:
    """What differs between two rubrics. Raises InputError for two that are not of a kind."""
    return _output(_compared(before, after)[0])


def _compared(before: str, after: str) -> tuple[RubricDiff, set[tuple[str, str]]]:
    """What differs, and the names and versions of both."""
    sources = source_of(before), source_of(after)
    kinds = [rubric_kind(source) for source in sources]
    if kinds[0] != kinds[1]:
        raise InputError(f"{before} is a {kinds[0]} rubric and {after} a {kinds[1]} one: name two of a kind")
    if kinds[0] == "pairwise":
        pairs = [load_pairwise_rubric(source, 0) for source in sources]
        return pairwise_diff(*pairs), {(rubric.name, rubric.version) for rubric in pairs}
    singles = [load_rubric(source, 0) for source in sources]
    return rubric_diff(*singles), {(rubric.name, rubric.version) for rubric in singles}


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

"""What a command says at its end, to a person."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence

import typer

from ..harness.dispatch.tally import Tally
from ..harness.generate import FINAL_FAILURES
from .output import RunOutput
from .progress import money

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")
_ONCE = {"--fresh": 0, "--retry": 1, "--reuse": 1}
"""Options that a continuation must not repeat, and how many words follow them."""


def resume_command() -> str:
    """The command that goes on where this one stopped: the same words without those that would begin anew."""
    words, rest = ["markscheme"], iter(sys.argv[1:])
    for word in rest:
        option, _, value = word.partition("=")
        if option not in _ONCE:
            words.append(word)
        elif _ONCE[option] and not value:
            next(rest, None)
    return _PASSWORD.sub(r"\1:***@", shlex.join(words))


def tell(
    result: RunOutput,
    tally: Tally,
    failures: Sequence[tuple[str, str, int]],
    unrecorded: Mapping[str, tuple[int, str]],
) -> None:
    """What was done, what failed and what to do about it, the summary, and where the report is."""
    typer.echo(f"run {result.run}: {_what_was_done(result, tally)}")
    if failed := result.answers["failed"] - sum(count for count, _ in unrecorded.values()):
        _tell_failures(failed, failures)
    if unrecorded:
        typer.echo(unrecorded_words(unrecorded))
    unscored = {status: count for status, count in result.grades.items() if status != "ok" and count}
    if unscored:
        counts = ", ".join(f"{count} {status}" for status, count in unscored.items())
        typer.echo(f"grades without a score: {counts}")
    if result.preferences:
        counts = ", ".join(f"{count} {status}" for status, count in result.preferences.items() if count) or "none yet"
        typer.echo(f"verdicts on pairs: {counts}")
    if result.summary:
        from .tables import print_summary

        print_summary(result.summary, sys.stdout)
    if result.report is not None:
        typer.echo(f"report: {result.report}")


def unrecorded_words(unrecorded: Mapping[str, tuple[int, str]]) -> str:
    """How many answers nobody recorded, of whom, and one of them: a sheet that lacks a question is no failure."""
    total = sum(count for count, _ in unrecorded.values())
    if total == 1:
        return f"1 answer is not recorded: {next(detail for _, detail in unrecorded.values())}"
    whose = ", ".join(f"{count:,} of {name}" for name, (count, _) in unrecorded.items())
    return f"{total:,} answers are not recorded, {whose}; one: {next(iter(unrecorded.values()))[1]}"


def _what_was_done(result: RunOutput, tally: Tally) -> str:
    if not (tally.live or tally.reused or tally.worked or tally.done):
        if not sum(result.answers.values()):
            return "there are no answers yet: markscheme run or generate makes them; 0 calls made"
        left = " but what failed" if result.answers["failed"] else ""
        return f"nothing to do, everything{left} is answered and graded; 0 calls made"
    if not (tally.live or tally.reused):
        return "no model was called, nothing paid"
    return f"{tally.live} calls made, {tally.reused} replies re-used, paid {money(tally)}"


def _tell_failures(failed: int, failures: Sequence[tuple[str, str, int]]) -> None:
    typer.echo(f"{failed} {'answer' if failed == 1 else 'answers'} failed:")
    for kind, detail, count in failures:
        typer.echo(f"  {count} × {kind}: {detail}")
    if rest := failed - sum(count for _, _, count in failures):
        typer.echo(f"  … and {rest} more")
    kinds = {kind for kind, _, _ in failures}
    if kinds & FINAL_FAILURES:
        typer.echo(f"  final until asked again: {resume_command()} --retry failed")
    if kinds - FINAL_FAILURES:
        typer.echo(f"  tried again by the next {resume_command()}")

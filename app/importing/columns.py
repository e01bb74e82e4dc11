"""`--columns ours=theirs,…`: which column, variable or field of another tool is which of ours."""

from __future__ import annotations

from collections.abc import Mapping

from ...harness.errors import InputError
from ...harness.yaml_file import did_you_mean
from .found import Found

SAMPLE = ("question", "reference", "context", "cluster", "tags")
"""What can be said of a question."""
ANSWER = ("id", "answer", "candidate", "trial", "error", "annotator", "retrieved", "tool_calls")
MEASURED = ("e2e_s", "ttft_s", "prompt_tokens", "completion_tokens", "cost_usd")
SCORE, LABEL = "score.", "label."
"""Before a criterion: a judge's score, a person's label."""


def columns_of(written: str, known: tuple[str, ...], scored: bool = False) -> dict[str, str]:
    """Our names -> theirs. ``scored`` allows `score.CRITERION` and `label.CRITERION`. Raises InputError."""
    columns: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in written.split(","))):
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        criterion = scored and ours.startswith((SCORE, LABEL)) and len(ours) > len(SCORE)
        if not equals or not theirs or not (ours in known or criterion):
            offered = [*known, *([f"{SCORE}NAME", f"{LABEL}NAME"] if scored else [])]
            hint = did_you_mean(ours, known) or ";"
            raise InputError(f"--columns {pair!r}: wanted ours=theirs{hint} ours are {', '.join(offered)}")
        if ours in columns:
            raise InputError(f"--columns {pair!r}: {ours} is {columns[ours]!r} already; name each of ours once")
        columns[ours] = theirs
    return columns


def place_variables(found: Found, columns: Mapping[str, str]) -> None:
    """Move the mapped variables of every question to where they belong; the others are its metadata.

    Raises InputError for one that no question has.
    """
    there = {name for variables in found.variables.values() for name in variables}
    for ours, theirs in columns.items():
        if theirs not in there:
            names = ", ".join(sorted(there)[:20]) or "none"
            raise InputError(f"--columns {ours}={theirs}: no question has {theirs!r}; the names are {names}")
    for sample_id, sample in found.samples.items():
        variables = found.variables.get(sample_id, {})
        for ours, theirs in columns.items():
            if variables.get(theirs) is not None:
                sample[ours] = variables[theirs]
        rest = {name: value for name, value in variables.items() if name not in columns.values()}
        if rest:
            sample["metadata"] = rest

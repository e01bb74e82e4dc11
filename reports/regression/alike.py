"""Judges and measures that both sides have, and what differs between the configurations of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...harness.errors import InputError
from ...harness.store.frames import RunData
from .. import words
from ..exam import JudgeView, judges_of, measures_of, pairwise_judges_of
from .pairing import INTERSECTION, listed_runs, only_one

JUDGE = ("model", "prompt", "shots", "params", "calls", "turns", "members", "aggregate", "embedder")
"""What makes a judge, beside its rubric. Where it is served does not."""
CANDIDATE = ("model", "params", "prompt_sha256", "system_sha256", "version", "contexts", "retriever")
SHOWN = 40
"""Longer values are not quoted."""


def common_judges(
    new: RunData, old: Sequence[RunData], intersection: bool = False
) -> tuple[tuple[JudgeView, ...], tuple[str, ...]]:
    """Judges of single answers that are the same in all runs, and notes on the others.

    Raises InputError where one differs between runs, unless ``intersection`` was asked for: then it is left out.
    """
    ours = {judge.name: judge for judge in judges_of(new)}
    theirs = [{judge.name for judge in judges_of(run)} for run in old]
    everywhere = set.intersection(*theirs)
    odd = {name: what for name in ours if name in everywhere and (what := _judge_differs(name, new, old))}
    if odd and not intersection:
        reasons = "; ".join(f"the judge {name!r} has another {what}" for name, what in odd.items())
        raise InputError(
            f"run {new.info.id} and its baseline {listed_runs(old)} were not graded alike: {reasons}; "
            f"grade both by one judge, or {INTERSECTION}, without it"
        )
    notes = [f"the judge {name} has another {what} in the baseline: left out" for name, what in odd.items()]
    notes += only_one("judge", ours, sorted(everywhere))
    pairs = [judge.name for judge in pairwise_judges_of(new)]
    notes += [f"the judge {name} compares candidates within a run: left out" for name in pairs]
    return tuple(judge for name, judge in ours.items() if name in everywhere and name not in odd), tuple(notes)


def common_measures(new: RunData, old: Sequence[RunData]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Measures without a judge that all runs have, and notes on the others."""
    ours, theirs = measures_of(new), [measures_of(run) for run in old]
    everywhere = [name for name in theirs[0] if all(name in other for other in theirs)]
    return tuple(name for name in ours if name in everywhere), tuple(only_one("measure", ours, everywhere))


def changes(new: RunData, old: Sequence[RunData], pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What was changed about the candidates, a sentence each; the first run of the pool stands for the others."""
    for left, right in pairs:
        ours, theirs = _entry(new, "candidates", left), _entry(old[0], "candidates", right)
        if differing := list(_differing(ours, theirs, CANDIDATE)):
            yield f"the candidate {left} has another {words.listed(differing)}"


def mixed_pool(old: Sequence[RunData]) -> Iterator[str]:
    """A note where the runs of the pool are not of one configuration."""
    if len({run.info.fingerprint for run in old}) > 1:
        yield f"the baseline's runs {listed_runs(old)} are of different configurations"


def _judge_differs(name: str, new: RunData, old: Sequence[RunData]) -> str:
    ours = _entry(new, "judges", name)
    for run in old:
        theirs = _entry(run, "judges", name)
        if differing := [*_rubric_differs(ours, theirs), *_differing(ours, theirs, JUDGE)]:
            return words.listed(differing)
    return ""


def _rubric_differs(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    one, other = _rubric(ours), _rubric(theirs)
    if any(one.get(key) != other.get(key) for key in ("sha256", "name")):
        yield f"rubric ({_rubric_words(one)}; baseline {_rubric_words(other)})"


def _rubric(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    found = entry.get("rubric")
    return found if isinstance(found, Mapping) else {"name": found}


def _rubric_words(rubric: Mapping[str, Any]) -> str:
    return " ".join(part for part in (str(rubric.get("name")), words.short(str(rubric.get("sha256") or ""))) if part)


def _differing(ours: Mapping[str, Any], theirs: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Names of values that differ, with both where they are short."""
    for name in names:
        one, other = ours.get(name), theirs.get(name)
        gone = name == "prompt" and not (one and other)  # a bundle without texts has the rubric's hash alone
        if one != other and not gone:
            title = name.removesuffix("_sha256")
            short = name == title and max(len(str(one)), len(str(other))) <= SHOWN
            yield f"{title} ({one!r}; baseline {other!r})" if short else title


def _entry(data: RunData, part: str, name: str) -> Mapping[str, Any]:
    entries = (e for e in data.info.config.get(part) or () if isinstance(e, Mapping))
    return next((entry for entry in entries if entry.get("name") == name), {})

"""Which samples and candidates two sides have in common. What differs is refused, or left out and said.

Samples are the same where their content is, whatever their ids: the same id with other content is another sample.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...harness.errors import InputError
from ...harness.store.frames import RunData
from .. import words
from ..exam import candidates_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

NAMED = 3
"""Ids of odd samples that a message names."""
INTERSECTION = "compare what both have with --intersection"
OTHER_CONTENT = "same id, other content"


@dataclass(frozen=True)
class Matched:
    """Rows (n,) of the samples that all runs have: of the new run, and of each run of the pool in the same order.

    ``left_out`` counts the others by reason.
    """

    new: Rows
    old: tuple[Rows, ...]
    left_out: Mapping[str, int]


def match_samples(new: RunData, old: Sequence[RunData], intersection: bool = False) -> Matched:
    """Pair samples by content: first those of the same id, then by order.

    Raises InputError where a side has samples that the other lacks (unless ``intersection`` was asked for), or where
    nothing is common to all.
    """
    import numpy as np

    found = [_matches(new, run) for run in old]
    whole = range(len(new.samples))
    common = [row for row in whole if all(row in pairs for pairs in found)]
    if not common:
        raise InputError(f"runs {listed_runs((new, *old))} have no sample in common: nothing can be compared")
    odd = dict(_odd(new, old, found))
    if odd and not intersection:
        reasons = "; ".join(f"{len(ids):,} {reason} ({_few(ids)})" for reason, ids in odd.items())
        raise InputError(f"run {new.info.id} and its baseline had different samples: {reasons}; {INTERSECTION}")
    return Matched(
        np.array(common, dtype=np.intp),
        tuple(np.array([pairs[row] for row in common], dtype=np.intp) for pairs in found),
        {reason: len(ids) for reason, ids in odd.items()},
    )


def match_candidates(
    new: RunData, old: Sequence[RunData], asked: Sequence[tuple[str, str]] = ()
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Pairs of names, the new one's first, and notes on candidates that one side alone has.

    ``asked`` names pairs; without it candidates of the same name are paired. Raises InputError for a name that a side
    does not have, and where none is common.
    """
    ours = [view.name for view in candidates_of(new)]
    theirs = _common([[view.name for view in candidates_of(run)] for run in old])
    if asked:
        _check(asked, (new, ours), (old, theirs))
        return tuple(asked), ()
    within = any(run.info.id == new.info.id for run in old)
    if within or not set(ours) & set(theirs):
        why = "is its own baseline" if within else "and its baseline have no candidate of the same name"
        raise InputError(
            f"run {new.info.id} {why}: name whom to compare with --candidate NEW=OLD "
            f"(new: {', '.join(ours)}; baseline: {', '.join(theirs) or 'none in all of its runs'})"
        )
    return tuple((name, name) for name in ours if name in theirs), tuple(
        only_one("candidate", ours, theirs),
    )


def only_one(kind: str, ours: Iterable[str], theirs: Iterable[str]) -> Iterator[str]:
    """What one side alone has, a sentence a side."""
    ours, theirs = list(ours), list(theirs)
    for side, names, others in (("new run", ours, theirs), ("baseline", theirs, ours)):
        if left := [name for name in names if name not in others]:
            yield f"only the {side} has the {kind}{'' if len(left) == 1 else 's'} {words.listed(left)}: left out"


def listed_runs(data: Iterable[RunData]) -> str:
    """``a, b and c``: their ids."""
    return words.listed(run.info.id for run in data)


def _matches(new: RunData, old: RunData) -> dict[int, int]:
    """Row of ``new`` -> row of ``old`` with the same content, no row twice."""
    places = {key: row for row, key in enumerate(_keys(old))}
    found = {row: places[key] for row, key in enumerate(_keys(new)) if key in places}
    taken, waiting = set(found.values()), defaultdict[str, deque[int]](deque)
    for row, (sha256, _) in enumerate(_keys(old)):
        if row not in taken:
            waiting[sha256].append(row)
    for row, (sha256, _) in enumerate(_keys(new)):
        if row not in found and waiting.get(sha256):
            found[row] = waiting[sha256].popleft()
    return found


def _keys(data: RunData) -> Iterator[tuple[str, str]]:
    return zip(data.samples["sha256"], data.samples["sample_id"], strict=True)


def _odd(new: RunData, old: Sequence[RunData], found: Sequence[Mapping[int, int]]) -> Iterator[tuple[str, list[str]]]:
    """Reason -> ids of samples that not all runs have; a sample counts once."""
    lacking: dict[str, None] = {}
    ours = list(new.samples["sample_id"])
    extra: dict[str, None] = {}
    for run, pairs in zip(old, found, strict=True):
        taken = set(pairs.values())
        lacking |= {name: None for row, name in enumerate(ours) if row not in pairs}
        extra |= {name: None for row, name in enumerate(run.samples["sample_id"]) if row not in taken}
    sides = {
        OTHER_CONTENT: [name for name in lacking if name in extra],
        "only in the new run": [name for name in lacking if name not in extra],
        "only in the baseline": [name for name in extra if name not in lacking],
    }
    yield from ((reason, ids) for reason, ids in sides.items() if ids)


def _few(ids: Sequence[str]) -> str:
    return ", ".join([*ids[:NAMED], *(["…"] if len(ids) > NAMED else [])])


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    """Names that are in all of the lists, in the order of the first."""
    return [name for name in lists[0] if all(name in other for other in lists)]


def _check(
    asked: Sequence[tuple[str, str]], ours: tuple[RunData, list[str]], theirs: tuple[Sequence[RunData], list[str]]
) -> None:
    """Every name must be there, none twice, and no candidate stands against itself."""
    for left, right in asked:
        for name, known, where in (
            (left, ours[1], f"run {ours[0].info.id}"),
            (right, theirs[1], f"the baseline {listed_runs(theirs[0])}"),
        ):
            if name not in known:
                raise InputError(f"--candidate {name!r}: {where} has {', '.join(known) or 'none in all of its runs'}")
        if left == right and any(run.info.id == ours[0].info.id for run in theirs[0]):
            raise InputError(f"--candidate {left!r}: run {ours[0].info.id} is its own baseline: name another, NEW=OLD")
    twice = [name for name, count in Counter(left for left, _ in asked).items() if count > 1]
    if twice:
        raise InputError(f"--candidate {twice[0]!r} is named twice: a candidate has one baseline")

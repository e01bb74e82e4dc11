"""A run against the pool of its baseline: everything a comparison has to say, from the runs' tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from ...harness.errors import InputError
from ...harness.statistics.clusters import clusters_of
from ...harness.store.frames import RunData
from .alike import changes, common_judges, common_measures, mixed_pool
from .corrected import corrected
from .differences import differences, family_of, headline_sides
from .pairing import Matched, match_candidates, match_samples
from .records import Compared, Difference, Pairing
from .sides import FAILURES, Shared, align, sides_of
from .slices import sliced
from .worse import worse

FAMILY_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare. ``candidates`` pairs names, the new run's first (none: those of the same name); ``family`` names
    the measures that Holm's correction goes over; ``worst`` is how many samples that got worse are shown."""

    candidates: tuple[tuple[str, str], ...] = ()
    intersection: bool = False
    family: tuple[str, ...] = ()
    worst: int = 20


def compared(new: RunData, old: Sequence[RunData], options: Options | None = None) -> Compared:
    """Compare ``new`` with the mean of the runs ``old``, paired by sample.

    Raises InputError where the runs differ in samples, rubrics or judges and no intersection was asked for, where they
    share nothing, and for names that a side does not have.
    """
    chosen = options or Options()
    _check_pool(old)
    pairs, odd_candidates = match_candidates(new, old, chosen.candidates)
    matched = match_samples(new, old, chosen.intersection)
    judges, odd_judges = common_judges(new, old, chosen.intersection)
    measures, odd_measures = common_measures(new, old)
    ours, theirs = align(new, old, matched)
    sides, shared = sides_of(ours, theirs, pairs, judges, measures)
    clusters = new.samples["cluster"].to_numpy(dtype=object).astype(str)[matched.new]
    family = family_of(sides, judges, chosen.family)
    found = corrected(differences(sides, clusters, family), ours, theirs, dict(pairs), judges)
    first = headline_sides(sides, judges)
    by_tag, too_small = sliced(first, ours, clusters)
    notes = (*odd_candidates, *odd_judges, *odd_measures, *mixed_pool(old))
    return Compared(
        new.info,
        tuple(run.info for run in old),
        _pairing(matched, int(clusters_of(clusters, len(clusters)).count), shared, notes),
        family.words,
        found,
        by_tag,
        worse(first, ours, theirs, dict(pairs), chosen.worst),
        pairs=pairs,
        too_small=too_small,
        notes=tuple(chain(changes(new, old, pairs), _uncorrected(found), _lopsided(found))),
    )


def _check_pool(old: Sequence[RunData]) -> None:
    ids = [run.info.id for run in old]
    if not ids:
        raise InputError("there is no baseline to compare with: name one or more runs")
    twice = [name for name in ids if ids.count(name) > 1]
    if twice:
        raise InputError(f"the run {twice[0]!r} is in the baseline twice: name each once")


def _pairing(matched: Matched, clusters: int, shared: Shared, notes: tuple[str, ...]) -> Pairing:
    left_out: Mapping[str, int] = matched.left_out
    return Pairing(len(matched.new), clusters, left_out, shared.replies, shared.answers, notes)


def _uncorrected(found: Sequence[Difference]) -> Iterator[str]:
    """No difference by a judge alone without saying so."""
    if any(one.subject.source and not one.corrected for one in found):
        which = "other scores" if any(one.corrected for one in found) else "scores"
        yield f"{which} are the judges' own, uncorrected by human labels"


def _lopsided(found: Sequence[Difference]) -> Iterator[str]:
    """Where a candidate fails more often on one side, scores compare only what both answered."""
    for one in found:
        if one.subject.measure == FAILURES and not one.subject.source and one.p < FAMILY_LEVEL:
            side = "more" if (one.estimate.value or 0) > 0 else "less"
            yield (
                f"the candidate {one.subject.candidate} fails {side} often than in the baseline (on {one.losses} "
                f"samples, less often on {one.wins}): scores compare only the samples that both answered"
            )

"""A comparison of runs in words: the first line, the verdict, and numbers with their units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from ...harness.records import Estimate
from ...harness.store.frames import RunInfo
from .. import words
from .records import Compared, Difference, Moved, Side, Subject
from .slices import FEWEST

ALPHA = 0.05
NAMED = 3
"""Differences that the verdict names."""


def title(found: Compared) -> str:
    """``run a against run b``."""
    return f"run {called(found, new=True)} against {called(found, new=False)}"


def called(found: Compared, new: bool) -> str:
    """The runs of one side, by name where they have one."""
    runs = (found.new,) if new else found.old
    return words.listed(f"{run.name} ({run.id})" if run.name else run.id for run in runs)


def first_lines(found: Compared) -> Iterator[str]:
    """What stands above everything else: a warning, replies that both sides share, then the verdict."""
    if found.warning:
        yield found.warning
    if found.pairing.shared_replies:
        yield _shared(found.pairing.shared_replies, found.pairing.answers)
    yield verdict(found)


def verdict(found: Compared) -> str:
    """What of the declared family got worse or better by more than chance; what it does not show otherwise."""
    family = [one for one in found.differences if not one.exploratory]
    if not family:
        return (
            "Nothing was declared to be compared, or nothing of it has values on both sides: numbers to explore only."
        )
    told = sorted((one for one in family if side(one)), key=lambda one: (side(one), one.adjusted))
    if told:
        whose = dict.fromkeys((one.subject.candidate, side(one)) for one in told)
        return " ".join(_told([d for d in told if (d.subject.candidate, side(d)) == who], found) for who in whose)
    said = "; ".join(f"{subject(one, found)} {change(one)}" for one in family[:NAMED])
    more = f"; and {len(family) - NAMED} more" if len(family) > NAMED else ""
    return f"No difference by more than chance on {words.plural(found.pairing.n, 'sample')}: {said}{more}."


def side(one: Difference) -> int:
    """-1 where the new run is worse by more than chance, 1 where it is better, else 0: the interval and p say so."""
    low, high = one.estimate.low, one.estimate.high
    if low is None or high is None or one.adjusted >= ALPHA or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (one.subject.better == "higher") else -1


def notes(found: Compared) -> tuple[str, ...]:
    """What a reader should know before believing the numbers, a sentence each."""
    left_out = [f"{count:,} {reason}" for reason, count in found.pairing.left_out.items()]
    said = [f"compared on the samples that both have; left out: {'; '.join(left_out)}"] if left_out else []
    said += [f"the baseline is the mean of {len(found.old)} runs"] if len(found.old) > 1 else []
    said += [*found.notes, *found.pairing.notes, *_missing(found)]
    return tuple(f"{text[0].upper()}{text[1:]}." for text in dict.fromkeys(said))


def facts(found: Compared) -> tuple[str, ...]:
    """Size and runs, for a last line."""
    pairing = found.pairing
    size = words.plural(pairing.n, "sample")
    shared = "" if pairing.clusters == pairing.n else f" in {words.plural(pairing.clusters, 'cluster')}"
    runs = [("new", found.new), *(("baseline", run) for run in found.old)]
    return (size + shared, *(f"{side}: run {run.id}, {when(run)}" for side, run in runs))


def when(run: RunInfo) -> str:
    """The day on which a run was begun (UTC)."""
    return datetime.fromtimestamp(run.created_at, UTC).date().isoformat()


def moves(found: Compared) -> Iterator[str]:
    """How many samples got worse, and how many better, by the measure that the samples shown are chosen by."""
    told = {one.subject for one in found.worse}
    for one in found.differences:
        if one.subject in told:
            shown = sum(moved.subject == one.subject for moved in found.worse)
            yield f"{subject(one, found)}: {score(one)}; {shown:,} of those that got worse are shown"


def pointers(found: Compared) -> Iterator[str]:
    """Where to look first, a line each: tags that stand out from chance, and the samples that fell most."""
    for part in [part for part in found.slices if part.q < ALPHA][:NAMED]:
        about = f"{subject(part.difference, found)} {change(part.difference)}, q {words.p_value(part.q)}"
        yield f"tag {part.tag}: {about}"
    if found.worse:
        fell = (f"{one.sample_id} ({amount(one.difference, one.subject, sign=True)})" for one in found.worse[:NAMED])
        yield f"fell most: {', '.join(fell)}"


def fall(one: Moved, found: Compared) -> str:
    """``mini, composite 2.50 → 1.30 (−1.20)``: the means of both sides."""
    about = one.subject
    new, old = (amount(value, about) for value in one.means)
    change = amount(one.difference, about, sign=True)
    return f"{candidate(about, found)}, {measure(about, found)} {old} → {new} ({change})"


def silent(one: Side) -> str:
    """Why there is no text."""
    return "its text is not kept here" if one.status == "ok" else words.reason(one.status)


def too_small(found: Compared) -> str:
    """Tags of which nothing is said; '' where there is none."""
    tags = ", ".join(f"{tag} ({count})" for tag, count in found.too_small.items())
    return f"Too few samples to say anything (fewer than {FEWEST}): {tags}." if tags else ""


def subject(one: Difference, found: Compared) -> str:
    """``mini, composite (strict)``; the judge where there are several, the other candidate where names differ."""
    return f"{candidate(one.subject, found)}, {measure(one.subject, found)}"


def candidate(one: Subject, found: Compared) -> str:
    """``mini``, or ``mini against large``."""
    other = dict(found.pairs).get(one.candidate, one.candidate)
    return one.candidate if other == one.candidate else f"{one.candidate} against {other}"


def measure(one: Subject, found: Compared) -> str:
    """``composite``, with its judge where there are several."""
    judges = {d.subject.source for d in found.differences if d.subject.source}
    return f"{one.measure} ({one.source})" if one.source and len(judges) > 1 else one.measure


def change(one: Difference) -> str:
    """``−0.21 [−0.33, −0.09]`` with its unit."""
    return with_interval(one.estimate, one.subject, sign=True)


def value(one: Estimate, about: Difference) -> str:
    """One side's mean in the unit of the subject, without its limits."""
    return words.NONE if one.value is None else amount(one.value, about.subject)


def with_interval(one: Estimate, about: Subject, sign: bool = False) -> str:
    """A value and its limits in the unit of the subject."""
    if one.value is None:
        return words.NONE
    text = amount(one.value, about, sign)
    if one.low is None or one.high is None:
        return text
    return f"{text} [{amount(one.low, about, sign)}, {amount(one.high, about, sign)}]"


def amount(value: float, about: Subject, sign: bool = False) -> str:
    """``−0.21``, ``+0.31 s``, ``−$0.0021``, ``+12``."""
    if not about.unit:
        return words.signed(value) if sign else words.number(value)
    size = abs(value)
    forms = {
        "s": f"{_fine(size, words.seconds(size))} s",
        "USD": f"${_fine(size, words.usd(size).removeprefix('$'))}",
        "tokens": words.number(size, 1),
    }
    mark = "−" if value < 0 else "+" if sign and value > 0 else ""
    return f"{mark}{forms[about.unit]}"


def _fine(size: float, otherwise: str) -> str:
    """Two digits of an amount however small: answers differ by thousandths of a second and millionths of a dollar."""
    return f"{Decimal(f'{size:.2g}'):f}" if 0 < size < 0.1 else otherwise


def score(one: Difference) -> str:
    """``12 better, 20 the same, 8 worse``."""
    return f"{one.wins:,} better, {one.ties:,} the same, {one.losses:,} worse"


def p_words(one: Difference) -> str:
    """The p that counts: Holm's within the family, the plain one of what was not declared."""
    return words.p_value(one.p if one.exploratory else one.adjusted)


def _told(group: Sequence[Difference], found: Compared) -> str:
    """One sentence on all in which a candidate is worse, or better."""
    name = group[0].subject.candidate
    whom = dict(found.pairs).get(name, name)
    other = "in the baseline" if whom == name else f"{whom} in the baseline"
    parts = [
        f"{measure(one.subject, found)} {change(one)} on {words.plural(one.estimate.n, 'sample')}, p {p_words(one)}"
        for one in group
    ]
    return f"{name} is {'better' if side(group[0]) > 0 else 'worse'} than {other}: {'; '.join(parts)}."


def _shared(replies: int, answers: int) -> str:
    if replies == answers:
        return (
            f"All {answers:,} answers are the same replies as in the baseline: what differs is what was made of them "
            "since, and nothing of the candidates."
        )
    return (
        f"{replies:,} of {answers:,} answers are the same replies as in the baseline: only the other "
        f"{answers - replies:,} can show a change of the candidates."
    )


def _missing(found: Compared) -> Iterator[str]:
    """Samples with a score on one side only, by candidate: the worst case of its measures."""
    for name in dict.fromkeys(one.subject.candidate for one in found.differences):
        scored = [one for one in found.differences if one.subject.candidate == name and not one.subject.unit]
        new, old = (max(counts, default=0) for counts in _counts(scored))
        if new or old:
            yield (
                f"of {name}, up to {words.plural(new, 'sample')} without a value in the new run alone and {old:,} in "
                "the baseline alone are in no difference"
            )


def _counts(scored: Sequence[Difference]) -> tuple[list[int], list[int]]:
    return [one.missing_new for one in scored], [one.missing_old for one in scored]

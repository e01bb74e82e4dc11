"""What drifted between windows, in words."""

from __future__ import annotations

from collections.abc import Iterator

from ...harness.records import Estimate
from .. import words
from .records import KINDS, LEAST, LEAST_CLUSTERS, SAME, Change, Kind, OverTime, Point, Slice, Subject, Track

TITLES: dict[Kind, str] = {"scores": "Scores", "answers": "Answers", "questions": "Questions", "retrieval": "Retrieval"}
NAMED = 2
"""Changes, and slices, that a verdict names."""


def title(found: OverTime) -> str:
    """``run 20261121-… (support): 8 windows``."""
    name = f" ({found.run.name})" if found.run.name else ""
    return f"run {found.run.id}{name}: {words.plural(len(found.periods), 'window')}"


def verdict(found: OverTime) -> str:
    """Which kinds moved, and which slices, in a sentence."""
    verdicts = found.verdicts()
    moved = [TITLES[kind].lower() for kind in KINDS if verdicts.get(kind) == "moved"]
    still = [TITLES[kind].lower() for kind in KINDS if verdicts.get(kind) == "no change seen"]
    few = [TITLES[kind].lower() for kind in KINDS if verdicts.get(kind) == "too few"]
    told = [f"{words.listed(moved).capitalize()} moved"] if moved else []
    told += [f"no change seen in {words.listed(still)}"] if still else []
    told += [f"too few samples to tell of {words.listed(few)}"] if few else []
    told += [_which_slices(found)] if any(one.change.moved for one in _slices(found)) else []
    text = "; ".join(told) or "Nothing could be followed"
    return f"{text[0].upper()}{text[1:]}."


def lines(found: OverTime) -> Iterator[tuple[Kind, str, str]]:
    """Each kind, its verdict and what stands behind it."""
    for kind, said in found.verdicts().items():
        yield kind, said, _behind(found, kind, said)


def line(found: OverTime, kind: Kind) -> str:
    """``Scores moved: composite in 2026-W44: …``, ``Answers: no change seen``."""
    told, behind = found.verdicts()[kind], _behind(found, kind, found.verdicts()[kind])
    head = f"{TITLES[kind]}{' ' if told == 'moved' else ': '}{told}"
    return f"{head}: {behind}" if behind else head


def slices_line(found: OverTime) -> str:
    """``Slices by tag moved: refund: quality −0.46 [−0.65, −0.27], p <0.001``; '' where none did."""
    moved = [one for one in _slices(found) if one.change.moved]
    if found.sliced is None or not moved:
        return ""
    about = found.sliced.headline
    told = [
        f"{named(one.candidate, one.name, found)}: {measure(about, found)} {effect(one.change, about)}, "
        f"p {words.p_value(one.change.adjusted or 0.0)}"
        for one in moved[:NAMED]
    ]
    more = len(moved) - NAMED
    return f"Slices by {found.sliced.by} moved: {'; '.join(told)}" + (f"; and {more} more" if more > 0 else "")


def _slices(found: OverTime) -> tuple[Slice, ...]:
    return found.sliced.slices if found.sliced else ()


def _which_slices(found: OverTime) -> str:
    """``of the slices by tag, refund moved``."""
    moved = [named(one.candidate, one.name, found) for one in _slices(found) if one.change.moved]
    more = [f"{len(moved) - NAMED} more"] if len(moved) > NAMED else []
    by = found.sliced.by if found.sliced else ""
    return f"of the slices by {by}, {words.listed([*moved[:NAMED], *more])} moved"


def named(candidate: str, name: str, found: OverTime) -> str:
    """A name with its candidate, where there are several."""
    candidates = {track.subject.candidate for track in found.tracks if track.subject.candidate}
    return f"{candidate}, {name}" if candidate and len(candidates) > 1 else name


def _behind(found: OverTime, kind: Kind, said: str) -> str:
    if said == "moved":
        moved = _moved(found, kind)
        told = [
            f"{subject(track.subject, found)} in {_since(found, own)}: {change(own[-1], track)}" for track, own in moved
        ]
        more = len(told) - NAMED
        return "; ".join(told[:NAMED]) + (f"; and {more} more" if more > 0 else "")
    if said == "too few":
        few = next(one.few for track in found.of(kind) for one in track.changes if one.few not in ("", SAME))
        return f"{few.removeprefix('too few: ')} in a window; wanted are {LEAST} in {LEAST_CLUSTERS} clusters"
    return ""


def _moved(found: OverTime, kind: Kind) -> list[tuple[Track, list[Change]]]:
    """Tracks with their changes against the reference, else with the step from the window before; the latest first."""
    every = [(track, [one for one in track.changes if one.moved]) for track in found.of(kind)]
    known = [(track, [one for one in own if one.against == "reference"] or own) for track, own in every if own]
    return sorted(known, key=lambda pair: (-pair[1][-1].window, pair[1][-1].adjusted or 0.0))


def _since(found: OverTime, changes: list[Change]) -> str:
    """``2026-W44 (first in 2026-W42)``."""
    last, first = label(found, changes[-1]), found.periods[changes[0].window].label
    return f"{last} (first in {first})" if len(changes) > 1 else last


def label(found: OverTime, one: Change) -> str:
    """``2026-W40``, with ``after 2026-W39`` for a step."""
    name = found.periods[one.window].label
    if one.against == "reference":
        return name
    before = [period for period in found.periods[: one.window] if period.samples]
    return f"{name} after {before[-1].label}"


def reference(found: OverTime) -> str:
    """``2026-W35``, or ``2026-W35 to 2026-W37``."""
    labels = [found.periods[at].label for at in found.reference]
    return labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"


def subject(one: Subject, found: OverTime) -> str:
    """``bot, composite``: the candidate and the judge where there are several."""
    candidates = {track.subject.candidate for track in found.tracks if track.subject.candidate}
    name = measure(one, found)
    return f"{one.candidate}, {name}" if one.candidate and len(candidates) > 1 else name


def measure(one: Subject, found: OverTime) -> str:
    """``composite (strict)`` where there are several judges; what a mix is of."""
    judges = {track.subject.source for track in found.tracks if track.subject.source}
    name = f"mix of {one.measure}" if one.how == "mix" else one.measure
    return f"{name} ({one.source})" if one.source and len(judges) > 1 else name


def change(one: Change, track: Track) -> str:
    """``−0.29 [−0.40, −0.18], p <0.001``; why there is none where there is none."""
    if one.estimate is None or one.adjusted is None:
        return one.few or words.NONE
    return f"{effect(one, track.subject)}, p {words.p_value(one.adjusted)}"


def effect(one: Change, about: Subject) -> str:
    """The size of a change with its interval: a difference, points of a share, bits of a mix, or a share of pairs."""
    found = one.estimate
    if found is None or found.value is None:
        return one.few or words.NONE
    if about.how == "mean":
        return words.estimate(found, sign=True)
    if about.how == "share":
        return f"{_hundred(found, sign=True)} points"
    if about.how == "new":
        return f"{_hundred(found, sign=True)} points beyond chance"
    if about.how == "mix":
        return f"{_bits(found)} bits beyond chance"
    return f"larger in {_hundred(found)} % of pairs"


def _hundred(found: Estimate, sign: bool = False) -> str:
    def shown(value: float) -> str:
        text = words.number(100 * value, 1 if sign else 0)
        return f"+{text}" if sign and not text.startswith("−") else text

    reach = "" if found.low is None or found.high is None else f" [{shown(found.low)}, {shown(found.high)}]"
    return f"{shown(found.value or 0.0)}{reach}"


def _bits(found: Estimate) -> str:
    reach = "" if found.low is None else f" [{_signed(found.low)}, {_signed(found.high)}]"
    return f"{_signed(found.value)}{reach}"


def _signed(value: float | None) -> str:
    text = words.number(value, 3)
    return text if text.startswith("−") else f"+{text}"


def by_chance(value: float, about: Subject) -> str:
    """``0.012 bits`` of a mix, ``4.1 %`` of what is new."""
    return words.percent(value) if about.how == "new" else f"{value:.3f} bits"


def point(one: Point | None, about: Subject) -> str:
    """``2.31 [2.20, 2.42]``, a share in percent, a median in its unit."""
    if one is None or one.estimate.value is None:
        return words.NONE
    found = one.estimate
    reach = "" if found.low is None else f" [{amount(found.low, about)}, {amount(found.high, about)}]"
    return f"{amount(found.value, about)}{reach}"


def amount(value: float | None, about: Subject) -> str:
    """``2.31``, ``4 %``, ``0.31 s``, ``12``."""
    if value is None:
        return words.NONE
    if about.how in ("share", "new"):
        return words.percent(value)
    if about.unit == "s":
        return f"{words.seconds(value)} s"
    if about.unit == "USD":
        return words.usd(value)
    if about.unit in ("words", "tokens"):
        return f"{value:,.0f}"
    return words.number(value)


def side(one: Change, about: Subject) -> int:
    """1 for better, -1 for worse, 0 where it did not move or neither is better."""
    if not one.moved or one.estimate is None or one.estimate.value is None or not about.better:
        return 0
    up = one.estimate.value > (0.5 if about.how == "amount" else 0.0)
    return 1 if up == (about.better == "higher") else -1


def notes(found: OverTime) -> tuple[str, ...]:
    """What a reader should know before believing it, a sentence each."""
    return tuple(f"{text[0].upper()}{text[1:]}." for text in _notes(found))


def _notes(found: OverTime) -> Iterator[str]:
    step = any(one.against == "before" for track in found.tracks for one in track.changes)
    last = f", and the last one, {found.periods[found.last].label}, with the one before it" if step else ""
    over = f"p is corrected by Benjamini and Hochberg over all {words.plural(found.tests, 'test')}"
    corrected = over if found.tests else "nothing could be tested"
    yield f"a window is compared with the reference, {reference(found)}{last}; {corrected}"
    if any(track.subject.source for track in found.tracks):
        yield "scores are the judges' own, uncorrected by human labels; a judge that drifted moves them too"
    if found.untimed:
        yield f"{words.plural(found.untimed, 'sample')} left out: nothing says when they were asked"
    empty = sum(not period.samples for period in found.periods)
    if empty:
        yield f"{words.plural(empty, 'window is', 'windows are')} empty"
    small = [p for p in found.periods if p.samples and not p.enough]
    if small:
        one = small[0]
        told = f"{one.label} with {words.plural(one.samples, 'sample')} in {words.plural(one.clusters, 'cluster')}"
        more = f" and {len(small) - 1} more" if len(small) > 1 else ""
        yield f"too few to compare ({LEAST} in {LEAST_CLUSTERS} clusters): {told}{more}"

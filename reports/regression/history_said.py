"""The runs of an exam over nights, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ...harness.records import Estimate
from .. import words
from . import said as compared
from .gate_words import watch_said
from .history_records import History, Night, Series, Step
from .records import Subject
from .sides import FAILURES

ALPHA = 0.05
NAMED = 3
"""Steps that the verdict names, the latest first."""
TITLES = {FAILURES: "failed answers", "e2e_s": "seconds to the end", "ttft_s": "seconds to the first token"}


def title(found: History) -> str:
    """``exam.yaml: 14 nights``."""
    return f"{found.exam}: {words.plural(len(found.nights), 'night')}"


def verdict(found: History) -> str:
    """What moved by more than chance from one night to the next; where nothing did, where it stands."""
    drifted = [one.judge for one in found.watched if one.state == "drifted"]
    lead = f"Judge{'s' * (len(drifted) > 1)} {words.listed(drifted)} DRIFTED on the anchors. " if drifted else ""
    return lead + _steps(found)


def _steps(found: History) -> str:
    moved = sorted((step for step in found.steps if side(step)), key=lambda step: -step.night)
    if moved:
        more = f" And {words.plural(len(moved) - NAMED, 'earlier step')}." if len(moved) > NAMED else ""
        return " ".join(f"{_moved(step, found)}." for step in moved[:NAMED]) + more
    if not found.steps:
        return "No two nights can be compared: a step needs finished runs on the same samples, graded alike."
    last = (f"{subject(one.subject, found)} {value(one, -1)}" for one in _headline_series(found))
    return f"No step by more than chance in {words.plural(len(found.nights), 'night')}; now {'; '.join(last)}."


def _moved(step: Step, found: History) -> str:
    names, numbers = days(found), flags(found)
    way = "better" if side(step) > 0 else "worse"
    told = f"{subject(step.subject, found)}: {way} on {names[step.night]} than on {names[step.since]}, {change(step)}"
    known = [str(numbers[at]) for at in range(step.since + 1, step.night + 1) if at in numbers]
    which = f"change{'s' if len(known) > 1 else ''} {words.listed(known)}"
    told += f", with {which}" if known else ", and nothing that we know of was changed"
    return f"{told}; it may be the judge, which drifted on its anchors" if _judge_drifted(step, found) else told


def _judge_drifted(step: Step, found: History) -> bool:
    nights = (night for one in found.watched if one.judge == step.subject.source for night in one.nights)
    run = found.nights[step.night].run.id
    return any(night.run == run and night.state == "drifted" for night in nights)


def flags(found: History) -> dict[int, int]:
    """Places of the nights on which something was changed, numbered from 1."""
    places = [at for at, night in enumerate(found.nights) if night.changes]
    return {at: number for number, at in enumerate(places, 1)}


def side(step: Step) -> int:
    """-1 where the night is worse than the one before by more than chance, 1 where it is better, else 0."""
    low, high = step.estimate.low, step.estimate.high
    if step.adjusted >= ALPHA or low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (step.subject.better == "higher") else -1


def change(step: Step) -> str:
    """``−0.60 [−0.76, −0.45], p <0.001``."""
    return f"{compared.with_interval(step.estimate, step.subject, sign=True)}, p {words.p_value(step.adjusted)}"


def notes(found: History) -> Iterator[str]:
    """What a reader should know before believing the lines, a sentence each."""
    if found.earlier:
        yield f"{words.plural(found.earlier, 'earlier run')} not shown"
    unfinished = [night.run.id for night in found.nights if not night.finished]
    if unfinished:
        yield f"not finished: {words.listed(unfinished)}"
    for night in found.nights:
        if night.finished and (told := reused(night)):
            yield f"run {night.run.id}: {told}"
    if any(one.subject.source for one in found.series):
        yield "scores are the judges' own, uncorrected by human labels"
    if found.steps:
        count = words.plural(len(found.steps), "step")
        yield (
            "a step is a night against the one before, on the same samples, by t; p is corrected by Holm over the "
            f"{count} shown"
        )
    for one in found.watched:
        yield f"judge {one.judge}: {watch_said(one)}"
    yield from found.notes


def sentences(found: History) -> tuple[str, ...]:
    """`notes`, each as a sentence."""
    return tuple(f"{text[0].upper()}{text[1:]}." for text in dict.fromkeys(notes(found)))


def reused(night: Night) -> str:
    """``mini: 200 of 200 answers are replies of earlier runs``; '' where none is."""
    told = [
        f"{name}: {night.reused[name]:,} of {n:,} answers are replies of earlier runs"
        for name, n in night.answers.items()
        if night.reused.get(name)
    ]
    return "; ".join(told)


def days(found: History) -> tuple[str, ...]:
    """A name for each night: the day, with the time where a day has several."""
    moments = [datetime.fromtimestamp(night.run.created_at, UTC) for night in found.nights]
    dates = [moment.date().isoformat() for moment in moments]
    several = len(set(dates)) < len(dates)
    return tuple(f"{date} {moment:%H:%M} UTC" if several else date for moment, date in zip(moments, dates, strict=True))


def subject(one: Subject, found: History) -> str:
    """``mini, composite``; the judge where there are several."""
    return f"{one.candidate}, {measure(one, found)}"


def measure(one: Subject, found: History) -> str:
    """``composite (strict)`` where there are several judges."""
    judges = {other.source for other in found.headlines if other.source}
    name = TITLES.get(one.measure, one.measure)
    return f"{name} ({one.source})" if one.source and len(judges) > 1 else name


def value(one: Series, night: int) -> str:
    """``2.61 [2.52, 2.70]`` on a night."""
    found = one.nights[night]
    return words.NONE if found is None else estimate(found, one.subject)


def estimate(one: Estimate, about: Subject) -> str:
    """With its unit; failures as a share."""
    if one.value is None:
        return words.NONE
    reach = f" [{amount(one.low, about)}, {amount(one.high, about)}]" if one.low is not None else ""
    return f"{amount(one.value, about)}{reach}"


def amount(value: float | None, about: Subject) -> str:
    """``2.61``, ``0.31 s``, ``$0.0021``, ``1.5 %``."""
    if value is None:
        return words.NONE
    return words.percent(value) if about.measure == FAILURES else compared.amount(value, about)


def _headline_series(found: History) -> Sequence[Series]:
    return [one for one in found.series if one.subject in found.headlines]

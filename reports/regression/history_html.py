"""A `History` as one HTML file without a script: figures, what was changed, and every night as a row of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from ...harness.watching import Watched
from .. import words
from ..figures.trend import Flag, Frame, Spot, Trace, trend
from ..html import environment, static_page
from . import gate_words
from . import history_said as said
from . import history_tables as tables
from .history_records import History, Series
from .sides import FAILURES

ISO = 10
"""Letters of a date. A day with several nights is followed by the time; then the axis leaves out the year."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with its heading."""

    title: str
    svg: Markup


def render_history(found: History) -> str:
    """The page; the same runs give the same bytes."""
    drawn = dict(_drawings(found))
    return static_page(
        "history",
        environment(),
        found=found,
        title=said.title(found),
        verdict=said.verdict(found),
        notes=said.sentences(found),
        changes=tables.changes(found),
        days=said.days(found),
        headlines=[drawing for key, drawing in drawn.items() if _is_headline(key, found)],
        watches=[gate_words.watched(one) for one in found.watched],
        anchors=_anchors(found),
        others=[drawing for key, drawing in drawn.items() if not _is_headline(key, found)],
        titles=tables.columns(found),
        rows=list(tables.rows(found)),
    )


def headline_figures(found: History) -> list[tuple[str, Markup]]:
    """The headlines over the nights."""
    return [(one.title, one.svg) for key, one in _drawings(found) if _is_headline(key, found)]


Key = tuple[str, str, str]
"""Source, measure, quantile: what shares a figure."""


def _is_headline(key: Key, found: History) -> bool:
    return any((one.source, one.measure) == key[:2] for one in found.headlines)


def _drawings(found: History) -> Iterator[tuple[Key, Drawing]]:
    groups: dict[Key, list[Series]] = {}
    for one in found.series:
        groups.setdefault((one.subject.source, one.subject.measure, one.quantile), []).append(one)
    for key, group in groups.items():
        drawn = _figure(found, group, _is_headline(key, found))
        if drawn is not None:
            yield key, Drawing(_title(group[0], found), drawn)


def _title(one: Series, found: History) -> str:
    name = "USD an answer" if one.subject.unit == "USD" else said.measure(one.subject, found)
    return f"{name}, {one.quantile}" if one.quantile else name


def _figure(found: History, group: list[Series], wide: bool) -> Markup | None:
    about = group[0].subject
    frame = _frame(found, wide)
    traces = [Trace(one.subject.candidate, tuple(_spots(one, found))) for one in group]
    amounts = bool(about.unit) or about.measure == FAILURES
    limits = (0.0, float("inf")) if amounts else group[0].scale
    up = "share of answers" if about.measure == FAILURES else about.unit or _scale_words(group[0])
    return trend(traces, frame, up, lambda value: said.amount(value, about), limits, zero=amounts)


def _scale_words(one: Series) -> str:
    return f"scale {words.scale_words(one.scale)}" if one.scale else one.subject.measure


def _frame(found: History, wide: bool) -> Frame:
    flags = (Flag(one.at, one.number, f"{one.night}: {'; '.join(one.words)}") for one in tables.changes(found))
    days = said.days(found)
    return Frame(days, tuple(day if len(day) <= ISO else day[5:16] for day in days), tuple(flags), wide)


def _spots(one: Series, found: History) -> Iterator[Spot]:
    sides = {step.night: said.side(step) for step in found.steps if step.subject == one.subject}
    for at, estimate in enumerate(one.nights):
        if estimate is not None:
            night = found.nights[at]
            yield Spot(at, estimate, night.repeats(one.subject.candidate), not night.finished, sides.get(at, 0))


def _anchors(found: History) -> Drawing | None:
    """The judges' changes on their anchors, in steps of the scale."""
    places = {night.run.id: at for at, night in enumerate(found.nights)}
    traces = [Trace(one.judge, tuple(_watched(one, places))) for one in found.watched]
    drawn = trend(traces, _frame(found, True), "change since the reference", words.signed)
    return None if drawn is None else Drawing("Judges on their anchors", drawn)


def _watched(one: Watched, places: dict[str, int]) -> Iterator[Spot]:
    for night in one.nights:
        if night.run in places:
            yield Spot(places[night.run], night.change, step=-1 if night.state == "drifted" else 0)

"""A `FeedbackReport` as one HTML file without a script, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from ..figures.acceptance import Shares, acceptance_by_score, acceptance_over_time
from ..headline import line
from ..html import environment, static_page
from ..markdown_tables import escape, table
from ..serving.markdown import told
from ..setup import day
from . import said
from .records import FeedbackReport


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what is to be known, drawings with their titles, each as ``wide`` as the page or not, and a table
    whose first ``left`` columns hold words."""

    heading: str
    about: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    drawings: tuple[tuple[str, Markup], ...] = ()
    wide: bool = False


def render_feedback(found: FeedbackReport) -> str:
    """The page; the same feedback gives the same bytes. No network and no script."""
    return static_page(
        "feedback",
        environment(),
        title=said.title(found),
        lines=[line(text) for text in lines(found)],
        caveats=list(said.caveats(found)),
        sections=list(sections(found)),
        footer=_footer(found),
    )


def feedback_markdown(found: FeedbackReport) -> str:
    """The same without the figures; names are escaped."""
    blocks = [
        f"# {escape(said.title(found))}",
        *(told(line(text)) for text in lines(found)),
        *(f"> {escape(text)}" for text in said.caveats(found)),
    ]
    for one in sections(found):
        rows = ([escape(text) for text in row] for row in one.rows)
        titles = [escape(text) for text in one.titles]
        blocks += [f"## {escape(one.heading)}", escape(one.about), table(titles, rows, left=one.left)]
    return "\n\n".join([*blocks, escape(_footer(found))]) + "\n"


def sections(found: FeedbackReport) -> Iterator[Section]:
    """The parts of the page that have something to show."""
    yield Section(
        "Acceptance",
        "A vote is what one user said of one answer, accepted or not; of a user's votes on an answer the last counts. "
        "Intervals are Wilson's at 95 %, by user where users vote more than once, else by cluster where samples share "
        "one.",
        said.ACCEPTED,
        tuple(said.accepted_rows(found)),
    )
    if found.by_window:
        asked = "the questions were asked" if found.clock == "asked" else "feedback was given"
        yield Section(
            "Over time",
            f"In windows of when {asked} (UTC). The band is the 95 % interval of each window; one window that differs "
            f"from another among many is no trend yet.",
            said.IN_WINDOW,
            tuple(said.window_rows(found)),
            2,
            (
                (
                    "Share of votes that accept",
                    acceptance_over_time(_lines_over_time(found), [w.label for w in found.windows]),
                ),
            ),
            wide=True,
        )
    yield from _of_judges(found)


def _of_judges(found: FeedbackReport) -> Iterator[Section]:
    if found.predictions:
        yield Section(
            "Does the judge's score predict it?",
            "AUC is the chance that an accepted answer has a higher score than a rejected one, ties counting half: 0.5 "
            "is chance, 1 is perfect order. Over all candidates it also counts what sets candidates apart.",
            said.PREDICTED,
            tuple(said.predicted_rows(found)),
            3,
        )
    if found.calibrations:
        yield Section(
            "Acceptance by score",
            "Of a judge that predicts feedback it rises from left to right. Where there are many different scores, "
            "about as many votes are in each group.",
            said.BY_SCORE,
            tuple(said.level_rows(found)),
            3,
            tuple(_by_score(found)),
        )
    if found.selections:
        yield Section(
            "Whose answers have feedback?",
            "The judge's mean of the answers that users said something of, against that of the others. Where they "
            "differ, what users say is not what they would have said of all answers. p is corrected by Benjamini and "
            "Hochberg over the table.",
            said.SELECTED,
            tuple(said.selected_rows(found)),
            2,
        )


def lines(found: FeedbackReport) -> list[str]:
    """What is said first: who is accepted, and whether the leading judge predicts it."""
    return [text for text in (said.verdict(found), said.second(found)) if text]


def _lines_over_time(found: FeedbackReport) -> list[Shares]:
    rates = {(one.candidate, one.window): one.rate for one in found.by_window}
    names = list(dict.fromkeys(one.candidate for one in found.by_window))
    return [Shares(name, tuple(rates.get((name, i)) for i in range(len(found.windows)))) for name in names]


def _by_score(found: FeedbackReport) -> Iterator[tuple[str, Markup]]:
    for one in found.calibrations:
        levels = [said.span(level) for level in one.levels]
        name = said.figure_title(one)
        yield name, acceptance_by_score(name, levels, [level.rate for level in one.levels])


def _footer(found: FeedbackReport) -> str:
    return f"run {found.run.id}, {day(found.run.created_at)} · made by: markscheme feedback"

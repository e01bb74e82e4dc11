"""Runs against runs: a comparison, a gate, its plan, an exam over nights."""

from __future__ import annotations

from markupsafe import Markup

from .. import words
from ..regression import gate_words, history_said, history_tables, said
from ..regression.compare_html import forests
from ..regression.gate_plan import GatePlan, PlannedLine
from ..regression.gate_plan_words import fine, plan_lines
from ..regression.gate_records import ORDER, GateLine, GateResult, Verdict
from ..regression.history_html import headline_figures
from ..regression.history_records import History
from ..regression.records import Compared, Difference
from . import fragment as html
from .fragment import Cell, Mark

MOST_EFFECTS = 40
"""Lines of a figure."""
_SIDES = {1: "better", -1: "worse"}
_VERDICTS: dict[Verdict, str] = {"pass": "better", "regression": "worse", "alarm": "worse", "inconclusive": "warn"}


def compared_html(found: Compared) -> str:
    """What got worse or better by more than chance, every difference, and where to look first."""
    titles = ["candidate", "measure", "new", "old", "difference", "better/same/worse", "p"]
    drawn = forests(found) if len(found.differences) <= MOST_EFFECTS else ()
    family = f"† {found.family}; the other p are not corrected, to explore only"
    return html.fragment(
        html.title(said.title(found)),
        Markup("").join(html.verdict(text) for text in said.first_lines(found)),
        html.table(titles, (_difference(one, found) for one in found.differences), left=2),
        html.notes([family, *said.pointers(found)]),
        html.notes(said.notes(found), "warn"),
        html.figures(drawn, wide=True),
    )


def _difference(one: Difference, found: Compared) -> list[Cell]:
    return [
        said.candidate(one.subject, found),
        said.measure(one.subject, found),
        said.value(one.new, one),
        said.value(one.old, one),
        Mark(said.change(one), _SIDES.get(said.side(one), "")),
        f"{one.wins:,}/{one.ties:,}/{one.losses:,}",
        said.p_words(one) + ("" if one.exploratory else "†"),
    ]


def gate_html(found: GateResult) -> str:
    """The verdict, and a line for each candidate and measure, the worst first."""
    lines = sorted(found.lines, key=lambda line: ORDER.index(line.verdict))
    return html.fragment(
        html.verdict(gate_words.headline(found)),
        html.title(gate_words.against(found)),
        html.table(["verdict", "what", "change", "margin", "why"], map(_line, lines), left=2, wordy=["why"]),
        html.notes([gate_words.watched(one) for one in found.watched]),
        html.notes(found.notes, "warn"),
    )


def _line(line: GateLine) -> list[Cell]:
    verdict = Mark(gate_words.NAMES[line.verdict], _VERDICTS[line.verdict])
    return [verdict, gate_words.name(line), gate_words.change(line), gate_words.margin(line), gate_words.said(line)]


def plan_html(found: GatePlan) -> str:
    """What the gate can show, in a table, and the false alarms to expect in words."""
    first, *lines = plan_lines(found)
    alarms = lines[next(i for i, text in enumerate(lines) if text.startswith("false alarms")) :]
    titles = ["candidate", "measure", "samples", "margin", "passes", "smallest margin", "alarms at", "samples needed"]
    return html.fragment(html.title(first), html.table(titles, map(_planned, found.lines), left=2), html.notes(alarms))


def _planned(line: PlannedLine) -> list[Cell]:
    return [
        line.noise.candidate,
        line.noise.measure,
        words.count(line.noise.n),
        fine(line.margin, line),
        words.percent(line.passes),
        Mark(fine(line.certifiable, line), "" if line.certifiable <= line.margin else "warn"),
        fine(line.detects, line),
        words.count(line.n_needed),
    ]


def history_html(found: History) -> str:
    """The headlines over the nights, what was changed, and the latest nights as rows."""
    rows = (
        [row.night, row.candidate, *_values(row), row.run, " ".join(filter(None, (row.state, row.flag)))]
        for row in history_tables.rows(found)
    )
    titles = ["night", "candidate", *history_tables.columns(found), "run", "state"]
    changed = [f"{one.number}  {one.night}  {'; '.join(one.words)}" for one in history_tables.changes(found)]
    return html.fragment(
        html.title(history_said.title(found)),
        html.verdict(history_said.verdict(found)),
        html.figures(headline_figures(found), wide=True),
        html.notes(changed),
        html.table(titles, rows, left=2, wordy=["run", "state"]),
        html.notes([gate_words.watched(one) for one in found.watched]),
        html.notes(history_said.sentences(found), "warn"),
    )


def _values(row: history_tables.Row) -> list[Cell]:
    kind = _SIDES.get(row.side, "")
    return [Mark(text, kind) if i == 0 and kind else text for i, text in enumerate(row.values)]

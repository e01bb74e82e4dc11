"""The section on costs of a load test's page."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from ..figures.break_even import Crossing, break_even
from ..headline import Line, line
from . import costs_said as said
from .costs import Costs, Stated
from .report import ServingReport
from .tables import Row


@dataclass(frozen=True, slots=True)
class Part:
    """What is said of the servers of one variant."""

    name: str
    said: tuple[Line, ...]
    figure: Markup | None
    rows: tuple[Row, ...]


def costs_section(report: ServingReport, templates: Environment, template: str) -> Markup:
    """The section; nothing where no GPU has a price and none was asked for."""
    notes = [line(text) for text in said.notes(report)]
    if not report.costs and not notes:
        return Markup("")
    bills = list(said.bill_rows(report.costs))
    page = templates.from_string(template).render(
        formula=said.FORMULA,
        notes=notes,
        found=[_part(one, report.stated) for one in report.costs],
        titles=said.COST_TITLES,
        bills=bills,
        month=said.bill_words(report.stated) if bills else "",
        bill_titles=said.BILL_TITLES,
    )
    return Markup(page)  # noqa: S704 - autoescaped


def _part(one: Costs, stated: Stated) -> Part:
    texts = tuple(line(text) for text in said.sentences(one, stated))
    return Part(said.named(one), texts, _figure(one, stated), tuple(said.cost_rows(one, stated)))


def _figure(one: Costs, stated: Stated) -> Markup | None:
    if one.even is None or one.rival is None or not one.even.most_per_s.value:
        return None
    return break_even(
        Crossing(
            said.named(one),
            one.rival.name,
            one.usd_per_server_hour,
            one.even.most_per_s.value,
            one.rival.usd_per_1000,
            one.even.queries_per_s,
            stated.queries_per_s,
        )
    )
